"""The pytest plugin gives each test a world, tells what a client did wrong, and works in parallel."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockserver.client import Control
from mockserver.core.resources import openapi_path
from mockserver.server.process import Running, running

pytest_plugins = ["pytester"]

EXAMPLE = Path(__file__).parents[1] / "examples" / "python"
WITHOUT = [f"-pno:{plugin}" for plugin in ("schemathesis", "faker", "anyio", "hypothesispytest")]
"""Plugins of other packages that happen to be there, and take long to import."""
SEND = """
import httpx, pytest

def charge(world, amount=10):
    return httpx.post(
        f"{world.url}/billing/charges/quick-adjustment",
        json={"amount": amount, "description": "A fee"},
        headers={**world.headers, "X-Selected-Client-Id": "1"},
        timeout=60,
    )
"""


@pytest.fixture
def run(pytester: pytest.Pytester, server: Running) -> Iterator[pytest.Pytester]:
    """A project whose tests use the server of this session."""
    pytester.makeini(f"[pytest]\naddopts = --strict-markers --mockserver-url {server.base}\nfilterwarnings = error\n")
    yield pytester


def written(pytester: pytest.Pytester, source: str) -> None:
    pytester.makepyfile(SEND + source)


def outcome(pytester: pytest.Pytester, *options: str) -> tuple[dict[str, int], str]:
    result = pytester.runpytest_subprocess(*WITHOUT, *options)
    return result.parseoutcomes(), result.stdout.str() + result.stderr.str()


def test_each_test_has_a_world_of_its_own(run: pytest.Pytester) -> None:
    written(
        run,
        """
@pytest.mark.parametrize("name", ["plain", "caf\\u00e9 / \\u4e2d \\U0001f600", "[a]@b", "x" * 500])
def test_alone(mock_world, name):
    before = httpx.get(f"{mock_world.url}/billing/charges", headers=mock_world.headers).json()["total"]
    charge(mock_world)
    after = httpx.get(f"{mock_world.url}/billing/charges", headers=mock_world.headers).json()["total"]
    assert (before, after) == (100, 101)
""",
    )
    assert outcome(run)[0] == {"passed": 4}


def test_a_world_is_forgotten_after_its_test(run: pytest.Pytester, server: Running) -> None:
    written(
        run,
        """
def test_forgotten_world(mock_world):
    charge(mock_world)
    assert mock_world.name in str(mock_world.control.worlds())
""",
    )
    assert outcome(run)[0] == {"passed": 1}
    control = Control(server.base)
    assert "test_forgotten_world" not in str(control.worlds())
    control.close()


def test_a_world_has_address_token_and_control(run: pytest.Pytester, server: Running) -> None:
    written(
        run,
        f"""
def test_world(mock_server, mock_world):
    assert mock_server.base == {server.base!r}
    assert mock_world.url == mock_world.control.url == {server.api!r}
    assert mock_world.token == f"provider@{{mock_world.name}}"
    assert mock_world.headers == {{"Authorization": f"Bearer {{mock_world.token}}"}}
    assert mock_world.token_for("merchant1") == f"merchant1@{{mock_world.name}}"
    assert mock_world.control.clock.freeze("2030-01-01").year == 2030
""",
    )
    assert outcome(run)[0] == {"passed": 1}


def test_a_client_that_sends_what_the_spec_forbids_fails_its_test(run: pytest.Pytester) -> None:
    written(run, 'def test_wrong(mock_world):\n    charge(mock_world, amount="many")')
    counts, told = outcome(run)
    assert counts == {"failed": 1}
    assert "The client sent what the spec forbids:" in told
    assert "amount" in told and '"many"' in told
    assert "POST http" in told and "was answered 422 (GEN-5)" in told
    assert "is marked @pytest.mark.mockserver(allow_invalid=True)." in told
    assert "pytest_plugin.py" not in told, "the trace of the plugin helps nobody"


def test_what_a_fixture_sends_at_its_end_counts_too(run: pytest.Pytester) -> None:
    written(
        run,
        """
@pytest.fixture
def client(mock_world):
    yield
    charge(mock_world, amount="late")

def test_right(client):
    pass
""",
    )
    counts, told = outcome(run)
    assert counts == {"passed": 1, "errors": 1}
    assert '"late"' in told


def test_a_mark_lets_a_client_send_what_the_spec_forbids(run: pytest.Pytester) -> None:
    written(
        run,
        """
@pytest.mark.mockserver(allow_invalid=True)
class TestRefusals:
    def test_allowed(self, mock_world):
        assert charge(mock_world, amount="many").status_code == 422

    @pytest.mark.mockserver(allow_invalid=False)
    def test_not_allowed(self, mock_world):
        charge(mock_world, amount="many")

