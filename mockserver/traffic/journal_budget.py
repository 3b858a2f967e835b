"""How much the journals of all worlds may hold together, and whose exchanges go when it is too much."""

from __future__ import annotations

import threading
from typing import Protocol
from weakref import WeakSet

MOST = 100_000_000
"""Bytes, unless a server is told otherwise."""
_AFTERWARDS = 0.9
"""Of the budget, so much is left taken when room was made, so that it need not be made for each exchange."""


class Holder(Protocol):
    """What holds some of the bytes."""

    held: int
    """Bytes."""

    def shrink(self, held: int) -> None:
        """Drop the oldest until no more than that many bytes are held."""


class JournalBudget:
    """Bytes for all journals of one server. When they are spent, the journal that holds most loses its oldest half."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._spent = 0
        """At least what is held: journals that are gone are noticed when room is made."""
        self._holders: WeakSet[Holder] = WeakSet()
        self._lock = threading.Lock()

    def join(self, holder: Holder) -> None:
        """Count what the holder holds, as long as there is one."""
        with self._lock:
            self._holders.add(holder)

    def spend(self, more: int) -> None:
        """So many bytes more are held, or fewer; makes room where they are too many."""
        with self._lock:
            self._spent += more
            if self._spent > self._most:
                self._make_room()

    def _make_room(self) -> None:
        holders = list(self._holders)
        self._spent = sum(one.held for one in holders)
        while self._spent > self._most * _AFTERWARDS:
            largest = max(holders, key=lambda one: one.held)
            before = largest.held
            surplus = self._spent - int(self._most * _AFTERWARDS)
            largest.shrink(max(before // 2, before - surplus))
            if largest.held == before:
                return
            self._spent -= before - largest.held
