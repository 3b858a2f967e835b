"""A server that is killed, and started again on the same port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from mockserver.core.health import is_ready
from mockserver.core.net import CONTROL
from tests.ports import own_port


class Killed:
    """`mockserver serve` with these options, in a process group of its own."""

    def __init__(self, *options: str) -> None:
        self.base = f"http://127.0.0.1:{own_port()}"
        self._options = options
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        port = self.base.rpartition(":")[2]
        command = [sys.executable, "-P", "-m", "mockserver", "serve", "--port", port, *self._options]
        self._child = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
        while not is_ready(self.base + CONTROL):
            assert self._child.poll() is None, "the server ended"
            time.sleep(0.02)

    @property
    def running(self) -> bool:
        return self._child is not None

    def restart(self) -> None:
        """As a deploy does it: told to end, waited for, and started again."""
        assert self._child is not None
        self._child.terminate()
        self._child.wait()
        self.start()

    def kill(self) -> None:
        """As `kill -9` does to it and to all that it has started."""
        if self._child is not None:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()
            self._child = None


@contextmanager
def killable(*options: str) -> Iterator[Killed]:
    """A server that runs, until it is killed."""
    server = Killed(*options)
    try:
        server.start()
        yield server
    finally:
        server.kill()
