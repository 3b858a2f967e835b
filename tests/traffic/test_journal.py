"""The journal: every exchange with both verdicts and what decided it, filtered, exported, and asserted on."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from mockserver.core.clock import Clock
from mockserver.core.messages import Reply, Request
from mockserver.server.process import Running, running
from mockserver.traffic import expectations
from mockserver.traffic.formats import request_body
from mockserver.traffic.journal import MOST_KEPT_OF_A_BODY, Exchange, Journal
from tests import plain
from tests.conftest import Api

LIST = "/billing/invoices"


def journal(api: Api, **query: Any) -> Any:
    answer = api.control("GET", "/journal", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def entries(api: Api, **query: Any) -> list[Any]:
    found: list[Any] = journal(api, **query)["data"]
    return found


def verify(api: Api, *expect: dict[str, Any], **more: Any) -> Any:
    answer = api.control("POST", "/journal/verify", json={"expect": list(expect), **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


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


@pytest.mark.parametrize("query", ["format=xml", "status=600", "limit=0", "since=x", "invalid=perhaps"])
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


def test_the_har_has_all_that_har_1_2_asks_for(api: Api) -> None:
    api.create(api.charge()["id"])
    api.get(f"{LIST}?q=id:%221%22&page=1")
    with pytest.raises(httpx.TransportError):
        api.get(LIST, headers={"Prefer": "fault=empty"})
    log = api.control("GET", "/journal", params={"format": "har"}).json()["log"]
    assert log["version"] == "1.2"
    assert set(log["creator"]) == {"name", "version"}
    assert len(log["entries"]) == 4
    for entry in log["entries"]:
        assert datetime.fromisoformat(entry["startedDateTime"])
        assert entry["time"] == sum(entry["timings"].values())
        assert set(entry["timings"]) == {"send", "wait", "receive"}
        assert entry["cache"] == {}
        request, response = entry["request"], entry["response"]
        asked = {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"}
        assert asked <= set(request) <= asked | {"postData"}
        answered = {"status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL"}
        assert set(response) == answered | {"headersSize", "bodySize"}
        assert all(set(pair) == {"name", "value"} for pair in request["headers"] + response["headers"])
        assert {"size", "mimeType"} <= set(response["content"])
    _, created, listed, cut = log["entries"]
    assert created["request"]["postData"]["mimeType"] == "application/json"
    assert json.loads(created["request"]["postData"]["text"])["charge_ids"]
    assert json.loads(created["response"]["content"]["text"])["invoice"]["status"] == "Draft"
    pairs = [{"name": "q", "value": 'id:"1"'}, {"name": "page", "value": "1"}]
    assert listed["request"]["queryString"] == pairs
    assert (cut["response"]["status"], cut["response"]["content"]["text"]) == (0, "")


@pytest.mark.parametrize(
    ("method", "path", "kwargs"),
    [
        ("GET", f"{LIST}?q=id:%22{{}}%22", {}),
        ("POST", "/billing/charges/quick-adjustment", {"json": {"amount": 1, "description": "It's Zoë's $5 `box`\n@"}}),
        ("POST", "/billing/charges/quick-adjustment", {"data": {"amount": 1, "description": "a&b=c ü"}}),
        ("POST", LIST, {"content": b"\xff\x00\n'"}),
        ("POST", LIST, {"json": {"charge_ids": [22]}}),
        ("HEAD", LIST, {}),
        ("GET", "/billing/charges/a%20b%25%3F%C3%BC%23", {}),
    ],
)
def test_a_curl_command_asks_the_same_again(api: Api, method: str, path: str, kwargs: dict[str, Any]) -> None:
    api.request(method, path, headers={"X-Selected-Client-Id": "1", "X-Empty": ""}, **kwargs)
    answer = api.control("GET", "/journal", params={"format": "curl"})
    assert answer.headers["Content-Type"].startswith("text/plain")
    subprocess.run(["sh", "-c", answer.text.strip()], check=True, capture_output=True, timeout=60)
    first, second = entries(api)
    ours = {"accept-encoding", "connection", "content-length"}
    for entry in (first, second):
        entry["request"]["headers"] = {k: v for k, v in entry["request"]["headers"].items() if k not in ours}
    assert first["request"] == second["request"]


def test_what_was_expected_is_verified(api: Api) -> None:
    invoice = api.draft()
    api.finalize(invoice["id"])
    api.collect(invoice["id"], headers={"Prefer": "outcome=lost_card"})
    api.collect(invoice["id"])
    verdict = verify(
        api,
        {"operation": "createInvoice", "request": {"charge_ids": [invoice_charge(api, invoice)]}, "at_most": 1},
        {"operation": "collectInvoice", "invoice": invoice["id"], "at_least": 2, "at_most": 2},
        {"operation": "collectInvoice", "status": 402, "because": "outcome:lost_card"},
        {"status": "2xx", "response": {"invoice": {"stripe_invoice_status": "paid"}}},
        {"operation": "listCharges", "at_most": 0},
        {"method": "POST", "path": f"/billing/invoices/{invoice['id']}/finalize"},
        {"headers": {"Prefer": "outcome=lost_card"}},
        {"fault": "outcome"},
    )
    assert verdict["verified"], verdict["message"]
    assert verdict["message"] == ""
    assert [one["matched"] for one in verdict["results"]] == [1, 2, 1, 1, 0, 1, 1, 1]


def invoice_charge(api: Api, invoice: Any) -> int:
    created = entries(api, operation="createInvoice", invoice=invoice["id"])
    return int(created[0]["request"]["body"]["charge_ids"][0])


def test_a_failed_expectation_shows_what_came_nearest_field_by_field(api: Api) -> None:
    charge = api.charge()
    api.create(charge["id"])
    api.get(LIST)
    verdict = verify(api, {"operation": "createInvoice", "status": 200, "request": {"charge_ids": [4711]}})
    assert not verdict["verified"]
    (result,) = verdict["results"]
    nearest = result["nearest"][0]
    assert nearest["number"] == 2
    assert nearest["differences"] == [{"field": "request.charge_ids.0", "expected": 4711, "got": charge["id"]}]
    assert f"exchange 2 came near: request.charge_ids.0 is {charge['id']}" in verdict["message"]
    assert len(result["nearest"]) == 3, "the others are further away"


def test_too_many_are_told_by_their_numbers(api: Api) -> None:
    for _ in range(3):
        api.get(LIST)
    (result,) = verify(api, {"operation": "listInvoices", "at_most": 2})["results"]
    assert (result["verified"], result["matched"], result["numbers"]) == (False, 3, [1, 2, 3])
    assert result["complaint"] == "3 were like that; wanted are at most 2"


def test_order_is_verified_on_demand(api: Api) -> None:
    invoice = api.draft()
    api.finalize(invoice["id"])
    api.collect(invoice["id"])
    right = [{"operation": name} for name in ("createInvoice", "finalizeInvoice", "collectInvoice")]
    assert verify(api, *right, in_order=True)["verified"]
    assert verify(api, *reversed(right))["verified"]
    wrong = verify(api, *reversed(right), in_order=True)
    assert not wrong["verified"]
    assert "no exchange was like that after exchange 4" in wrong["message"]


def test_each_body_is_read_once_whatever_is_expected_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def read_body(request: Request) -> Any:
        read.append(request)
        return request_body(request)

    monkeypatch.setattr(expectations, "request_body", read_body)
    said = [Exchange(Request("POST", "/", body=b"{}"), "", Reply(200, None), number=number) for number in range(5)]
    results = expectations.check(said, [{"request": {"charge_ids": [number]}} for number in range(9)], in_order=False)
    assert [len(result.misses) for result in results] == [expectations.NEAREST] * 9
    assert len(read) == 5


def test_a_near_miss_tells_the_beginning_of_what_is_long(api: Api) -> None:
    long = "x" * 50_000
    api.post(LIST, json={"charge_ids": [1], "note": long}, headers={"X-Note": long})
    verdict = verify(api, {"request": {"charge_ids": 1, "note": 1}, "headers": {"X-Note": "y"}}, {"request": 1})
    got = {one["field"]: one["got"] for result in verdict["results"] for one in result["nearest"][0]["differences"]}
    assert got == {
        "request.charge_ids": [1],
        "request.note": "x" * expectations.LONGEST + "...",
        "headers.X-Note": "x" * expectations.LONGEST + "...",
        "request": ('{"charge_ids":[1],"note":"' + long)[: expectations.LONGEST] + "...",
    }


def test_no_more_is_expected_at_once_than_can_be_judged_soon(api: Api) -> None:
    answer = api.control("POST", "/journal/verify", json={"expect": [{"status": 200}] * 1001})
    assert answer.status_code == 400
    assert "at most 1000" in answer.json()["message"]


def test_only_what_follows_a_cursor_can_be_verified(api: Api) -> None:
    api.get(LIST)
    assert verify(api, {"operation": "listInvoices"})["verified"]
    assert not verify(api, {"operation": "listInvoices"}, since=1)["verified"]


@pytest.mark.parametrize(
    "expectation", [{"operation": "payInvoice"}, {"colour": "red"}, {"at_least": -1}, {"status": [200]}]
)
def test_an_expectation_that_makes_no_sense_is_refused(api: Api, expectation: dict[str, Any]) -> None:
    answer = api.control("POST", "/journal/verify", json={"expect": [expectation]})
    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_the_journal_as_tests_sends_the_same_requests_and_finds_the_same_answers(api: Api, tmp_path: Path) -> None:
    api.get("/billing/invoices", params={"q": 'id:"1"', "per_page": 2})
    api.charge(12.5)
    form = {"amount": "7", "description": "ein “Stück” <b>\\'\"\n"}
    api.post("/billing/charges/quick-adjustment", data=form, headers={"X-Selected-Client-Id": "1"})
    api.post("/billing/invoices", content=b'{"charge_ids": [', headers={"Content-Type": "application/json"})
    api.post("/billing/invoices/1/collect")
    with pytest.raises(httpx.TransportError):
        api.get("/billing/invoices", headers={"Prefer": "fault=reset"})
    answer = api.control("GET", "/journal", params={"format": "pytest"})
    assert answer.headers["Content-Type"].startswith("text/plain")
    [alone] = re.findall(r"(def test_\w+)\(", api.control("GET", "/journal/1", params={"format": "pytest"}).text)
    assert alone == "def test_list_invoices_1"
    file = tmp_path / "test_again.py"
    file.write_text(answer.text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--mockserver-url", api.server.base]
    again = subprocess.run(
        [*command, "-o", "mockserver_token=provider", str(file)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert "6 passed" in again.stdout, again.stdout
