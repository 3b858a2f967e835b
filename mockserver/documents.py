"""YAML files read with the line of every key, so that a mistake can be told by file, line and key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mockserver.errors import Unusable

Key = str | int


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
    lines.setdefault(keys, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, item, (*keys, index), path, lines, problems) for index, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return loader.construct_object(node)
    mapping: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node)
        line = key_node.start_mark.line + 1
        if not isinstance(key, str | int):
            problems.append(f"{path}:{line}: a key must be a word or a number, got {key!r}")
            continue
        if key in mapping:
            problems.append(f"{path}:{line}: the key {key!r} is given twice")
        lines[(*keys, key)] = line
        mapping[key] = _build(loader, value_node, (*keys, key), path, lines, problems)
    return mapping
