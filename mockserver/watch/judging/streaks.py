"""Patience with what another person's change could explain: one of a kind is nothing, several in a row are a fault."""

from __future__ import annotations

from mockserver.watch.judging.bounded import Bounded

MOST_KINDS = 5_000


class Streaks:
    """Counts how often in a row each kind of thing went wrong."""

    def __init__(self) -> None:
        self._failed: Bounded[str, tuple[int, float]] = Bounded(MOST_KINDS)
        """How often, and when the last time."""

    def failed(self, kind: str, at: float, *, enough: int) -> bool:
        """Whether it has gone wrong `enough` times without going right in between.

        What was asked for at one moment counts once: many rows of one answer may show what one person did, and a
        recording may hold an exchange twice.
        """
        times, last = self._failed.get(kind) or (0, None)
        if at != last:
            times += 1
            self._failed.set(kind, (times, at))
        return times >= enough

    def held(self, kind: str) -> None:
        """It went right this once."""
        self._failed.drop(kind)
