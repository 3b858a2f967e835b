"""The server as it runs on granian: in the foreground for the command line, as a child process for tests."""

from __future__ import annotations

import gc
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from granian.constants import Interfaces
from granian.server import Server

from mockserver.control.interface import PREFIX as CONTROL
from mockserver.errors import Unusable
from mockserver.service import Service, open_service
from mockserver.web.app import API, STREAMED, create_app
from mockserver.web.log import RequestLog

THREADS = 64
"""Requests that can wait at the same time, for a delay or for a lock."""
_PATIENCE = 60.0
"""Seconds that a child may take to become ready; a fixture of a million invoices needs most of them."""

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def serve(service: Service, *, announce: Callable[[], None]) -> None:
    """Serve until interrupted; `announce` is called once the server answers."""
    host, port = service.settings.host, service.settings.port
    gc.collect()
    gc.freeze()
    server = Server(
        "mockserver",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=THREADS,
        backlog=2048,
        log_enabled=False,
        workers_kill_timeout=1,
    )
    threading.Thread(target=_announce_when_ready, args=(host, port, announce), daemon=True).start()
    server.serve(target_loader=_Loader(service), wrap_loader=False)


class _Loader:
    """Makes the WSGI callable in granian's worker: of the parent's service where that was forked, else anew."""

    def __init__(self, service: Service) -> None:
        self._service: Service | None = service
        self._settings = service.settings

    def __getstate__(self) -> dict[str, Any]:
        return {"_service": None, "_settings": self._settings}

    def __call__(self) -> Wsgi:
        service = self._service or open_service(self._settings)
        # openapi-core is needed for the first refusal only; importing it now would delay the start.
        threading.Thread(target=service.contract.warm, daemon=True).start()
        return wsgi(service)


def wsgi(service: Service) -> Wsgi:
    """The WSGI callable: it returns a list, which granian sends in one piece, save where a reply is streamed."""
    app = create_app(service, RequestLog(sys.stderr, service.settings.log_format))

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = app(environ, start_response)
        return body if STREAMED in environ else list(body)

    return call


def free_port(host: str, port: int) -> int:
    """`port` if it is free, or a free one for 0; raises `Unusable` otherwise."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or error
            raise Unusable(f"can't listen on {host}:{port}: {reason}; choose another with --port") from error
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
def running(*options: str, host: str = "127.0.0.1") -> Iterator[Running]:
    """A server of its own process on a free port, started with these options of `mockserver serve`.

    Raises `Unusable` with what it printed when it does not become ready.
    """
    port = free_port(host, 0)
    command = [sys.executable, "-m", "mockserver", "serve", "--host", host, "--port", str(port), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as child:
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
    try:
        with urllib.request.urlopen(f"{control}/health", timeout=2) as answer:
            return bool(json.load(answer)["status"] == "ok")
    except (OSError, ValueError, KeyError):
        return False


def _announce_when_ready(host: str, port: int, announce: Callable[[], None]) -> None:
    address = f"[{host}]" if ":" in host else host
    while not is_ready(f"http://{reachable(address)}:{port}{CONTROL}"):
        time.sleep(0.01)
    announce()


def reachable(host: str) -> str:
    """The address by which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "": "127.0.0.1"}.get(host, host)
