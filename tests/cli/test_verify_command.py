"""The command `verify`: its options from the command line, the environment and the table, and its exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mockserver.cli.main import main
from tests.mutants.catalogue.every import FAULTS
from tests.mutants.non_apis import NON_APIS, posing
from tests.mutants.server import running

QUICK = ("--no-fuzz", "--merchant", "1", "--only", "LIST-1,LIST-2")


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(main, ["verify", *arguments])


def test_a_conforming_server_ends_with_0() -> None:
    with running() as server:
        result = run(server.url, *QUICK, MOCKSERVER_VERIFY_TOKEN="merchant1")
    assert result.exit_code == 0, result.output


def test_a_run_leaves_nothing_where_the_user_stands(tmp_path: Path) -> None:
    home, stand = tmp_path / "home", tmp_path / "stand"
    home.mkdir()
    stand.mkdir()
    with running() as server:
        arguments = [
            server.url,
            "--token",
            "merchant1",
            "--merchant",
            "1",
            "--only",
            "SEARCH-1,LIST-1",
            "--max-time",
            "20",
        ]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HYPOTHESIS_")}
        done = subprocess.run(
            [sys.executable, "-m", "mockserver", "verify", *arguments],
            cwd=stand,
            env=environment | {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(stand.iterdir()) == []
    assert list(home.iterdir())


def test_a_broken_rule_ends_with_1() -> None:
    with running(FAULTS["or_binds_tighter"]) as server:
        result = run(server.url, *QUICK, "--only", "SEARCH-2", "--token", "merchant1")
    assert result.exit_code == 1
    assert "SEARCH-2" in result.output


def test_what_is_no_api_ends_with_2_and_one_line() -> None:
    with posing(NON_APIS["html"]) as server:
        result = run(server.url, *QUICK, "--token", "merchant1")
    assert result.exit_code == 2
    title, line = result.output.splitlines()
    assert title.startswith("Verifying ")
    assert line.startswith("Could not run: ")
    assert "HTML page" in line


def test_without_the_console_the_one_line_goes_to_standard_error(tmp_path: Path) -> None:
    with posing(NON_APIS["html"]) as server:
        result = run(
            server.url, *QUICK, "--token", "merchant1", "--report", "json", "--report-dir", str(tmp_path / "reports")
        )
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("mockserver verify: ")
    assert len(result.stderr.splitlines()) == 1


def test_an_unexercised_rule_ends_with_3() -> None:
    with running() as server:
        result = run(server.url, *QUICK, "--only", "GEN-2", "--read-only", "--token", "merchant1")
    assert result.exit_code == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ("ftp://x/api", "--token", "t"),
        ("http://user:word@x/api", "--token", "t"),
        ("http://x/api", "--token", " "),
        ("http://x/api", "--token", "t", "--only", "NONE-1"),
        ("http://x/api", "--token", "t", "--report", "nonsense"),
        ("http://x/api", "--token", "t", "--rate-limit", "fast"),
        ("http://x/api", "--token", "t", "--charge-ids", "1,x"),
        ("http://x/api", "--token", "t", "--other-token", "t"),
        ("http://x/api", "--token", "t", "--profile", "no-such-profile"),
        ("http://x/api", "--token", "t", "--accept", "no-such-file.yaml"),
        ("http://x/api", "--token", "t", "--header", "no colon"),
        ("http://x/api", "--token", "t", "--tls-verify", "no-such-file.pem"),
        ("http://x/api", "--token", "t", "--max-time", "nan"),
        ("http://x/api", "--token", "t", "--wait", "nan"),
        ("http://x/api", "--token", "t", "--timeout", "inf"),
        ("http://x/api", "--token", "t", "--stripe-wait", "-1"),
        ("http://x/api",),
    ],
)
def test_bad_arguments_end_with_2(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_profile_that_cant_be_written_is_told_before_anything_is_sent() -> None:
    result = run("http://x/api", "--token", "t", "--write-profile", "/nowhere/x.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'/nowhere/x.yaml' can't be written: /nowhere: No such file or directory" in result.stderr


def test_a_misspelt_rule_or_area_is_told_which_was_meant() -> None:
    result = run("http://x/api", "--token", "t", "--only", "colect")
    assert "no rule or area is called colect; did you mean COLLECT?" in result.stderr


def test_the_table_gives_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.mockserver.verify]\nmerchant = "1"\nonly = ["LIST-1", "LIST-2"]\nfuzz = false\n'
        'report = ["console", "json"]\nreport-dir = "out"\n'
    )
    with running() as server:
        result = run(server.url, MOCKSERVER_VERIFY_TOKEN="merchant1")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "report.json").is_file()


@pytest.mark.parametrize(("line", "words"), [("tokn = 'x'", "has no option tokn"), ("token = 'x'", "may be secret")])
def test_mistakes_and_secrets_in_the_table_are_refused(
    line: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(f"[tool.mockserver.verify]\n{line}\n")
    result = run("http://127.0.0.1:9/api", "--token", "t")
    assert result.exit_code == 2
    assert words in result.output
