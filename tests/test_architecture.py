"""Imports go one way, each library has one owner, and nothing is imported inside a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "mockserver"
FILES = sorted(PACKAGE.rglob("*.py"))

LAYERS: list[set[str]] = [
    {"errors", "clock", "settings", "messages", "resources", "documents", "money", "process", "delays"},
    {"places", "rules", "schemas", "decoding", "explain", "fields", "routing", "fastpath", "compiling", "judge"},
    {"contract", "search_text", "search", "profile", "billing", "stripe", "webhooks"},
    {"axis", "store"},
    {"fault_fields", "faults", "spoiling", "prefer", "journal", "journal_forms", "expectations"},
    {"world", "worlds", "postman", "posting"},
    {"snapshots", "fixture_fields", "fixture_rows", "fixture_state", "generate", "fixtures", "export", "render"},
    {"access", "operations"},
    {"service", "disturbance", "reload"},
    {"pipeline"},
    {"control"},
    {"web"},
    {"live"},
    {"cli", "__main__"},
]
"""From the bottom up: a module imports from its own layer or from those below it."""

BESIDE: dict[str, set[str]] = {
    "__init__": {"client", "process"},
    "client": set(),
    "pytest_plugin": {"client", "errors", "process", "settings"},
    "verify": {"cli", "live", "web", "control"},
}
"""What stands beside the layers. The clients of a server import no more than this, the verifier none of this."""

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


def _inside(file: Path) -> set[str]:
    """The other rooms of the package that a file imports from."""
    names = [name.split(".") for name in _imports(ast.parse(file.read_text()))]
    return {name[1] for name in names if name[0] == "mockserver" and len(name) > 1} - {_room(file)}


def test_every_module_has_its_place() -> None:
    assert {_room(file) for file in FILES} == set().union(*LAYERS, BESIDE)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_go_down(file: Path) -> None:
    heights = {name: height for height, layer in enumerate(LAYERS) for name in layer}
    room = _room(file)
    if room in heights:
        above = {other for other in _inside(file) if heights.get(other, len(LAYERS)) > heights[room]}
    elif room == "verify":
        above = _inside(file) & BESIDE["verify"]
    else:
        above = _inside(file) - BESIDE[room] - {"Control", "ControlRefused", "Running", "running"}
    assert not above, f"{room} imports {', '.join(sorted(above))}"


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
