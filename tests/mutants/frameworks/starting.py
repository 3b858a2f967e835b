"""Starts one of the correct servers as a program of its own, and says how it is reached."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.frameworks import parties

_ROOT = Path(__file__).parents[3]
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server that answers, and who there is on it."""

    base_url: str
    log: Path
    token: str = parties.TOKENS[0].value
    other_token: str
    merchant: int = parties.PAYING
    declining_merchant: int = parties.DECLINING
    franc_merchant: int = parties.FRANCS
    other_merchant: int = parties.OTHER

    @property
    def stripe_url(self) -> str:
        """Where the server tells what happened on its Stripe."""
        return self.base_url.removesuffix("/api") + "/_stripe"


def missing(server: str) -> str | None:
    """What is not installed here that a server needs; None when it can be started."""
    if server == "express_like" and shutil.which("node") is None:
        return "needs node"
    if server == "express_like" and not Path(__file__).with_name(server).joinpath("node_modules", "express").is_dir():
        return "needs npm ci in tests/mutants/frameworks/express_like"
    return None


@contextmanager
def running(
    server: str, choices: Mapping[str, str] | None = None, *, port: int = 0, merchant_view: bool = False
) -> Iterator[Running]:
    """The server of that name in this folder, on a free port unless one is given.

    With `merchant_view` the other token is that of a merchant alone, not that of its provider.

    Raises:
        RuntimeError: when it does not come up; with what it wrote.
    """
    with tempfile.TemporaryDirectory(prefix="billing-") as directory:
        log = Path(directory) / "log.txt"
        command = [sys.executable, "-m", f"tests.mutants.frameworks.{server}"]
        command += ["--port", str(port), "--directory", directory]
        for name, value in (choices or {}).items():
            command += ["--set", f"{name}={value}"]
        with log.open("wb") as errors:
            process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=errors, env=os.environ)
        try:
            other = parties.TOKENS[2 if merchant_view else 1].value
            yield Running(base_url=_ready(process, log), log=log, other_token=other)
        finally:
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _ready(process: subprocess.Popen[bytes], log: Path) -> str:
    """The address in the line that a server prints when it is ready."""
    stream = process.stdout
    deadline = time.monotonic() + _PATIENCE
    while stream is not None and time.monotonic() < deadline:
        if not select.select([stream], [], [], 0.2)[0]:
            continue
        line = stream.readline().decode()
        if line.startswith("ready "):
            return line.split()[1]
        if not line:
            break
    raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text(errors='replace')}")
