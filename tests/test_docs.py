"""What the documentation says is there and works, and what is there is documented."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mockserver.billing.profile import CHOICES
from mockserver.cli.main import main
from mockserver.contract.contract import Contract
from mockserver.core.resources import openapi_path
from mockserver.server.control.interface import DOCUMENT
from mockserver.server.process import Running, running

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PACKAGE = ROOT / "mockserver"


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_example_for_pytest_is_the_one_that_is_tested() -> None:
    [block] = _blocks("python")
    story = (ROOT / "tests/examples/python/tests/test_story.py").read_text()
    assert block.strip() in story
    assert len([line for line in block.splitlines() if line.strip()]) < 20


@pytest.fixture(scope="module")
def readers_server() -> Iterator[Running]:
    with running() as live:
        yield live


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("block", [block for block in _blocks("sh") if "curl" in block])
def test_the_shell_examples_run(readers_server: Running, block: str) -> None:
    script = "set -euo pipefail\n" + block.replace("http://127.0.0.1:4010", readers_server.base)
    script = re.sub(r"\bcurl ", "curl --silent --show-error --fail-with-body ", script)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target


def test_the_map_is_short_and_every_path_on_it_exists() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    assert len(text.splitlines()) <= 80
    paths = re.findall(r"`((?:mockserver|tests|fixtures)/[^`]*|openapi\.yaml)`", text)
    assert len(paths) > 40
    for line in text.splitlines():
        folders = [ROOT, PACKAGE]
        for path in re.findall(r"`([\w.-]+/[\w./-]*|[\w-]+\.(?:py|js|ts|md|yaml|cfg|html\.j2))`", line):
            # What is named after another file is beside it.
            [found, *_] = [folder / path for folder in folders if (folder / path).exists()] or [None]
            assert found is not None, (path, line)
            folders.append(found if found.is_dir() else found.parent)
    named = re.findall(r"`(\w+)`(?: of a module)? in `(mockserver/[^`]*\.(?:py|js))`", text)
    assert len(named) >= 3
    for name, path in named:
        assert re.search(rf"def {name}\(|^{name}\b", (ROOT / path).read_text(), re.MULTILINE), (name, path)


def test_every_header_of_ours_is_documented() -> None:
    used: set[str] = set()
    for file in [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.yaml")]:
        used |= set(re.findall(r"X-Mock-[A-Z][A-Za-z-]+", file.read_text()))
    for header in used:
        assert header in README, header
    assert "Prefer:" in README


def test_every_command_and_option_says_what_it_does() -> None:
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        assert command.help
        for option in command.params:
            assert not isinstance(option, click.Option) or option.help, f"{name} {option.name}"


def test_every_control_route_says_what_it_does() -> None:
    document: Any = yaml.safe_load(DOCUMENT.read_text())
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in ("get", "put", "post", "delete"):
                assert operation["summary"], path
                assert operation["description"], path
                for parameter in operation.get("parameters", ()):
                    assert "$ref" in parameter or parameter["description"], path


def test_every_choice_and_rule_is_explained() -> None:
    assert all(choice.help for choice in CHOICES.values())
    assert all(rule.statement and rule.source for rule in Contract.load(openapi_path()).rules.values())
    profile = (ROOT / "fixtures/profiles/default.yaml").read_text()
    assert all(key in profile for key in CHOICES)


def test_the_settings_and_the_marker_of_the_plugin_are_documented() -> None:
    plugin = (PACKAGE / "pytest_plugin.py").read_text()
    for name in set(re.findall(r"\"(mockserver_[a-z]+)\"", plugin)):
        assert name in README, name
    assert "allow_invalid" in README
    assert "--mockserver-url" in README


def test_the_changelog_has_a_version_to_come() -> None:
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text()


def test_the_checks_run_the_test_command_of_the_readme() -> None:
    [command] = [block.strip() for block in _blocks("sh") if "pytest" in block]
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


@pytest.mark.parametrize(
    ("name", "extras"),
    [("requirements.txt", [""]), ("requirements-state.txt", ["state"]), ("requirements-test.txt", ["", "test"])],
)
def test_every_dependency_is_locked_in_a_version_that_will_do(name: str, extras: list[str]) -> None:
    lock = (ROOT / name).read_text()
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    wanted += [each for extra in extras if extra for each in project["project"]["optional-dependencies"][extra]]
    for each in map(Requirement, wanted):
        assert each.specifier.contains(locked[canonicalize_name(each.name)]), each
    assert lock.count("--hash=sha256:") > len(locked)


PACKAGES = [
    each
    for each in sorted([*ROOT.glob("tests/**/package.json"), *ROOT.glob("clients/*/package.json")])
    if "node_modules" not in each.parts
]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda each: each.parent.name)
def test_what_npm_brings_is_locked_and_names_no_registry(package: Path) -> None:
    lock = json.loads(package.with_name("package-lock.json").read_text())
    asked = json.loads(package.read_text())
    for kind in ("dependencies", "devDependencies"):
        assert lock["packages"][""].get(kind, {}) == asked.get(kind, {})
    assert all("resolved" not in each for each in lock["packages"].values())
