"""PHP's own reading of input: query strings and forms, JSON, and which values pass for integers and numbers.

An array of PHP is a dict here, whether it came as a list or as an object: PHP does not tell them apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from urllib.parse import unquote_to_bytes

LARGEST = 2**63 - 1
_WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?\s*")
_INDEX = re.compile(r"0|-?[1-9][0-9]{0,17}")
_DEPTH = 512

Array = dict[int | str, Any]


class Unreadable(Exception):
    """A text that is no JSON for PHP."""


def parse_str(text: bytes) -> Array:
    """A query string or a form, as `parse_str` takes it apart."""
    pairs = (piece.partition(b"=") for piece in text.split(b"&") if piece)
    return from_pairs((_decoded(name), _decoded(value)) for name, _, value in pairs)


def _decoded(text: bytes) -> str:
    return unquote_to_bytes(text.replace(b"+", b" ")).decode("utf-8", "replace")


def from_pairs(pairs: Iterable[tuple[str, str]]) -> Array:
    """Variables from names such as `a`, `a[]` and `a[b][c]`; the last that is said of a place holds."""
    variables: Array = {}
    for name, value in pairs:
        keys = _keys(name)
        if keys is None:
            continue
        place = variables
        for key in keys[:-1]:
            index = _index(place, key)
            if not isinstance(place.get(index), dict):
                place[index] = {}
            place = place[index]
        place[_index(place, keys[-1])] = value
    return variables


def _keys(name: str) -> list[str] | None:
    name = name.lstrip(" ").partition("\0")[0]
    base, bracket, rest = name.partition("[")
    if not base:
        return None
    base = re.sub(r"[ .]", "_", base)
    if bracket and "]" not in rest:
        return [base + "_" + re.sub(r"[ .]", "_", rest)]
    keys = [base]
    while bracket:
        key, closed, rest = rest.partition("]")
        if not closed:
            break
        keys.append(key)
        if not rest.startswith("["):
            break
        rest = rest[1:]
    return keys if len(keys) <= 64 else None


def _index(place: Array, key: str) -> int | str:
    if key == "":
        return max((index for index in place if isinstance(index, int)), default=-1) + 1
    return int(key) if _INDEX.fullmatch(key) else key


def json_decode(text: bytes) -> Any:
    """A JSON text, arrays and objects as arrays of PHP.

    Raises:
        Unreadable: for what PHP can't decode.
    """
    try:
        read = json.loads(text.decode(), parse_float=Decimal, parse_constant=_no_constant)
        json.dumps(read, ensure_ascii=False, default=str).encode()
        return _array(read, _DEPTH)
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _array(value: Any, depth: int) -> Any:
    if not isinstance(value, list | dict):
        return value
    if depth == 0:
        raise ValueError("nested too deeply")
    if isinstance(value, list):
        return {place: _array(one, depth - 1) for place, one in enumerate(value)}
    return {int(key) if _INDEX.fullmatch(key) else key: _array(one, depth - 1) for key, one in value.items()}


def whole(value: Any) -> int | None:
    """What `filter_var` takes for an integer: 1, "1", "+1", 1.0 and true are 1; None for the rest."""
    if isinstance(value, bool):
        return 1 if value else None
    if isinstance(value, Decimal):
        small = value.is_finite() and abs(value) < 10**15
        return int(value) if small and value == value.to_integral_value() else None
    if isinstance(value, str):
        text = value.strip(" \t\n\r\v\0")
        value = int(text) if _WHOLE.fullmatch(text) and len(text) < 25 else None
    return value if isinstance(value, int) and -LARGEST <= value <= LARGEST else None


def number(value: Any) -> Decimal | None:
    """What `is_numeric` takes for a number; None for the rest."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)
