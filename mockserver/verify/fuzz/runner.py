"""One run of Schemathesis: what it is given, and what is made of what it found."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mockserver.verify.checks.runner import still_there
from mockserver.verify.context.context import Context
from mockserver.verify.errors import NoAnswer, NotPossible, Stop
from mockserver.verify.fuzz.gateway import PLACEHOLDER, Gateway, serving
from mockserver.verify.fuzz.ndjson import WALK, FuzzResult, read_report
from mockserver.verify.fuzz.process import MOST_PASSED, TOKEN_VARIABLE, FuzzerProcess, config_text
from mockserver.verify.transport.safety import Withheld

MOST_SECONDS = 60.0
LEAST_SECONDS = 3.0
FRESH_CHARGES = 12

REPORTS = ("events.ndjson", "verdict.json", "junit.xml", "output.txt", ".schemathesis/**/*.json")
"""What Schemathesis leaves in the folder; the last are the cases that it can replay."""


@contextmanager
def fuzzer_of(context: Context) -> Iterator[FuzzerProcess | None]:
    """The fuzzer's process, which loads while the rules are tried; None for a run that fuzzes nothing."""
    if not context.options.fuzz:
        yield None
        return
    process = FuzzerProcess()
    try:
        yield process
    finally:
        process.close()


def fuzz(context: Context, process: FuzzerProcess) -> None:
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
        (folder / "schemathesis.toml").write_text(config_text(context), encoding="utf-8")
        until = time.monotonic() + min(MOST_SECONDS, context.transport.left - 1.0)
        code, output = process.run(context, gateway, address, folder, until)
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
    amounts = [charge.amount for charge in context.monitor.charges.values()]
    return {
        "merchant": context.me.merchant,
        "digits": context.records.digits or 0,
        "most": str(max(amounts, default=0)),
        "least": str(min((amount for amount in amounts if amount > 0), default=0)),
        "charges": charges,
        "invoices": invoices,
    }


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


def _end_of(output: str) -> str:
    """Its last lines, where what went wrong stands."""
    lines = [" ".join(line.split()) for line in output.splitlines() if line.strip()]
    return "; ".join(line[:200] for line in lines[-3:])


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
        if context.transport.signals.number is None:
            recorder.note("fuzzing was ended before it was through, for want of time")
    elif code not in (0, 1) or not result.finished:
        recorder.note(f"the fuzzer ended with code {code}: {_end_of(output)}", warning=True)
    walked = ", ".join(f"{step} {result.steps.get(step, 0)}" for step in WALK)
    recorder.note(
        f"fuzzing made {result.cases} requests; its stateful phase walked from charge to collect "
        f"{result.walks} times (successful steps: {walked}); {gateway.withheld} requests were kept back, "
        "as they named records that this run has not made"
    )
    for failure in [one for one in gateway.unanswered if one.kind != "unsendable"][:3]:
        recorder.note(f"a request of the fuzzer was not answered: {failure.words}", warning=True)
