"""When a recorded exchange began and ended, as far as its clock can be trusted."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from functools import lru_cache

from mockserver.core.clock import parse_http_date

MARGIN = 0.0015
"""Seconds by which recorded times may be off, being cut to milliseconds."""
Interval = tuple[float, float]
UNKNOWN: Interval = (-math.inf, math.inf)
"""Overlaps with everything, so that no order is concluded from it."""


class RecordedClock:
    """Reads the times of one recording in their order, and does not trust those that go backwards."""

    def __init__(self, *, unseen: float = 0.0) -> None:
        """`unseen`: seconds that an exchange may have taken beyond what was recorded of it."""
        self._unseen = unseen
        self._began = self._ended = -math.inf
        self._served, self._served_by = -math.inf, math.inf
        """The latest time that an answer gave itself, and when it had come."""
        self.distrusted = 0
        """How many had no time, or one that can't be."""

    def interval(self, began: object, milliseconds: object, *, at_end: bool = False, date: str = "") -> Interval:
        """Of an exchange at that ISO 8601 time, which is its beginning, or its end with `at_end`.

        `date`: the answer's own, by the server's clock. Where that goes backwards, two machines made the recording.
        """
        start, took = _moment(began), _duration(milliseconds)
        if start is None or took is None:
            self.distrusted += 1
            return UNKNOWN
        if at_end:
            start -= took
        end = start + took
        # Recordings are in the order of requests or of answers; what is in neither was timed by a clock that was set.
        if start < self._began - MARGIN and end < self._ended - MARGIN:
            self.distrusted += 1
            return UNKNOWN
        interval = start - MARGIN, end + MARGIN + self._unseen + _cut_off(str(began))
        if not self._agrees(interval, _served(date)):
            self.distrusted += 1
            return UNKNOWN
        self._began, self._ended = max(self._began, start), max(self._ended, end)
        return interval

    def _agrees(self, interval: Interval, served: float | None) -> bool:
        """Whether the server's clock may have shown that time then."""
        if served is None:
            return True
        began, ended = interval
        if served < self._served:
            return began < self._served_by
        self._served_by = ended if served > self._served else min(ended, self._served_by)
        self._served = served
        return True


def _moment(text: object) -> float | None:
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _cut_off(moment: str) -> float:
    """Seconds that are missing of a time which is not given to milliseconds."""
    fraction = re.search(r"[.,](\d+)", moment)
    unit = 10.0 ** -len(fraction[1]) if fraction is not None else 1.0
    return unit if unit > MARGIN else 0.0


@lru_cache(maxsize=64)
def _served(date: str) -> float | None:
    moment = parse_http_date(date)
    return None if moment is None else moment.timestamp()


def _duration(milliseconds: object) -> float | None:
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    return milliseconds / 1000 if math.isfinite(milliseconds) and 0 <= milliseconds < 1e9 else None
