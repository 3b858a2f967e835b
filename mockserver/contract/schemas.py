"""What a schema asks for, found once: the types that a text may be read as, the properties, the integers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mockserver.contract.decoding import read_integer, refuse, within_64_bits
from mockserver.contract.leniency import Leniency, loose_integer
from mockserver.contract.node import Node
from mockserver.core.text import shown

ALL_TYPES = frozenset({"string", "integer", "number", "boolean", "array", "object", "null"})


def types(schema: Node) -> frozenset[str]:
    """The JSON types that a value may have; all of them where the schema doesn't say."""
    return _types(schema.followed(), frozenset())


def properties(schema: Node) -> dict[str, Node]:
    """The properties that an object may have by name, those of the parts of `allOf` and the like included."""
    return dict(_properties(schema.followed(), frozenset()))


def items(schema: Node) -> Node | None:
    """The schema of an array's items, if it has one."""
    schema = schema.followed()
    return schema.child("items") if isinstance(schema.get("items"), dict) else None


def lists(schema: Node) -> dict[str, Node]:
    """The properties that are lists of objects described elsewhere, and what describes those objects.

    Only where such a list is valid exactly if it would be while it is empty and each of its objects is: else none.
    """
    found: list[tuple[str, Node | None]] = []
    if not _is_plain(schema.followed(), found):
        return {}
    names = Counter(name for name, _ in found)
    return {name: items for name, items in found if items is not None and names[name] == 1}


@dataclass(slots=True)
class Integers:
    """Where in a value the schema wants integers: here, in the items, in the properties."""

    here: bool = False
    items: Integers | None = None
    properties: dict[str, Integers] = field(default_factory=dict)


def integers(schema: Node, *, _outer: frozenset[tuple[Any, ...]] = frozenset()) -> Integers | None:
    """Where a value of the schema has integers; None if nowhere. A schema within itself is not followed."""
    schema = schema.followed()
    if schema.keys in _outer or not isinstance(schema.value, dict):
        return None
    outer = _outer | {schema.keys}
    wanted = types(schema)
    found = Integers(here="integer" in wanted and not wanted & {"number", "string"})
    if (inner := items(schema)) is not None:
        found.items = integers(inner, _outer=outer)
    for name, node in properties(schema).items():
        if (within := integers(node, _outer=outer)) is not None:
            found.properties[name] = within
    return found if found.here or found.items or found.properties else None


def settle(value: Any, wanted: Integers, leniency: Leniency, path: tuple[str, ...] = ()) -> Any:
    """The value with an int wherever the schema wants an integer and got one under a guise that is let pass.

    Raises `InvalidRequest` for a float that is an integer, where none is let pass, or one beyond 64 bits.
    """
    if wanted.here:
        return _integer(value, leniency, ".".join(path))
    if wanted.items and isinstance(value, dict) and leniency.loose_integers:
        value = list(value.values())
    if wanted.items and isinstance(value, list):
        return [settle(item, wanted.items, leniency, (*path, str(index))) for index, item in enumerate(value)]
    if wanted.properties and isinstance(value, dict):
        return {
            name: settle(item, wanted.properties[name], leniency, (*path, name)) if name in wanted.properties else item
            for name, item in value.items()
        }
    return value


def _integer(value: Any, leniency: Leniency, field: str) -> Any:
    if isinstance(value, float) and value.is_integer():
        if not leniency.whole_floats:
            refuse(field, f"{field} must be an integer, written without a point, got {shown(value)}")
        return within_64_bits(int(value), field)
    if isinstance(value, bool):
        return int(value) if leniency.loose_integers else value
    if not isinstance(value, str):
        return value
    plain = read_integer(value)
    if plain is not value:
        return plain if leniency.numeric_strings else value
    loose = loose_integer(value) if leniency.loose_integers else None
    return value if loose is None else loose


def _types(schema: Node, outer: frozenset[tuple[Any, ...]]) -> frozenset[str]:
    if schema.keys in outer or not isinstance(schema.value, dict):
        return ALL_TYPES
    outer = outer | {schema.keys}
    said = schema.get("type")
    found = ALL_TYPES if said is None else frozenset([said] if isinstance(said, str) else said)
    if "number" in found:
        found |= {"integer"}
    for keyword in ("anyOf", "oneOf"):
        branches = [_types(branch, outer) for _, branch in schema.children(keyword)]
        if branches:
            found &= frozenset().union(*branches)
    for _, part in schema.children("allOf"):
        found &= _types(part, outer)
    return found


def _properties(schema: Node, outer: frozenset[tuple[Any, ...]]) -> Iterator[tuple[str, Node]]:
    if schema.keys in outer or not isinstance(schema.value, dict):
        return
    for keyword in ("allOf", "anyOf", "oneOf"):
        for _, part in schema.children(keyword):
            yield from _properties(part, outer | {schema.keys})
    for name, node in schema.children("properties"):
        yield str(name), node


_TOLD = ("description", "title", "example", "examples", "default", "deprecated", "$comment")
"""What judges nothing."""
_OF_OBJECTS = ("type", "required", "properties", "allOf")
_OF_LISTS = ("type", "items")


def _has_only(schema: Node, keywords: tuple[str, ...]) -> bool:
    return isinstance(schema.value, dict) and all(
        key in keywords or key in _TOLD or key.startswith("x-") for key in schema.value
    )


def _is_plain(schema: Node, found: list[tuple[str, Node | None]]) -> bool:
    """Whether nothing but the properties' own schemas judges what is in them; adds those, with the items of lists."""
    if not _has_only(schema, _OF_OBJECTS):
        return False
    for name in schema.get("properties", {}):
        node = schema.child("properties").unfollowed(name)
        items = node.unfollowed("items") if _has_only(node, _OF_LISTS) and "items" in node.value else None
        found.append((name, items if items is not None and _has_only(items, ("$ref",)) else None))
    return all(_is_plain(part, found) for _, part in schema.children("allOf"))
