"""Holds what users write, fixtures, profiles and known breaches, to its JSON Schema, with file, line and key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError, ValidationErrorKind

from mockserver.core.clock import EARLIEST, LATEST, parse_time
from mockserver.core.errors import Unusable
from mockserver.core.text import did_you_mean, nearest, shown
from mockserver.core.validation import requirement
from mockserver.core.yaml_lines import Document, Key, key_path

_MOST_MISTAKES = 50
_FEW = 6
"""Up to so many legal values are all told; of more, the nearest one."""


class Schema:
    """A JSON Schema (2020-12). Beside the draft's own words it may use

    - `errorMessage`, what a value must be, in words, which editors show too;
    - `keysMessage`, where the legal keys are told, for a mapping that has many;
    - the format `moment`: an ISO 8601 date, or a time with its zone, in the years 1 to 9999.
    """

    __slots__ = ("document", "validator")

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.validator = Draft202012Validator(document, formats={"moment": _is_moment}, validate_formats=True)


@dataclass(slots=True)
class Mistakes:
    """What is wrong with a document; false as long as that is nothing. Raises `Unusable` where it becomes too much."""

    document: Document
    _found: dict[str, int] = field(default_factory=dict)
    """Each with its line."""
    _places: set[tuple[Key, ...]] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, keys: Sequence[Key], problem: str) -> None:
        """Note `file:line: key: problem`."""
        place = self.document.where(*keys)
        line = place.rpartition(":")[2]
        self._found[f"{place}: {key_path(keys)}{problem}"] = int(line) if line.isdigit() else 0
        self._places.update(tuple(keys[:length]) for length in range(len(keys) + 1))
        if len(self._found) == _MOST_MISTAKES:
            raise Unusable(*self.in_order(), f"{self.document.path}: only the first {_MOST_MISTAKES} mistakes are told")

    def within(self, keys: Sequence[Key]) -> bool:
        """Whether anything is wrong with the part at `keys`, or with a part of it."""
        return tuple(keys) in self._places

    def in_order(self) -> list[str]:
        """All mistakes, by their lines."""
        return [problem for problem, _ in sorted(self._found.items(), key=itemgetter(1))]

    def refuse(self) -> None:
        """Raise `Unusable` with all of them, if there are any."""
        if self:
            raise Unusable(*self.in_order())


def check(document: Document, schema: Schema) -> Mistakes:
    """What of the document its schema does not allow, to be added to; raises `Unusable` where it is no JSON at all."""
    mistakes = Mistakes(document)
    for keys in _number_keys(document.value, ()):
        mistakes.add(keys, f'a key must be text, got {keys[-1]}: write it in quotes, "{keys[-1]}"')
    mistakes.refuse()
    for error in schema.validator.iter_errors(document.value):
        for place, problem in _told(error, document, _part(schema.document, error.schema_path[:-1])):
            mistakes.add(place, problem)
    return mistakes


def _number_keys(value: Any, keys: tuple[Key, ...]) -> Iterator[tuple[Key, ...]]:
    """The places of keys that are numbers, which JSON does not have."""
    if isinstance(value, dict):
        yield from ((*keys, key) for key in value if not isinstance(key, str))
    parts: Iterable[Any] = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, part in parts:
        yield from _number_keys(part, (*keys, key))


def _told(error: ValidationError, document: Document, schema: Any) -> list[tuple[Sequence[Key], str]]:
    """Where something is wrong, and what; `schema` is the part of the schema that says so."""
    keys = tuple(error.instance_path)
    match error.kind:
        case ValidationErrorKind.Required(property=missing):
            return [((*keys, missing), "is missing")]
        case ValidationErrorKind.AdditionalProperties(unexpected=unknown):
            return [((*keys, key), f"unknown key: {_hint(key, schema)}") for key in unknown]
        case ValidationErrorKind.PropertyNames(error=inner):
            return [((*keys, str(inner.instance)), f"{schema['errorMessage']}, got {shown(inner.instance)}")]
    return [(keys, _problem(error, document.shown(*keys), schema))]


def _hint(key: str, schema: Mapping[str, Any]) -> str:
    known = schema["properties"]
    if "keysMessage" in schema and nearest(key, known) is None:
        return str(schema["keysMessage"])
    return did_you_mean(key, known)


def _problem(error: ValidationError, got: str, schema: Mapping[str, Any]) -> str:
    value = error.instance
    if "errorMessage" in schema:
        return f"{schema['errorMessage']}, got {got}"
    match error.kind:
        case ValidationErrorKind.Enum(options=options):
            return _no_choice(value, got, options)
        case ValidationErrorKind.Pattern(pattern=r"\S"):
            return "must not be empty"
        case ValidationErrorKind.Type():
            return _wrong_type(value, got, schema["type"])
    return f"must {requirement(error)}, got {got}"


def _no_choice(value: Any, got: str, options: Sequence[Any]) -> str:
    # That it may be left empty is no help to who has written something.
    words = [str(option) for option in options if option is not None]
    close = nearest(value, words) if isinstance(value, str) else None
    if len(words) > _FEW:
        return f"must not be {got}: {did_you_mean(value, words)}"
    return f"must be {' or '.join(words)}, got {got}" + (f": did you mean {close}?" if close else "")


def _wrong_type(value: Any, got: str, types: str | Sequence[str]) -> str:
    if value is None and "object" not in types:
        return "must not be null"
    if "array" in types and "integer" not in types:
        return f"must be a list, got {got}: begin each row with a dash"
    if "object" in types:
        return f"must be a mapping of keys to values, got {got}"
    if "integer" in types:
        hint = ": write it without quotes" if isinstance(value, str) and value.strip().isdigit() else ""
        return f"must be a whole number, got {got}{hint}"
    hint = "" if isinstance(value, dict | list) else f': write it in quotes, "{got}"'
    return f"must be text, got {got}{hint}"


def _part(schema: Any, path: Sequence[Key]) -> Any:
    for step in path:
        schema = schema[step]
    return schema


def _is_moment(text: str) -> bool:
    with suppress(ValueError, OverflowError):
        return EARLIEST <= parse_time(text) <= LATEST
    return False
