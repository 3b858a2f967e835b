"""What docs/ci.md tells a team to write down is what the action, the templates and the commands take."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from mockserver.cli.main import main
from mockserver.core.health import is_ready
from mockserver.server.process import Running
from mockserver.verify.fuzz.exemptions import KNOWN_FILE
from tests.deploy.runner import Runner, end_the_server_at
from tests.ports import own_port

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ci.md").read_text("utf-8")
FILES = ["docs/ci.md", "Dockerfile", "compose.yaml", "action.yml", "deploy/gitlab.yml", "deploy/kubernetes.yaml"]
OF_OTHERS = {"MOCKSERVER_IMAGE", "MOCKSERVER_PUBLISHED_PORT"}
"""Variables that are a frontend's or a template's own."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def commands(group: click.Group) -> Iterator[click.Command]:
    """All of them, those below others too."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield command
        if isinstance(command, click.Group):
            yield from commands(command)


def variables() -> set[str]:
    """The variables that the commands read."""
    return {str(one.envvar) for command in commands(main) for one in command.params if one.envvar}


def test_no_command_reads_a_variable_that_neither_its_help_nor_the_page_tells() -> None:
    told = PAGE.partition("## Every option is a variable")[2].partition("\n##")[0]
    for command in commands(main):
        for one in command.params:
            shown = isinstance(one, click.Option) and one.show_envvar
            assert not one.envvar or shown or f"`{one.envvar}`" in told, (command.name, one.name)
    for name in ("MOCKSERVER_URL", "MOCKSERVER_TOKEN", "MOCKSERVER_CONTROL_TOKEN"):
        assert f"`{name}`" in told


@pytest.mark.parametrize("name", FILES)
def test_every_variable_is_one_that_a_command_reads(name: str) -> None:
    named = set(re.findall(r"\bMOCKSERVER_[A-Z_]+[A-Z]\b", (ROOT / name).read_text("utf-8")))
    assert named <= variables() | OF_OTHERS


@pytest.mark.parametrize("name", ["serve", "verify", "health", "proxy", "check"])
def test_every_option_of_what_runs_in_pipelines_is_a_variable(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    context = click.Context(command, info_name=name, **command.context_settings)
    for parameter in command.params:
        # What is to be checked differs from line to line of a script.
        assert parameter.envvar or context.auto_envvar_prefix or parameter.name == "files", f"{name} {parameter.name}"


@pytest.mark.parametrize("name", ["PORT", "TIMEOUT", "TLS_VERIFY", "READ_ONLY"])
def test_the_proxy_hears_its_variables(name: str) -> None:
    done = CliRunner().invoke(main, ["proxy", "http://127.0.0.1:9/api"], env={f"MOCKSERVER_PROXY_{name}": "nonsense"})
    assert done.exit_code == 2
    assert f"--{name.lower().replace('_', '-')}" in done.stderr


def test_what_one_process_of_ours_tells_another_is_no_variable_of_an_option() -> None:
    assert KNOWN_FILE not in variables()


def test_the_pipeline_for_github_uses_the_action_as_it_is() -> None:
    action: Any = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    workflow: Any = yaml.safe_load(blocks("yaml")[0])
    ours = [
        (job, step)
        for job in workflow["jobs"].values()
        for step in job["steps"]
        if "/prepbusiness-mockserver@" in step.get("uses", "")
    ]
    assert {step["with"]["command"] for _, step in ours} == {"serve", "verify"}
    for job, step in ours:
        assert step["with"].keys() <= action["inputs"].keys()
        used = re.findall(rf"steps\.{step.get('id', '-')}\.outputs\.([\w-]+)", str(job))
        assert set(used) <= action["outputs"].keys()


def test_the_pipeline_for_github_is_green_in_an_empty_project(runner: Runner, server: Running) -> None:
    port = own_port()
    workflow: Any = yaml.safe_load(blocks("yaml")[0])
    [_, fake, tests] = workflow["jobs"]["frontend"]["steps"]
    quick = runner.environment
    runner.environment = {**quick, **fake["env"], "MOCKSERVER_PORT": str(port)}
    started = runner.run(**fake["with"])
    try:
        assert started.exit_code == 0, started.printed
        assert tests["env"] == {"MOCKSERVER_URL": "${{ steps.fake.outputs.url }}"}
        variables = {**os.environ, "MOCKSERVER_URL": started.outputs["url"]}
        subprocess.run(["bash", "-eo", "pipefail", "-c", tests["run"]], env=variables, check=True, timeout=60)
    finally:
        end_the_server_at(port)

    [contract] = workflow["jobs"]["contract"]["steps"]
    given = {name.replace("-", "_"): value for name, value in contract["with"].items()} | {"url": server.api}
    secrets = {"${{ secrets.BILLING_TOKEN }}": "merchant1", "${{ secrets.OTHER_BILLING_TOKEN }}": "merchant2"}
    runner.environment = {**quick, **{name: secrets.get(value, value) for name, value in contract["env"].items()}}
    done = runner.run(**given)
    assert done.exit_code == 0, done.printed
    assert "Conforms" in done.summary


def test_the_job_for_gitlab_writes_the_report_that_it_keeps(runner: Runner, server: Running) -> None:
    template: Any = yaml.safe_load((ROOT / "deploy/gitlab.yml").read_text("utf-8"))
    job = template[".mockserver-verify"]
    variables = {**os.environ, **runner.environment, **job["variables"], "MOCKSERVER_VERIFY_URL": server.api}
    binaries = runner.temp / "mockserver" / "bin"
    variables["PATH"] = f"{binaries}{os.pathsep}{variables['PATH']}"
    for line in job["script"]:
        done = subprocess.run(
            ["sh", "-ec", line], cwd=runner.workspace, env=variables, capture_output=True, timeout=300
        )
        assert done.returncode == 0, done.stdout
    assert (runner.workspace / job["artifacts"]["reports"]["junit"]).is_file()
    assert all((runner.workspace / path).is_dir() for path in job["artifacts"]["paths"])


def test_the_pipeline_for_gitlab_extends_what_the_template_has() -> None:
    template: Any = yaml.safe_load((ROOT / "deploy/gitlab.yml").read_text("utf-8"))
    pipeline: Any = yaml.safe_load(blocks("yaml")[1])
    extended = [job["extends"] for job in pipeline.values() if isinstance(job, dict) and "extends" in job]
    assert len(extended) == 2
    assert set(extended) <= template.keys()
    reports = template[".mockserver-verify"]["variables"]
    assert "junit" in reports["MOCKSERVER_VERIFY_REPORT"].split(",")
    file = template[".mockserver-verify"]["artifacts"]["reports"]["junit"]
    assert file == f"{reports['MOCKSERVER_VERIFY_REPORT_DIR']}/junit.xml"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_lines_for_any_other_pipeline_are_green_in_an_empty_project(tmp_path: Path) -> None:
    [block] = blocks("sh")
    port = own_port()
    script = block.replace("4010", str(port)).replace("mockserver serve", f"mockserver serve --port {port}")
    script = script.replace("health --wait", f"health --port {port} --wait")
    # What the reader's own time allows is no matter here; the fuzzing is tested elsewhere.
    script = script.replace("--allow-unexercised", "--allow-unexercised --no-fuzz --only LIST --only CREATE-1")
    command = tmp_path / "bin" / "mockserver"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m mockserver "$@"\n')
    command.chmod(0o755)
    done = subprocess.run(
        ["sh", "-euc", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "verify-report" / "junit.xml").exists()
    deadline = time.monotonic() + 20
    while is_ready(f"http://127.0.0.1:{port}/_mock"):
        assert time.monotonic() < deadline, "the fake that the lines start is still there"


def test_the_files_that_it_names_are_there() -> None:
    for path in re.findall(r"`((?:deploy|\.github)/[^`]*|compose\.yaml|Dockerfile)`", PAGE):
        if "billing.yml" not in path:
            assert (ROOT / path).exists(), path


def test_every_exit_code_of_the_readme_is_explained() -> None:
    for code in ("0", "1", "2", "3"):
        assert re.search(rf"^\| {code} \|", PAGE, re.MULTILINE)
