"""Other programs at work for the table: one of the servers, the verifier, Schemathesis as anybody would run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
SPEC = PROJECT / "openapi.yaml"
PATIENCE = 300
"""Seconds after which a verifier counts as hung."""
SERVER = "tests.mutants.server"

Alarm = tuple[str, str]
"""What Schemathesis complains of: kind of failure and operation."""


class ServerFailed(RuntimeError):
    """A server did not start."""


@dataclass
class Served:
    url: str
    requests: int = 0
    """Known after the end."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the verifier said: `named` maps each broken rule to the seconds after which it was found."""

    exit: int
    named: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    requests: int = 0
    words: str = ""
    """The last line of what it printed, for the case that there is no report."""


@contextmanager
def served(*arguments: str) -> Iterator[Served]:
    """A server in a process of its own; raises ServerFailed."""
    process = subprocess.Popen(
        [sys.executable, "-m", SERVER, *arguments], stdout=subprocess.PIPE, text=True, cwd=PROJECT
    )
    with process:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise ServerFailed(" ".join(arguments))
        server = Served(json.loads(line)["url"])
        try:
            yield server
        finally:
            process.terminate()
            rest = process.stdout.read() if process.stdout else ""
            server.requests = json.loads(rest)["requests"] if rest else 0


def environment() -> dict[str, str]:
    """This one's, without options for the verifier."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MOCKSERVER_")}


def verify(url: str, arguments: Sequence[str], *, seed: int, directory: Path) -> Outcome:
    """Runs `mockserver verify` and reads its report."""
    command = [
        sys.executable,
        "-m",
        "mockserver",
        "verify",
        url,
        *arguments,
        "--seed",
        str(seed),
        "--stripe-wait",
        "20",
    ]
    command += ["--report", "json", "--report-dir", str(directory)]
    try:
        done = subprocess.run(command, cwd=PROJECT, env=environment(), capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return Outcome(exit=-1, words=f"hung for {PATIENCE} s")
    return read_report(directory / "report.json", done.returncode, (done.stdout + done.stderr).strip())


def read_report(path: Path, code: int, printed: str) -> Outcome:
    """The outcome by the report where there is one, else by the exit code and what was printed."""
    words = printed.splitlines()[-1] if printed else ""
    if not path.exists():
        return Outcome(exit=code, words=words)
    report: dict[str, Any] = json.loads(path.read_text())
    named: dict[str, float] = {}
    for breach in report.get("breaches", ()):
        after = float(breach.get("found_after") or 0.0)
        named[breach["rule"]] = min(after, named.get(breach["rule"], after))
    return Outcome(
        exit=code,
        named=named,
        seconds=float(report.get("elapsed") or 0.0),
        requests=int(report.get("requests") or 0),
        words=words,
    )


def alarms(url: str, token: str, *, seed: int, directory: Path) -> frozenset[Alarm]:
    """What raw `schemathesis run` complains of, with nothing but the token."""
    report = directory / "schemathesis.json"
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(SPEC), "--url", url]
    command += ["--header", f"Authorization: Bearer {token}", "--seed", str(seed)]
    command += ["--report", "json", "--report-json-path", str(report)]
    try:
        subprocess.run(command, cwd=directory, env=environment(), capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return frozenset()
    document = json.loads(report.read_text())
    return frozenset(
        (failure["type"], operation) for failure in document["failures"] for operation in failure["operations"]
    )
