"""Recordings: HAR files as programs write them, a fake's journal, and what is cut off, broken or of somebody else."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from mockserver.core.errors import Unusable
from mockserver.server.process import Running, running
from mockserver.watch.passing import Passing
from tests import plain
from tests.watch.har import BASE, entry, har, only, read
from tests.watch.traffic import Traffic, invoice, page

PACKED = base64.b64encode(b"\x1f\x8b\x08 packed").decode()

JSON = [{"name": "accept", "value": "application/json"}]


def test_an_entry_becomes_an_exchange_with_its_place_and_time() -> None:
    found = only(entry(f"{BASE}/billing/invoices?page=2#top"))
    assert isinstance(found, Passing)
    assert (found.base, found.target, found.method) == (BASE, "/billing/invoices?page=2", "GET")
    assert found.headers == (("accept", "*/*"),)
    assert found.where() == "entry 1 of a.har, 2026-11-02T10:00:00.000Z"
    assert 0.012 < found.ended - found.started < 0.02


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({"request__postData": {"text": '{"charge_ids":[1]}'}}, b'{"charge_ids":[1]}'),
        ({"request__postData": {"params": [{"name": "charge_ids[]", "value": "1"}]}}, b"charge_ids%5B%5D=1"),
        ({"request__postData": {"text": base64.b64encode(b"{}").decode(), "encoding": "base64"}}, b"{}"),
        ({}, b""),
    ],
    ids=["text", "params", "base64", "none"],
)
def test_bodies_of_requests_are_read_however_they_are_kept(changes: Mapping[str, Any], body: bytes) -> None:
    found = only(entry(**changes))
    assert isinstance(found, Passing)
    assert found.body == body


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"request__url": "https://cdn.example.com/app.js"}, "elsewhere"),
        ({"request__url": f"https://stats.example.net/?key=secret&page={BASE}/billing/invoices"}, "elsewhere"),
        ({"request__url": f"https://portal.example.com/login#secret{BASE}/billing/invoices"}, "elsewhere"),
        ({"request__url": "https://a:secret@relay.example.com/https://b:secret@x.example/api/billing/invoices"}, None),
        ({"request__url": "https://portal.example.com/billing/invoices", "response__headers": []}, None),
        (
            {
                "request__url": "https://portal.example.com/billing/invoices",
                "request__headers": [{"name": "Accept", "value": "text/html"}],
            },
            "elsewhere",
        ),
        ({"_fromCache": "disk"}, "stale"),
        ({"_wasFulfilled": True}, "stale"),
        ({"_wasContinued": True}, None),
        ({"cache": {"afterRequest": None}}, "stale"),
        ({"cache": {"afterRequest": {"eTag": "x"}}}, "stale"),
        ({"cache": {"afterRequest": None}, "response__status": 304}, None),
        ({"cache": {}}, None),
        ({"_fetchType": "Memory Cache"}, "stale"),
        ({"_fetchType": "Network Load"}, None),
        ({"response__status": 0}, "unread"),
        ({"response___error": "net::ERR_ABORTED"}, "unread"),
        ({"response___charlesStatus": "EXCEPTION"}, "unread"),
        ({"response___charlesStatus": "COMPLETE"}, None),
        ({"request__url": "https://ann:secret@portal.example.com/api/billing/invoices"}, None),
    ],
    ids=[
        "another host",
        "named in a query",
        "named in a fragment",
        "by a relay, with passwords",
        "the API at another place",
        "a page of the portal",
        "from a cache",
        "by a test itself",
        "let through by a test",
        "from Firefox's cache",
        "from Firefox's cache, with its entry",
        "asked again",
        "no cache",
        "from Safari's cache",
        "from the network",
        "no answer",
        "given up",
        "broken off",
        "not broken off",
        "with a password",
    ],
)
def test_what_is_not_the_apis_answer_is_told_apart(changes: Mapping[str, Any], why: str | None) -> None:
    found = only(entry(**changes))
    assert found == why if why else isinstance(found, Passing)
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    "changes",
    [
        {"response__content__text": None},
        {"response__content": {"size": 0, "mimeType": "application/json"}},
        {"response__content": {"size": 0, "mimeType": "application/json", "text": ""}},
        {"response__content__text": json.dumps(page([invoice(1)]))[:50]},
        {"response__content__text": "!", "response__content__encoding": "base64"},
        {"response__content__text": PACKED, "response__content__encoding": "base64", "response__content__size": -1}
        | {"response__headers": [{"name": "content-encoding", "value": "br"}]},
        {"response__content__text": "[application/json redacted]" * 50},
        {"response__content__text": '{"data', "response__content__size": -1}
        | {"response__headers": [{"name": "content-length", "value": "655"}]},
    ],
    ids=["left out", "without a text", "given up", "cut off", "no base64", "packed still", "replaced", "cut by length"],
)
def test_an_answer_without_its_body_is_not_taken_for_a_bad_one(changes: Mapping[str, Any]) -> None:
    found = only(entry(**changes))
    assert isinstance(found, Passing)
    assert found.answer is None


@pytest.mark.parametrize(
    "changes",
    [
        {"response__content__size": 6},
        {"response__content__size": -1},
        {"response__content__size": -1, "response__headers": [{"name": "content-length", "value": "6"}]},
        {"response__headers": [{"name": name, "value": "9"} for name in ("content-encoding", "content-length")]}
        | {"response__content__size": 6},
    ],
    ids=["by its size", "of an unknown size", "by its length", "packed on its way"],
)
def test_what_was_sent_and_is_no_json_is_kept_to_be_told(changes: Mapping[str, Any]) -> None:
    found = only(entry(**changes, response__content__text="<html>"))
    assert isinstance(found, Passing)
    assert found.answer == b"<html>"


def test_where_no_header_was_recorded_the_type_of_json_is_not_missing() -> None:
    found = only(entry(response__headers=[], response__content__mimeType=""))
    assert isinstance(found, Passing)
    assert found.answer_header("content-type") == "application/json"
    html = only(entry(response__headers=[], response__content={"text": "<html>", "mimeType": ""}))
    assert isinstance(html, Passing)
    assert html.answer_header("content-type") == ""


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [("", 500, {"GEN-5"}), ("", 503, set()), ("", 422, set()), ("", 200, set()), ("/1/collect", 500, set())],
)
def test_a_500_is_a_breach_though_its_body_was_not_recorded(path: str, status: int, told: set[str]) -> None:
    method = "POST" if path else "GET"
    left_out = {"response__status": status, "response__content__text": None}
    found = only(entry(f"{BASE}/billing/invoices{path}", request__method=method, request__headers=JSON, **left_out))
    assert isinstance(found, Passing)
    traffic = Traffic()
    traffic.watch.see(found)
    assert traffic.broken == told


def test_a_body_that_was_announced_to_be_empty_is_empty() -> None:
    headers = [{"name": "content-type", "value": "application/json"}, {"name": "content-length", "value": "0"}]
    found = only(entry(response__content={"size": 0, "text": ""}, response__headers=headers))
    assert isinstance(found, Passing)
    assert found.answer == b""


@pytest.mark.parametrize(
    ("location", "told"),
    [
        (f"{BASE}/billing/invoices", set()),
        ("https://www.portal.example.com/api/billing/invoices", set()),
        ("https://login.example.net/?next=x", set()),
        ("//login.example.net/", set()),
        ("https://portal.example.com/", set()),
        ("http://portal.example.com:8080/login", {"GEN-1"}),
        ("/login", {"GEN-1"}),
        ("http://[", {"GEN-1"}),
    ],
    ids=[
        "https",
        "https and www",
        "another host",
        "another host by the same scheme",
        "https, another page",
        "another page",
        "its own page",
        "no address",
    ],
)
def test_being_sent_to_https_or_to_another_host_is_no_answer_of_the_api(location: str, told: set[str]) -> None:
    traffic = Traffic()
    found = only(
        entry(
            "http://portal.example.com/api/billing/invoices",
            request__headers=JSON,
            response__status=307,
            response__headers=[{"name": "location", "value": location}, {"name": "content-length", "value": "0"}],
            response__content={"size": 0, "text": ""},
        )
    )
    assert isinstance(found, Passing)
    traffic.watch.see(found)
    assert traffic.broken == told


@pytest.mark.parametrize("path", ["reset", "snapshots/before/restore", "worlds/ann?x=1"])
def test_a_fake_that_was_set_back_contradicts_nothing(path: str) -> None:
    traffic = Traffic()
    created = entry(
        request__method="POST",
        request__headers=[
            {"name": "accept", "value": "application/json"},
            {"name": "authorization", "value": "Bearer p@ann"},
        ],
        response__content={"text": json.dumps({"message": "Created.", "invoice": invoice(40)})},
    )
    reset = entry("https://portal.example.com/_mock/" + path, request__method="DELETE" if "?" in path else "POST")
    reset["request"]["headers"] = created["request"]["headers"]
    later = {"startedDateTime": "2026-11-02T10:00:01.000Z"}
    _, found = read(har(created, reset | later, created | {"startedDateTime": "2026-11-02T10:00:02.000Z"}))
    for one in found:
        assert isinstance(one, Passing)
        traffic.watch.see(one)
    assert traffic.ends() == 0
    assert traffic.broken == set()


def test_the_address_may_be_given() -> None:
    assert only(entry("https://x.example/v2/billing/invoices"), base="https://y.example") == "elsewhere"
    found = only(entry("https://x.example/v2/billing/invoices"), base="https://x.example/v2")
    assert isinstance(found, Passing)
    assert found.target == "/billing/invoices"
    assert only(entry("https://x.example/v23/billing/invoices"), base="https://x.example/v2") == "elsewhere"


def test_what_was_read_before_a_file_breaks_off_is_judged_and_the_rest_is_told() -> None:
    whole = har(entry(), entry(), entry())
    recording, found = read(whole[: len(whole) * 3 // 4])
    assert len(found) == 2
    [note] = recording.notes()
    assert "a.har can't be read beyond entry 2" in note


@pytest.mark.parametrize("text", [rb'"\udc00 lone"', b"1" + b"0" * 40], ids=["half a pair", "a huge integer"])
@pytest.mark.parametrize("form", ["har", "journal"])
def test_what_is_too_much_for_the_quick_parser_costs_no_entry(text: bytes, form: str) -> None:
    odd = {"url": f"{BASE}/billing/invoices", "method": "POST", "headers": {}, "body": {"charge_ids": ["ODD"]}}
    answer = {"status": 422, "headers": {}, "body": {"message": "ODD"}}
    entries = [entry(), entry(comment="ODD"), entry()]
    if form == "har":
        content = har(*entries)
    else:
        content = json.dumps({"data": [{"request": odd, "response": answer}] * 3}).encode()
    recording, found = read(content.replace(b'"ODD"', text))
    assert [type(one) for one in found] == [Passing] * 3
    assert not recording.end
    for one in found:
        assert isinstance(one, Passing)
        Traffic().watch.see(one)


@pytest.mark.parametrize("bad", ["text", None, {}, {"request": {}, "response": {}}, {**entry(), "request": [1]}])
def test_an_entry_that_is_none_is_counted(bad: object) -> None:
    recording, found = read(har(entry(), bad, entry()))
    assert len(found) == 2
    assert any("1 entry has no request, answer, method or URL" in note for note in recording.notes())


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"entries": []}', b"\xff\xfe"])
def test_what_is_no_recording_is_refused(content: bytes) -> None:
    with pytest.raises(Unusable, match="is no recording"):
        read(content)


def test_a_mark_before_the_text_does_no_harm() -> None:
    _, found = read(b"\xef\xbb\xbf" + har(entry()))
    assert isinstance(found[0], Passing)


@pytest.fixture(scope="module")
def fake() -> Any:
    with running() as live:
        yield live


@pytest.mark.parametrize("form", ["har", "json"])
def test_the_journal_of_a_fake_is_judged_and_sound(fake: Running, form: str) -> None:
    headers = {"Authorization": f"Bearer provider@{form}", "Accept": "application/json", "X-Selected-Client-Id": "1"}
    with plain.Client(headers=headers, base_url=fake.base, trust_env=False) as http:
        for _ in range(2):
            http.post("/api/billing/charges/quick-adjustment", json={"amount": 3, "description": "x"})
            made = http.post("/api/billing/invoices").json()["invoice"]["id"]
            http.post(f"/api/billing/invoices/{made}/finalize")
            http.post("/api/billing/invoices", data={"charge_ids[]": "1"})
            http.post("/_mock/clock/advance", json={"by": "P1D"})
            http.get("/api/billing/invoices")
        content = http.get("/_mock/journal", params={"format": form}).content
    recording, found = read(content)
    traffic = Traffic()
    for number, passing in enumerate(found, 1):
        assert isinstance(passing, Passing)
        passing.number = number
        traffic.watch.see(passing)
    assert traffic.ends() == 0
    assert not list(recording.notes())
    assert traffic.watch.judge.judged == 10
    assert traffic.watch.recorder.exercised["FINALIZE-1"]
