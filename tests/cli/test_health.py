"""`mockserver health`: whether a server is ready, and if not, why not."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from click.testing import CliRunner, Result

from mockserver.cli.main import main
from mockserver.server.process import Running
from tests.ports import own_port
from tests.servers import Quiet, serving


def health(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, ["health", *arguments], env=environment)


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """The address of something that gives everybody this answer."""

    class Handler(Quiet):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serving(Handler) as address:
        yield address


@pytest.mark.parametrize("tail", ["", "/", "/api", "/_mock"])
def test_a_server_that_is_ready_is_zero_by_any_of_its_addresses(server: Running, tail: str) -> None:
    done = health(server.base + tail)
    assert done.exit_code == 0
    assert done.stdout.startswith(f"{server.base} is ready: version ")
    assert "fixture default, profile default" in done.stdout


def test_without_an_address_it_is_the_server_that_the_environment_describes(server: Running) -> None:
    port = server.base.rpartition(":")[2]
    assert health(MOCKSERVER_PORT=port).exit_code == 0
    assert health(MOCKSERVER_PORT=port, MOCKSERVER_HOST="0.0.0.0").exit_code == 0
    assert health(MOCKSERVER_HEALTH_URL=server.api, MOCKSERVER_PORT="1").exit_code == 0


def test_a_closed_port_is_one_and_says_so() -> None:
    base = f"http://127.0.0.1:{own_port()}"
    done = health(base)
    assert done.exit_code == 1
    assert done.stderr == f"mockserver: {base} is not ready: Connection refused\n"
    done = health(base, "--wait", "200ms")
    assert done.exit_code == 1
    assert "is not ready after 0.2 s: Connection refused" in done.stderr


def test_a_host_that_has_no_address_is_told() -> None:
    done = health("http://nowhere.invalid:4010")
    assert done.exit_code == 1
    assert "nowhere.invalid:4010 is not ready: " in done.stderr
    assert "urlopen" not in done.stderr


def test_a_server_that_hangs_is_told_after_the_time_of_one_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        done = health(f"http://127.0.0.1:{silent.getsockname()[1]}", "--timeout", "200ms")
    assert done.exit_code == 1
    assert "no answer within 0.2 s" in done.stderr


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (404, b"", "answered 404: what listens there is no mock server"),
        (503, b"", "answered 503: what listens there is no mock server"),
        (200, b"<html>", "what listens there is no mock server"),
        (200, b"[]", "what listens there is no mock server"),
        (200, b"\xff\xfe", "what listens there is no mock server"),
        (200, b'{"status": "ok"}', "what listens there is no mock server"),
        (200, b'{"status": "starting"}', 'it says of itself that it is "starting"'),
    ],
)
def test_what_answers_otherwise_is_one_and_says_what_it_answers(status: int, body: bytes, told: str) -> None:
    with answering(status, body) as base:
        done = health(base)
    assert done.exit_code == 1
    assert told in done.stderr
    assert done.exception is None or isinstance(done.exception, SystemExit)


@contextmanager
def saying(*answers: bytes) -> Iterator[str]:
    """The address of something that says one of these to each that calls, and hangs up."""

    def say() -> None:
        for answer in answers:
            caller, _ = server.accept()
            with caller:
                caller.recv(65536)
                caller.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=say)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


OK = b"HTTP/1.1 200 OK\r\n"
OTHERS = {
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "binary": b"\x15\x03\x01\x00\x02\x02\x16\x1b[2J",
    "nothing": b"",
    "half a body": OK + b"Content-Length: 100\r\n\r\n{",
    "half a piece": OK + b"Transfer-Encoding: chunked\r\n\r\nffff\r\n{",
    "pieces of no size": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{",
    "a long line": OK + b"A: " + b"a" * 70_000 + b"\r\n\r\n",
    "many headers": OK + b"A: a\r\n" * 101 + b"\r\n",
    "elsewhere": b"HTTP/1.1 302 Found\r\nLocation: http://a b:x/\r\nContent-Length: 0\r\n\r\n",
    "elsewhere, encoded": "HTTP/1.1 302 Found\r\nLocation: http://\u00fc..x/\r\nContent-Length: 0\r\n\r\n".encode(),
    "depths": OK + b"\r\n" + b"[" * 200_000,
    "a long number": OK + b"\r\n" + b"9" * 5_000,
}


@pytest.mark.parametrize("answer", OTHERS.values(), ids=OTHERS)
def test_whatever_else_answers_is_one_line(answer: bytes) -> None:
    with saying(answer) as base:
        done = health(base)
    assert done.exit_code == 1, done.exception
    [line] = done.stderr.splitlines()
    assert line.startswith(f"mockserver: {base} is not ready: ")
    assert line.isprintable()


def test_whatever_else_answers_at_first_is_waited_for() -> None:
    told = {"status": "ok", "version": "1", "fixture": "f", "profile": "p", "mistakes": []}
    with saying(b"SSH-2.0\r\n", OK + b"\r\n" + json.dumps(told).encode()) as base:
        assert health(base, "--wait", "30s").exit_code == 0


def test_a_server_that_is_still_starting_is_waited_for() -> None:
    port = own_port()
    command = [sys.executable, "-m", "mockserver", "serve", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as child:
        done = health(f"http://127.0.0.1:{port}", "--wait", "60s")
        child.terminate()
    assert done.exit_code == 0


def test_mistakes_in_files_that_changed_are_told_and_do_no_harm() -> None:
    told = {"status": "ok", "version": "1", "fixture": "f", "profile": "p", "worlds": 1, "mistakes": ["f.yaml:3: bad"]}
    with answering(200, json.dumps(told).encode()) as base:
        done = health(base)
    assert done.exit_code == 0
    assert "f.yaml:3: bad" in done.stderr


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:4010", "ftp://127.0.0.1", "http://", "http://x:99999", "http://u:p@x", "http://[::1", "http://x?q"],
)
def test_what_is_no_address_is_two(url: str) -> None:
    done = health(url)
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
    assert "address" in done.stderr


@pytest.mark.parametrize("wait", ["30s", "0.5m", "30000ms", "30", "1h"])
def test_times_may_have_a_unit(server: Running, wait: str) -> None:
    assert health(server.base, "--wait", wait).exit_code == 0


@pytest.mark.parametrize("wait", ["30 parsecs", "-1s", "nan", "s", "1e400", "2000000000s"])
def test_what_is_no_time_is_two(server: Running, wait: str) -> None:
    done = health(server.base, "--wait", wait)
    assert done.exit_code == 2
    assert "--wait" in done.stderr


def test_a_proxy_of_the_environment_is_not_asked(server: Running) -> None:
    assert health(server.base, http_proxy="http://127.0.0.1:9").exit_code == 0
