"""From a method and a path to the operation that the spec has there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from mockserver.contract.decoding import RULE
from mockserver.core.errors import MethodNotAllowed, NotFound
from mockserver.core.text import nearest, shown

T = TypeVar("T")


class Router(Generic[T]):
    """A tree of path segments; a segment that is spelt out goes before a parameter, as OpenAPI wants it."""

    def __init__(self) -> None:
        self._literal: dict[str, dict[str, T]] = {}
        self._root: _Branch[T] = _Branch()

    def add(self, method: str, template: str, target: T) -> None:
        """Lead `method` (upper case) at `template` (`/invoices/{invoice}`) to `target`."""
        branch, names = self._root, []
        for part in template.split("/")[1:]:
            if part.startswith("{") and part.endswith("}"):
                names.append(part[1:-1])
                branch.other = branch.other or _Branch()
                branch = branch.other
            else:
                branch = branch.children.setdefault(part, _Branch())
        branch.names = tuple(names)
        branch.targets[method] = target
        if not names:
            self._literal[template] = branch.targets

    def find(self, method: str, path: str) -> tuple[T, dict[str, str]]:
        """The target and the parameters' texts; raises `NotFound`, or `MethodNotAllowed` with the header `Allow`."""
        params: dict[str, str] = {}
        targets = self._literal.get(path)
        if targets is None:
            found = self._root.find(path.split("/")[1:], 0, [])
            if found is None:
                raise NotFound(f"there is nothing at {shown(path)}{self._hint(path)}", because=RULE)
            targets, params = found
        target = targets.get(method)
        if target is None and method == "HEAD":
            target = targets.get("GET")
        if target is None:
            allowed = _allowed(targets)
            raise MethodNotAllowed(
                f"{shown(path)} takes {' or '.join(allowed)}, not {shown(method)}",
                because=RULE,
                headers={"Allow": ", ".join(allowed)},
            )
        return target, params

    def _hint(self, path: str) -> str:
        close = nearest(path, self._literal, cutoff=0.8)
        return f"; did you mean {close}?" if close else ""


class _Branch(Generic[T]):
    __slots__ = ("children", "names", "other", "targets")

    def __init__(self) -> None:
        self.children: dict[str, _Branch[T]] = {}
        self.other: _Branch[T] | None = None
        self.targets: dict[str, T] = {}
        self.names: tuple[str, ...] = ()

    def find(self, parts: list[str], at: int, values: list[str]) -> tuple[dict[str, T], dict[str, str]] | None:
        """What the rest of a path leads to; `values` are those of the parameters so far."""
        if at == len(parts):
            return (self.targets, dict(zip(self.names, values, strict=True))) if self.targets else None
        part = parts[at]
        child = self.children.get(part)
        if child is not None and (found := child.find(parts, at + 1, values)) is not None:
            return found
        if self.other is not None and part:
            return self.other.find(parts, at + 1, [*values, part])
        return None


def _allowed(targets: Mapping[str, object]) -> list[str]:
    return sorted({*targets, "HEAD"} if "GET" in targets else targets)
