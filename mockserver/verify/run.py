"""One verification from the first look to the exit code, told as a stream of events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import httpx

from mockserver.billing.profile import CHOICES, Value, dump_profile
from mockserver.contract.contract import Contract
from mockserver.core.errors import Unusable
from mockserver.core.resources import openapi_path
from mockserver.verify.assertions.expect import Expect
from mockserver.verify.assertions.recorder import Recorder
from mockserver.verify.calibration.measurements import Calibration
from mockserver.verify.calibration.run import calibrate
from mockserver.verify.checks.create import GIVEN
from mockserver.verify.checks.finalize import LATE, never_on_stripe
from mockserver.verify.checks.runner import Check, Steps, begin_check, held_back, run_check, still_there, withheld
from mockserver.verify.checks.schedule import checks_for
from mockserver.verify.claims.claims import CannotTell
from mockserver.verify.command_line import command_line
from mockserver.verify.context.context import Context
from mockserver.verify.context.records import Records
from mockserver.verify.discovery import find_api, find_callers, find_companions
from mockserver.verify.duration import foretell, why_over
from mockserver.verify.errors import NoAnswer, NoApi, NotPossible, OutOfTime, ServerGone, Stop
from mockserver.verify.events import (
    Listener,
    PhaseStarted,
    Progress,
    RunFinished,
    RunStarted,
)
from mockserver.verify.fuzz.process import FuzzerProcess
from mockserver.verify.fuzz.runner import fuzz, fuzzer_of
from mockserver.verify.generation.model import walk_beside_the_fake
from mockserver.verify.known_breaches import KnownBreaches, read_known_breaches
from mockserver.verify.leavings import Leavings
from mockserver.verify.monitor.monitor import Monitor
from mockserver.verify.options import Options, base_address
from mockserver.verify.reproduction.confirming import confirm
from mockserver.verify.transport.billing_client import Billing
from mockserver.verify.transport.http import Transport
from mockserver.verify.transport.messages import Answer
from mockserver.verify.transport.redaction import Redaction, header_variables
from mockserver.verify.transport.safety import SafetyGuard, Withheld
from mockserver.verify.transport.signals import Interrupted, Signals
from mockserver.verify.verdicts import chosen_rules, finish

MOST_REPLAYING = 8.0
"""Seconds that are kept at most for replaying what was found."""
MEASURING = 1 / 3
"""The share of a run that measuring may take where the time is short."""
AGAIN = 0.25
"""Seconds between two looks for a server that is still starting."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended."""

    exit_code: int
    stop_reason: str
    profile: dict[str, Value]
    """The open choices that were measured."""


def verify(
    options: Options,
    listeners: Sequence[Listener],
    *,
    contract: Contract | None = None,
    connection: httpx.BaseTransport | None = None,
    signals: Signals | None = None,
) -> RunOutcome:
    """Judges the server at `options.url`. Raises `Unusable` for options that can't be used.

    `contract`: what to judge by, where it is loaded already. `connection` replaces the network in tests; `signals` may
    end the run. What is raised after the start is raised when the listeners know all that was learned.
    """
    started = time.monotonic()
    contract = contract or Contract.load(options.spec or openapi_path())
    rules = chosen_rules(contract, options)
    known = read_known_breaches(options.accept, contract.rules) if options.accept else KnownBreaches()
    redaction = _redaction(options)
    recorder = Recorder(listeners, options.seed, rules, hide=redaction.hide)
    transport = _transport(options, started, redaction, connection, signals)
    monitor = Monitor(contract, recorder, transport)
    leavings = Leavings()
    transport.on_wait = _wait_teller(recorder)
    transport.on_lost = _each(leavings.lose, monitor.not_answered)
    recorder.emit(_run_started(options, contract, rules))

    def finished(code: int, reason: str) -> None:
        recorder.emit(RunFinished(code, reason, time.monotonic() - started, transport.sent, leavings.words()))

    try:
        records = Records(
            options,
            transport,
            monitor,
            Expect(recorder, transport.ledger, monitor.lacks),
            Billing(transport, options.token, options.merchant),
            dict(options.profile or {}),
            pool=list(options.charge_ids),
        )
        context = Context(options, contract, recorder, records)
        reason, could_run = _go(context, leavings)
        if transport.signals.number is not None:
            transport.hang_up()
        code = finish(context, known, reason, could_run)
        finished(code, reason)
        measured = dict(context.profile) if could_run else {}
        return RunOutcome(code, reason, measured)
    except Exception as error:
        finished(2, str(error) if isinstance(error, Unusable) else f"{type(error).__name__}: {error}")
        raise
    finally:
        transport.close()


