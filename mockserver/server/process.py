"""The server as a child process of its own: started on a free port, waited for, and ended."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mockserver.core.errors import Unusable
from mockserver.core.health import is_ready
from mockserver.core.net import API, CONTROL, free_port

_PATIENCE = 60.0
"""Seconds that a child may take to become ready; a fixture of a million invoices needs most of them."""

_LAST_WORDS = 10.0
"""Seconds that a child has to end."""


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
    with subprocess.Popen(
        # However this process ends, the pipe ends with it, and the server with the pipe.
        [*command, "--end-with-stdin"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        encoding="utf-8",
        errors="replace",
        cwd=cwd,
    ) as child:
        errors = _Tail(child)
        secure = any(one.partition("=")[0] == "--tls-cert" for one in options)
        server = Running(f"{'https' if secure else 'http'}://{host}:{port}")
        try:
            _wait_until_ready(server, child, errors)
            yield server
        finally:
            child.terminate()
            try:
                child.wait(_LAST_WORDS)
            except subprocess.TimeoutExpired:
                child.kill()


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
