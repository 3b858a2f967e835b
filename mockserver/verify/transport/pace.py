"""How fast a server wants to be asked: by the option, by its headers `X-RateLimit-…`, and by its `Retry-After`."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from mockserver.core.clock import parse_http_date

PLENTY = 200
"""Requests left in a window, from where on nobody needs to be careful."""
WINDOW = 60.0
"""Seconds that a window is taken to last where the server does not say; a minute is what frameworks choose."""
MARGIN = 0.02
"""Seconds that the clocks may differ by."""
LONGEST_STEP = 1.0
"""Half of the seconds that what is left of a window may put between two requests, where its limit alone would not."""
LONGEST = 86_400.0
"""Seconds; no wait is longer."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a server says of its limit: `most` requests in `window` seconds."""

    most: int
    window: float
    header: str

    @property
    def interval(self) -> float:
        """Seconds for one request."""
        return self.window / self.most

    def __str__(self) -> str:
        window = "a minute" if self.window == WINDOW else f"in {self.window:g} s"
        return f"{self.most} requests {window}"


class Pace:
    """Says when the next request may leave. Safe to use from several threads; times are of the monotonic clock."""

    def __init__(self, rate: float | None = None) -> None:
        """`rate`: requests a second that are never surpassed."""
        self.limit: Limit | None = None
        """The tightest limit that the server has told of."""
        self._least = 1.0 / rate if rate else 0.0
        self._next = 0.0
        self._left: int | None = None
        self._until = 0.0
        self._lock = threading.Lock()

    def slot(self, now: float) -> float:
        """Takes the next free moment."""
        with self._lock:
            moment = max(now, self._next)
            self._next = moment + self._interval(moment)
            return moment

    def slots(self, count: int, now: float) -> float | None:
        """Takes as many as `count` for one moment; None where so many at once would be too many for the option."""
        with self._lock:
            if self._least and count * self._least > 1.0:
                return None
            moment = max(now, self._next)
            interval = self._interval(moment)
            moment += (count - 1) * interval
            self._next = moment + max(interval, self._least)
            return moment

    def hold_back(self, seconds: float, now: float) -> None:
        """Nobody sends before so many seconds are over."""
        with self._lock:
            self._next = max(self._next, now + seconds)

    def learn(self, headers: Mapping[str, str], now: float) -> None:
        """Takes what an answer says of the limit; names of headers in lower case."""
        for prefix in ("x-ratelimit-", "ratelimit-", "x-rate-limit-"):
            most, left = _number(headers.get(prefix + "limit")), _number(headers.get(prefix + "remaining"))
            if most is not None and most >= 1 and left is not None:
                self._learn(int(most), int(left), _reset(headers, prefix), _window(headers, prefix), now, prefix)
                return

    def _learn(self, most: int, left: int, reset: float | None, window: float | None, now: float, prefix: str) -> None:
        with self._lock:
            first = self._left is None
            # Answers overtake each other, so that a few more than before are no new window.
            if self._left is None or now >= self._until or left > self._left + 16:
                self._until = now + (reset or window or WINDOW)
            elif reset is not None:
                self._until = now + reset
            self._left = left
            known = Limit(most, window or (reset if reset and reset > WINDOW else WINDOW), f"{prefix}limit")
            if self.limit is None or known.interval > self.limit.interval or known.most != self.limit.most:
                self.limit = known
            if first:
                # It came too late for the moment that was set when its request left.
                self._next = max(self._next, now + self._interval(now))

    def _interval(self, moment: float) -> float:
        """What is left of the window's requests is spread over what is left of it, but no header stops a run."""
        if self._left is None or self.limit is None or self._left >= PLENTY or moment >= self._until:
            return self._least
        even = (self._until - moment + MARGIN) / max(1, self._left)
        most = 2 * max(self.limit.interval, min(self.limit.window / PLENTY, LONGEST_STEP))
        return max(self._least, min(even, most))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that `Retry-After` asks for, in either form, none below 0; None where it says nothing legible."""
    value = headers.get("retry-after", "").strip()
    if (seconds := _number(value)) is not None:
        return min(seconds, LONGEST)
    when = parse_http_date(value)
    return None if when is None else min(max(0.0, when.timestamp() - time.time()), LONGEST)


def _number(text: str | None) -> float | None:
    """A number as a header may have it; of the first of several, and nothing but plain digits."""
    found = re.match(r"\s*([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*(?:[,;]|$)", text or "")
    return float(found[1]) if found else None


def _reset(headers: Mapping[str, str], prefix: str) -> float | None:
    """Seconds until the window ends: told as such, or as a time since 1970."""
    value = _number(headers.get(prefix + "reset"))
    if value is not None and value > 1e9:
        value -= time.time()
    return min(value, LONGEST) if value is not None and value > 0 else None


def _window(headers: Mapping[str, str], prefix: str) -> float | None:
    """Seconds that a window lasts, from a policy such as `60;w=60`."""
    for name in ("limit", "policy"):
        found = re.search(r";\s*w=([0-9]{1,6})", headers.get(prefix + name, ""))
        if found and int(found[1]):
            return float(found[1])
    return None
