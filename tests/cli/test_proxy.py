"""The command `proxy`: it starts, says where it listens, and ends with reports and verify's exit codes."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner

from mockserver.cli.main import main
from mockserver.server.process import running
from tests import plain
from tests.watch.proxying import answering, saying

EXAMPLE = Path(__file__).parents[1] / "examples" / "python"
LINUX = {"COLUMNS": "200", "PYTHONUNBUFFERED": "1"}


@dataclass
class Started:
    root: str
    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        out, _ = self.process.communicate(timeout=60)
        self.said.append(out)
        return self.process.returncode


@contextmanager
def started(url: str, *options: str, where: Path) -> Iterator[Started]:
    command = [sys.executable, "-m", "mockserver", "proxy", url, "--port", "0", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=where, env=os.environ | LINUX
    ) as process:
        said = []
        for line in process.stdout or ():
            said.append(line)
            if found := re.match(r"(http://[^/]+)/\S* is forwarded to", line):
                break
        else:
            pytest.fail("".join(said))
        try:
            yield Started(found[1], process, said)
        finally:
            process.kill()


def test_a_breach_that_passed_by_ends_it_with_1_and_stands_in_the_reports(tmp_path: Path) -> None:
    bad = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    with answering(saying(bad)) as (url, _):
        with started(url, "--report", "console,json,junit,html,markdown", where=tmp_path) as proxy:
            answer = plain.get(
                f"{proxy.root}/api/billing/invoices",
                headers={"Authorization": "Bearer hush-hush", "Accept": "application/json"},
                trust_env=False,
            )
            code = proxy.stop()
    assert code == 1
    assert answer.headers["x-mock-breach"].startswith("LIST-1: ")
    assert "LIST-1" in "".join(proxy.said)
    reports = tmp_path / "proxy-report"
    assert {file.name for file in reports.iterdir()} == {"report.json", "junit.xml", "report.html", "report.md"}
    assert json.loads((reports / "report.json").read_text())["breaches"]
    assert not any("hush-hush" in file.read_text() for file in reports.iterdir())
    assert "hush-hush" not in "".join(proxy.said)


def test_the_tests_of_the_example_run_unchanged_through_it(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "example", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    with running("--set", "recollect=accept") as fake, started(f"{fake.base}/api", where=tmp_path) as proxy:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--mockserver-url", proxy.root]
        done = subprocess.run(command, cwd=tmp_path / "example", capture_output=True, text=True, timeout=300)
        code = proxy.stop()
    assert done.returncode == 0, done.stdout + done.stderr
    assert code == 0, "".join(proxy.said)
    assert "Nothing broken: " in "".join(proxy.said)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_however_it_is_ended_its_reports_are_written(name: str, tmp_path: Path) -> None:
    with running() as fake, started(f"{fake.base}/api", "--report", "json", where=tmp_path) as proxy:
        plain.get(f"{proxy.root}/api/billing/invoices", headers={"Authorization": "Bearer provider"})
        assert proxy.stop(signal.Signals[name]) in (0, 3)
    (report,) = tmp_path.rglob("report.json")
    assert json.loads(report.read_text())["rules"]


@pytest.mark.parametrize("url", ["portal.example.com", "ftp://x", "https://user@x/api", "https://x/api?y=1"])
def test_what_is_no_address_ends_it_with_2(url: str) -> None:
    result = CliRunner().invoke(main, ["proxy", url])
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_certificates_that_are_none_end_it_with_2(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    result = CliRunner().invoke(main, ["proxy", "https://127.0.0.1:9/api", "--port", "0", "--tls-verify", str(file)])
    assert result.exit_code == 2
    assert "--tls-verify" in result.output
    assert "Traceback" not in result.output
