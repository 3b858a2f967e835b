"""Breaks the schema of a sound body, in one place of it, until the spec has something against it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

UNHEARD_OF = "unheard-of"
"""What an enumeration gets that doesn't know it."""
MOST_TRIED = 200
"""How many places of a body are tried at most, until one is found where the spec minds."""

WAYS: dict[str, str] = {
    "missing": "A required property is missing.",
    "type": "A value has another type.",
    "null": "A value is null that must not be.",
    "value": "A text is one that its enumeration or its format does not know.",
    "shape": "The whole body is an array.",
}
"""How a schema can be broken."""

Path = tuple[str | int, ...]
Breaks = Callable[[Any], list[str]]
"""What the spec has against a body; nothing if it allows it."""
Broken = tuple[Any, str, list[str]]
"""A body, the way in which it is broken, and what the spec has against it."""


def break_schema(body: Any, way: str | None, chance: Random, breaks: Breaks) -> Broken:
    """A copy of the body that breaks the spec, the way that it does, and what the spec has against it.

    Without a `way`, or where that way breaks nothing in this body, chance picks one; the last resort is `shape`.
    """
    others = [name for name in WAYS if name not in (way, "shape")]
    chance.shuffle(others)
    for name in ([way] if way is not None else []) + others:
        for broken in _attempts(body, name, chance):
            if problems := breaks(broken):
                return broken, name, problems
    return [body], "shape", breaks([body])


def _attempts(body: Any, way: str, chance: Random) -> Iterator[Any]:
    """Bodies broken in that way, each in one place, in a random order."""
    if way == "shape":
        yield [body]
        return
    places = [path for path, value in _places(body, ()) if _worth_trying(way, value)]
    chance.shuffle(places)
    for path in places[:MOST_TRIED]:
        broken = copy.deepcopy(body)
        holder = broken
        for step in path[:-1]:
            holder = holder[step]
        if way == "missing":
            del holder[path[-1]]
        else:
            holder[path[-1]] = _corrupted(way, holder[path[-1]])
        yield broken


def _worth_trying(way: str, value: Any) -> bool:
    return way != "value" or value is None or isinstance(value, str)


def _corrupted(way: str, value: Any) -> Any:
    if way == "null":
        return None
    if way == "value":
        return UNHEARD_OF
    if isinstance(value, str) or value is None:
        return 12345
    if isinstance(value, bool | int | float):
        return f"{value}"
    return "text" if isinstance(value, dict) else {"0": value}


def _places(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every property of every object within, at any depth."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*path, name), inner
            yield from _places(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _places(inner, (*path, index))