def _set_aside_spent(context: Context) -> None:
    spent = [] if context.options.read_only or not context.records.pool else context.records.set_aside_spent()
    if spent:
        told = f"of --charge-ids these are no longer uninvoiced, and set aside: {', '.join(map(str, spent))}"
        context.recorder.note(told, warning=True)


def _go(context: Context, leavings: Leavings) -> tuple[str, bool]:
    """Runs all phases. Returns why it stopped, and False when the run could not even begin or lost its server."""
    transport = context.transport
    try:
        first = _found(context)
        context.started = time.monotonic()
        for answer in first:
            context.monitor.see(answer)
        # The first answer tells of a limit; how long answers take shows after some.
        told = None if context.transport.pace.limit is None else foretell(context)
        _look_around(context, leavings)
        is_tight = foretell(context) if told is None else told
        _set_aside_spent(context)
        if context.records.pool and not context.options.read_only and "CREATE-8" in context.recorder.rules:
            context.recorder.emit(PhaseStarted("charges given"))
            run_check(GIVEN, context)
        with transport.share(transport.left * MEASURING if is_tight else transport.left):
            measured = calibrate(context)
        _write_profile(context, measured)
        with fuzzer_of(context) as fuzzer:
            _rules(context, is_tight=is_tight)
            _model(context)
            _fuzzing(context, fuzzer)
        run_check(LATE, context)
        _reproduce(context)
    except NoApi as problem:
        return str(problem), False
    except Interrupted as end:
        return str(end), False
    except OutOfTime:
        never_on_stripe(context)
        context.recorder.note(why_over(context), warning=True)
        return _late(context)
    except (ServerGone, NoAnswer) as failure:
        words = f"the server stopped answering after {transport.sent} requests: {failure}"
        context.recorder.note(words, warning=True)
        return words, False
    except Withheld:
        return withheld(context), True
    return "completed", True


def _late(context: Context) -> tuple[str, bool]:
    """The end of a run whose time is over, save for what was kept for replaying."""
    try:
        _reproduce(context)
    except Interrupted as end:
        return str(end), False
    except (ServerGone, NoAnswer) as failure:
        context.recorder.note(f"the server stopped answering: {failure}", warning=True)
    return "time", True


def _reproduce(context: Context) -> None:
    context.transport.deadline += _reserve(context.options)
    confirm(context)


def _reserve(options: Options) -> float:
    """Seconds of the run that are kept for replaying what was found."""
    return min(MOST_REPLAYING, options.max_time / 10)


def _look_around(context: Context, leavings: Leavings) -> None:
    """Learns who calls and what the server has, and only then judges the answers that told so."""
    heard: list[Answer] = []
    context.transport.on_answer = _each(leavings.see, heard.append)
    try:
        find_callers(context)
        find_companions(context)
    except NoAnswer:
        # One that starts may take long once.
        find_callers(context)
        find_companions(context)
    context.transport.on_answer = _each(leavings.see, context.monitor.see)
    for answer in heard:
        context.monitor.see(answer)


def _each(*hearers: Callable[[T], None]) -> Callable[[T], None]:
    def hear(what: T) -> None:
        for hearer in hearers:
            hearer(what)

    return hear


def _found(context: Context) -> list[Answer]:
    """The first answers of the API, waited for as long as `--wait` says. Raises `NoApi`."""
    began = time.monotonic()
    whole, context.transport.deadline = context.transport.deadline, context.transport.deadline + context.options.wait
    while True:
        try:
            answers = find_api(context.me)
        except NoApi as problem:
            if not problem.may_come or time.monotonic() - began + AGAIN > context.options.wait:
                raise
            context.transport.pause(AGAIN)
            continue
        # The wait is not of the run's own time.
        waited = min(time.monotonic() - began, context.options.wait)
        context.transport.deadline = whole + waited
        return answers


def _rules(context: Context, *, is_tight: bool) -> None:
    """All checks; where the time `is_tight`, or the server asks to wait, those first that try another rule.

    Otherwise all that may have to wait for the queue for Stripe are begun before the first of them waits.
    """
    left = [check for check in checks_for(context) if context.recorder.rules & set(check.rules)]
    context.recorder.emit(PhaseStarted("rules", len(left)))
    had: set[str] = set()
    begun: dict[Check, Steps | None] = {}
    for number in range(1, len(left) + 1):
        if is_tight or context.transport.waited:
            left = _by_turns(left, had)
        elif left[0] not in begun and (left[0].waits or left[0].found_by != "scenario"):
            begun |= {check: begin_check(check, context) for check in _to_begin(left, context) if check not in begun}
        check, *left = left
        had.update(check.rules)
        context.recorder.emit(Progress(check.name, number))
        steps = begun.get(check)
        if check not in begun or steps is not None:
            run_check(check, context, steps)


