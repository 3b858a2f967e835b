"""Imports go one way, each library has one owner, no name stands for two things, nothing is imported in a function."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "mockserver"
FILES = {file.relative_to(PACKAGE).as_posix(): file for file in sorted(PACKAGE.rglob("*.py"))}

ORDER = ["core", "contract billing", "traffic", "state", "server", "verify", "watch", "cli"]
"""The packages from the bottom up: each imports from those below it, but not from those on its own level."""

APART = {
    "__init__.py": "client server.process",
    "__main__.py": "cli",
    "client": "",
    "pytest_plugin.py": "client core server.process",
    "verify": "core contract billing",
    "watch": "core contract billing traffic state verify",
    "verify/generation/fake.py": "core contract billing server",
}
"""Where the order alone would allow more, or says nothing: what these import from."""

WITHIN = {
    "verify": [
        "claims errors options",
        "events",
        "replay",
        "transport",
        "command_line known_breaches leavings",
        "assertions",
        "monitor reports",
        "context",
        "discovery duration generation",
        "checks",
        "calibration fuzz reproduction verdicts",
        "run",
    ],
    "watch": ["passing", "judging loading", "recording", "watching within", "proxy"],
}
"""The order within these."""

OWNERS = {
    "aiohttp": "watch/proxy",
    "click": "cli",
    "faker": "state/fixtures/generate.py watch/recording",
    "flask": "server/web",
    "granian": "server/run.py",
    "httpcore": "verify/transport",
    "httpx": "server/webhook_sender.py verify",
    "hypothesis": "verify",
    "ijson": "watch/loading",
    "jinja2": "verify/reports",
    "jsonschema_rs": "contract core/validation.py core/input.py",
    "junitparser": "verify/reports",
    "multidict": "watch/proxy",
    "openapi_core": "contract/reference.py",
    "openapi_spec_validator": "contract/reference.py",
    "rich": "cli verify/reports",
    "schemathesis": "verify/fuzz",
    "sqlalchemy": "state/kept",
    "watchfiles": "server/reload.py",
    "werkzeug": "server/web contract/reference.py",
    "yarl": "watch/proxy",
}
"""Who may import what: everybody else goes through these."""

each_file = pytest.mark.parametrize("name", FILES)


@cache
def _tree(name: str) -> ast.Module:
    return ast.parse(FILES[name].read_text("utf-8"))


@cache
def _imports(name: str) -> tuple[str, ...]:
    """The dotted names that a file imports, those for the type checker alone too."""
    return tuple(_imported(_tree(name)))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _ours(name: str, *, below: str = "mockserver") -> set[str]:
    """What a file imports from below that package, named from there on."""
    return {one.removeprefix(f"{below}.") for one in _imports(name) if one.startswith(f"{below}.")}


def _allowed(order: list[str], room: str) -> set[str]:
    """The room itself, and all that is below it in that order."""
    [height] = [height for height, level in enumerate(order) if room in level.split()]
    return {room}.union(*(level.split() for level in order[:height]))


def _outside(names: set[str], rooms: set[str]) -> list[str]:
    """Those names that are in none of the rooms."""
    return sorted(name for name in names if not any(f"{name}.".startswith(f"{room}.") for room in rooms))


def _within(name: str, rooms: str) -> bool:
    """Whether a file is one of these, or in one of them."""
    return any(name == room or name.startswith(f"{room}/") for room in rooms.split())


def test_every_module_has_its_place() -> None:
    rooms = {name.partition("/")[0] for name in FILES}
    assert rooms == {*" ".join(ORDER).split(), "client", "pytest_plugin.py", "__init__.py", "__main__.py"}
    for package, order in WITHIN.items():
        files = [path for path in (PACKAGE / package).iterdir() if path.suffix in ("", ".py")]
        inside = {path.stem for path in files if path.name not in ("__init__.py", "__pycache__")}
        assert inside == set(" ".join(order).split())


def test_every_module_and_package_says_its_purpose() -> None:
    # What it begins with stands at the top of a file that users keep, for them.
    written_out = PACKAGE / "verify" / "reports" / "scripts" / "replay_runtime.py"
    said = {path: ast.get_docstring(ast.parse(path.read_text("utf-8"))) for path in PACKAGE.rglob("*.py")}
    assert [path for path, words in said.items() if not words] == [written_out]


@each_file
def test_imports_go_down(name: str) -> None:
    room = name.partition("/")[0]
    rule = APART.get(name, APART.get(room))
    allowed = _allowed(ORDER, room) if rule is None else {room, *rule.split()}
    names = _ours(name) - {"Control", "ControlRefused", "Running", "running"}  # what the package itself exports
    assert not _outside(names, allowed)


@pytest.mark.parametrize("name", [name for name in FILES if name.partition("/")[0] in WITHIN and name.count("/") > 0])
def test_imports_within_a_package_go_down(name: str) -> None:
    package, room, *_ = name.split("/")
    names = _ours(name, below=f"mockserver.{package}")
    assert (
        not names if room == "__init__.py" else not _outside(names, _allowed(WITHIN[package], room.removesuffix(".py")))
    )


def test_a_class_has_a_name_of_its_own() -> None:
    """Save in the client, which says what the control interface says, and in what replays begin with."""
    apart = "client verify/reports/scripts/replay_runtime.py"
    trees = [_tree(name) for name in FILES if not _within(name, apart)]
    count = Counter(node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    assert [name for name, times in count.items() if times > 1] == []


@each_file
def test_each_library_has_its_owner(name: str) -> None:
    for library in {one.partition(".")[0] for one in _imports(name)} & OWNERS.keys():
        assert _within(name, OWNERS[library]), library


@each_file
def test_nothing_is_imported_inside_a_function(name: str) -> None:
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert not any(isinstance(inner, ast.Import | ast.ImportFrom) for inner in ast.walk(node)), node.name