@pytest.mark.mockserver(allow_broken=True)
def test_another_mark(mock_world):
    charge(mock_world, amount="many")
""",
    )
    assert outcome(run)[0] == {"passed": 1, "failed": 2}


def test_a_mark_that_says_something_else_is_told(run: pytest.Pytester) -> None:
    written(run, "@pytest.mark.mockserver(allow_invalide=True)\ndef test_marked(mock_world):\n    charge(mock_world)")
    counts, told = outcome(run)
    assert "failed" in counts
    assert "allow_invalid=False" in told and "allow_invalide" in told


def test_a_test_that_fails_shows_what_was_said(run: pytest.Pytester) -> None:
    written(
        run,
        """
def test_assertion(mock_world):
    charge(mock_world, amount=12.5)
    assert False

def test_failure(mock_world):
    pytest.fail("so it is")

def test_without(): assert False
""",
    )
    counts, told = outcome(run)
    assert counts == {"failed": 3}
    assert told.count("Captured mock server call") == 2
    assert '{"amount": 12.5, "description": "A fee"}' in told
    assert "Nobody asked in the world test_failure-" in told


def test_what_a_fault_broke_is_nobodys_mistake(run: pytest.Pytester) -> None:
    written(
        run, 'def test_hardened(mock_world):\n    with mock_world.control.fault("schema"):\n        charge(mock_world)'
    )
    assert outcome(run)[0] == {"passed": 1}


def test_a_journal_that_forgot_exchanges_is_warned_of(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nmockserver_options = --journal-size 2\n")
    written(pytester, "def test_much(mock_world):\n    for _ in range(5):\n        charge(mock_world)")
    counts, told = outcome(pytester)
    assert counts == {"passed": 1, "warnings": 1}
    assert "has lost 3 exchanges" in told


def test_a_server_that_breaks_its_own_spec_fails_the_test(pytester: pytest.Pytester) -> None:
    """The spec is made to want what the server doesn't send."""
    spec = openapi_path().read_text("utf-8")
    broken = re.sub(r"(\n    Charge:\n(?:      .*\n)*?      required: \[)", r"\1surprise, ", spec)
    assert broken.count("surprise") == 1
    pytester.path.joinpath("broken.yaml").write_text(broken, "utf-8")
    pytester.makeini("[pytest]\nmockserver_options = --spec broken.yaml\n")
    written(
        pytester,
        """
def test_broken(mock_world):
    charge(mock_world)

@pytest.mark.mockserver(allow_broken=True)
def test_allowed(mock_world):
    assert charge(mock_world).status_code == 500
""",
    )
    counts, told = outcome(pytester)
    assert counts == {"passed": 1, "failed": 1}
    assert "The mock server is at fault, not the code under test: its answer breaks the contract." in told
    assert "surprise" in told
    assert "is marked @pytest.mark.mockserver(allow_broken=True)." in told


