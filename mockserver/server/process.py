"""The server as a child process of its own: started on a free port, waited for, and ended."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mockserver.core.errors import Unusable
from mockserver.core.net import API, CONTROL

_PATIENCE = 60.0
"""Seconds that a child may take to become ready; a fixture of a million invoices needs most of them."""

_LAST_WORDS = 10.0
"""Seconds that a child has to end."""

_LISTENS = re.compile(rf"  API .*(https?://\S+){API}$")
"""What a server that is ready prints of its address."""


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
    # Without -P, a folder of the caller's that is called mockserver would be taken for this package. The server chooses
    # its port: one found here could be another's by the time that it listens.
    command = [sys.executable, "-P", "-m", "mockserver", "serve", "--host", host, "--port", "0", *options]
    with subprocess.Popen(
        # However this process ends, the pipe ends with it, and the server with the pipe.
        [*command, "--end-with-stdin"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        cwd=cwd,
    ) as child:
        printed, errors = _Tail(child.stdout, wanted=_LISTENS), _Tail(child.stderr)
        try:
            yield _ready(child, printed, errors)
        finally:
            child.terminate()
            try:
                child.wait(_LAST_WORDS)
            except subprocess.TimeoutExpired:
                child.kill()


class _Tail:
    """Keeps the last lines of what a child prints, so that its pipe never fills, and what it says that is `wanted`."""

    def __init__(self, stream: IO[str] | None, wanted: re.Pattern[str] | None = None) -> None:
        self.lines: list[str] = []
        self.found: str | None = None
        """The first group of the first line that has it."""
        self._wanted = wanted
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[str] | None) -> None:
        for line in stream or ():
            if self.found is None and self._wanted is not None and (said := self._wanted.search(line.rstrip())):
                self.found = said[1]
            self.lines.append(line.rstrip())
            del self.lines[:-50]

    def text(self) -> str:
        self._thread.join(1)
        return "\n".join(self.lines)


def _ready(child: subprocess.Popen[str], printed: _Tail, errors: _Tail) -> Running:
    deadline = time.monotonic() + _PATIENCE
    while printed.found is None:
        if child.poll() is not None:
            raise Unusable(f"the mock server ended with exit code {child.returncode}: {errors.text()}")
        if time.monotonic() > deadline:
            raise Unusable(f"the mock server was not ready after {_PATIENCE:.0f} s: {errors.text()}")
        time.sleep(0.02)
    return Running(printed.found)
