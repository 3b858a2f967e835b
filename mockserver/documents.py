"""YAML files read with the line of every key, so that a mistake can be told by file, line and key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mockserver.errors import Unusable

Key = str | int
_TEXT = "tag:yaml.org,2002:str"


PLAIN_SCALARS: dict[str, list[Any]] = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
"""What a scalar without quotes is taken for. No dates: a time stays text, so that its own check can speak of it."""


class _Loader(yaml.CSafeLoader):
    """YAML without dates."""


_Loader.yaml_implicit_resolvers = PLAIN_SCALARS


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
    loader = _Loader(text)
    problems: list[str] = []
    lines: dict[tuple[Key, ...], int] = {}
    try:
        node = loader.get_single_node()
        if node is not None:
            lines[()] = node.start_mark.line + 1
        value = None if node is None else _Builder(loader, path, lines, problems).value(node, (), lines[()])
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        raise Unusable(f"{place}: not valid YAML: {error.problem}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Unusable(f"{path}: not valid YAML: {error or type(error).__name__}") from error
    finally:
        loader.dispose()
    if problems:
        raise Unusable(*problems)
    return Document(path, value, lines)


@dataclass(slots=True)
class _Builder:
    """Makes values of nodes, and keeps their lines and what is wrong with them."""

    loader: _Loader
    path: Path
    lines: dict[tuple[Key, ...], int]
    problems: list[str]

    def value(self, node: yaml.Node, keys: tuple[Key, ...], line: int) -> Any:
        """The value of a node; `line` is what `where` would tell of it if nothing were kept of what is in it."""
        if isinstance(node, yaml.SequenceNode):
            return [self._part(item, item, (*keys, index), line) for index, item in enumerate(node.value)]
        if not isinstance(node, yaml.MappingNode):
            return self._scalar(node)
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self._scalar(key_node)
            place = f"{self.path}:{key_node.start_mark.line + 1}"
            if not isinstance(key, str | int):
                self.problems.append(f"{place}: a key must be a word or a number, got {key!r}")
                continue
            if key in mapping:
                self.problems.append(f"{place}: the key {key!r} is given twice")
            mapping[key] = self._part(key_node, value_node, (*keys, key), line)
        return mapping

    def _part(self, start: yaml.Node, node: yaml.Node, keys: tuple[Key, ...], line: int) -> Any:
        own = start.start_mark.line + 1
        if own != line:
            self.lines[keys] = own
        return self.value(node, keys, own)

    def _scalar(self, node: yaml.Node) -> Any:
        # The loader's own way to a text takes ten times as long, and most of a large fixture is texts.
        return node.value if node.tag == _TEXT else self.loader.construct_object(node)