def test_a_server_that_contradicts_itself_fails_the_test(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server that is started lacks the rule by which a charge is billed once."""
    pytester.path.joinpath("sitecustomize.py").write_text(
        """
import sys
if "serve" in sys.orig_argv:
    from mockserver.billing import records
    records.billable = lambda charges: None
""",
        "utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(pytester.path), os.environ.get("PYTHONPATH", ""))))
    written(
        pytester,
        """
def bill(world):
    number = charge(world).json()["charge"]["id"]
    for _ in range(2):
        answer = httpx.post(f"{world.url}/billing/invoices", json={"charge_ids": [number]}, headers=world.headers)
        assert answer.status_code == 200

def test_broken(mock_world):
    bill(mock_world)

@pytest.mark.mockserver(allow_broken=True)
def test_allowed(mock_world):
    bill(mock_world)
""",
    )
    counts, told = outcome(pytester)
    assert counts == {"passed": 1, "failed": 1}
    assert "The mock server is at fault, not the code under test: its answer breaks the contract. Please report" in told
    assert "CREATE-4: a charge is on at most one invoice, ever" in told
    assert "The last exchanges in the world test_broken-" in told
    pytester.makeini("[pytest]\nmockserver_options = --no-check\n")
    assert outcome(pytester)[0] == {"passed": 2}


def test_the_settings_are_those_of_the_project(pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("mine.yaml").write_text(
        "description: Mine.\nmerchants:\n  - {id: 7, name: Acme, currency: JPY, card: none}\ntokens: {mine: all}\n",
        "utf-8",
    )
    pytester.makepyprojecttoml("""
[tool.pytest.ini_options]
mockserver_fixture = "mine.yaml"
mockserver_profile = "default"
mockserver_set = ["create_status=201", "per_page_max=7"]
mockserver_options = ["--seed", "5"]
mockserver_token = "mine"
""")
    written(
        pytester,
        """
def test_settings(mock_world):
    health = mock_world.control.health()
    assert (health["fixture"], health["profile"]) == ("mine", "default, create_status=201, per_page_max=7")
    assert httpx.get(f"{mock_world.url}/billing/invoices", headers=mock_world.headers).json()["data"] == []
    assert mock_world.token.startswith("mine@")
""",
    )
    below = pytester.mkdir("below")
    assert pytester.runpytest_subprocess(str(below.parent), f"--rootdir={pytester.path}").parseoutcomes() == {
        "passed": 1
    }


def test_a_fixture_that_cant_be_used_is_told_by_its_line(pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("mine.yaml").write_text("description: Mine.\nnonsense: 1\n", "utf-8")
    pytester.makeini("[pytest]\nmockserver_fixture = mine.yaml\n")
    written(pytester, "def test_nothing(mock_world):\n    pass")
    counts, told = outcome(pytester)
    assert counts == {"errors": 1}
    assert "mine.yaml:2: nonsense: unknown key" in told
    assert "Traceback" not in told and "process.py" not in told


def test_a_server_that_is_not_there_is_told(pytester: pytest.Pytester) -> None:
    written(pytester, "def test_nothing(mock_world):\n    pass")
    counts, told = outcome(pytester, "--mockserver-url", "http://127.0.0.1:9/api")
    assert counts == {"errors": 1}
    assert "no mock server answers at http://127.0.0.1:9" in told


def test_a_control_token_is_taken_from_the_environment(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(pytester, "def test_frozen(mock_world):\n    mock_world.control.clock.freeze()")
    monkeypatch.setenv("MOCKSERVER_CONTROL_TOKEN", "sesame")
    assert outcome(pytester)[0] == {"passed": 1}
    with running("--control-token", "sesame") as server:
        assert outcome(pytester, "--mockserver-url", server.base)[0] == {"passed": 1}
        monkeypatch.delenv("MOCKSERVER_CONTROL_TOKEN")
        counts, told = outcome(pytester, "--mockserver-url", server.base)
    assert "passed" not in counts
    assert "The control token is missing" in told


MANY = """
@pytest.mark.parametrize("n", range(12))
def test_counts(mock_server, mock_world, n):
    for _ in range(n):
        charge(mock_world)
    charges = httpx.get(f"{mock_world.url}/billing/charges", headers=mock_world.headers).json()
    assert charges["total"] == 100 + n
    assert len(mock_world.control.journal()) == n + 1
    with open("servers", "a") as file:
        print(mock_server.base, file=file)
"""


def servers(pytester: pytest.Pytester) -> set[str]:
    return set(pytester.path.joinpath("servers").read_text().split())


def test_workers_of_xdist_share_a_server(run: pytest.Pytester, server: Running) -> None:
    written(run, MANY)
    assert outcome(run, "-n2")[0] == {"passed": 12}
    assert servers(run) == {server.base}


def test_workers_of_xdist_have_a_server_each(pytester: pytest.Pytester) -> None:
    written(pytester, MANY)
    assert outcome(pytester, "-n2")[0] == {"passed": 12}
    assert len(servers(pytester)) == 2


def test_a_run_that_needs_no_world_starts_no_server(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import sys\ndef test_light():\n    assert not {'httpx', 'flask', 'granian'} & set(sys.modules)"
    )
    assert outcome(pytester)[0] == {"passed": 1}


def test_every_setting_and_the_mark_are_in_the_help_of_pytest(pytester: pytest.Pytester) -> None:
    told = pytester.runpytest_subprocess("--help").stdout.str()
    for name in ("--mockserver-url", "mockserver_fixture", "mockserver_profile", "mockserver_set", "mockserver_token"):
        assert name in told
    assert (
        "mockserver(*, allow_invalid=False, allow_broken=False)"
        in pytester.runpytest_subprocess("--markers").stdout.str()
    )


@pytest.mark.parametrize("options", [[], ["-n2"]])
def test_the_example_project_passes(pytester: pytest.Pytester, options: list[str]) -> None:
    shutil.copytree(EXAMPLE, pytester.path, dirs_exist_ok=True)
    counts, told = outcome(pytester, *options)
    assert set(counts) == {"passed"}, told


def test_the_whole_story_takes_less_than_twenty_lines() -> None:
    """A card is declined, the retry pays, the clock moves and the journal is asserted."""
    lines = (EXAMPLE / "tests" / "test_story.py").read_text("utf-8").splitlines()
    story = [line for line in lines[1:] if line.strip()]
    assert len(story) < 20
    assert all(part in "".join(story) for part in ("declines", "/collect", "clock.advance", "verify"))
