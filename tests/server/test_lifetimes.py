"""When a server ends: as it is told, with its terminal, and with whoever started it; and nothing of it stays."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from mockserver.core.health import is_ready
from mockserver.core.net import free_port
from mockserver.server.process import running
from tests import plain
from tests.ports import own_port

SERVE = [sys.executable, "-m", "mockserver", "serve"]
PATIENCE = 60.0

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


@contextmanager
def serving(
    *options: str, before: tuple[str, ...] = (), stdin: int | None = None, stdout: int = subprocess.DEVNULL
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A server that answers, and its port."""
    port = own_port()
    command = [*before, *SERVE, "--port", str(port), *options]
    with subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL) as child:
        try:
            wait_until(lambda: answers(port))
            yield child, port
        finally:
            child.kill()


def answers(port: int) -> bool:
    return is_ready(f"http://127.0.0.1:{port}/_mock")


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_server_and_all_that_waits_in_it(number: signal.Signals) -> None:
    with serving() as (child, port), plain.Client(base_url=f"http://127.0.0.1:{port}/api") as client:
        headers = {"Authorization": "Bearer provider", "Prefer": "delay=300"}
        with pytest.raises(httpx.ReadTimeout):
            client.get("/billing/invoices", headers=headers, timeout=0.5)
        child.send_signal(number)
        assert child.wait(PATIENCE) == 0
        assert free_port("127.0.0.1", port) == port


HEAD = "HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer provider\r\n"
UNDER_WAY = {
    "an answer that is delayed": f"GET /api/billing/invoices {HEAD}Prefer: delay=300\r\n\r\n",
    "a body that does not come": f"POST /api/billing/invoices {HEAD}Content-Length: 9\r\n\r\n{{",
    "a head that does not end": f"GET /api/billing/invoices {HEAD}",
    "a stream of events": f"GET /_mock/journal/stream {HEAD}\r\n",
    "a connection that is kept": f"GET /api/billing/invoices {HEAD}\r\n",
}


@pytest.mark.parametrize("what", UNDER_WAY)
def test_nothing_that_is_under_way_holds_the_end_up(what: str) -> None:
    with serving() as (child, port), socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(UNDER_WAY[what].encode())
        time.sleep(0.5)
        child.terminate()
        assert child.wait(10) == 0


def test_a_terminal_that_is_closed_ends_the_server() -> None:
    setsid = shutil.which("setsid")
    if setsid is None:
        pytest.skip("there is no setsid on this machine")
    master, slave = os.openpty()
    with serving(before=(setsid, "--ctty"), stdin=slave, stdout=slave) as (child, _):
        os.close(slave)
        os.close(master)
        child.wait(PATIENCE)


def test_a_server_that_is_killed_leaves_nothing_behind() -> None:
    with serving() as (child, port):
        assert psutil.Process(child.pid).children(recursive=True) == []
        child.kill()
        child.wait()
        assert free_port("127.0.0.1", port) == port


SLOW = """
import sys
from mockserver.cli import serve
from mockserver.cli.main import main

opened = serve.open_service


def open_slowly(*given, **options):
    print("the port is free", flush=True)
    sys.stdin.readline()
    return opened(*given, **options)


serve.open_service = open_slowly
main()
"""


def test_a_server_that_is_still_starting_ends_when_it_is_told() -> None:
    command = [sys.executable, "-c", SLOW, "serve", "--port", "0"]
    for number in (signal.SIGTERM, signal.SIGHUP):
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as slow:
            try:
                assert slow.stdout is not None
                assert slow.stdout.readline() == "the port is free\n"
                slow.send_signal(number)
                # Not by the system's doing, which spares the first process of a container.
                assert slow.wait(10) == 128 + number
            finally:
                slow.kill()


def test_however_much_a_server_prints_it_is_found(tmp_path: Path) -> None:
    fixture = tmp_path / "fixture.yaml"
    merchants = "merchants: [{id: 1, name: One, currency: USD}]"
    fixture.write_text(f"{merchants}\ntokens:\n" + "".join(f"  token{n}: all\n" for n in range(200)))
    with running("--fixture", str(fixture)) as server:
        assert is_ready(server.control)


def test_a_port_that_another_has_taken_meanwhile_is_not_shared_with_it() -> None:
    port = str(own_port())
    with subprocess.Popen(
        [sys.executable, "-c", SLOW, "serve", "--port", port],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as slow:
        try:
            assert slow.stdout is not None
            assert slow.stdout.readline() == "the port is free\n"
            with running("--port", port) as other:
                _, told = slow.communicate("\n", timeout=PATIENCE)
                assert slow.returncode == 2
                assert f"can't listen on 127.0.0.1:{port}" in told
                assert is_ready(other.control)
        finally:
            slow.kill()


def test_a_server_can_end_with_its_standard_input() -> None:
    with serving("--end-with-stdin", stdin=subprocess.PIPE) as (child, _):
        assert child.stdin is not None
        child.stdin.write(b"nothing of interest")
        child.stdin.flush()
        assert child.poll() is None
        child.stdin.close()
        assert child.wait(PATIENCE) == 0


RUNNER = """
import time
import mockserver

with mockserver.running() as server:
    print(server.base, flush=True)
    time.sleep(600)
"""
TEST = """
import time


def test_that_takes_long(mock_world):
    print(mock_world.url, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
@pytest.mark.parametrize("by", ["a script", "pytest"])
def test_a_server_ends_with_whoever_started_it(tmp_path: Path, by: str, number: signal.Signals) -> None:
    command = [sys.executable, "-c", RUNNER]
    if by == "pytest":
        (tmp_path / "test_long.py").write_text(TEST)
        command = [sys.executable, "-m", "pytest", "-s", "-p", "no:cacheprovider", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as runner:
        try:
            assert runner.stdout is not None
            port = next(int(found[1]) for line in runner.stdout if (found := re.search(r"http://[^:]+:(\d+)", line)))
            assert answers(port)
            runner.send_signal(number)
            runner.wait(PATIENCE)
            wait_until(lambda: not answers(port))
        finally:
            runner.kill()
