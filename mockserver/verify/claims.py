"""Claims about a sequence of answers, as plain data: what a rule asks of them, evaluated wherever it is asked again."""

# This module uses nothing but the standard library: its text becomes a part of the pytest file that replays breaches.
from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
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


def holds(claim: Claim, replies: Replies) -> bool:
    """Whether the claim holds. Raises `CannotTell`."""
    match claim:
        case Is(left, operator, right):
            return compares(value(left, replies), operator, value(right, replies))
        case Every(left, operator, right):
            due = value(right, replies)
            return all(compares(one, operator, due) for one in _list(value(left, replies)))
        case All(of):
            return all(holds(one, replies) for one in of)
        case Some(of):
            return any(holds(one, replies) for one in of)
        case Eventually(of):
            return holds(of, replies)


def value(node: Value, replies: Replies) -> Any:
    """The value of a node. Raises `CannotTell`."""
    match node:
        case Const(constant):
            return constant
        case Id(_, number):
            return number
        case Status(answer):
            return replies[answer].status
        case IsJson(answer):
            return replies[answer].is_json
        case Body(answer):
            return replies[answer].content
        case Get(of, path):
            return _got(value(of, replies), path)
        case Row(of, wanted):
            number = value(wanted, replies)
            for row in _list(value(of, replies)):
                if _same(_got(row, ("id",)), number):
                    return row
            raise CannotTell(f"no row has the id {number}")
        case Each(of, path):
            return [_got(row, path) for row in _list(value(of, replies))]
        case Where(of, path, operator, right):
            due = value(right, replies)
            return [row for row in _list(value(of, replies)) if compares(_got(row, path), operator, due)]
        case Many(of):
            return [value(one, replies) for one in of]
        case Joined(of):
            return [item for one in of for item in _list(value(one, replies))]
        case Cut(of, start, stop):
            return _list(value(of, replies))[start:stop]
        case Unique(of):
            return _unique(_list(value(of, replies)))
        case Count(of):
            return len(_list(value(of, replies)))
        case Sum(of):
            return sum((_number(one) for one in _list(value(of, replies))), Decimal(0))
        case Calc(left, sign, right):
            return _calculated(_number(value(left, replies)), sign, _number(value(right, replies)))


def compares(left: Any, operator: Operator, right: Any) -> bool:
    """Whether two values compare so. Raises `CannotTell` for what has no order or is no list."""
    match operator:
        case "is":
            return _same(left, right)
        case "is not":
            return not _same(left, right)
        case "agrees":
            return _agree(left, right)
        case "disagrees":
            return not _agree(left, right)
        case "in":
            return any(_same(left, one) for one in _list(right))
        case "not in":
            return not any(_same(left, one) for one in _list(right))
        case "<":
            return _number(left) < _number(right)
        case "<=":
            return _number(left) <= _number(right)
        case ">":
            return _number(left) > _number(right)
        case ">=":
            return _number(left) >= _number(right)
        case "includes":
            return all(compares(one, "in", left) for one in _list(right))
        case "lacks":
            return not any(compares(one, "in", left) for one in _list(right))
        case "within":
            return all(compares(one, "in", right) for one in _list(left))
        case "matches":
            return isinstance(left, str) and re.search(str(right), left) is not None
        case "is a":
            return _type(left) in right or ("number" in right and _type(left) == "integer")
        case "has":
            return isinstance(left, Mapping) and right in left


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


def _got(start: Any, path: Path) -> Any:
    for step in path:
        if start is None:
            return None
        if isinstance(start, Mapping) and isinstance(step, str):
            start = start.get(step)
        elif isinstance(start, list) and isinstance(step, int):
            start = start[step] if -len(start) <= step < len(start) else None
        else:
            raise CannotTell(f"there is no {step} in {str(start)[:80]}")
    return start


def _list(given: Any) -> list[Any]:
    if isinstance(given, list | tuple):
        return list(given)
    raise CannotTell(f"{str(given)[:80]} is no list")


def _number(given: Any) -> int | Decimal:
    if isinstance(given, int | Decimal) and not isinstance(given, bool):
        return given
    raise CannotTell(f"{str(given)[:80]} is no number")


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    return bool(left == right)


def _agree(left: Any, right: Any) -> bool:
    if _same(left, right):
        return True
    if left is None or right is None or _type(left) in ("object", "array"):
        return False
    one, other = _moment(left), _moment(right)
    if one is None or other is None:
        return str(left) == str(right)
    exact = one.microsecond and other.microsecond
    return abs(one - other) <= timedelta(milliseconds=1 if exact else 1000)


def _moment(text: Any) -> datetime | None:
    if not isinstance(text, str) or "T" not in text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _unique(given: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for one in given:
        if one is not None and not compares(one, "in", kept):
            kept.append(one)
    return kept


def _calculated(left: int | Decimal, sign: Sign, right: int | Decimal) -> int | Decimal:
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "pages":
            if right == 0:
                raise CannotTell("a page of no rows")
            return -(-left // right)
        case "least":
            return min(left, right)
        case "most":
            return max(left, right)


def _type(given: Any) -> str:
    match given:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case Decimal() | float():
            return "number"
        case str():
            return "string"
        case list() | tuple():
            return "array"
        case _:
            return "object"
