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
        value = None if node is None else _build(loader, node, (), path, lines, problems)
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


def _build(
    loader: _Loader,
    node: yaml.Node,
    keys: tuple[Key, ...],
    path: Path,
    lines: dict[tuple[Key, ...], int],
    problems: list[str],
) -> Any:
    if isinstance(node, yaml.ScalarNode):
        # The loader's own way for a text takes ten times as long, and most of a large fixture is texts.
        return node.value if node.tag == _TEXT else loader.construct_object(node)
    if isinstance(node, yaml.SequenceNode):
        items = []
        for index, item in enumerate(node.value):
            _note_line(item, node, (*keys, index), lines)
            items.append(_build(loader, item, (*keys, index), path, lines, problems))
        return items
    mapping: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = key_node.value if key_node.tag == _TEXT else loader.construct_object(key_node)
        if not isinstance(key, str | int):
            line = key_node.start_mark.line + 1
            problems.append(f"{path}:{line}: a key must be a word or a number, got {key!r}")
            continue
        if key in mapping:
            problems.append(f"{path}:{key_node.start_mark.line + 1}: the key {key!r} is given twice")
        _note_line(key_node, node, (*keys, key), lines)
        mapping[key] = _build(loader, value_node, (*keys, key), path, lines, problems)
    return mapping


def _note_line(node: yaml.Node, parent: yaml.Node, keys: tuple[Key, ...], lines: dict[tuple[Key, ...], int]) -> None:
    """Keep the line of a part, unless its parent's says the same: most rows of a fixture stand on one line."""
    if node.start_mark.line != parent.start_mark.line:
        lines[keys] = node.start_mark.line + 1
