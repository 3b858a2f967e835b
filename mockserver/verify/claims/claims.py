"""Claims about a sequence of answers, as plain data: what a rule asks of them, evaluated wherever it is asked again."""

# This module uses nothing but the standard library: its text becomes a part of the pytest file that replays breaches.
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Operator = Literal[
    "is",
    "is not",
    "agrees",
    "disagrees",
    "in",
    "not in",
    "<",
    "<=",
    ">",
    ">=",
    "includes",
    "lacks",
    "within",
    "matches",
    "is a",
    "has",
]
"""`agrees` takes "1" for 1, and times for equal that differ by less than the coarser of them tells. `includes` and
`lacks` ask for all or none of the values in a list, `within` for no others; `is a` takes types of JSON, `has` a key."""
Sign = Literal["+", "-", "*", "pages", "least", "most"]
"""`pages`: how many pages of the right size hold the left."""
Path = tuple[str | int, ...]


class CannotTell(Exception):
    """The answers are not such that the claim can be put to them."""


@dataclass(frozen=True, slots=True)
class LiveAnswer:
    """An answer as claims see it: `status` is None when none came, `content` is JSON with exact numbers."""

    status: int | None
    content: Any = None
    is_json: bool = True


@dataclass(frozen=True, slots=True)
class Const:
    value: Any


@dataclass(frozen=True, slots=True)
class Id:
    """The id of a record, `invoice` or `charge`: in a replay that of the record made in its place."""

    kind: str
    number: int


@dataclass(frozen=True, slots=True)
class Status:
    answer: int


@dataclass(frozen=True, slots=True)
class IsJson:
    answer: int


@dataclass(frozen=True, slots=True)
class Body:
    answer: int


@dataclass(frozen=True, slots=True)
class Get:
    """What stands at `path`; null where nothing does."""

    of: Value
    path: Path


@dataclass(frozen=True, slots=True)
class Row:
    """The row of a list that has this id; without it there is nothing to tell."""

    of: Value
    id: Value


@dataclass(frozen=True, slots=True)
class Each:
    """What stands at `path` in each row."""

    of: Value
    path: Path


@dataclass(frozen=True, slots=True)
class Where:
    """The rows, or values, of a list in which what stands at `path` compares so."""

    of: Value
    path: Path
    operator: Operator
    right: Value


@dataclass(frozen=True, slots=True)
class Many:
    """A list of these."""

    of: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """Lists one after the other."""

    of: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """The values of a list from `start` to before `stop`, counted from 0."""

    of: Value
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Unique:
    """The values of a list without null, each once."""

    of: Value


@dataclass(frozen=True, slots=True)
class Count:
    of: Value


@dataclass(frozen=True, slots=True)
class Sum:
    """The exact sum of a list of numbers."""

    of: Value


@dataclass(frozen=True, slots=True)
class Calc:
    left: Value
    sign: Sign
    right: Value


Value = (
    Const | Id | Status | IsJson | Body | Get | Row | Each | Where | Many | Joined | Cut | Unique | Count | Sum | Calc
)


@dataclass(frozen=True, slots=True)
class Is:
    left: Value
    operator: Operator
    right: Value


@dataclass(frozen=True, slots=True)
class Every:
    """Each value of a list compares so."""

    left: Value
    operator: Operator
    right: Value


@dataclass(frozen=True, slots=True)
class All:
    of: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Some:
    of: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Eventually:
    """The claim holds at last, when its last request is asked again for so many seconds."""

    of: Claim
    seconds: float


Claim = Is | Every | All | Some | Eventually
Replies = Mapping[int, LiveAnswer]


def answers_of(claim: Claim) -> frozenset[int]:
    """The answers that the claim speaks of."""
    return frozenset(node.answer for node in nodes(claim) if isinstance(node, Status | IsJson | Body))


def judged(claim: Claim) -> frozenset[int]:
    """The answers whose very status is judged; all others must be answered in a replay as they were when recorded."""
    return frozenset(node.answer for node in nodes(claim) if isinstance(node, Status | IsJson))


def nodes(claim: Claim | Value) -> list[Claim | Value]:
    """The claim and all that it is made of."""
    found: list[Claim | Value] = [claim]
    for node in found:
        for name in ("of", "left", "right", "id"):
            part = getattr(node, name, None)
            found += part if isinstance(part, tuple) else [] if part is None else [part]
    return found
