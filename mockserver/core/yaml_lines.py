"""YAML files read with the line of every key, so that a mistake can be told by file, line and key."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mockserver.core.errors import Unusable

Key = str | int
_TEXT = "tag:yaml.org,2002:str"
_COLLECTIONS = (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_DEEPEST = 50
_TOO_DEEP = f"nested deeper than {_DEEPEST} levels"


class _Loader(yaml.CSafeLoader):
    """YAML without dates: a time stays the text that was written, so that its own check can speak of it."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML document's value and where each part of it stands."""

    path: Path
    value: Any
    lines: dict[tuple[Key, ...], int]
    """The line of each part that does not begin on the line of the part that it is in."""

    def where(self, *keys: Key) -> str:
        """`file:line` of the innermost part along `keys` that the file has."""
        for length in range(len(keys), -1, -1):
            if (line := self.lines.get(keys[:length])) is not None:
                return f"{self.path}:{line}"
        return str(self.path)


def read_document(path: Path) -> Document:
    """The one YAML document in `path`; raises `Unusable` when it can't be read, or names a key twice."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Unusable(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{path}: {error}") from error
    return parse_document(text, path)


def parse_document(text: str, path: Path) -> Document:
    """Like `read_document`, for a text that is already there; `path` is what messages call it."""
    try:
        loader = _Loader(text)
        try:
            reader = _Reader(loader, path)
            value = reader.document()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        # The library reads ahead of what it hands out, so its own limit on nesting may strike before ours.
        problem = _TOO_DEEP if mark and _too_deep(text, mark.index) else error.problem
        raise Unusable(f"{place}: not valid YAML: {problem or error.context}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise Unusable(f"{path}: not valid YAML: {error}") from error
    if reader.problems:
        raise Unusable(*reader.problems)
    return Document(path, value, reader.lines)


def _too_deep(text: str, index: int) -> bool:
    """Whether the library's complaint is of a bracket there, in more open ones than are allowed."""
    before = text[:index]
    is_bracket = not {"[", "{"}.isdisjoint(text[max(index - 1, 0) : index + 1])
    return is_bracket and before.count("[") + before.count("{") - before.count("]") - before.count("}") > _DEEPEST


@dataclass(slots=True)
class _Reader:
    """Makes values of the parser's events, with their lines.

    The loader's own way, by a tree of nodes, takes thrice the time and memory for a large fixture, and ends the
    process where a text is nested deeply enough.
    """

    loader: _Loader
    path: Path
    lines: dict[tuple[Key, ...], int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    anchors: dict[str, Any] = field(default_factory=dict)

    def document(self) -> Any:
        """The value of the only document; None when there is none."""
        self._next()
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None
        event = self._next()
        self.lines[()] = event.start_mark.line + 1
        value = self._value(event, (), self.lines[()])
        self._next()
        rest = self._next()
        if not isinstance(rest, yaml.StreamEndEvent):
            raise yaml.MarkedYAMLError(problem="expected one document only", problem_mark=rest.start_mark)
        return value

    def _next(self) -> Any:
        return self.loader.get_event()

    def _value(self, event: Any, keys: tuple[Key, ...], line: int) -> Any:
        """The value that begins with this event; `line` is that of the part of the document which it is."""
        mark: Any = event.start_mark
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                raise yaml.MarkedYAMLError(problem=f"no anchor &{event.anchor}", problem_mark=mark)
            return self.anchors[event.anchor]
        else:
            if event.tag not in _COLLECTIONS:
                raise yaml.MarkedYAMLError(problem=f"unknown tag {event.tag}", problem_mark=mark)
            if len(keys) >= _DEEPEST:
                raise yaml.MarkedYAMLError(problem=_TOO_DEEP, problem_mark=mark)
            is_list = isinstance(event, yaml.SequenceStartEvent)
            value = self._items(keys, line) if is_list else self._mapping(keys, line)
        if event.anchor is not None:
            self.anchors[event.anchor] = value
        return value

    def _items(self, keys: tuple[Key, ...], line: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._part(event, event.start_mark.line + 1, (*keys, len(items)), line))
        return items

    def _mapping(self, keys: tuple[Key, ...], line: int) -> dict[Any, Any]:
        mapping: dict[Any, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            own = event.start_mark.line + 1
            key = self._value(event, (*keys, "?"), own)
            if not isinstance(key, str | int):
                self.problems.append(f"{self.path}:{own}: a key must be a word or a number, got {key!r}")
                key = "?"
            elif key in mapping:
                self.problems.append(f"{self.path}:{own}: the key {key!r} is given twice")
            mapping[key] = self._part(self._next(), own, (*keys, key), line)
        return mapping

    def _part(self, event: Any, own: int, keys: tuple[Key, ...], line: int) -> Any:
        """A part of a value on `line` that begins on the line `own`: most rows of a fixture stand on one line."""
        if own != line:
            self.lines[keys] = own
        return self._value(event, keys, own)

    def _scalar(self, event: Any) -> Any:
        tag = event.tag
        if tag is None or tag == "!":
            tag = self.loader.resolve(yaml.ScalarNode, event.value, event.implicit)  # type: ignore[no-untyped-call]
        if tag == _TEXT:
            return event.value
        return self.loader.construct_object(yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark))
