"""The journal of one world as a stream of server-sent events, taken piece by piece by whoever sends them."""

from __future__ import annotations

import orjson

from mockserver.state.world import World
from mockserver.traffic import formats
from mockserver.traffic.journal import Cursor

EVENTS = "text/event-stream; charset=utf-8"
RETRY = "retry: 1000\n\n"
"""Tells a client how many milliseconds to wait before it comes back."""
_MOST = 500
"""Exchanges in one piece."""


class JournalStream:
    """What is said in a world from a cursor on. It waits for nothing and holds nothing: the caller asks again."""

    def __init__(self, world: World, cursor: Cursor | None) -> None:
        self._world = world
        self._cursor = cursor

    @property
    def ended(self) -> bool:
        """Whether nothing can follow: the world was dropped."""
        return self._world.closed

    def take(self) -> str:
        """The events that have come since, or nothing."""
        journal = self._world.journal
        if journal.is_read(self._cursor):
            return ""
        found = journal.after(self._cursor, limit=_MOST)
        told = []
        if found.cleared:
            told.append(_event("cleared", f"{found.cursor.epoch}.0", {}))
        if found.lost:
            told.append(_event("lost", f"{found.cursor.epoch}.{found.cursor.number}", {"lost": found.lost}))
        for one in found.exchanges:
            told.append(_event("exchange", f"{found.cursor.epoch}.{one.number}", formats.line(one)))
        self._cursor = found.cursor
        return "".join(told)


def _event(name: str, cursor: str, data: dict[str, object]) -> str:
    return f"event: {name}\nid: {cursor}\ndata: {orjson.dumps(data).decode()}\n\n"
