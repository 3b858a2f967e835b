"""Evaluates claims on answers."""

# The text of this module, too, becomes a part of the pytest file that replays breaches.
from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from mockserver.verify.claims.claims import (
    All,
    Body,
    Calc,
    CannotTell,
    Claim,
    Const,
    Count,
    Cut,
    Each,
    Eventually,
    Every,
    Get,
    Id,
    Is,
    IsJson,
    Joined,
    Many,
    Operator,
    Path,
    Replies,
    Row,
    Sign,
    Some,
    Status,
    Sum,
    Unique,
    Value,
    Where,
)


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


_DATED = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d")


def _moment(text: Any) -> datetime | None:
    if not isinstance(text, str) or not _DATED.match(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _unique(given: list[Any]) -> list[Any]:
    # A page may have as many rows as a server likes.
    kept: dict[Any, Any] = {}
    for one in given:
        if one is not None:
            kept.setdefault(_key(one), one)
    return list(kept.values())


def _key(value: Any) -> Any:
    """Equal for values that are the same."""
    if isinstance(value, list | tuple):
        return "list", *map(_key, value)
    if isinstance(value, Mapping):
        return "object", frozenset((name, _key(one)) for name, one in value.items())
    return isinstance(value, bool), value


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
