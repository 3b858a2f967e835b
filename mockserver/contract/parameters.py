"""The fields of a query, a form, a path or the headers, which arrive as text: which there are, how each is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from mockserver.contract import decoding, schemas
from mockserver.contract.decoding import refuse
from mockserver.contract.leniency import STRICT, Leniency, is_number, loose_integer
from mockserver.contract.node import Node
from mockserver.core.text import SHOWN, shown

_INDEXED = re.compile(r"(.*)\[([0-9]*)\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a property of a form."""

    name: str
    """As the spec writes it."""
    read: Callable[[str], Any]
    is_array: bool
    splits: bool
    """An array written as one text with commas in it."""
    empty_is_absent: bool
    """`?q=` is the same as no `q` at all (`allowEmptyValue`)."""
    is_integer: bool = False

    def value(self, text: str) -> Any:
        """All of one text, as a path or a header has it."""
        return [self.read(item) for item in text.split(",")] if self.is_array else self.read(text)


@dataclass(slots=True)
class Gathered:
    """The pairs of a query or a form, sorted by what the spec says of them."""

    values: dict[str, Any]
    kept: list[tuple[str, str]]
    """The pairs that the spec knows, an array's under its own name: what openapi-core is given."""
    unknown: list[str]
    forgiven: list[str]
    """A sentence for each field that counts as left out, though it was sent."""


class Fields:
    """The fields of a query or a form by name."""

    def __init__(self, fields: Iterable[Field], *, tolerated: frozenset[str], where: str) -> None:
        self.known = {field.name: field for field in fields}
        self.tolerated = tolerated
        self._where = where
        self._arrays = {name.removesuffix("[]"): field for name, field in self.known.items() if field.is_array}

    def gather(self, pairs: list[tuple[str, str]], leniency: Leniency = STRICT) -> Gathered:
        """Raises `InvalidRequest` for a field that is given twice and is no array."""
        gathered = Gathered({}, [], [], [])
        values, kept = gathered.values, gathered.kept
        for name, text in pairs:
            field = self.known.get(name)
            if field is None:
                self._odd(name, text, gathered, leniency)
            elif field.is_array:
                self._append(field, text, gathered)
            elif name in values:
                refuse(name, f"{name} is given more than once in the {self._where}")
            elif text or not field.empty_is_absent:
                value = field.read(text)
                if value is text and field.is_integer and leniency.odd_numbers:
                    if not is_number(text):
                        gathered.forgiven.append(f"{name} is no number, got {shown(text)}: it counts as left out")
                        continue
                    value = loose_integer(text) or value
                values[name] = value
                kept.append((name, text))
        return gathered

    def _append(self, field: Field, text: str, gathered: Gathered) -> None:
        if field.splits and field.name in gathered.values:
            refuse(
                field.name, f"{field.name} is given more than once in the {self._where}: separate its items by commas"
            )
        texts = text.split(",") if field.splits else [text]
        gathered.values.setdefault(field.name, []).extend(field.read(item) for item in texts)
        gathered.kept.append((field.name, text))

    def _odd(self, name: str, text: str, gathered: Gathered, leniency: Leniency) -> None:
        # PHP, which the real server is written in, knows an array by the brackets after its name: a[]=1, a[0]=1.
        indexed = _INDEXED.fullmatch(name)
        field = self._arrays.get(indexed[1] if indexed else name)
        if field is None and (base := name.partition("[")[0]) in self._arrays:
            refuse(base, f"{shown(name)} is no item of {base}: write {base}[]")
        if field is None:
            if name not in self.tolerated:
                gathered.unknown.append(name)
        elif indexed is None and not text and leniency.empty_arrays:
            gathered.forgiven.append(f"{name} is empty: it counts as left out")
        elif indexed is None:
            # Without brackets PHP sees one text where an array must be; unread, it would mean "all of them".
            refuse(name, f"{name} must be an array, got {shown(text)}: write {name}[]={text[:SHOWN]}")
        else:
            self._append(field, text, gathered)


def field_of(name: str, schema: Node, *, splits: bool = False, empty_is_absent: bool = False) -> Field:
    """How a field of that schema is read; `splits` where an array is written with commas."""
    types = schemas.types(schema)
    is_array = types == {"array"}
    inner = schemas.items(schema) if is_array else schema
    return Field(
        name=name,
        read=decoding.reader(schemas.types(inner) if inner is not None else schemas.ALL_TYPES),
        is_array=is_array,
        splits=is_array and splits,
        empty_is_absent=empty_is_absent,
        is_integer=types == {"integer"},
    )
