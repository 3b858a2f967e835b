"""The nodes of an OpenAPI document: walked by key, references followed, mistakes told by file and line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from mockserver.core.errors import Unusable
from mockserver.core.yaml_lines import Document, Key


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the document and the keys that lead to it, which are those behind any reference on the way."""

    document: Document
    keys: tuple[Key, ...]
    value: Any

    @classmethod
    def root(cls, document: Document) -> Node:
        """The whole document; raises `Unusable` if it is no mapping."""
        node = cls(document, (), _with_text_keys(document.value))
        if not isinstance(node.value, dict):
            raise node.unusable("an OpenAPI document is a mapping")
        return cls(Document(document.path, node.value, document.lines), (), node.value)

    @property
    def reference(self) -> str:
        """The node as the fragment that a `$ref` names it by."""
        steps = [str(key).replace("~", "~0").replace("/", "~1") for key in self.keys]
        return "#" + "".join("/" + quote(step, safe="~") for step in steps)

    def unfollowed(self, key: Key) -> Node:
        """What lies under `key`, itself perhaps a reference; raises `Unusable` if there is nothing."""
        try:
            return Node(self.document, (*self.keys, key), self.value[key])
        except (LookupError, TypeError) as error:
            raise self.unusable(f"{key} is missing") from error

    def child(self, key: Key) -> Node:
        """What lies under `key`, references followed; raises `Unusable` if there is nothing."""
        return self.unfollowed(key).followed()

    def children(self, key: Key) -> Iterator[tuple[Key, Node]]:
        """Every entry of the mapping or list under `key`, references followed; nothing if there is none."""
        if not isinstance(self.value, dict):
            raise self.unusable("must be a mapping")
        if key not in self.value:
            return
        parent = self.child(key)
        if isinstance(parent.value, dict):
            yield from ((name, parent.child(name)) for name in parent.value)
        elif isinstance(parent.value, list):
            yield from ((index, parent.child(index)) for index in range(len(parent.value)))
        else:
            raise parent.unusable("must be a mapping or a list")

    def everywhere(self) -> Iterator[Node]:
        """This node and all below it, each once, no reference followed."""
        pending = [self]
        while pending:
            node = pending.pop()
            yield node
            if isinstance(node.value, dict):
                pending.extend(Node(self.document, (*node.keys, key), item) for key, item in node.value.items())
            elif isinstance(node.value, list):
                pending.extend(Node(self.document, (*node.keys, i), item) for i, item in enumerate(node.value))

    def get(self, key: Key, default: Any = None) -> Any:
        """The plain value under `key`, or the default."""
        if not isinstance(self.value, dict):
            raise self.unusable("must be a mapping")
        return self.value.get(key, default)

    def followed(self) -> Node:
        """The node that the reference here leads to, by way of others perhaps; this one if there is none."""
        node, seen = self, {self.keys}
        while isinstance(node.value, dict) and "$ref" in node.value:
            target = node._target(node.value["$ref"])
            if target.keys in seen:
                raise node.unusable(f"the reference {target.reference} leads back to itself")
            seen.add(target.keys)
            node = target
        return node

    def unusable(self, problem: str) -> Unusable:
        """The error that tells what is wrong here."""
        return Unusable(complaint(self.document, self.keys, problem))

    def _target(self, reference: Any) -> Node:
        if not isinstance(reference, str) or not reference.startswith("#/"):
            raise self.unusable(f"only references within the document are supported, not {reference!r}")
        node = Node(self.document, (), self.document.value)
        for step in reference[2:].split("/"):
            key: Key = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(node.value, list) and str(key).isdecimal():
                key = int(key)
            try:
                node = node.unfollowed(key)
            except Unusable as error:
                raise self.unusable(f"the reference {reference!r} leads nowhere") from error
        return node


def complaint(document: Document, keys: tuple[Key, ...], problem: str) -> str:
    """`FILE:LINE: PLACE: PROBLEM`."""
    path = " > ".join(str(key) for key in keys)
    return f"{document.where(*keys)}: {path + ': ' if path else ''}{problem}"


def _with_text_keys(value: Any) -> Any:
    # YAML reads an unquoted status such as `200:` as a number; JSON, and so OpenAPI, has only text keys.
    if isinstance(value, dict):
        return {str(key): _with_text_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_text_keys(item) for item in value]
    return value
