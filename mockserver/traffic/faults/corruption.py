"""Spoils a sound answer: breaks its schema, its JSON, or how much of it goes out."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson

from mockserver.traffic.faults.kinds import Fault

WHOLE, SHORT, RESET, EMPTY = "whole", "short", "reset", "empty"
"""How the connection ends: as ever, in the middle of the body, by a reset, or without a byte."""
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


@dataclass(frozen=True, slots=True)
class FaultyDelivery:
    """How an answer goes out, where it does not go out as ever."""

    body: bytes = b""
    """What is sent of it."""
    length: int = 0
    """The Content-Length that is announced."""
    ends: str = WHOLE
    seconds: float = 0.0
    """How long the sending takes, spread over the body."""


def deliver(fault: Fault, body: Any, chance: Random) -> FaultyDelivery | None:
    """How an answer with this JSON value as its body goes out under the fault; None as ever."""
    if fault.kind in (RESET, EMPTY):
        return FaultyDelivery(length=1, ends=fault.kind)
    data = b"" if body is None else orjson.dumps(body)
    if fault.kind == "truncated":
        kept = min(int(len(data) * (fault.share or 0)), len(data) - 1)
        return FaultyDelivery(data[: max(kept, 0)], max(len(data), 1), SHORT)
    if fault.kind == "malformed":
        broken = data[:-1] + b"," + data[-1:]
        return FaultyDelivery(broken, len(broken))
    if fault.kind == "drip" and fault.delay is not None:
        return FaultyDelivery(data, len(data), seconds=fault.delay.draw(chance))
    return None


def break_schema(body: Any, way: str | None, chance: Random, breaks: Breaks) -> tuple[Any, str, list[str]]:
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
