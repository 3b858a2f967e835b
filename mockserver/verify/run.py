"""One verification from the first look to the exit code, told as a stream of events."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from mockserver.billing.profile import CHOICES, Value, dump_profile
from mockserver.core.errors import Unusable
from mockserver.core.resources import openapi_path
from mockserver.verify.calibration.run import calibrate
from mockserver.verify.checks.create import GIVEN
from mockserver.verify.checks.finalize import LATE, never_on_stripe
from mockserver.verify.checks.runner import held_back, run_check, withheld
from mockserver.verify.checks.schedule import checks_for
from mockserver.verify.context import Bench
from mockserver.verify.discovery import find_api, find_callers
from mockserver.verify.errors import NoAnswer, NoApi, NotPossible, OutOfTime, ServerGone, Stop
from mockserver.verify.events import (
    Listener,
    PhaseStarted,
    Progress,
    RunFinished,
    RunStarted,
)
from mockserver.verify.fuzz import fuzz
from mockserver.verify.generated.model import walk_beside_the_fake
from mockserver.verify.known_breaches import KnownBreaches, read_known_breaches
from mockserver.verify.monitor.monitor import Observer
from mockserver.verify.options import Options, base_address
from mockserver.verify.recorder import Court
from mockserver.verify.spec import Spec, read_spec
from mockserver.verify.transport.billing_client import Billing
from mockserver.verify.transport.http import Transport, variable_name
from mockserver.verify.transport.redaction import Redaction
from mockserver.verify.transport.safety import Guard, Withheld
from mockserver.verify.verdicts import ExitCode, chosen_rules, finish

WHOLE_RUN = 1_100
"""Requests of a run that leaves out what is only thorough, as on a slow server."""
SLOW = 0.05
"""Seconds for one answer, from where on it is the server that takes the time."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    exit_code: ExitCode
    stop_reason: str
    profile: dict[str, Value]
    """The open choices that were measured."""


def verify(
    options: Options, listeners: Sequence[Listener], *, connection: httpx.BaseTransport | None = None
) -> Outcome:
    """Judges the server at `options.url`. Raises `Unusable` for options that can't be used.

    `connection` replaces the network in tests.
    """
    started = time.monotonic()
    spec = read_spec(options.spec or openapi_path())
    rules = chosen_rules(spec, options)
    known = read_known_breaches(options.accept, spec.rules) if options.accept else KnownBreaches()
    court = Court(listeners, options.seed, rules)
    transport = _transport(options, started, connection)
    observer = Observer(spec, court, transport)
    transport.on_wait = _wait_teller(court)
    court.emit(_run_started(options, spec, rules))
    try:
        me = Billing(transport, options.token, options.merchant)
        bench = Bench(
            options, spec, transport, court, observer, me, dict(options.profile or {}), pool=list(options.charge_ids)
        )
        reason, could_run = _go(bench)
        code = finish(bench, known, reason, could_run)
        court.emit(RunFinished(code, reason, time.monotonic() - started, transport.sent))
        measured = dict(bench.profile) if could_run else {}
        return Outcome(code, reason, measured)
    finally:
        transport.close()


def _go(bench: Bench) -> tuple[str, bool]:
    """Runs all phases. Returns why it stopped, and False when the run could not even begin or lost its server."""
    try:
        for answer in find_api(bench.me):
            bench.observer.see(answer)
        bench.transport.on_answer = bench.observer.see
        find_callers(bench)
        if bench.pool and not bench.options.read_only and "CREATE-8" in bench.court.rules:
            run_check(GIVEN, bench)
        if not bench.options.read_only:
            measured = calibrate(bench)
            _write_profile(bench, measured)
        else:
            calibrate(bench)
        _rules(bench)
        _model(bench)
        _fuzzing(bench)
        run_check(LATE, bench)
    except NoApi as problem:
        return str(problem), False
    except OutOfTime:
        never_on_stripe(bench)
        bench.court.note(_why_over(bench), warning=True)
        return "time", True
    except (ServerGone, NoAnswer) as failure:
        words = f"the server stopped answering after {bench.transport.sent} requests: {failure}"
        bench.court.note(words, warning=True)
        return words, False
    except Withheld:
        return withheld(bench), True
    return "completed", True


def _why_over(bench: Bench) -> str:
    limit = f"--max-time {bench.options.max_time:g}"
    if (wait := bench.transport.asked_too_much) is None:
        pace = bench.transport.latency
        enough = f"; at {pace:.2g} s an answer, --max-time {round(pace * WHOLE_RUN, -1):g} would do"
        return f"the time is over ({limit})" + (enough if pace > SLOW else "")
    return (
        f"the server asks to wait {wait:g} s (429), more than is left of {limit}: give the run more time, or keep to "
        "the server's limit with --rate-limit"
    )


def _rules(bench: Bench) -> None:
    checks = [check for check in checks_for(bench) if bench.court.rules & set(check.rules)]
    bench.court.emit(PhaseStarted("rules", len(checks)))
    for number, check in enumerate(checks, 1):
        bench.court.emit(Progress(check.name, number))
        run_check(check, bench)


def _model(bench: Bench) -> None:
    bench.court.emit(PhaseStarted("model"))
    bench.court.found_by = "model"
    try:
        with held_back(bench):
            walk_beside_the_fake(bench)
    except Stop:
        # What stopped it is a breach, and recorded.
        return
    except (NotPossible, Withheld) as reason:
        bench.court.note(f"no sequences were compared with the model: {reason}")


def _fuzzing(bench: Bench) -> None:
    if not bench.options.fuzz:
        return
    bench.court.emit(PhaseStarted("fuzzing"))
    bench.court.found_by = "fuzzing"
    with held_back(bench):
        fuzz(bench)


def _write_profile(bench: Bench, measured: dict[str, Value]) -> None:
    path = bench.options.write_profile
    if path is None:
        return
    choices = {key: measured[key] for key in CHOICES if key in measured}
    text = dump_profile(choices, description=f"Measured on {bench.transport.base_url}")
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Unusable(f"--write-profile {path}: {error.strerror}") from error
    missing = [key for key in CHOICES if key not in measured]
    bench.court.note(
        f"{len(choices)} measured choices are written to {path}"
        + (f"; not measured: {', '.join(missing)}" if missing else "")
    )


def _transport(options: Options, started: float, connection: httpx.BaseTransport | None) -> Transport:
    secrets = {"TOKEN": options.token}
    if options.other_token:
        secrets["OTHER_TOKEN"] = options.other_token
    secrets |= {variable_name(name): value for name, value in options.headers}
    return Transport(
        base_address(options.url),
        guard=Guard(options.read_only, options.charges_allowed),
        redaction=Redaction(secrets),
        # Starting and telling take time as well.
        deadline=started + options.max_time - min(1.0, options.max_time / 10),
        timeout=options.timeout,
        rate_limit=options.rate_limit,
        headers=options.headers,
        tls_verify=options.tls_verify,
        connection=connection,
    )


def _wait_teller(court: Court) -> Callable[[float], None]:
    told: list[float] = []

    def tell(seconds: float) -> None:
        if not told:
            court.note(f"the server asks to wait (429); the run waits {seconds:g} s, and whenever it is asked again")
        told.append(seconds)

    return tell


def _run_started(options: Options, spec: Spec, rules: frozenset[str]) -> RunStarted:
    return RunStarted(
        target=base_address(options.url),
        seed=options.seed,
        rules=tuple(rule for rule in spec.rules if rule in rules),
        spec_version=spec.version,
        left_behind=_left_behind(options),
        read_only=options.read_only,
        charges_allowed=options.charges_allowed,
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
