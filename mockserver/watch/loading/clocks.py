"""When a recorded exchange began and ended, as far as its clock can be trusted."""

from __future__ import annotations

import math
from datetime import UTC, datetime

MARGIN = 0.0015
"""Seconds by which recorded times may be off, being cut to milliseconds."""
Interval = tuple[float, float]
UNKNOWN: Interval = (-math.inf, math.inf)
"""Overlaps with everything, so that no order is concluded from it."""


class RecordedClock:
    """Reads the times of one recording in their order, and does not trust those that go backwards."""

    def __init__(self) -> None:
        self._began = self._ended = -math.inf
        self.distrusted = 0
        """How many had no time, or one that can't be."""

    def interval(self, began: object, milliseconds: object, *, at_end: bool = False) -> Interval:
        """Of an exchange at that ISO 8601 time, which is its beginning, or its end with `at_end`."""
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
        self._began, self._ended = max(self._began, start), max(self._ended, end)
        return start - MARGIN, end + MARGIN


def _moment(text: object) -> float | None:
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _duration(milliseconds: object) -> float | None:
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    return milliseconds / 1000 if math.isfinite(milliseconds) and 0 <= milliseconds < 1e9 else None
