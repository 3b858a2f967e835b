"""The servers that are compared, each a process of its own on a free port."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PATIENCE = 120.0
"""Seconds that a server may take to become ready."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers."""

    base: str
    """Its address with `/api`."""
    ready_after: float
    """Seconds from its start to its first answer."""
    process: psutil.Process

    def memory(self) -> int:
        """Bytes held by the process and its children together, shared pages counted once."""
        processes = [self.process, *self.process.children(recursive=True)]
        return sum(int(one.memory_full_info().pss) for one in processes)

    def busy(self) -> float:
        """Seconds of a processor that the process and its children have taken so far."""
        times = [one.cpu_times() for one in (self.process, *self.process.children(recursive=True))]
        return sum(one.user + one.system for one in times)


@contextmanager
def fake(*options: str, traced: bool = True) -> Iterator[Server]:
    """The mock server, with these options; or without journal, trace, worlds and faults."""
    port = _free_port()
    program = ["mockserver", "serve"] if traced else ["tests.benchmarks.untraced"]
    command = [sys.executable, "-m", *program, "--port", str(port), *options]
    with _started(command, f"http://127.0.0.1:{port}/api") as server:
        yield server


@contextmanager
def bare(body: Path, *, wsgi: bool = False) -> Iterator[Server]:
    """A bare Flask route that answers the bytes of a file, served as the mock server is, or on granian's WSGI."""
    port = _free_port()
    command = [sys.executable, "-m", "tests.benchmarks.bare", "wsgi" if wsgi else "asgi", str(port), str(body)]
    with _started(command, f"http://127.0.0.1:{port}/api") as server:
        yield server


@contextmanager
def prism() -> Iterator[Server]:
    """Prism, mocking the same spec."""
    port = _free_port()
    program = HERE / "node_modules" / ".bin" / "prism"
    command = [str(program), "mock", "--port", str(port), str(ROOT / "openapi.yaml")]
    with _started(command, f"http://127.0.0.1:{port}/api", prefix="") as server:
        yield server


@contextmanager
def proxy(upstream: Server) -> Iterator[Server]:
    """The proxy that judges, in front of another server."""
    port = _free_port()
    command = [sys.executable, "-m", "mockserver", "proxy", upstream.base, "--port", str(port), "--report", "json"]
    with tempfile.TemporaryDirectory() as folder:
        with _started([*command, "--report-dir", folder], f"http://127.0.0.1:{port}/api") as server:
            yield server


@contextmanager
def prism_proxy(upstream: Server) -> Iterator[Server]:
    """Prism, validating what passes between its clients and another server."""
    port = _free_port()
    program = HERE / "node_modules" / ".bin" / "prism"
    command = [str(program), "proxy", "--port", str(port), str(ROOT / "openapi.yaml"), upstream.base]
    with _started(command, f"http://127.0.0.1:{port}/api", prefix="") as server:
        yield server


def load(server: Server, kind: str, *, seconds: float, connections: int = 10, **more: Any) -> dict[str, Any]:
    """Put a load on the server for that long; rates are requests a second, times milliseconds."""
    prefix = "/api" if server.base.endswith("/api") else ""
    wish: dict[str, Any] = {"base": server.base.removesuffix("/api"), "prefix": prefix, "kind": kind}
    wish |= {"seconds": seconds, "connections": connections}
    wish |= {"token": "provider", "worlds": 1, "firstCharge": 1, **more}
    done = subprocess.run(
        ["node", str(HERE / "load.js"), json.dumps(wish)], capture_output=True, text=True, check=True, cwd=HERE
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _started(command: Sequence[str], base: str, *, prefix: str = "/api") -> Iterator[Server]:
    started = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            base = base.removesuffix("/api") + prefix
            request = urllib.request.Request(
                f"{base}/billing/invoices", headers={"Authorization": "Bearer provider", "Accept": "application/json"}
            )
            while not _answers(request):
                if child.poll() is not None or time.perf_counter() - started > PATIENCE:
                    raise RuntimeError(f"{' '.join(command)} did not become ready")
                time.sleep(0.005)
            yield Server(base, time.perf_counter() - started, psutil.Process(child.pid))
        finally:
            child.terminate()
            child.wait()


def _answers(request: urllib.request.Request) -> bool:
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False
