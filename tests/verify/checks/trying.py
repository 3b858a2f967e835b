"""Runs some checks alone on a server of `tests.mutants`, as a run on a quick server would, and keeps what they say."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from functools import cache
from typing import Any

from mockserver.billing.profile import Value
from mockserver.contract.contract import Contract
from mockserver.core.resources import openapi_path
from mockserver.verify.assertions.expect import Expect
from mockserver.verify.assertions.recorder import Recorder
from mockserver.verify.checks.runner import Check, run_check
from mockserver.verify.context.context import Context
from mockserver.verify.context.records import Records
from mockserver.verify.discovery import find_callers, find_companions
from mockserver.verify.events import Event
from mockserver.verify.monitor.monitor import Monitor
from mockserver.verify.options import Options
from mockserver.verify.transport.billing_client import Billing
from mockserver.verify.transport.http import Transport
from mockserver.verify.transport.redaction import Redaction
from mockserver.verify.transport.safety import SafetyGuard
from tests.mutants.config import ServerConfig
from tests.mutants.server import running

AGES = 10_000.0
"""Seconds by which the run is told to have begun later, so that no slowness of this machine leaves out a check."""


@cache
def contract() -> Contract:
    return Contract.load(openapi_path())


def tried(
    config: ServerConfig,
    checks: Iterable[Check],
    choices: Mapping[str, Value] | None = None,
    enough: Collection[str] = (),
    heard: list[Event] | None = None,
    **more: Any,
) -> Recorder:
    """What the checks made of the server of this configuration; `choices`: what was measured of it before.

    As soon as one of the rules in `enough` is broken it ends. `heard` gets what is told meanwhile; `more` are further
    options of the run.
    """
    with running(config) as server:
        given = dict(zip(config.arguments[::2], config.arguments[1::2], strict=True))
        token, other = given["--token"], given["--other-token"]
        options = Options(url=server.url, token=token, merchant=given["--merchant"], other_token=other, **more)
        recorder = Recorder([] if heard is None else [heard.append], 1, frozenset(contract().rules))
        transport = Transport(
            server.url,
            guard=SafetyGuard(False, True),
            redaction=Redaction({"TOKEN": token, "OTHER_TOKEN": other}),
            deadline=time.monotonic() + AGES,
            timeout=options.timeout,
        )
        with closing(transport):
            monitor = Monitor(contract(), recorder, transport)
            expect = Expect(recorder, transport.ledger, monitor.lacks)
            me = Billing(transport, token, options.merchant)
            records = Records(options, transport, monitor, expect, me, {"per_page_max": 25, **(choices or {})})
            context = Context(options, contract(), recorder, records)
            context.started += AGES
            find_callers(context)
            find_companions(context)
            transport.on_answer = monitor.see
            for check in checks:
                run_check(check, context)
                if broken(recorder) & set(enough):
                    break
    return recorder


def broken(recorder: Recorder) -> set[str]:
    return {breach.rule for breach in recorder.breaches.values()}
