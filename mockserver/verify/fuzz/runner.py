"""One run of Schemathesis, as a process of its own, by its command line, a written config and our hooks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mockserver.core.resources import openapi_path
from mockserver.verify.checks.runner import still_there
from mockserver.verify.context.context import Context
from mockserver.verify.errors import NoAnswer, NotPossible, Stop
from mockserver.verify.events import Progress
from mockserver.verify.fuzz.hooks import KNOWN_FILE
from mockserver.verify.fuzz.ndjson import WALK, FuzzResult, read_report
from mockserver.verify.fuzz.proxy import PLACEHOLDER, Gateway, serving
from mockserver.verify.transport.safety import Withheld

MOST_SECONDS = 30.0
LEAST_SECONDS = 3.0
EXAMPLES = 12
WALKS = 20
FRESH_CHARGES = 12
MOST_PASSED = 32_000_000
"""Bytes of answers that the fuzzer is given; it keeps them all."""
MOST_OUTPUT = 100_000
"""Characters of what the fuzzer prints that are looked at."""

REPORTS = ("events.ndjson", "verdict.json", "junit.xml", "output.txt", ".schemathesis/**/*.json")
"""What Schemathesis leaves in the folder; the last are the cases that it can replay."""
TOKEN_VARIABLE = "MOCKSERVER_VERIFY_TOKEN"
"""Where a replay takes the token from; the gateway knows its own placeholder."""


def fuzz(context: Context) -> None:
    """Fuzzes all operations through the gateway and records what it finds. Raises `ServerGone`, `OutOfTime`."""
    seconds = min(MOST_SECONDS, context.transport.left - 1.0)
    if seconds < LEAST_SECONDS:
        context.recorder.note("there was no time left for fuzzing (--max-time)", warning=True)
        return
    known = _known(context)
    gateway = Gateway(
        context.transport,
        context.monitor,
        context.options.token,
        context.me.merchant,
        may_sweep=not context.options.charge_ids,
    )
    with serving(gateway) as address, _folder(context) as folder:
        (folder / "known.json").write_text(json.dumps(known), encoding="utf-8")
        (folder / "schemathesis.toml").write_text(_config(context), encoding="utf-8")
        until = time.monotonic() + min(MOST_SECONDS, context.transport.left - 1.0)
        code, output = _run(context, gateway, address, folder, until)
        result = read_report(
            folder / "events.ndjson",
            context.contract,
            gateway=address,
            target=context.transport.base_url,
            token=PLACEHOLDER,
            headers=context.transport.shown_headers,
        )
        _readdress(folder, address, context.transport.base_url)
        _tell(context, gateway, result, code, output)
        if result.findings and _is_kept(context):
            context.recorder.note(
                f"what fuzzing found is replayed by `st replay` in {folder}; it takes the token from {TOKEN_VARIABLE}"
            )
    still_there(context)


def _known(context: Context) -> dict[str, object]:
    """Live ids and what is known of the caller, for the hooks."""
    charges: list[int] = []
    invoices: list[int] = []
    if not context.options.read_only:
        try:
            charges = [charge.id for charge in context.records.charges(max(3, round(FRESH_CHARGES * context.quick())))]
            invoices = [context.records.draft().id, context.records.finalized().id, context.records.draft().id]
        except (NotPossible, Stop, Withheld, NoAnswer) as reason:
            context.recorder.note(f"fuzzing goes without live records: {reason}")
    return {
        "merchant": context.me.merchant,
        "digits": context.records.digits or 0,
        "charges": charges,
        "invoices": invoices,
    }


def _config(context: Context) -> str:
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
        # RequestReading changes nothing, so that a walk through the states is made of the other operations.
        lines += ["[[operations]]", 'include-method = "GET"', "[operations.phases.stateful]", "enabled = false"]
    if context.me.merchant is not None:
        lines += ["[parameters]", f'"header.X-Selected-Client-Id" = {json.dumps(context.me.merchant)}']
    return "\n".join(lines) + "\n"


def _run(context: Context, gateway: Gateway, address: str, folder: Path, until: float) -> tuple[int | None, str]:
    """Exit code and output; the code is None when the time ran out first."""
    examples = max(4, round(EXAMPLES * context.quick()))
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
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
        command += ["--exclude-operation-id", operation]
    if context.options.read_only:
        command += ["--include-method", "GET"]
    elif not context.options.charges_allowed:
        command += ["--exclude-operation-id", "collectInvoice"]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
        # The gateway is on this machine: no proxy, and no passwords of the user's, whatever the environment says.
        "NO_PROXY": "*",
        "NETRC": os.devnull,
        "PYTHONIOENCODING": "utf-8",
        KNOWN_FILE: str(folder / "known.json"),
        TOKEN_VARIABLE: PLACEHOLDER,
        "PYTHONUNBUFFERED": "1",
    }
    with (folder / "output.txt").open("w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
        try:
            code = _wait(context, gateway, process, until)
        finally:
            process.kill()
            process.wait()
        output.seek(0)
        return code, output.read(MOST_OUTPUT)


def _wait(context: Context, gateway: Gateway, process: subprocess.Popen[bytes], until: float) -> int | None:
    """The exit code; None where there is no time for more, or the answers become too many to keep."""
    started, sent = time.monotonic(), context.transport.sent
    while (code := process.poll()) is None:
        ended = context.transport.signals.number is not None
        if ended or gateway.passed > MOST_PASSED or time.monotonic() > until:
            process.terminate()
            return None
        time.sleep(0.05)
        if time.monotonic() - started > 1.0:
            started = time.monotonic()
            context.recorder.emit(Progress(f"{context.transport.sent - sent} requests"))
    return code


def _is_kept(context: Context) -> bool:
    return bool(set(context.options.reports) - {"console"})


@contextmanager
def _folder(context: Context) -> Iterator[Path]:
    """Where the fuzzer's config and reports go: kept beside our own reports, else temporary."""
    if _is_kept(context):
        folder = context.options.report_dir.absolute() / "schemathesis"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        yield folder
    else:
        with tempfile.TemporaryDirectory(prefix="mockserver-verify-") as temporary:
            yield Path(temporary)


