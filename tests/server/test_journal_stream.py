"""The journal as it grows: a stream of events with a cursor that resumes, bounded so that requests never starve."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from mockserver.server.process import running
from mockserver.server.web.event_stream import MOST_STREAMS
from tests import plain
from tests.conftest import Api


@dataclass(frozen=True)
class Event:
    name: str
    id: str
    data: dict[str, object]


@contextmanager
def streaming(api: Api, *, last: str | None = None, **query: int) -> Iterator[Iterator[Event]]:
    headers = {"Authorization": f"Bearer {api.token}@{api.world}"}
    if last is not None:
        headers["Last-Event-ID"] = last
    url = f"{api.server.control}/journal/stream"
    # One client for all: each new one reads the machine's certificates.
    with api.http.stream("GET", url, headers=headers, params=query) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield events(answer.iter_lines())


def events(lines: Iterator[str]) -> Iterator[Event]:
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
        elif "event" in fields:
            yield Event(fields["event"], fields["id"], json.loads(fields["data"]))
            fields = {}


def test_what_is_kept_comes_first_and_then_what_is_said_as_it_is_said(api: Api) -> None:
    api.get("/billing/invoices?per_page=2")
    with streaming(api) as stream:
        first = next(stream)
        assert (first.name, first.data["number"], first.data["query"]) == ("exchange", 1, "per_page=2")
        draft = api.draft()
        assert [next(stream).data["operation"] for _ in range(2)] == ["createQuickAdjustment", "createInvoice"]
        api.collect(draft["id"])
        refused = next(stream).data
        assert (refused["status"], refused["because"], refused["invoice"]) == (422, "COLLECT-1", draft["id"])


def test_a_line_says_what_the_entry_says(api: Api) -> None:
    api.get("/billing/invoices?perpage=2")
    with streaming(api) as stream:
        line = next(stream).data
    entry = api.control("GET", "/journal/1").json()
    assert entry == api.control("GET", "/journal").json()["data"][0]
    for name in ("number", "at", "seconds", "operation", "because"):
        assert line[name] == entry[name]
    assert line["warnings"] == len(entry["warnings"]) == 1
    assert (line["method"], line["path"], line["status"]) == ("GET", "/billing/invoices", 200)


def test_whoever_comes_back_misses_nothing(api: Api) -> None:
    for _ in range(3):
        api.get("/billing/invoices")
    with streaming(api) as stream:
        second = [next(stream) for _ in range(2)][1]
    api.get("/billing/invoices")
    with streaming(api, last=second.id) as stream:
        assert [next(stream).data["number"] for _ in range(2)] == [3, 4]


def test_one_can_start_after_a_number(api: Api) -> None:
    for _ in range(2):
        api.get("/billing/invoices")
    with streaming(api, since=1) as stream:
        assert next(stream).data["number"] == 2


@pytest.mark.parametrize(("method", "path"), [("POST", "/reset"), ("DELETE", "/journal")])
def test_that_all_is_gone_is_told_to_who_watches_and_to_who_comes_back(api: Api, method: str, path: str) -> None:
    api.get("/billing/invoices")
    with streaming(api) as stream:
        last = next(stream)
        api.control(method, path)
        assert next(stream).name == "cleared"
        api.get("/billing/invoices")
        assert next(stream).data["number"] == 2
    with streaming(api, last=last.id) as stream:
        assert [next(stream).name for _ in range(2)] == ["cleared", "exchange"]


def test_a_cursor_of_another_server_is_known_for_one(api: Api) -> None:
    api.get("/billing/invoices")
    with streaming(api, last="0badc0de.4000") as stream:
        assert next(stream).name == "cleared"
        assert next(stream).data["number"] == 1


def test_what_the_journal_no_longer_keeps_is_counted() -> None:
    with running("--journal-size", "2") as server, plain.Client(timeout=60) as http:
        api = Api(server, "small", "provider", http)
        for _ in range(5):
            api.get("/billing/invoices")
        with streaming(api, since=1) as stream:
            assert next(stream).data == {"lost": 2}
            assert [next(stream).data["number"] for _ in range(2)] == [4, 5]


@pytest.mark.parametrize("wrong", ["x", "5f.", "5f.-1", "5f.1e3", f"5f.{'9' * 30}"])
def test_a_cursor_that_is_none_is_refused(api: Api, wrong: str) -> None:
    headers = {"Authorization": f"Bearer {api.token}@{api.world}", "Last-Event-ID": wrong}
    answer = api.http.get(f"{api.server.control}/journal/stream", headers=headers)
    assert answer.status_code == 400
    assert "Last-Event-ID" in answer.json()["errors"]


def test_an_exchange_that_is_not_kept_is_missing(api: Api) -> None:
    api.get("/billing/invoices")
    for number in (0, 2, -1):
        assert api.control("GET", f"/journal/{number}").status_code == 404


def test_streams_that_are_one_too_many_end_with_what_there_is_and_requests_go_on() -> None:
    with running() as server, plain.Client(timeout=60) as http:
        api = Api(server, "watched", "provider", http)
        api.get("/billing/invoices")
        with ExitStack() as open_streams:
            for _ in range(MOST_STREAMS):
                next(open_streams.enter_context(streaming(api)))
            with streaming(api) as stream:
                assert [one.data["number"] for one in stream] == [1]
            assert api.get("/billing/invoices").status_code == 200
