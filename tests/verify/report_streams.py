"""Streams of events as a verification would emit them, for the tests of the reports."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from mockserver.contract.rules import Rule
from mockserver.verify.claims.claims import All, Body, Const, Get, Is, Status
from mockserver.verify.events import (
    Breach,
    BreachFound,
    ChoiceMeasured,
    Coverage,
    DriftFound,
    Event,
    Note,
    PhaseStarted,
    Progress,
    RecordedExchange,
    RuleFinished,
    RunFinished,
    RunStarted,
    Verdict,
)

TARGET = "http://127.0.0.1:8000/api"

PAGE = "the invoices page"
RULES: dict[str, Rule] = {
    "GEN-1": Rule("GEN-1", "observed", "Answers are JSON when JSON is asked for.", "the page on the API in general"),
    "GEN-4": Rule("GEN-4", "derived", "No token, or an unknown one, gets 401 and nothing happens.", "GEN-3"),
    "GEN-5": Rule("GEN-5", "derived", "No input makes the server answer 5xx.", "any API"),
    "GEN-8": Rule("GEN-8", "derived", "A token reaches only its own merchants' records.", "GEN-7"),
    "LIST-1": Rule("LIST-1", "documented", "The list answers 200 with a page of invoices.", PAGE),
    "LIST-3": Rule("LIST-3", "observed", "The page's figures agree with each other.", "an example response"),
    "CREATE-1": Rule("CREATE-1", "documented", "Makes an invoice of exactly the charges that are named.", PAGE),
    "CREATE-4": Rule(
        "CREATE-4",
        "derived",
        "A charge is on at most one invoice, ever, also when requests race, and is Invoiced from then on.",
        "nobody is billed twice",
    ),
    "CREATE-5": Rule("CREATE-5", "derived", "The total is the exact decimal sum.", "money"),
    "FINALIZE-1": Rule("FINALIZE-1", "documented", "Locks a draft: its charges and total never change again.", PAGE),
    "FINALIZE-3": Rule("FINALIZE-3", "derived", "An unknown invoice gets a 4xx.", "any API"),
    "COLLECT-1": Rule("COLLECT-1", "documented", "Collecting a draft is refused, and the draft stays one.", PAGE),
    "COLLECT-4": Rule("COLLECT-4", "derived", "Nobody pays twice.", "nobody is billed twice"),
    "SEARCH-2": Rule(
        "SEARCH-2", "observed", "Clauses are joined from left to right.", "the page on the search language"
    ),
}

HEADERS = (
    ("Accept", "application/json"),
    ("Authorization", "Bearer $TOKEN"),
    ("Content-Type", "application/json"),
    ("X-Selected-Client-Id", "1"),
)


class Ticking:
    """A clock that moves by `step` seconds each time it is asked."""

    def __init__(self, step: float = 0.25) -> None:
        self.now = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
        self.step = timedelta(seconds=step)

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


def exchange(
    method: str,
    path: str,
    *,
    status: int | None = 200,
    sends: object = None,
    answers: object = None,
    raw: bytes | None = None,
    headers: Sequence[tuple[str, str]] = HEADERS,
    failure: str | None = None,
) -> RecordedExchange:
    """A request below TARGET; `sends` and `answers` are JSON values, `raw` an answer in bytes."""
    return RecordedExchange(
        method=method,
        url=TARGET + path,
        headers=tuple(headers),
        body=None if sends is None else json.dumps(sends).encode(),
        status=status,
        answer_headers=(("content-type", "application/json"),),
        answer=raw if raw is not None else b"" if answers is None else json.dumps(answers).encode(),
        failure=failure,
        elapsed=0.01,
    )


def charge(number: int, amount: float = 12.5) -> RecordedExchange:
    return exchange(
        "POST",
        "/billing/charges/quick-adjustment",
        status=201,
        sends={"amount": amount, "description": "verify"},
        answers={"charge": {"id": number, "amount": amount, "status": "Open"}, "charge_items": []},
    )


def invoice(number: int, charges: Sequence[int], *, status: int = 201, total: float = 12.5) -> RecordedExchange:
    made = {"id": number, "status": "Draft", "total": total, "stripe_invoice_id": None}
    return exchange(
        "POST",
        "/billing/invoices",
        status=status,
        sends={"charge_ids": list(charges)},
        answers={"message": "Invoice created", "invoice": made},
    )


BILLED_TWICE = Breach(
    rule="CREATE-4",
    expected="a second invoice over the same charge is refused with a 4xx",
    actual="201 came, with a second invoice that holds charge 57 again",
    exchanges=(charge(57), invoice(12, [57]), invoice(13, [57])),
    seed=7,
    identity="CREATE-4 createInvoice accepted-again",
    check=All((Is(Status(2), ">=", Const(400)), Is(Status(2), "<", Const(500)))),
)

SERVER_ERROR = Breach(
    rule="GEN-5",
    expected="bad input is refused with a 4xx",
    actual="500 came, with a page of HTML, for a page number of -1",
    exchanges=(exchange("GET", "/billing/invoices?page=-1", status=500, raw=b"<h1>Whoops</h1>\n<p>Trace 0x7f31</p>"),),
    seed=7,
    identity="GEN-5 listInvoices 500",
    found_by="fuzzing",
    check=Is(Status(0), "<", Const(500)),
)

LEAK = Breach(
    rule="GEN-8",
    expected="a merchant's token sees none of another merchant's invoices",
    actual="the list of merchant 2 shows invoice 14 of merchant 1",
    exchanges=(
        charge(58),
        invoice(14, [58]),
        exchange(
            "GET",
            "/billing/invoices?q=id%3A%2214%22",
            headers=(("Accept", "application/json"), ("Authorization", "Bearer $OTHER_TOKEN")),
            answers={"data": [{"id": 14, "chargee_id": "1"}], "total": 1},
        ),
    ),
    seed=7,
    identity="GEN-8 listInvoices foreign",
    found_by="model",
    check=Is(Get(Body(2), ("total",)), "is", Const(0)),
)

CHOICES = (
    ChoiceMeasured("create_status", 201, True, "a valid request was answered 201"),
    ChoiceMeasured("list_order", "newest_first", True, "of two invoices the later came first"),
    ChoiceMeasured("per_page_max", None, True, "per_page=5000 was honoured in full"),
    ChoiceMeasured("refinalize", "accept", True, "finalizing again was answered 200", expected="refuse"),
    ChoiceMeasured("declined_status", None, False, "no merchant with a declining card was given"),
)

OPERATIONS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "listInvoices": {"200": ["-"], "401": ["-"], "4XX": ["-"]},
    "createInvoice": {"200": ["-"], "201": ["-"], "401": ["-"], "4XX": ["-"]},
    "finalizeInvoice": {"200": ["Draft", "finalized", "paid"], "4XX": ["none", "finalized", "paid"]},
    "collectInvoice": {
        "200": ["finalized", "declined", "paid"],
        "4XX": ["none", "Draft", "finalized", "declined", "paid"],
        "5XX": ["finalized"],
    },
    "createQuickAdjustment": {"200": ["-"], "401": ["-"], "4XX": ["-"]},
}


def coverage() -> Iterator[Coverage]:
    """Some cells never met, one met often."""
    for place, (operation, statuses) in enumerate(OPERATIONS.items()):
        for status, states in statuses.items():
            for state in states:
                met = 0 if status in ("5XX", "200") and state in ("declined", "finalized") else 3 ** (place + 1)
                yield Coverage(operation, status, state, 1204 if operation == "listInvoices" else met)


def run(
    *breaches: Breach,
    exit_code: int | None = None,
    accepted: Sequence[str] = (),
    unexercised: Mapping[str, str] | None = None,
    idle: Sequence[str] = (),
    stop_reason: str = "completed",
    finished: bool = True,
    notes: Sequence[Note] = (),
    rules: Mapping[str, Rule] = RULES,
    target: str = TARGET,
    charges_allowed: bool = True,
    drifts: Sequence[DriftFound] = (),
) -> list[Event]:
    """A whole run; rules without a breach hold, `unexercised` maps rules to reasons, `idle` ones do not matter."""
    missing = dict(unexercised or {})
    broken = {breach.rule for breach in breaches} - set(accepted)
    stream: list[Event] = [
        RunStarted(
            target,
            7,
            tuple(rules),
            "1.0.0",
            "9 charges and 5 invoices of merchant 1, described “verify”",
            False,
            charges_allowed,
        ),
        PhaseStarted("calibrate", steps=len(CHOICES)),
    ]
    for step, choice in enumerate(CHOICES, 1):
        stream += [Progress(f"measuring {choice.key}", step), choice]
    stream += drifts
    stream.append(PhaseStarted("rules", steps=len(rules)))
    seen: Counter[str] = Counter()
    for breach in breaches:
        seen[breach.identity] += 1
        stream.append(BreachFound(breach, seen[breach.identity]))
    for step, rule in enumerate(rules, 1):
        verdict: Verdict = "holds"
        if rule in broken:
            verdict = "broken"
        elif rule in accepted:
            verdict = "accepted"
        elif rule in missing or rule in idle:
            verdict = "not_exercised"
        reason = missing.get(rule, "known since spring, to be mended in March" if rule in accepted else "")
        tried = 0 if verdict == "not_exercised" else 3 * step
        stream += [Progress(f"testing {rule}", step), RuleFinished(rule, verdict, tried, reason, rule not in idle)]
    stream += [PhaseStarted("fuzzing"), *coverage(), *notes]
    code: Literal[0, 1, 2, 3] = 1 if broken or drifts else 3 if missing else 0
    if finished:
        stream.append(RunFinished(code if exit_code is None else exit_code, stop_reason, 41.3, 1204))
    return stream


def mixed() -> list[Event]:
    """A run with some of everything."""
    return run(
        BILLED_TWICE,
        SERVER_ERROR,
        SERVER_ERROR,
        LEAK,
        accepted=["GEN-5"],
        unexercised={"COLLECT-4": "charges are not allowed on this host (--allow-charges)"},
        idle=["SEARCH-2"],
        notes=[Note("the server asked twice to wait (429)", "warning"), Note("CREATE-2 was accepted and now holds")],
    )
