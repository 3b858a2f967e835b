"""Time and identifiers, steerable and seeded; nobody else asks for the time or for chance."""

from __future__ import annotations

import hashlib
import time
from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import isodate

from mockserver.core.text import shown

MICROSECONDS = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NO_SIGNS = b"xY"
EARLIEST = -62_135_596_800 * MICROSECONDS
"""0001-01-01T00:00:00Z, in microseconds since 1970."""
LATEST = 253_402_300_799 * MICROSECONDS + 999_999
"""9999-12-31T23:59:59.999999Z, in microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class ClockState:
    """Where a clock stands: `frozen_at` (microseconds since 1970, UTC) when it stands still, else its lead."""

    offset: int = 0
    """Microseconds that it is ahead of the real time while it runs."""
    frozen_at: int | None = None


class Clock:
    """A world's time in integer microseconds since 1970, UTC."""

    def __init__(self, state: ClockState = ClockState()) -> None:
        self.state = state

    def now(self) -> int:
        frozen_at = self.state.frozen_at
        return min(time.time_ns() // 1000 + self.state.offset, LATEST) if frozen_at is None else frozen_at

    @property
    def frozen(self) -> bool:
        return self.state.frozen_at is not None

    def real(self, moment: int) -> int | None:
        """The real time at which it shows `moment` or more; None if it never will by itself."""
        if self.state.frozen_at is None:
            return moment - self.state.offset
        return 0 if moment <= self.state.frozen_at else None

    def freeze(self) -> None:
        """Stand still at the present moment."""
        self.state = replace(self.state, frozen_at=self.now())

    def run(self) -> None:
        """Go on from where it stands."""
        self.state = ClockState(offset=self.now() - time.time_ns() // 1000)

    def set(self, moment: int) -> None:
        """Stand at, or run on from, `moment`; raises ValueError outside the years 1 to 9999."""
        if not EARLIEST <= moment <= LATEST:
            raise ValueError("a clock shows the years 1 to 9999 only")
        if self.frozen:
            self.state = ClockState(frozen_at=moment)
        else:
            self.state = ClockState(offset=moment - time.time_ns() // 1000)

    def advance(self, by: str | float) -> None:
        """Move as `moved` says, standing or running; raises ValueError."""
        self.set(moved(self.now(), by))


@dataclass(slots=True)
class Identifiers:
    """Seeded identifiers of the fake Stripe: the same seed gives the same ones in the same order."""

    seed: int
    given: int = 0
    """How many were given out so far; with the seed it is the whole state."""

    def stripe(self, prefix: str) -> str:
        """An identifier of Stripe's form, such as `in_1Q8fZ…`: the prefix, a 1, 23 letters and digits."""
        self.given += 1
        digest = hashlib.blake2b(f"{self.seed}:{self.given}".encode(), digest_size=18).digest()
        return f"{prefix}1{b64encode(digest, _NO_SIGNS).decode()[:23]}"


def to_datetime(moment: int) -> datetime:
    """Microseconds since 1970 as an aware UTC datetime."""
    return _EPOCH + timedelta(microseconds=moment)


def from_datetime(moment: datetime) -> int:
    """An aware datetime as microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def render_time(moment: int, *, microseconds: bool = True) -> str:
    """`2023-08-09T16:39:26.558994Z`, or to the second."""
    text = to_datetime(moment).replace(tzinfo=None)
    return text.isoformat(timespec="microseconds" if microseconds else "seconds") + "Z"


def whole_second(moment: int) -> int:
    """The beginning of the second that holds `moment`."""
    return moment - moment % MICROSECONDS


def parse_duration(text: str | float) -> int:
    """Seconds, or an ISO 8601 duration of weeks, days and time such as `PT90M`, in microseconds; raises ValueError."""
    duration = _duration(text)
    if isinstance(duration, isodate.Duration):
        raise ValueError(f"a month and a year are of no fixed length, got {shown(text)}: give weeks, days or hours")
    return duration // _MICROSECOND


def moved(moment: int, by: str | float) -> int:
    """`moment` and so many seconds, or an ISO 8601 duration, whose months and years go by the calendar.

    Raises ValueError, also outside the years 1 to 9999.
    """
    try:
        return from_datetime(to_datetime(moment) + _duration(by))
    except OverflowError:
        raise ValueError(f"a clock shows the years 1 to 9999 only, got {shown(by)}") from None


def _duration(text: str | float) -> timedelta | isodate.Duration:
    try:
        if isinstance(text, str):
            return isodate.parse_duration(text, as_timedelta_if_possible=True)
        return timedelta(seconds=text)
    except isodate.ISO8601Error as error:
        raise ValueError(f"expected seconds or an ISO 8601 duration such as PT90M, got {shown(text)}") from error
    except OverflowError:
        raise ValueError(f"no clock shows a time as far away as {shown(text)}") from None


def parse_time(text: str) -> int:
    """An ISO 8601 date and time with its zone, or a date (its start, UTC); raises ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        if len(text) > len("2026-01-15"):
            raise ValueError("a time needs its zone, such as 2026-01-15T10:00:00Z")
        moment = moment.replace(tzinfo=UTC)
    return from_datetime(moment)


def parse_http_date(text: str) -> datetime | None:
    """The time of a header such as `Date`, in UTC; None for anything that is none (RFC 9110, 5.6.7)."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
