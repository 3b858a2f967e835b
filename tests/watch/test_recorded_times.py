"""Times in recordings: what was not measured, or by clocks that disagree, gives no order."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from mockserver.watch.loading.clocks import UNKNOWN, RecordedClock
from mockserver.watch.passing import Passing
from tests.watch.har import BASE, entry, har, read
from tests.watch.traffic import Traffic, invoice, page


@pytest.mark.parametrize(
    ("began", "took"), [(None, 1), ("yesterday", 1), ("2026-11-02T10:00:00Z", None), ("2026-11-02T10:00:00Z", -1)]
)
def test_a_time_that_can_not_be_is_not_trusted(began: object, took: object) -> None:
    clock = RecordedClock()
    assert clock.interval(began, took) == UNKNOWN
    assert clock.distrusted == 1


def test_a_clock_that_was_set_back_is_not_trusted() -> None:
    clock = RecordedClock()
    clock.interval("2026-11-02T10:00:00Z", 10)
    assert clock.interval("2026-11-02T09:00:00Z", 10) == UNKNOWN
    # Long ones that began earlier are listed later where answers make the order.
    began, _ = clock.interval("2026-11-02T09:59:58Z", 5000)
    assert math.isfinite(began)


FINALIZED = {"request__method": "POST", "response__content": {"text": '{"message": "Done."}'}}


def _times(second: float, took: float, wait: float | None = None, **given: Any) -> dict[str, Any]:
    made = {"startedDateTime": f"2026-11-02T10:00:{second:06.3f}Z", "time": took, **given}
    return made if wait is None else {**made, "timings": {"send": 0, "wait": wait, "receive": 1}}


@pytest.mark.parametrize(
    ("creator", "finalize", "look", "told"),
    [
        ("WebInspector", _times(0, 200), _times(0.25, 40), {"FINALIZE-1"}),
        ("Playwright", _times(0, 200), _times(0.25, 40), set()),
        ("Playwright", _times(0, 200), _times(6, 40), {"FINALIZE-1"}),
        ("Playwright", _times(0, 200), _times(6, 1, wait=-1), set()),
        ("Firefox", _times(0, 0), _times(0.25, 40), set()),
        ("Firefox", _times(0, 200), _times(0.25, 0), set()),
        ("x", _times(0, 50, startedDateTime="2026-11-02T10:00:00Z"), _times(0.9, 40), set()),
        ("x", _times(0, 50, startedDateTime="2026-11-02T10:00:00Z"), _times(1.1, 40), {"FINALIZE-1"}),
        ("x", _times(0, 50, startedDateTime="2026-11-02T10:00:00.0Z"), _times(0.12, 40), set()),
        ("x", _times(0, 50, startedDateTime="2026-11-02T10:00:00.0Z"), _times(0.2, 40), {"FINALIZE-1"}),
    ],
    ids=[
        "Chromium",
        "queued",
        "not queued so long",
        "from a cache",
        "Firefox",
        "Firefox, the later one",
        "whole seconds",
        "a second later",
        "tenths",
        "a tenth later",
    ],
)
def test_a_time_that_a_program_did_not_measure_gives_no_order(
    creator: str, finalize: dict[str, Any], look: dict[str, Any], told: set[str]
) -> None:
    entries = [entry(f"{BASE}/billing/invoices/1/finalize", **FINALIZED, **finalize), entry(**look)]
    log = {"version": "1.2", "creator": {"name": creator}, "entries": entries}
    _, found = read(json.dumps({"log": log}).encode())
    assert _broken(found) == told


@pytest.mark.parametrize(
    ("finalized", "listed", "told"),
    [("10:00:10", "10:00:09", set()), ("10:00:10", "10:00:10", {"FINALIZE-1"}), ("10:00:10", "", {"FINALIZE-1"})],
    ids=["the server's clock goes back", "it does not", "it is not known"],
)
def test_what_two_machines_recorded_has_no_order_where_the_server_shows_another(
    finalized: str, listed: str, told: set[str]
) -> None:
    def dated(time: str) -> list[dict[str, str]]:
        date = [{"name": "Date", "value": f"Mon, 02 Nov 2026 {time} GMT"}] if time else []
        return [{"name": "content-type", "value": "application/json"}, *date]

    finalize = {**FINALIZED, **_times(10, 50), "response__headers": dated(finalized)}
    look = {**_times(10.4, 50), "response__headers": dated(listed)}
    _, found = read(har(entry(f"{BASE}/billing/invoices/1/finalize", **finalize), entry(**look)))
    assert _broken(found) == told


def test_answers_that_overlap_may_come_in_any_order_by_the_servers_clock() -> None:
    clock = RecordedClock()
    clock.interval("2026-11-02T10:00:00.000Z", 5000, date="Mon, 02 Nov 2026 10:00:05 GMT")
    began, _ = clock.interval("2026-11-02T10:00:01.000Z", 10, date="Mon, 02 Nov 2026 10:00:01 GMT")
    assert math.isfinite(began)
    assert clock.interval("2026-11-02T10:00:06.000Z", 10, date="Mon, 02 Nov 2026 10:00:04 GMT") == UNKNOWN
    began, _ = clock.interval("2026-11-02T10:00:07.000Z", 10, date="never")
    assert math.isfinite(began)


def _broken(found: list[Passing | str]) -> set[str]:
    traffic = Traffic()
    for number, passing in enumerate(found, 1):
        assert isinstance(passing, Passing)
        passing.number = number
        traffic.watch.see(passing)
    return traffic.broken


def test_entries_whose_order_is_not_known_contradict_nothing() -> None:
    locked = page([invoice(1, status="Finalized")])
    first = entry(response__content__text=json.dumps(locked), response__content__size=1)
    traffic = Traffic()
    _, found = read(har(first, entry(startedDateTime="never")))
    for number, passing in enumerate(found, 1):
        assert isinstance(passing, Passing)
        passing.number = number
        traffic.watch.see(passing)
    assert not traffic.broken
    assert traffic.watch.judge.judged == 2
