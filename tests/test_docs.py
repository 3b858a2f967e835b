"""What the documentation says is there and works, and what is there is documented."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from mockserver import cli
from mockserver.contract import Contract
from mockserver.control.interface import DOCUMENT
from mockserver.process import Running, running
from mockserver.profile import CHOICES
from mockserver.resources import openapi_path

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


def test_every_header_of_ours_is_documented() -> None:
    used: set[str] = set()
    for file in [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.yaml")]:
        used |= set(re.findall(r"X-Mock-[A-Z][A-Za-z-]+", file.read_text()))
    for header in used:
        assert header in README, header
    assert "Prefer:" in README


def test_every_command_and_option_says_what_it_does() -> None:
    context = click.Context(cli.main)
    for name in cli.main.list_commands(context):
        command = cli.main.get_command(context, name)
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
