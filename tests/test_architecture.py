"""Imports go one way, each library has one owner, and nothing is imported inside a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "mockserver"
FILES = sorted(PACKAGE.rglob("*.py"))

LAYERS: list[set[str]] = [
    {"errors", "clock", "settings", "messages", "resources", "documents", "money", "events"},
    {"places", "rules", "schemas", "decoding", "explain", "fields", "routing", "fastpath", "judge", "search_text"},
    {"contract", "search", "profile", "billing", "stripe"},
    {"store"},
    {"world", "worlds"},
    {"fixtures", "generate", "export", "render"},
    {"operations"},
    {"service"},
    {"pipeline", "access"},
    {"control", "web"},
    {"live"},
    {"cli", "pytest_plugin"},
]
"""From the bottom up: a module imports from its own layer or from those before it."""

OWNERS: dict[str, set[str]] = {
    "flask": {"web"},
    "werkzeug": {"web", "judge"},
    "openapi_core": {"judge"},
    "openapi_spec_validator": {"judge"},
    "jsonschema_rs": {"fastpath", "judge", "explain", "verify"},
    "faker": {"generate"},
    "granian": {"live"},
    "schemathesis": {"verify"},
    "hypothesis": {"verify"},
    "httpx": {"verify", "client", "posting"},
    "watchfiles": {"reload"},
    "psutil": {"web"},
    "click": {"cli", "verify"},
}
"""Who may import what: everybody else goes through these."""


def _room(file: Path) -> str:
    """The module or folder directly below the package."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_go_down(file: Path) -> None:
    heights = {name: height for height, layer in enumerate(LAYERS) for name in layer}
    room = _room(file)
    if room not in heights:
        pytest.skip("stands beside the layers")
    for name in _imports(ast.parse(file.read_text())):
        if name.startswith("mockserver."):
            other = name.split(".")[1]
            assert heights.get(other, -1) <= heights[room], f"{room} imports {name}, which stands above it"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_each_library_has_its_owner(file: Path) -> None:
    for name in _imports(ast.parse(file.read_text())):
        owners = OWNERS.get(name.split(".")[0])
        assert owners is None or _room(file) in owners, f"{_room(file)} imports {name}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_nothing_is_imported_inside_a_function(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert not any(isinstance(inner, ast.Import | ast.ImportFrom) for inner in ast.walk(node)), node.name
