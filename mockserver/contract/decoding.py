"""From bytes to values: percent-encoding, forms, JSON and numbers, read strictly and refused exactly.

This is the one step that runs before both judges of a request, the compiled validators and openapi-core, which asks the
functions of this module itself. So what is refused here (a NUL, a key given twice, a number beyond 64 bits, ...) is
refused whatever the spec says, and "1_000" or a full-width digit is no integer to either.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

from mockserver.core.errors import InvalidRequest
from mockserver.core.messages import Request
from mockserver.core.text import LARGEST, SHOWN, shown

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

RULE = "GEN-5"
"""The rule behind every refusal of input."""

DEEPEST = 64
"""How many arrays and objects a JSON body may nest. Validators recurse; what people send is below ten."""


_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^\s;"]*)', re.IGNORECASE)
# What makes a JSON text worth a second look: an escape (NUL, surrogates) or a number as long as 2**63.
_SUSPICIOUS = re.compile(r"\\u|[0-9]{19}")


def refuse(field: str, message: str) -> NoReturn:
    """Raise the refusal of one field."""
    raise InvalidRequest(message, because=RULE, errors={field: [message]})


def pairs(text: str, where: str) -> list[tuple[str, str]]:
    """The names and values of `a=1&b=2`, where each character of `text` is one byte; `where` names it to people.

    Raises `InvalidRequest` for what is no percent-encoding, no UTF-8, or NUL.
    """
    plain = "%" not in text and "+" not in text and "\0" not in text and text.isascii()
    found = []
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            found.append((name, value) if plain else (_decoded(name, where), _decoded(value, where)))
    return found


def segment(text: str, name: str) -> str:
    """A piece of WSGI's `PATH_INFO`, in which each character is one byte, as the value of the parameter `name`."""
    if text.isascii() and "\0" not in text:
        return text
    return _utf8(_bytes(text, name), name)


def media_type(header: str) -> tuple[str, str]:
    """The media type of a `Content-Type` and its charset (`""` if it names none), both in lower case."""
    charset = _CHARSET.search(header)
    return header.partition(";")[0].strip().lower(), charset[1].lower() if charset else ""


def is_json(kind: str) -> bool:
    """Whether bodies of that media type are JSON; all others but forms are text."""
    return kind == JSON or kind.endswith("+json")


def form(body: bytes) -> list[tuple[str, str]]:
    """The names and values of a form; raises `InvalidRequest` as `pairs` does."""
    return pairs(body.decode("latin-1"), "body")


class Unreadable(InvalidRequest):
    """A body that is no JSON at all."""

    def __init__(self, message: str) -> None:
        super().__init__(message, because=RULE, errors={"body": [message]})


def json_value(body: bytes) -> Any:
    """The value of a JSON body.

    Raises `Unreadable` for what is no JSON, and `InvalidRequest` for what RFC 8259 leaves unpredictable (a key given
    twice, an unpaired surrogate), for NUL, for numbers beyond 64 bits and for nesting deeper than `DEEPEST`.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"the body is not UTF-8: byte 0x{body[error.start]:02x} at position {error.start}") from error
    try:
        value = _JSON.decode(text)
    except json.JSONDecodeError as error:
        raise Unreadable(
            f"the body is not valid JSON: {_reason(error)} at line {error.lineno} column {error.colno}"
        ) from error
    except RecursionError:
        refuse("body", f"the body nests deeper than {DEEPEST} levels")
    except ValueError:
        # Python's own limit on the digits of an integer.
        refuse("body", f"the body has a number beyond {LARGEST}")
    if _SUSPICIOUS.search(text) or text.count("[") + text.count("{") > DEEPEST:
        _inspect(value)
    return value


def body_fields(request: Request) -> dict[str, Any] | None:
    """The fields of a JSON or form body; None if it has none or can't be read."""
    kind, _ = media_type(request.headers.get("content-type", ""))
    if kind == JSON:
        value = _leniently(lambda: json_value(request.body))
        return value if isinstance(value, dict) else None
    return _leniently(lambda: dict(form(request.body))) if kind == FORM else None


def within_64_bits(value: int, field: str) -> int:
    """The value; raises `InvalidRequest` in the name of the field if it is beyond `LARGEST`."""
    if abs(value) > LARGEST:
        refuse(field, f"{field} must be between {-LARGEST} and {LARGEST}, got {shown(value)}")
    return value


