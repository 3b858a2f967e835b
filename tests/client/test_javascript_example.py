"""The example for JavaScript works as its README says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mockserver.server.process import running
from tests.watch.proxying import proxied

EXAMPLE = Path(__file__).parents[1] / "examples" / "javascript"
NPM = shutil.which("npm")


@pytest.fixture(scope="module")
def options() -> list[str]:
    """The options that the README starts the server with."""
    found = re.search(r"^ {4}mockserver serve (.+)$", (EXAMPLE / "README.md").read_text("utf-8"), re.MULTILINE)
    assert found is not None
    return found[1].split()


def npm(*command: str, **environment: str) -> str:
    done = subprocess.run(
        [str(NPM), *command],
        cwd=EXAMPLE,
        env={**os.environ, "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


needs_npm = pytest.mark.skipif(
    NPM is None or not (EXAMPLE / "node_modules").exists(),
    reason="needs Node.js, and `npm ci --prefix tests/examples/javascript` to have run",
)


@needs_npm
def test_the_page_works_against_one_world_per_test(options: list[str]) -> None:
    with running(*options) as server:
        told = npm("test", MOCKSERVER_URL=server.base)
    assert re.search(r"Tests +4 passed \(4\)", told), told


@needs_npm
def test_its_tests_run_unchanged_through_the_proxy_and_end_with_a_report(options: list[str]) -> None:
    with running(*options) as server, proxied(server.api) as proxy:
        told = npm("test", MOCKSERVER_URL=proxy.root)
        proxy.stop()
    assert re.search(r"Tests +4 passed \(4\)", told), told
    assert proxy.exit_code == 0, proxy.events
    assert re.search(r"[1-9]\d* exchanges with the API were judged", proxy.notes), proxy.notes


def test_the_example_says_fetch_and_nothing_else() -> None:
    sources = [*EXAMPLE.glob("src/*.js"), EXAMPLE / "test" / "world.js"]
    assert len(sources) == 3
    for source in sources:
        assert not re.search(r"^import|require\(", source.read_text("utf-8"), re.MULTILINE), source
