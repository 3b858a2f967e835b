"""The server as a child process of its own: started on a free port, waited for, and ended."""

from __future__ import annotations

import errno
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mockserver.core.errors import Unusable
from mockserver.server.settings import API, CONTROL

_PATIENCE = 60.0
"""Seconds that a child may take to become ready; a fixture of a million invoices needs most of them."""


def ip_address(host: str) -> str:
    """The address of the host of that name, of IPv4 where it has both; raises `Unusable` if it has none."""
    if not host:
        raise Unusable("can't listen on an empty host; --host 0.0.0.0 listens on every address")
    try:
        # UnicodeError is what names that can't be names end in.
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Unusable(f"can't listen on {host}: {reason}; choose another with --host") from error
    return str(min(found, key=lambda one: one[0] != socket.AF_INET)[4][0])


def free_port(host: str, port: int) -> int:
    """`port` if it is free on that address, or a free one for 0; raises `Unusable` otherwise."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            option = "--host" if error.errno == errno.EADDRNOTAVAIL else "--port"
            reason = error.strerror or error
            raise Unusable(f"can't listen on {host}:{port}: {reason}; choose another with {option}") from error
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs: `base` is its address, without a path."""

    base: str

    @property
    def api(self) -> str:
        return self.base + API

    @property
    def control(self) -> str:
        return self.base + CONTROL


@contextmanager
def running(*options: str, host: str = "127.0.0.1", cwd: Path | None = None) -> Iterator[Running]:
    """A server of its own process on a free port, started with these options of `mockserver serve`.

    Files among the options are looked for from `cwd`. Raises `Unusable` with what the server printed when it does not
    become ready.
    """
    port = free_port(host, 0)
    # Without -P, a folder of the caller's that is called mockserver would be taken for this package.
    command = [sys.executable, "-P", "-m", "mockserver", "serve", "--host", host, "--port", str(port), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=cwd) as child:
        errors = _Tail(child)
        server = Running(f"http://{host}:{port}")
        try:
            _wait_until_ready(server, child, errors)
            yield server
        finally:
            child.terminate()
            child.wait()


class _Tail:
    """Keeps the last lines of a child's error output, so that its pipe never fills."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self.lines: list[str] = []
        self._thread = threading.Thread(target=self._read, args=(child,), daemon=True)
        self._thread.start()

    def _read(self, child: subprocess.Popen[str]) -> None:
        for line in child.stderr or ():
            self.lines.append(line.rstrip())
            del self.lines[:-50]

    def text(self) -> str:
        self._thread.join(1)
        return "\n".join(self.lines)


def _wait_until_ready(server: Running, child: subprocess.Popen[str], errors: _Tail) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not is_ready(server.control):
        if child.poll() is not None:
            raise Unusable(f"the mock server ended with exit code {child.returncode}: {errors.text()}")
        if time.monotonic() > deadline:
            raise Unusable(f"the mock server was not ready after {_PATIENCE:.0f} s: {errors.text()}")
        time.sleep(0.02)


def is_ready(control: str) -> bool:
    """Whether the health check below the control address answers that all is well."""
    # A proxy of the environment has no business between this machine and its own server.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{control}/health", timeout=2) as answer:
            return bool(json.load(answer)["status"] == "ok")
    except (OSError, ValueError, KeyError):
        return False


def reachable(host: str) -> str:
    """The address by which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "": "127.0.0.1"}.get(host, host)
