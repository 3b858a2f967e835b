"""A world as plain values, with every field that any part of it has: to see that what was kept is what there was."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Any

from mockserver.state.outbox import Event, Outbox
from mockserver.state.store.index import SortedIndex
from mockserver.state.store.memory import _CopyOnWriteDict, _Table
from mockserver.state.world import State, World

WORLD_ALONE = {
    "journal": "what was said is no part of what there is; it begins anew with the server",
    "origin": "what the server was started with this time",
    "lock": "guards, and is nothing itself",
    "users": "requests that are under way, of which none is after a restart",
    "last_used": "a restart counts as a use",
    "closed": "a dropped world is not kept",
    "_rendered": "follows from the invoices",
    "_rendered_by": "follows from the invoices",
    "_subscription": "what the server was started with this time",
    "_wake": "the server's own",
    "_keeper": "what keeps it",
    "_doubtful": "what keeps it",
}
"""Fields of a world that are not kept, and why."""
FOLLOWING: dict[type, set[str]] = {
    World: set(WORLD_ALONE),
    State: {"era"},
    Event: {"_render"},
    Outbox: {"noted"},
    SortedIndex: {"_shared", "_breaks"},
    _Table: {"noted", "_indexes"},
}
"""Fields that say nothing by themselves: how something is made or found, where it also stands elsewhere."""


def plain(value: Any) -> Any:
    """The value as plain ones; two are equal if all of their fields are."""
    if isinstance(value, Event):
        _ = value.body
    if isinstance(value, Random):
        return value.getstate()
    if isinstance(value, array | deque):
        return plain(list(value))
    if isinstance(value, _CopyOnWriteDict):
        return [plain(one) for one in value.values()]
    if isinstance(value, dict):
        # A merchant without open charges is as one that never had any.
        return {key: plain(one) for key, one in value.items() if one != {}}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    names = fields_of(value)
    if names:
        return {name: plain(getattr(value, name)) for name in sorted(names - FOLLOWING.get(type(value), set()))}
    return value


def fields_of(value: Any) -> set[str]:
    """The names of all that a value of ours holds."""
    if not type(value).__module__.startswith("mockserver."):
        return set()
    slots = {name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())}
    return (slots | set(getattr(value, "__dict__", ()))) - {"__weakref__", "__dict__"}


def parts(value: Any) -> Iterator[Any]:
    """All that is of ours in the value, with the value itself; not what a world has beside its state."""
    if isinstance(value, _CopyOnWriteDict):
        yield from (part for one in value.values() for part in parts(one))
    elif isinstance(value, dict):
        yield from (part for one in value.values() for part in parts(one))
    elif isinstance(value, list | tuple | deque):
        yield from (part for one in value for part in parts(one))
    elif names := fields_of(value):
        yield value
        yield from (part for name in names - FOLLOWING.get(type(value), set()) for part in parts(getattr(value, name)))