def read_integer(text: str) -> Any:
    """An integer as JSON writes it, within 64 bits; anything else stays the text that it is."""
    if len(text) < 19 and text.isdecimal() and text.isascii() and (text[0] != "0" or text == "0"):
        return int(text)
    if len(text) <= 20 and _INTEGER.fullmatch(text) and abs(value := int(text)) <= LARGEST:
        return value
    return text


def read_number(text: str) -> Any:
    """A finite number as JSON writes it; anything else stays the text that it is."""
    integer = read_integer(text)
    if integer is not text:
        return integer
    if _NUMBER.fullmatch(text) and math.isfinite(value := float(text)):
        return value
    return text


def read_boolean(text: str) -> Any:
    """`true` and `false`, which forms also write 1 and 0; anything else stays the text that it is."""
    return _BOOLEANS.get(text, text)


def read_text(text: str) -> Any:
    """The text itself."""
    return text


_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_READERS: dict[str, Callable[[str], Any]] = {
    "integer": read_integer,
    "number": read_number,
    "boolean": read_boolean,
}


def reader(types: frozenset[str]) -> Callable[[str], Any]:
    """What reads a text as a value of one of the JSON types: as text if that will do, else as the first that fits."""
    if "string" in types:
        return read_text
    readers = [read for name, read in _READERS.items() if name in types]
    if len(readers) == 1:
        return readers[0]

    def read_any(text: str) -> Any:
        return next((value for read in readers if (value := read(text)) is not text), text)

    return read_any


def _leniently(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except InvalidRequest:
        return None


def _decoded(text: str, where: str) -> str:
    if bad := _BAD_PERCENT.search(text):
        refuse(where, f"the {where} has {shown(bad[0])}, which is no percent-encoding; a literal % is written %25")
    return _utf8(unquote_to_bytes(_bytes(text.replace("+", " "), where)), where)


def _bytes(text: str, where: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        refuse(where, f"the {where} must be percent-encoded, got {shown(text)}")


def _utf8(data: bytes, where: str) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        refuse(where, f"the {where} is not UTF-8, got {shown(data.decode('latin-1'))}")
    if "\0" in text:
        refuse(where, f"the {where} must not contain a NUL character, got {shown(text)}")
    return text


def _reason(error: json.JSONDecodeError) -> str:
    if error.doc.startswith("\ufeff"):
        return "it begins with a byte order mark"
    return error.msg[:1].lower() + error.msg[1:]


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    if len(value) != len(members):
        twice = next(name for name, count in Counter(name for name, _ in members).items() if count > 1)
        refuse("body", f"the body gives the key {shown(twice)} more than once in one object")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        refuse("body", f"the body has the number {text[:SHOWN]}, which is too large")
    return value


def _no_constant(name: str) -> NoReturn:
    raise Unreadable(f"the body is not valid JSON: it has no {name}")


_JSON = json.JSONDecoder(object_pairs_hook=_object, parse_float=_finite, parse_constant=_no_constant)


def _inspect(root: Any) -> None:
    """Refuse what only a walk through the whole value finds."""
    pending: list[tuple[Any, tuple[str, ...]]] = [(root, ())]
    while pending:
        value, path = pending.pop()
        if len(path) >= DEEPEST and isinstance(value, dict | list):
            refuse("body", f"the body nests deeper than {DEEPEST} levels")
        if isinstance(value, dict):
            for name, item in value.items():
                _inspect_text(name, path, is_key=True)
                pending.append((item, (*path, name)))
        elif isinstance(value, list):
            pending.extend((item, (*path, str(index))) for index, item in enumerate(value))
        elif isinstance(value, str):
            _inspect_text(value, path)
        elif isinstance(value, int) and abs(value) > LARGEST:
            within_64_bits(value, _field(path))


def _inspect_text(text: str, path: tuple[str, ...], *, is_key: bool = False) -> None:
    wrong = "a NUL character" if "\0" in text else "" if _is_unicode(text) else "half of a surrogate pair"
    if wrong:
        field = _field(path)
        what, named = (f"a key in {field}", "body") if is_key else (field, field)
        refuse(named, f"{what} must not contain {wrong}, got {shown(text)}")


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _field(path: tuple[str, ...]) -> str:
    # Made for what is refused alone: one long key would be copied for each value below it.
    return ".".join(path) or "body"