def _to_begin(left: Sequence[Check], context: Context) -> list[Check]:
    """What may have to wait; on a slow server what is only thorough still comes last."""
    return [check for check in left if check.waits and (context.thorough or check.thorough == left[0].thorough)]


def _by_turns(checks: Sequence[Check], had: Iterable[str]) -> list[Check]:
    """The same checks: at first each that has a rule which none before it has, and which was not `had`."""
    had = set(had)
    first: list[Check] = []
    later: list[Check] = []
    for check in checks:
        (later if had.issuperset(check.rules) else first).append(check)
        had.update(check.rules)
    return [*first, *later]


def _model(context: Context) -> None:
    context.recorder.emit(PhaseStarted("model"))
    context.recorder.found_by = "model"
    try:
        with held_back(context):
            walk_beside_the_fake(context)
    except Stop:
        # What stopped it is a breach, and recorded.
        return
    except (NotPossible, Withheld, CannotTell) as reason:
        context.recorder.note(f"no sequences were compared with the model: {reason}")
    except NoAnswer as failure:
        still_there(context)
        context.recorder.note(f"the comparison with the model ended at a request without an answer: {failure.words}")


def _fuzzing(context: Context, fuzzer: FuzzerProcess | None) -> None:
    if fuzzer is None:
        return
    context.recorder.emit(PhaseStarted("fuzzing"))
    context.recorder.found_by = "fuzzing"
    with held_back(context):
        fuzz(context, fuzzer)


def _write_profile(context: Context, measured: Calibration) -> None:
    path = context.options.write_profile
    if path is None:
        return
    choices = {key: measured.found[key][0] for key in CHOICES if key in measured.found}
    missing = {key: measured.missed.get(key, "not tried") for key in CHOICES if key not in choices}
    hide = context.transport.redaction.hide
    text = dump_profile(
        choices,
        description=f"Measured on {context.transport.base_url}",
        unmeasured={key: hide(reason) for key, reason in missing.items()},
    )
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Unusable(f"--write-profile {path}: {error.strerror}") from error
    context.recorder.note(
        f"{len(choices)} measured choices are written to {path}"
        + (f"; not measured: {', '.join(missing)}" if missing else "")
    )


def _redaction(options: Options) -> Redaction:
    secrets = {"TOKEN": options.token}
    if options.other_token:
        secrets["OTHER_TOKEN"] = options.other_token
    values = (value for _, value in options.headers)
    return Redaction(secrets | dict(zip(header_variables(options.headers), values, strict=True)))


def _transport(
    options: Options,
    started: float,
    redaction: Redaction,
    connection: httpx.BaseTransport | None,
    signals: Signals | None,
) -> Transport:
    return Transport(
        base_address(options.url),
        guard=SafetyGuard(options.read_only, options.charges_allowed),
        redaction=redaction,
        # Starting and telling take time as well.
        deadline=started + options.max_time - min(1.0, options.max_time / 10) - _reserve(options),
        timeout=options.timeout,
        rate_limit=options.rate_limit,
        headers=options.headers,
        tls_verify=options.tls_verify,
        connection=connection,
        signals=signals,
    )


def _wait_teller(recorder: Recorder) -> Callable[[float], None]:
    told: list[float] = []

    def tell(seconds: float) -> None:
        if not told:
            recorder.note(f"the server asks to wait (429); the run waits {seconds:g} s, and whenever it is asked again")
        told.append(seconds)

    return tell


def _run_started(options: Options, contract: Contract, rules: frozenset[str]) -> RunStarted:
    return RunStarted(
        target=base_address(options.url),
        seed=options.seed,
        rules=tuple(rule for rule in contract.rules if rule in rules),
        spec_version=contract.version,
        left_behind=_left_behind(options),
        read_only=options.read_only,
        charges_allowed=options.charges_allowed,
        command=command_line(options),
    )


def _left_behind(options: Options) -> str:
    if options.read_only:
        return "nothing: only GET is sent"
    merchant = f"merchant {options.merchant}" if options.merchant else "the token's merchant"
    whose = f"{merchant} and the second token's merchant" if options.other_token else merchant
    made = "invoices of the given charges" if options.charge_ids else "some hundred charges and invoices"
    swept = "" if options.charge_ids else ", among them invoices of whatever charges were open"
    money = "some of them paid" if options.charges_allowed else "none of them collected"
    return f"{made} of {whose}{swept}, {money}; the API can't delete them"
