"""The journal: every exchange with both verdicts and what decided it, filtered and bounded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import httpx
import pytest

from mockserver.core.clock import Clock
from mockserver.core.messages import Reply, Request
from mockserver.server.process import Running, running
from mockserver.traffic.journal import MOST_KEPT_OF_A_BODY, Exchange, Journal
from tests import plain
from tests.conftest import Api
from tests.traffic.reading import LIST, entries, journal, verify


def test_an_exchange_is_kept_as_it_was(api: Api) -> None:
    charge = api.charge(12.5)
    answer = api.create(charge["id"])
    entry = entries(api)[-1]
    assert entry["number"] == 2
    assert entry["world"] == api.world
    assert entry["operation"] == "createInvoice"
    assert entry["because"] == answer.headers["X-Mock-Trace"] == "CREATE-1"
    assert entry["request"]["method"] == "POST"
    assert entry["request"]["url"] == f"{api.server.api}/billing/invoices"
    assert entry["request"]["headers"]["authorization"] == f"Bearer {api.token}@{api.world}"
    assert entry["request"]["body"] == {"charge_ids": [charge["id"]]}
    assert entry["response"]["status"] == 200
    assert entry["response"]["body"] == answer.json()
    assert entry["request"]["valid"] and entry["response"]["valid"]
    assert 0 < entry["seconds"] < 5
    assert datetime.fromisoformat(entry["at"]).tzinfo is not None


def test_the_headers_of_the_journal_are_those_that_were_sent(api: Api) -> None:
    answer = api.get(f"{LIST}?pages=2", headers={"Prefer": "delay=0"})
    sent = entries(api)[-1]["response"]["headers"]
    assert {name: answer.headers[name] for name in sent} == sent
    assert {"X-Mock-Warning", "Preference-Applied", "Content-Type"} <= set(sent)


def test_the_time_is_that_of_the_world(api: Api) -> None:
    api.control("POST", "/clock/freeze", json={"at": "2030-02-03T04:05:06Z"})
    api.get(LIST)
    assert entries(api)[-1]["at"] == "2030-02-03T04:05:06.000000Z"


@pytest.mark.parametrize(
    ("method", "path", "kwargs", "problem"),
    [
        ("GET", f"{LIST}?page=x", {}, "page"),
        ("GET", "/billing/invoces", {}, "/billing/invoces"),
        ("DELETE", LIST, {}, "DELETE"),
        ("POST", LIST, {"content": b"{", "headers": {"Content-Type": "application/json"}}, "JSON"),
        ("POST", LIST, {"content": b"<a/>", "headers": {"Content-Type": "text/xml"}}, "text/xml"),
        ("POST", LIST, {"content": b"x" * 1_000_001, "headers": {"Content-Type": "application/json"}}, "1,000,000"),
        ("POST", LIST, {"json": {"charge_ids": ["a"]}}, "charge_ids.0"),
    ],
)
def test_what_the_spec_forbids_is_told_of_the_request(
    api: Api, method: str, path: str, kwargs: dict[str, Any], problem: str
) -> None:
    api.request(method, path, **kwargs)
    (entry,) = entries(api, invalid=True)
    assert not entry["request"]["valid"]
    assert problem in " ".join(entry["request"]["problems"])
    assert entry["response"]["valid"]


@pytest.mark.parametrize(
    ("method", "path", "kwargs"),
    [
        ("GET", f'{LIST}?q=total:"3"', {}),
        ("GET", f"{LIST}?page=0", {}),
        ("GET", "/billing/charges/4711", {}),
        ("POST", LIST, {"json": {"charge_ids": [4711]}}),
        ("GET", LIST, {"headers": {"X-Selected-Client-Id": "4711"}}),
        ("GET", LIST, {"headers": {"Prefer": "outcome=nope"}}),
    ],
)
def test_a_refusal_for_other_reasons_leaves_the_request_valid(
    api: Api, method: str, path: str, kwargs: dict[str, Any]
) -> None:
    assert 400 <= api.request(method, path, **kwargs).status_code < 500
    assert entries(api, invalid=True) == []
    assert len(entries(api)) == 1


@pytest.mark.parametrize("depth", [64, 65, 254, 300, 1023, 5000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a": [', "]}")])
def test_a_body_that_nests_too_deeply_leaves_the_journal_readable(
    api: Api, opening: str, closing: str, depth: int
) -> None:
    times = depth // len(closing)
    body = opening * times + "[]" * (depth % len(closing)) + closing * times
    headers = {"Content-Type": "application/json"}
    assert api.post(LIST, content=body.encode(), headers=headers).status_code == 422
    (entry,) = entries(api)
    assert entry["request"]["body"] == (body if depth > 64 else json.loads(body))
    assert api.control("GET", "/journal/1").json() == entry
    for form in ("har", "curl", "pytest"):
        assert api.control("GET", "/journal", params={"format": form}).status_code == 200
    wanted = {"expect": [{"request": {"charge_ids": [1]}}, {"request": [1]}]}
    assert api.control("POST", "/journal/verify", json=wanted).json()["verified"] is False


def test_what_comes_without_a_known_token_is_in_the_common_world(api: Api) -> None:
    common = Api(api.server, "common", api.token, api.http)

    def told(token: str, path: str) -> Any:
        cursor = journal(common)["cursor"]
        assert api.get(path, token=token).status_code == 401
        (entry,) = entries(common, since=cursor)
        return entry

    assert told("stranger", LIST)["request"]["valid"], "the spec can't tell a wrong token from a right one"
    assert "page" in told("stranger", f"{LIST}?page=x")["request"]["problems"][0]
    assert not told("", LIST)["request"]["valid"]
    assert entries(api) == []


def test_a_refused_path_is_in_the_world_that_its_token_names(api: Api) -> None:
    assert api.get("/billing/nothing").status_code == 404
    assert [entry["world"] for entry in entries(api)] == [api.world]


def test_a_fault_is_told_with_the_answer_that_went_out(api: Api) -> None:
    api.control("POST", "/faults", json={"kind": "schema", "way": "shape", "operation": "listInvoices"})
    api.control("POST", "/faults", json={"kind": "malformed", "operation": "listCharges"})
    sent = [api.get(LIST), api.get("/billing/charges")]
    schema, malformed = entries(api, invalid=True)
    assert schema["faults"] == [{"id": 1, "kind": "schema", "when": "after"}]
    assert schema["response"]["body"] == sent[0].json()
    assert malformed["response"]["body"] == sent[1].text
    for entry in (schema, malformed):
        assert entry["request"]["valid"] and not entry["response"]["valid"]
        assert entry["response"]["problems"]


@pytest.mark.parametrize("kind", ["reset", "empty"])
def test_an_answer_that_never_went_out_has_no_status(api: Api, kind: str) -> None:
    with pytest.raises(httpx.TransportError):
        api.get(LIST, headers={"Prefer": f"fault={kind}"})
    (entry,) = entries(api)
    assert entry["response"]["status"] is None
    assert entry["response"]["body"] is None
    assert entry["faults"] == [{"id": None, "kind": kind, "when": "before"}]


def test_an_exchange_is_in_the_journal_while_its_answer_waits(api: Api) -> None:
    with pytest.raises(httpx.TimeoutException):
        api.get(LIST, headers={"Prefer": "delay=2"}, timeout=0.3)
    (entry,) = entries(api)
    assert entry["seconds"] >= 2


def test_the_journal_is_filtered(api: Api) -> None:
    invoice = api.draft()
    api.finalize(invoice["id"])
    api.collect(invoice["id"], headers={"Prefer": "outcome=lost_card"})
    api.get(LIST)
    assert [one["operation"] for one in entries(api, operation="listInvoices")] == ["listInvoices"]
    assert [one["response"]["status"] for one in entries(api, status="402")] == [402]
    assert [one["response"]["status"] for one in entries(api, status="4xx")] == [402]
    operations = [one["operation"] for one in entries(api, invoice=invoice["id"])]
    assert operations == ["createInvoice", "finalizeInvoice", "collectInvoice"]
    assert entries(api, status="4xx", operation="listInvoices") == []


def test_a_cursor_leads_to_what_follows(api: Api) -> None:
    for _ in range(5):
        api.get(LIST)
    assert [one["number"] for one in entries(api, limit=2)] == [4, 5]
    first = journal(api, since=0, limit=2)
    assert [one["number"] for one in first["data"]] == [1, 2]
    rest = journal(api, since=first["cursor"])
    assert [one["number"] for one in rest["data"]] == [3, 4, 5]
    nothing = journal(api, since=rest["cursor"])
    assert (nothing["data"], nothing["cursor"]) == ([], 5)


@pytest.mark.parametrize(
    "query", ["format=xml", "status=600", "limit=0", "since=x", "invalid=perhaps", "operation=foo"]
)
def test_a_filter_that_makes_no_sense_is_refused(api: Api, query: str) -> None:
    assert api.control("GET", f"/journal?{query}").status_code == 400


def test_an_emptied_journal_goes_on_counting(api: Api) -> None:
    api.get(LIST)
    assert api.control("DELETE", "/journal").status_code == 200
    assert journal(api) == {"data": [], "cursor": 1, "lost": 0}
    api.get(LIST)
    assert [one["number"] for one in entries(api, since=1)] == [2]


def test_a_reset_empties_the_journal(api: Api) -> None:
    api.get(LIST)
    api.control("POST", "/reset")
    assert entries(api) == []


def test_worlds_share_no_journal(api: Api) -> None:
    others = [Api(api.server, f"{api.world}-{number}", api.token, api.http) for number in range(8)]

    def ask(world: Api) -> None:
        for _ in range(10):
            world.get(LIST, params={"q": f'id:"{world.world.rpartition("-")[2]}"'})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, others))
    for number, world in enumerate(others):
        found = entries(world)
        assert [one["number"] for one in found] == list(range(1, 11))
        assert {one["request"]["query"] for one in found} == {f"q=id%3A%22{number}%22"}
    assert entries(api) == []


@pytest.fixture(scope="module")
def forgetful() -> Iterator[Running]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HTTP_PROXY", "http://user:password@proxy.example:3128")
        patch.setenv("NO_PROXY", "*")
        with running("--journal-size", "3") as live:
            yield live


def test_the_environment_of_the_server_is_no_header_of_a_request(forgetful: Running) -> None:
    with plain.Client(trust_env=False, timeout=60) as http:
        api = Api(forgetful, "environment", "provider", http)
        api.get(LIST)
        assert "proxy" not in entries(api)[0]["request"]["headers"]


def test_the_journal_is_bounded_and_tells_its_loss(forgetful: Running) -> None:
    with plain.Client(timeout=60) as http:
        api = Api(forgetful, "bounded", "provider", http)
        for _ in range(5):
            api.get(LIST)
        told = journal(api)
        assert ([one["number"] for one in told["data"]], told["lost"]) == ([3, 4, 5], 2)
        assert verify(api, {"operation": "listInvoices", "at_least": 4})["lost"] == 2


@pytest.mark.parametrize("expectation", [{"operation": "createInvoice", "at_most": 0}, {"status": 200, "at_most": 3}])
def test_what_was_lost_can_not_be_said_to_be_no_more_than_so_many(
    forgetful: Running, expectation: dict[str, Any]
) -> None:
    with plain.Client(timeout=60) as http:
        api = Api(forgetful, f"lost-{expectation['at_most']}", "provider", http)
        for _ in range(5):
            api.get(LIST)
        for since in (0, 1):
            verdict = verify(api, expectation, since=since)
            assert not verdict["verified"]
            assert f"of {2 - since} exchanges that the journal has lost nobody knows" in verdict["message"]
            assert "--journal-size" in verdict["message"]
        assert verify(api, expectation, since=2)["verified"]
        assert verify(api, {"status": 200, "at_least": 3})["verified"], "more of them would change nothing"
        api.control("DELETE", "/journal")
        assert verify(api, {"status": 200, "at_most": 0})["verified"], "what was taken out on purpose is not lost"


def test_of_a_large_body_the_beginning_is_kept() -> None:
    kept = Journal(1)
    kept.record(Exchange(Request("POST", "/", body=b"x" * 100_000), "", Reply(200, None)), at=Clock().now(), seconds=0)
    assert len(kept.read()[0][0].request.body) == MOST_KEPT_OF_A_BODY


def test_numbers_stand_in_the_order_of_the_journal() -> None:
    kept = Journal(100_000)

    def record(_: int) -> None:
        for _ in range(500):
            kept.record(Exchange(Request("GET", "/"), "", Reply(200, None)), at=0, seconds=0)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(record, range(8)))
    found, lost = kept.read()
    assert [one.number for one in found] == list(range(1, 4001))
    assert lost == 0