def _readdress(folder: Path, gateway: str, target: str) -> None:
    """Let the fuzzer's reports speak of the server itself: the gateway is gone when they are read or replayed."""
    for name in REPORTS:
        for file in folder.glob(name):
            file.write_text(file.read_text(encoding="utf-8").replace(gateway, target), encoding="utf-8")


def _tell(context: Context, gateway: Gateway, result: FuzzResult, code: int | None, output: str) -> None:
    recorder = context.recorder
    for finding in result.findings:
        recorder.breach(
            finding.rule,
            kind=finding.kind,
            expected=finding.expected,
            actual=finding.actual,
            exchanges=finding.exchanges,
            check=finding.check,
            found_by="fuzzing",
        )
    if gateway.passed > MOST_PASSED:
        recorder.note(f"fuzzing was ended early: the answers to it were over {MOST_PASSED:,} bytes", warning=True)
    elif code is None:
        recorder.note("fuzzing was ended before it was through, for want of time")
    elif code not in (0, 1) or not result.finished:
        recorder.note(f"the fuzzer ended with code {code}: {' '.join(output.split())[-300:]}", warning=True)
    walked = ", ".join(f"{step} {result.steps.get(step, 0)}" for step in WALK)
    recorder.note(
        f"fuzzing made {result.cases} requests; its stateful phase walked from charge to collect "
        f"{result.walks} times (successful steps: {walked}); {gateway.withheld} requests were kept back, "
        "as they named records that this run has not made"
    )
    for failure in [one for one in gateway.unanswered if one.kind != "unsendable"][:3]:
        recorder.note(f"a request of the fuzzer was not answered: {failure.words}", warning=True)
