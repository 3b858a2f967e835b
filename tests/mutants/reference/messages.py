"""Requests and replies as plain values, and how the body of a request is read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote

JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"
ITEM = re.compile(r"([A-Za-z_]+)\[([0-9]*)\]")


class BadBody(ValueError):
    """The body can't be read; the text says why."""


class WrongType(BadBody):
    """The body is neither JSON nor a form."""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""
    raw_query: str = ""
    """The query as it came, for a server that reads it in its own way."""

    @property
    def is_form(self) -> bool:
        return self.content_type == FORM_TYPE

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", JSON_TYPE).partition(";")[0].strip().lower()


@dataclass(slots=True)
class Reply:
    status: int
    """0 for what is no HTTP answer: `raw` is sent as it is, and without it the connection is reset."""
    document: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    """Sent in place of the document, when given."""

    def content(self) -> bytes:
        return json.dumps(self.document).encode() if self.raw is None else self.raw


def read_target(target: str) -> tuple[str, dict[str, str]]:
    """Path and query of a request line; of a name given twice the last value counts."""
    path, _, query = target.partition("?")
    return unquote(path, errors="replace"), dict(parse_qsl(query, keep_blank_values=True, errors="replace"))


def read_body(request: Request) -> dict[str, Any]:
    """The body's properties, none when it is empty; raises BadBody."""
    if not request.body.strip():
        return {}
    kind = request.content_type
    if kind == FORM_TYPE:
        return read_form(request.body)
    if kind == JSON_TYPE or kind.endswith("+json"):
        return read_json(request.body)
    raise WrongType(f"the body can be {JSON_TYPE} or {FORM_TYPE}, not {kind}")


def read_json(body: bytes) -> dict[str, Any]:
    """Numbers with a point become exact decimals; raises BadBody."""
    try:
        document = json.loads(body.decode("utf-8"), parse_float=Decimal, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise BadBody("the body is not valid JSON") from error
    if not isinstance(document, dict):
        raise BadBody("the body must be a JSON object")
    return document


def no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def read_form(body: bytes) -> dict[str, Any]:
    """`name[]=` and `name[0]=` gather into a list, and so does a name that comes more than once."""
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise BadBody("the form is not valid") from error
    document: dict[str, Any] = {}
    for name, value in pairs:
        item = ITEM.fullmatch(name)
        if item:
            known = document.setdefault(item[1], [])
            if not isinstance(known, list):
                raise BadBody(f"{item[1]} is given both as a list and as a value")
            known.append(value)
        elif name in document:
            known = document[name]
            document[name] = [*known, value] if isinstance(known, list) else [known, value]
        else:
            document[name] = value
    return document
