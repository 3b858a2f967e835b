"""Clocks that can be frozen, set and moved; identifiers from a seed; times written and read."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.core.clock import (
    EARLIEST,
    LATEST,
    MICROSECONDS,
    Clock,
    ClockState,
    Identifiers,
    from_datetime,
    parse_time,
    render_time,
    to_datetime,
)

moments = st.integers(EARLIEST, LATEST)
DAY = 24 * 3600 * MICROSECONDS


def now() -> int:
    return time.time_ns() // 1000


def test_a_new_clock_shows_the_real_time() -> None:
    before = now()
    assert before <= Clock().now() <= now()
    assert not Clock().frozen


def test_a_frozen_clock_stands_still_until_it_runs_on() -> None:
    clock = Clock()
    clock.freeze()
    assert clock.frozen
    stood = clock.now()
    time.sleep(0.002)
    assert clock.now() == stood
    clock.run()
    assert not clock.frozen
    assert stood <= clock.now() < stood + MICROSECONDS * 60


@given(moments)
def test_a_frozen_clock_shows_what_it_is_set_to(moment: int) -> None:
    clock = Clock(ClockState(frozen_at=0))
    clock.set(moment)
    assert clock.now() == moment


def test_a_running_clock_goes_on_from_what_it_is_set_to() -> None:
    clock = Clock()
    moment = parse_time("2030-01-01")
    clock.set(moment)
    assert moment <= clock.now() < moment + 60 * MICROSECONDS


@pytest.mark.parametrize("moment", [EARLIEST - 1, LATEST + 1])
def test_a_clock_shows_the_years_1_to_9999_only(moment: int) -> None:
    clock = Clock(ClockState(frozen_at=0))
    with pytest.raises(ValueError, match="1 to 9999"):
        clock.set(moment)
    assert clock.now() == 0


def test_a_clock_that_runs_to_the_end_of_time_stays_there() -> None:
    clock = Clock()
    clock.set(LATEST)
    time.sleep(0.001)
    assert clock.now() == LATEST


def test_a_clock_is_advanced_by_seconds_or_a_duration() -> None:
    clock = Clock(ClockState(frozen_at=0))
    clock.advance(1.5)
    assert clock.now() == 1_500_000
    clock.advance("PT90M")
    assert clock.now() == 1_500_000 + 90 * 60 * MICROSECONDS
    clock.advance(-1.5)
    assert clock.now() == 90 * 60 * MICROSECONDS


@given(moments)
def test_a_time_that_was_written_is_read_as_the_same_time(moment: int) -> None:
    text = render_time(moment)
    assert parse_time(text) == moment
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text)
    assert parse_time(render_time(moment, microseconds=False)) == moment // MICROSECONDS * MICROSECONDS
    assert from_datetime(to_datetime(moment)) == moment


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("2026-01-15", datetime(2026, 1, 15, tzinfo=UTC)),
        ("2026-01-15T10:00:00Z", datetime(2026, 1, 15, 10, tzinfo=UTC)),
        ("2026-01-15T10:00:00+02:00", datetime(2026, 1, 15, 8, tzinfo=UTC)),
        ("2026-01-15T10:00:00.000001Z", datetime(2026, 1, 15, 10, 0, 0, 1, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_the_forms_of_iso_8601(text: str, right: datetime) -> None:
    assert to_datetime(parse_time(text)) == right


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-01-15T10:00:00", "2026-02-30", "1737000000", "2026-01-15T25:00:00Z"]
)
def test_what_is_no_time_or_has_no_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|zone|format|day|hour|month"):
        parse_time(text)


@given(st.integers(), st.integers(1, 50))
def test_the_same_seed_gives_the_same_identifiers_in_the_same_order(seed: int, count: int) -> None:
    one, other = Identifiers(seed), Identifiers(seed)
    given_out = [one.stripe("in_") for _ in range(count)]
    assert given_out == [other.stripe("in_") for _ in range(count)]
    assert len(set(given_out)) == count
    assert all(re.fullmatch(r"in_1[0-9A-Za-z]{23}", text) for text in given_out)
    assert Identifiers(seed, given=count).stripe("in_") == one.stripe("in_")
    assert Identifiers(seed + 1).stripe("in_") != given_out[0]
