"""Schemathesis as a process of its own: its written config, its command line, its environment and its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from mockserver.core.resources import openapi_path
from mockserver.verify.context.context import Context
from mockserver.verify.events import Progress
from mockserver.verify.fuzz.gateway import PLACEHOLDER, Gateway

EXAMPLES = 12
WALKS = 20
MOST_PASSED = 32_000_000
"""Bytes of answers that the fuzzer is given; it keeps them all."""
MOST_OUTPUT = 100_000
"""Characters of what the fuzzer prints that are looked at."""
TOKEN_VARIABLE = "MOCKSERVER_VERIFY_TOKEN"
"""Where a replay takes the token from; the gateway knows its own placeholder."""


def config_text(context: Context) -> str:
    """The text of `schemathesis.toml`; strings are written as JSON, which TOML reads alike."""
    methods = [] if context.options.read_only else ["PUT", "PATCH", "DELETE"]
    lines = [
        'hooks = "mockserver.verify.fuzz.hooks"',
        "workers = 1",
        "request-timeout = 120.0",
        "continue-on-failure = true",
        "",
        "[auth.openapi.bearerToken]",
        f'bearer = "${{{TOKEN_VARIABLE}}}"',
        "[auth.openapi.apiToken]",
        f'api_key = "${{{TOKEN_VARIABLE}}}"',
        # The next phase is made of the same examples, and of what lies beside them.
        "[phases.examples]",
        "enabled = false",
        "[phases.coverage]",
        # TRACE, QUERY and OPTIONS are answered by web servers and proxies, not by the API.
        f"unexpected-methods = {json.dumps(methods)}",
        "generate-duplicate-query-parameters = false",
        "[phases.stateful]",
        # Charge, create, finalize and collect, with something in between.
        "max-steps = 12",
        "[phases.stateful.generation]",
        # What is invalid stops a walk; the phases before this one have tried it.
        'mode = "positive"',
        f"max-examples = {max(6, round(WALKS * context.quick()))}",
    ]
    if not context.options.read_only:
        # Reading changes nothing, so that a walk through the states is made of the other operations.
        lines += ["[[operations]]", 'include-method = "GET"', "[operations.phases.stateful]", "enabled = false"]
    if context.me.merchant is not None:
        lines += ["[parameters]", f'"header.X-Selected-Client-Id" = {json.dumps(context.me.merchant)}']
    return "\n".join(lines) + "\n"


class FuzzerProcess:
    """A process that has loaded Schemathesis, which takes two seconds, before it is told what to do."""

    def __init__(self) -> None:
        self._output = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        self._process = subprocess.Popen(
            # Without -P, a folder of the user's that is called mockserver would be taken for this package.
            [sys.executable, "-P", "-m", "mockserver.verify.fuzz.program"],
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    def run(
        self, context: Context, gateway: Gateway, address: str, folder: Path, until: float
    ) -> tuple[int | None, str]:
        """Exit code and output, which is left in the folder, too; the code is None when the time ran out first.

        `until`: on the monotonic clock.
        """
        told = {"folder": str(folder), "arguments": _arguments(context, address, folder)}
        with suppress(BrokenPipeError):
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(told).encode())
            self._process.stdin.close()
        try:
            code = _wait(context, gateway, self._process, until)
        finally:
            self._process.kill()
            self._process.wait()
        self._output.seek(0)
        output = self._output.read(MOST_OUTPUT)
        (folder / "output.txt").write_text(output, encoding="utf-8")
        return code, output

    def close(self) -> None:
        """End the process, whatever it is about."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._output.close()


def _arguments(context: Context, address: str, folder: Path) -> list[str]:
    examples = max(4, round(EXAMPLES * context.quick()))
    arguments = [
        "--config-file",
        str(folder / "schemathesis.toml"),
        "run",
        str(context.options.spec or openapi_path()),
        "--url",
        address,
        "--no-color",
        "--seed",
        str(context.options.seed),
        "--max-examples",
        str(examples),
        "--report",
        "ndjson,json,junit",
        "--report-ndjson-path",
        str(folder / "events.ndjson"),
        "--report-json-path",
        str(folder / "verdict.json"),
        "--report-junit-path",
        str(folder / "junit.xml"),
        "--generation-database",
        "none",
        "--suppress-health-check",
        "all",
    ]
    for operation in sorted(context.absent):
        arguments += ["--exclude-operation-id", operation]
    if context.options.read_only:
        arguments += ["--include-method", "GET"]
    elif not context.options.charges_allowed:
        arguments += ["--exclude-operation-id", "collectInvoice"]
    return arguments


def _environment() -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
        # The gateway is on this machine: no proxy, and no passwords of the user's, whatever the environment says.
        "NO_PROXY": "*",
        "NETRC": os.devnull,
        "PYTHONIOENCODING": "utf-8",
        TOKEN_VARIABLE: PLACEHOLDER,
        "PYTHONUNBUFFERED": "1",
    }


def _wait(context: Context, gateway: Gateway, process: subprocess.Popen[bytes], until: float) -> int | None:
    """The exit code; None where a signal came, there is no time for more, or the answers become too many to keep."""
    started, sent = time.monotonic(), context.transport.sent
    while (code := process.poll()) is None:
        if context.transport.signals.number is not None or gateway.passed > MOST_PASSED or time.monotonic() > until:
            process.terminate()
            return None
        time.sleep(0.05)
        if time.monotonic() - started > 1.0:
            started = time.monotonic()
            context.recorder.emit(Progress(f"{context.transport.sent - sent} requests"))
    # A signal for the whole group, as of Ctrl-C, has ended the process, too.
    return code if context.transport.signals.number is None else None
