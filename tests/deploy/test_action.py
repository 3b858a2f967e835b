"""The action's own steps do what its inputs say, in plain bash with the runner's files."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from mockserver.server.process import Running
from tests.deploy.runner import Run, Runner, end_the_server_at
from tests.mutants.catalogue.every import FAULTS
from tests.mutants.server import running as mutant
from tests.ports import own_port

ROOT = Path(__file__).parents[2]
DOCUMENT: Any = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the action's steps are for Linux and macOS")


def verified(runner: Runner, **inputs: str) -> Run:
    return runner.run(command="verify", **inputs)


def test_no_input_is_pasted_into_a_script() -> None:
    for step in DOCUMENT["runs"]["steps"]:
        assert "${{" not in step.get("run", ""), step


def test_the_fake_is_started_and_stays(runner: Runner) -> None:
    port = own_port()
    runner.environment = {**runner.environment, "MOCKSERVER_PORT": str(port), "MOCKSERVER_FIXTURE": "empty"}
    done = runner.run(command="serve")
    try:
        assert done.exit_code == 0, done.printed
        assert done.outputs["url"] == f"http://127.0.0.1:{port}"
        assert done.outputs["api"] == f"http://127.0.0.1:{port}/api"
        assert f"{done.outputs['url']} is ready" in done.printed
        assert "fixture empty" in done.printed
    finally:
        end_the_server_at(port)


def test_the_fake_may_speak_https(runner: Runner, tmp_path: Path) -> None:
    issued = trustme.CA().issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "own.pem")
    port = own_port()
    secure = dict.fromkeys(("MOCKSERVER_TLS_CERT", "MOCKSERVER_TLS_KEY"), str(tmp_path / "own.pem"))
    runner.environment = {**runner.environment, **secure, "MOCKSERVER_PORT": str(port)}
    done = runner.run(command="serve")
    try:
        assert done.exit_code == 0, done.printed
        assert done.outputs["url"] == f"https://127.0.0.1:{port}"
        assert done.outputs["api"] == f"https://127.0.0.1:{port}/api"
    finally:
        end_the_server_at(port)


def test_a_fake_that_does_not_start_fails_the_step_and_says_why(runner: Runner) -> None:
    port = str(own_port())
    runner.environment = {**runner.environment, "MOCKSERVER_FIXTURE": "defualt", "MOCKSERVER_PORT": port}
    done = runner.run(command="serve")
    assert done.exit_code == 1
    assert "::error::the fake did not start" in done.printed
    assert "did you mean default?" in done.printed


def test_a_server_that_conforms_is_green_with_its_report_in_the_summary(runner: Runner, server: Running) -> None:
    done = verified(runner, url=server.api)
    assert done.exit_code == 0, done.printed
    assert done.outputs["exit-code"] == "0"
    assert "## ✅ Conforms" in done.summary
    assert "::notice title=mockserver verify::Conforms" in done.printed
    assert "::error" not in done.printed
    uploaded = [given for name, given in done.skipped if name.startswith("actions/upload-artifact@")]
    name = "verify-report-contract-0"
    assert uploaded == [{"name": name, "path": "verify-report", "if-no-files-found": "ignore"}]
    made = {file.name for file in (runner.workspace / "verify-report").iterdir()}
    assert {"report.html", "report.json", "junit.xml", "report.md", "annotations.txt"} <= made


def test_a_broken_rule_fails_the_job_with_an_annotation_for_it(runner: Runner) -> None:
    with mutant(FAULTS["ids_are_ignored"]) as broken:
        done = verified(runner, url=broken.url)
    assert done.exit_code == 1
    assert re.search(r"^::error title=CREATE-1 is broken::", done.printed, re.MULTILINE)
    assert "## ❌ Does not conform" in done.summary


def test_a_rule_that_was_not_exercised_is_exit_code_3(runner: Runner, server: Running) -> None:
    only = {"MOCKSERVER_VERIFY_ONLY": "COLLECT-3", "MOCKSERVER_VERIFY_READ_ONLY": "1"}
    runner.environment = {**runner.environment, **only}
    done = verified(runner, url=server.api, not_exercised="warn")
    assert done.outputs["exit-code"] == "3", done.printed
    assert done.exit_code == 0
    assert "::warning::nothing is broken" in done.printed


@pytest.mark.parametrize(
    ("code", "what_3_does", "ends_with"),
    [
        ("0", "fail", 0),
        ("1", "pass", 1),
        ("2", "pass", 2),
        ("3", "fail", 3),
        ("3", "warn", 0),
        ("3", "pass", 0),
        ("143", "pass", 143),
        ("", "pass", 1),
    ],
)
def test_the_exit_code_decides_the_job_and_what_3_does_is_an_input(code: str, what_3_does: str, ends_with: int) -> None:
    script = DOCUMENT["runs"]["steps"][-1]["run"]
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    variables = {"PATH": os.environ["PATH"], "CODE": code, "NOT_EXERCISED": what_3_does}
    assert subprocess.run(command, env=variables, timeout=60).returncode == ends_with


@pytest.mark.parametrize(("what_3_does", "ends_with"), [("pass", 0), ("fail", 3)])
def test_the_exit_code_decides_the_job_though_the_reports_can_t_be_kept(
    runner: Runner, what_3_does: str, ends_with: int
) -> None:
    (runner.temp / "mockserver" / "bin" / "mockserver").write_text("#!/bin/sh\n[ $1 != verify ] || exit 3\n")
    runner.failing = "actions/upload-artifact"
    assert verified(runner, not_exercised=what_3_does).exit_code == ends_with


def test_no_two_jobs_of_a_workflow_keep_their_reports_under_one_name() -> None:
    # An artifact's name is taken once: https://github.com/actions/upload-artifact#not-uploading-to-the-same-artifact
    name = DOCUMENT["inputs"]["artifact"]["default"]
    assert "${{ github.job }}" in name
    assert "${{ strategy.job-index }}" in name


def test_windows_is_told_that_the_action_is_not_for_it(runner: Runner) -> None:
    runner.system = "Windows"
    done = runner.run(until="serve", command="serve")
    assert done.exit_code == 2
    assert done.printed.startswith("::error::the action is for Linux and macOS; ")


def test_a_run_that_can_t_be_made_is_told_by_its_address_from_the_environment(runner: Runner) -> None:
    runner.environment = {**runner.environment, "MOCKSERVER_VERIFY_URL": "http://127.0.0.1:9/api"}
    done = verified(runner, not_exercised="pass", artifact="", report_dir="somewhere")
    assert done.exit_code == 2
    assert "::error::the verification could not run" in done.printed
    assert "127.0.0.1:9" in done.printed
    assert not [name for name, _ in done.skipped if "upload" in name]
    assert (runner.workspace / "somewhere" / "report.html").exists()


@pytest.mark.parametrize("inputs", [{"command": "srve"}, {"command": "verify", "not_exercised": "ignore"}])
def test_an_input_that_can_t_be_meant_is_told(runner: Runner, inputs: dict[str, str]) -> None:
    done = runner.run(**inputs)
    assert done.exit_code == 2
    assert re.search("^::error::the input ", done.printed)


def test_the_cache_goes_by_what_is_locked(runner: Runner, tmp_path: Path) -> None:
    def key(action: Path) -> str:
        runner.action = action
        done = runner.run(until="serve", command="serve")
        return next(given["key"] for name, given in done.skipped if name.startswith("actions/cache@"))

    other = tmp_path / "other"
    other.mkdir()
    (other / "action.yml").write_bytes((ROOT / "action.yml").read_bytes())
    (other / "requirements.txt").write_text("click==8\n")
    assert key(ROOT) == key(ROOT) != key(other)
