"""Requests as they are sent, the answers to them, and the JSON of answers, read so that no server can do harm by it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from mockserver.verify.events import RecordedExchange

DEEPEST = 64
"""Levels of arrays and objects within each other; a JSON value of more is taken for none."""
LARGEST_EXPONENT = 300
"""Of ten; a number beyond is none that a program could work with."""
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
NOT_JSON = object()
"""Stands for the content of an answer that is no JSON."""
CHUNKED = ("Transfer-Encoding", "chunked")
"""The header of a request whose body is sent in chunks, without its length (RFC 9112, 7.1)."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request before it is sent. `target` is relative to the base address: path, and query if there is one."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    operation: str | None = None

    @property
    def is_chunked(self) -> bool:
        """Whether its body is sent in chunks."""
        return self.body is not None and CHUNKED in self.headers


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What came back, with the request that it answers; times are of the monotonic clock, in seconds."""

    outgoing: Outgoing
    exchange: RecordedExchange
    status: int
    content_type: str
    body: bytes = field(repr=False)
    started: float
    ended: float
    content: Any = field(default=None, repr=False)
    """The parsed JSON with numbers as int and Decimal, or `NOT_JSON`."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """As they came, by their names in lower case; of several with one name the last."""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        return 400 <= self.status < 500

    @property
    def mapping(self) -> Mapping[str, Any]:
        """The content if it is an object, else an empty one."""
        return self.content if isinstance(self.content, dict) else {}

    def part(self, name: str) -> Mapping[str, Any]:
        """The record under `name`, else an empty one."""
        value = self.mapping.get(name)
        return _record(value) if isinstance(value, dict) else {}

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        """The records under `data`."""
        data = self.mapping.get("data")
        return [_record(row) for row in data if isinstance(row, dict)] if isinstance(data, list) else []

    def figure(self, name: str) -> int | None:
        """The integer of that name, such as `total` or `last_page`; None where there is none."""
        value = self.mapping.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def brief(self) -> str:
        """Status and the beginning of the body, for a sentence."""
        return self.exchange.brief()


def _record(value: dict[str, Any]) -> Mapping[str, Any]:
    """As a record whose properties are plain values, which all documented ones are: nothing else can be an id."""
    if any(isinstance(one, dict | list) for one in value.values()):
        return {name: None if isinstance(one, dict | list) else one for name, one in value.items()}
    return value


def parse_json(body: bytes) -> Any:
    """The JSON value with exact numbers, or `NOT_JSON`; also where it is too deep, or a number too large, to use."""
    try:
        content = json.loads(body, parse_float=_number, parse_int=_integer, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return NOT_JSON
    if _is_deep(content, body):
        return NOT_JSON
    return _encodable(content) if _HALF.search(body) else content


def _encodable(content: Any) -> Any:
    """Without halves of characters, which JSON can name and no encoding can write."""
    if isinstance(content, dict):
        return {_encodable(name): _encodable(value) for name, value in content.items()}
    if isinstance(content, list):
        return [_encodable(value) for value in content]
    return content.encode("utf-8", "replace").decode("utf-8") if isinstance(content, str) else content


def _number(text: str) -> Decimal:
    """Raises ValueError."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return _no_number(text)
    if number and abs(number.adjusted()) > LARGEST_EXPONENT:
        return _no_number(text)
    return number


def _integer(text: str) -> int:
    """Raises ValueError."""
    return int(text) if len(text) <= LARGEST_EXPONENT else int(_no_number(text))


def _no_number(text: str) -> Decimal:
    raise ValueError(f"{text[:40]} is no number that JSON knows, or none to work with")


def _is_deep(content: Any, body: bytes) -> bool:
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return False
    level = [content]
    for _ in range(DEEPEST):
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
