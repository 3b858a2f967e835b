"""As much of the runner of GitHub as runs a composite action: its files, inputs, outputs and conditions."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_EXPRESSION = re.compile(r"\$\{\{ *([^}]*?) *\}\}")
_COMPARISON = re.compile(r"([\w.-]+) (==|!=) '([^']*)'")


@dataclass
class Run:
    """What came of an action: `skipped` are the steps of others, with what they were given."""

    exit_code: int = 0
    printed: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    skipped: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@dataclass
class Runner:
    """Runs the steps of one action in plain bash, as the runner does, and those of other actions not at all."""

    action: Path
    workspace: Path
    temp: Path
    provided: Mapping[str, Mapping[str, str]]
    """The outputs of the steps of others, by the step's id."""
    environment: Mapping[str, str] = field(default_factory=dict)
    system: str = "Linux"
    failing: str = ""
    """The action of others that fails."""

    def run(self, *, until: str = "", **inputs: str) -> Run:
        """Runs it with these inputs, of which `_` stands for `-`, to its end or before the step of that id."""
        document: Any = yaml.safe_load((self.action / "action.yml").read_text("utf-8"))
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        unknown = given.keys() - document["inputs"].keys()
        assert not unknown, f"the action has no inputs {unknown}"
        values = {
            "github.action_path": str(self.action),
            "runner.temp": str(self.temp),
            "runner.os": self.system,
            "runner.arch": "X64",
            "github.job": "contract",
            "strategy.job-index": "0",
        }
        for name, told in document["inputs"].items():
            assert name in given or not told.get("required"), f"the input {name} is required"
            values[f"inputs.{name}"] = given.get(name, _filled(told.get("default", ""), values))
        for step, outputs in self.provided.items():
            values |= {f"steps.{step}.outputs.{name}": value for name, value in outputs.items()}
        done = Run()
        for step in document["runs"]["steps"]:
            if until and step.get("id") == until:
                break
            if done.exit_code == 0 and _holds(step.get("if", ""), values):
                self._step(step, values, done)
        done.outputs = {name: _filled(told["value"], values) for name, told in document["outputs"].items()}
        return done

    def _step(self, step: dict[str, Any], values: dict[str, str], done: Run) -> None:
        if "uses" in step:
            done.skipped.append((step["uses"], {name: _filled(str(v), values) for name, v in step["with"].items()}))
            if step["uses"].partition("@")[0] == self.failing and not step.get("continue-on-error", False):
                done.exit_code = 1
            return
        assert step["shell"] == "bash"
        files = {name: self.temp / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        script = self.temp / "script.sh"
        script.write_text(step["run"], "utf-8")
        own = {name: _filled(str(value), values) for name, value in step.get("env", {}).items()}
        # The output goes to a file: a server that stays in the background would keep a pipe open.
        with (self.temp / "printed").open("w+", encoding="utf-8") as printed:
            code = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
                cwd=self.workspace,
                env={**os.environ, **self.environment, **own, **{name: str(file) for name, file in files.items()}},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                timeout=300,
            ).returncode
            printed.seek(0)
            done.printed += printed.read()
        done.exit_code = code
        done.summary += files["GITHUB_STEP_SUMMARY"].read_text("utf-8")
        for line in files["GITHUB_OUTPUT"].read_text("utf-8").splitlines():
            name, _, value = line.partition("=")
            values[f"steps.{step['id']}.outputs.{name}"] = value


def _filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its expressions evaluated; an output of a step that was not run is empty, as on GitHub."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        assert name in values or name.startswith("steps."), f"unknown expression {name}"
        return values.get(name, "")

    return _EXPRESSION.sub(value, text)


def _holds(condition: str, values: Mapping[str, str]) -> bool:
    """Comparisons joined by `&&`, which are all that the action has."""
    for part in condition.split("&&") if condition else ():
        found = _COMPARISON.fullmatch(part.strip())
        assert found, f"the condition {part!r} is not understood"
        if (values[found[1]] == found[3]) is (found[2] == "!="):
            return False
    return True


def end_the_server_at(port: int) -> None:
    """The runner ends what a job leaves running; here nobody does."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_bytes()
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if f"MOCKSERVER_PORT={port}\0".encode() in variables and b"serve" in command:
            os.kill(int(folder.name), signal.SIGTERM)
