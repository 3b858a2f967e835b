"""YAML files read with the line of every key, so that a mistake can be told by file, line and key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mockserver.core.errors import Unusable
from mockserver.core.scalars import Loader, Unclear, scalar
from mockserver.core.text import cut, shown

Key = str | int
_COLLECTIONS = (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_DEEPEST = 50
_TOO_DEEP = f"nested deeper than {_DEEPEST} levels"
MOST_REPEATED = 20_000
"""How many values all aliases of a document may stand for; a text counts once more for each 50 characters."""
_COUNTED_ONCE = 50
_MOST_PROBLEMS = 50
_MERGE = "<<"


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML document's value and where each part of it stands."""

    path: Path
    value: Any
    lines: dict[tuple[Key, ...], int]
    """The line of each part that does not begin on the line of the part that it is in."""
    text: str = field(default="", repr=False)
    """The document as it was written."""
    _written: list[Any] = field(default_factory=list, repr=False, compare=False)
    """The value with the texts of all numbers, once a message has needed it."""

    def where(self, *keys: Key) -> str:
        """`file:line` of the innermost part along `keys` that the file has."""
        for length in range(len(keys), -1, -1):
            if (line := self.lines.get(keys[:length])) is not None:
                return f"{self.path}:{line}"
        return str(self.path)

    def shown(self, *keys: Key) -> str:
        """What stands at `keys` as a message shows it: a number or truth value to the letter, as it was written."""
        value = _at(self.value, keys)
        if value is None or isinstance(value, str | list | dict) or not self.text:
            return shown(value)
        # Read once more rather than kept: a large fixture has millions of numbers, and few of them are wrong.
        if not self._written:
            self._written.append(_read(self.text, self.path, as_written=True).value)
        return cut(_at(self._written[0], keys))


def key_path(keys: Sequence[Key]) -> str:
    """`charges.0.amount: `, as it stands before a problem; nothing for the whole document."""
    return ".".join(cut(key) for key in keys) + ": " if keys else ""


def _at(value: Any, keys: Sequence[Key]) -> Any:
    for key in keys:
        value = value[key]
    return value


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
    return _read(text, path)


def _read(text: str, path: Path, *, as_written: bool = False) -> Document:
    """`as_written` leaves every value the text that it is."""
    try:
        loader = Loader(text)
        try:
            reader = _Reader(loader, path, as_written)
            value = reader.document()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        # The library reads ahead of what it hands out, so its own limit on nesting may strike before ours.
        problem = error.problem
        if mark and _too_deep(text, mark.index):
            problem = _TOO_DEEP
        elif mark and text[mark.index : mark.index + 1] == "\t":
            problem = "a tab can't indent: use spaces"
        raise Unusable(f"{place}: not valid YAML: {problem or error.context}") from error
    except yaml.YAMLError as error:
        raise Unusable(f"{path}: not valid YAML: {error}") from error
    if reader.problems:
        raise Unusable(*reader.problems)
    return Document(path, value, reader.lines, text)


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

    loader: Loader
    path: Path
    as_written: bool
    lines: dict[tuple[Key, ...], int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    """Each with how many values it stands for."""
    values: int = 0
    """How many there are so far, those that aliases stand for included."""
    repeated: int = 0
    """How many of them aliases stand for."""

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

    def _value(self, event: Any, keys: tuple[Key, ...], line: int, *, is_key: bool = False) -> Any:
        """The value that begins with this event; `line` is that of the part of the document which it is."""
        before = self.values
        if isinstance(event, yaml.ScalarEvent):
            self.values += 1 + len(event.value) // _COUNTED_ONCE
            value = (
                event.value if self.as_written and not is_key else self._scalar(event, keys[:-1] if is_key else keys)
            )
        elif isinstance(event, yaml.AliasEvent):
            return self._repeated(event)
        else:
            if event.tag not in _COLLECTIONS:
                raise yaml.MarkedYAMLError(problem=f"unknown tag {cut(event.tag)}", problem_mark=event.start_mark)
            if len(keys) >= _DEEPEST:
                raise yaml.MarkedYAMLError(problem=_TOO_DEEP, problem_mark=event.start_mark)
            self.values += 1
            is_list = isinstance(event, yaml.SequenceStartEvent)
            value = self._items(keys, line) if is_list else self._mapping(keys, line)
        if event.anchor is not None:
            self.anchors[event.anchor] = value, self.values - before
        return value

    def _repeated(self, event: Any) -> Any:
        if event.anchor not in self.anchors:
            raise yaml.MarkedYAMLError(problem=f"no anchor &{cut(event.anchor)}", problem_mark=event.start_mark)
        value, count = self.anchors[event.anchor]
        self.values += count
        self.repeated += count
        if self.repeated > MOST_REPEATED:
            problem = f"its aliases stand for more than {MOST_REPEATED:,} values: write out what is meant"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
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
            key = self._value(event, (*keys, "?"), own, is_key=True)
            if isinstance(key, bool) or not isinstance(key, str | int):
                self._problem(own, keys, f"a key must be a word or a number, got {shown(key)}")
                key = "?"
            elif key == _MERGE and event.implicit[0]:
                self._problem(own, keys, "<< merges nothing here: write the keys themselves")
            elif key in mapping:
                self._problem(own, keys, f"the key {shown(key)} is given twice")
            mapping[key] = self._part(self._next(), own, (*keys, key), line)
        return mapping

    def _part(self, event: Any, own: int, keys: tuple[Key, ...], line: int) -> Any:
        """A part of a value on `line` that begins on the line `own`: most rows of a fixture stand on one line."""
        if own != line:
            self.lines[keys] = own
        return self._value(event, keys, own)

    def _scalar(self, event: Any, keys: tuple[Key, ...]) -> Any:
        try:
            return scalar(self.loader, event)
        except Unclear as unclear:
            self._problem(event.start_mark.line + 1, keys, str(unclear))
            return event.value

    def _problem(self, line: int, keys: tuple[Key, ...], problem: str) -> None:
        """Note one of a value, or end the reading where there are so many that more would tell nothing."""
        self.problems.append(f"{self.path}:{line}: {key_path(keys)}{problem}")
        if len(self.problems) == _MOST_PROBLEMS:
            raise Unusable(*self.problems, f"{self.path}: only the first {_MOST_PROBLEMS} mistakes are told")
