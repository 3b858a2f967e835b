"""What docs/team.md tells a team to start is what answers."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from mockserver.core.health import is_ready
from tests import plain
from tests.deploy.test_ci_page import variables
from tests.ports import own_port
from tests.state.kept.databases import postgres

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "team.md").read_text("utf-8")
FILES = ["docs/team.md", "deploy/haproxy.cfg", "deploy/kubernetes-many.yaml"]


@pytest.mark.parametrize("name", FILES)
def test_every_variable_and_option_is_one_that_serve_has(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    named = set(re.findall(r"\bMOCKSERVER_[A-Z_]+[A-Z]\b", text))
    named |= {"MOCKSERVER_" + option.upper().replace("-", "_") for option in re.findall(r"`--([a-z-]+)`", text)}
    assert named <= variables()


def test_the_files_that_it_names_are_there() -> None:
    named = re.findall(r"\bdeploy/[\w.-]+\.\w+", PAGE)
    assert len(named) >= 2
    for path in named:
        assert (ROOT / path).exists(), path


def test_each_load_balancer_that_asks_again_is_told_of_with_the_faults_that_are_used_up_by_it() -> None:
    nginx = (ROOT / "deploy" / "kubernetes-many.yaml").read_text("utf-8")
    haproxy = (ROOT / "deploy" / "haproxy.cfg").read_text("utf-8")
    assert 'proxy-next-upstream: "error timeout"' in nginx
    assert "retry-on conn-failure empty-response" in haproxy
    told = [part for part in PAGE.split("\n\n") if re.search(r"`empty`\s+and `reset`", part)]
    assert [re.findall("HAProxy|nginx", part)[0] for part in told] == ["HAProxy", "nginx"]


def _shown_where_it_was_answered(http: httpx.Client) -> bool:
    """Whether control goes the way that a request went just before."""
    assert http.get("/api/billing/invoices").status_code == 200
    return len(http.get("/_mock/journal").json()["data"]) > 0


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed")
def test_the_lines_for_several_processes_start_them_and_nobody_controls_them_without_their_token(
    tmp_path: Path,
) -> None:
    [block] = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    ports = {str(port): str(own_port()) for port in range(4010, 4014)}
    for told, free in ports.items():
        block = block.replace(told, free)
    command = tmp_path / "mockserver"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m mockserver "$@"\n')
    command.chmod(0o755)
    base = f"http://127.0.0.1:{ports['4010']}"
    with postgres() as server:
        block, replaced = re.subn(r"(?<=MOCKSERVER_STATE=)\S+", f"'{server.new_database()}'", block)
        assert replaced == 1
        with subprocess.Popen(
            ["bash", "-euc", block],
            cwd=ROOT,
            env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as started:
            try:
                for port in (*list(ports.values())[1:], ports["4010"]):
                    while not is_ready(f"http://127.0.0.1:{port}/_mock"):
                        assert started.poll() is None
                        time.sleep(0.05)
                headers = {"Authorization": "Bearer provider@ann", "X-Mock-Control-Token": "only-for-tests"}
                with plain.Client(base_url=base, headers=headers, timeout=60) as http:
                    # While the load balancer has not seen all of them yet, worlds still move.
                    deadline = time.monotonic() + 60
                    while not _shown_where_it_was_answered(http):
                        assert time.monotonic() < deadline
                    assert http.get("/_mock/journal", headers={"X-Mock-Control-Token": "no"}).status_code == 401
            finally:
                os.killpg(started.pid, signal.SIGTERM)
