"""Judges every answer of a run, whoever asked for it: by its figures, and by what earlier answers said."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mockserver.contract.contract import Contract, Operation
from mockserver.verify.assertions.expect import Expect
from mockserver.verify.assertions.recorder import Recorder
from mockserver.verify.assertions.statements import Evidence, of
from mockserver.verify.monitor.canonical import RequestReading, read_request
from mockserver.verify.monitor.paging import list_flaws
from mockserver.verify.monitor.response_schema import ResponseSchema
from mockserver.verify.monitor.seen_charges import SeenCharges
from mockserver.verify.monitor.seen_invoices import SeenInvoices
from mockserver.verify.transport.http import Transport
from mockserver.verify.transport.messages import Answer, Outgoing

_ACTIONS = {"finalizeInvoice": "finalize", "collectInvoice": "collect"}

_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
"""Methods that change nothing."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose records a caller sees, and the rule that says so: those of one merchant only, or never those of another."""

    rule: str
    only: str | None = None
    never: str | None = None


class Monitor:
    """Hears of every answer. Safe to use from several threads."""

    def __init__(self, contract: Contract, recorder: Recorder, transport: Transport) -> None:
        self._contract = contract
        self.recorder = recorder
        self.transport = transport
        self.met: dict[tuple[str, str, str], int] = {}
        """Operation, documented status, state of the invoice addressed: how often."""
        self.reaches: dict[tuple[str, str], Reach] = {}
        """By the token and the merchant header, which is empty when there is none."""
        self.absent: frozenset[str] = frozenset()
        """Companions that the server does not have; nothing is judged on them."""
        self._expect = Expect(recorder, transport.ledger, self.lacks)
        self._schema = ResponseSchema(contract, self._expect)
        self._charges = SeenCharges(self._expect)
        self._invoices = SeenInvoices(self._expect, self._charges)
        self.invoices = self._invoices.histories
        """Those that this run made, by their ids."""
        self.charges = self._charges.histories
        """Those that this run made or was given, by their ids."""
        self.void = self._charges.void
        """Void charges, by their ids, with the answer that showed each."""
        self._lock = threading.RLock()
        self._confirming = threading.local()
        self._rests = False

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Nothing that is answered inside is judged or remembered."""
        self._rests = True
        try:
            yield
        finally:
            self._rests = False

    def lacks(self, answer: Evidence) -> bool:
        """Whether that is the answer of an operation that the server does not have."""
        if not self.absent or not isinstance(answer, Answer):
            return False
        operation = self._contract.addressed(answer.outgoing.method, answer.outgoing.target)
        return operation is not None and operation.id in self.absent

    def see(self, answer: Answer) -> None:
        """Judges one answer."""
        if self._rests:
            return
        operation = self._contract.addressed(answer.outgoing.method, answer.outgoing.target)
        if getattr(self._confirming, "now", False):
            return
        if operation is None or operation.id in self.absent:
            if not answer.refused:
                self.not_answered(answer.outgoing)
            return
        reading = read_request(operation.id, answer.outgoing)
        with self._lock:
            state = self._state_of(operation, reading, answer)
            documented = self._contract.documented(operation, answer.status)
            if documented is not None:
                key = (operation.id, documented, state)
                self.met[key] = self.met.get(key, 0) + 1
            if not self._schema.keeps(operation, answer):
                if not answer.refused:
                    self.not_answered(answer.outgoing)
                return
        if operation.id in ("listInvoices", "listCharges") and answer.ok:
            self._figures(answer, reading)
            self._within_reach(reading, answer)
        with self._lock:
            self._remember(operation, reading, answer)

    def not_answered(self, outgoing: Outgoing) -> None:
        """Takes into account what a request may have done of which no answer tells."""
        if self._rests:
            return
        operation = self._contract.addressed(outgoing.method, outgoing.target)
        with self._lock:
            if operation is None and outgoing.method not in _SAFE:
                for invoice in self.invoices.values():
                    invoice.in_doubt = True
                for charge in self.charges.values():
                    charge.in_doubt = True
            elif operation is not None and operation.id in _ACTIONS:
                self._invoices.may_have_acted(read_request(operation.id, outgoing))

    def expect_collect(self, invoice: int) -> None:
        """The invoice is about to be finalized and collected at once, in whichever order."""
        with self._lock:
            if (history := self.invoices.get(invoice)) is not None:
                history.finalize_tried = history.collect_tried = True

    def know_charge(self, answer: Answer) -> None:
        """Remembers the charge that an answer shows as one that this run works with."""
        with self._lock:
            self._charges.know(answer)

    def has_shown(self, number: int) -> bool:
        """Whether any answer showed an invoice or a charge of that id."""
        return number in self._invoices.shown or number in self._charges.shown

    def _figures(self, answer: Answer, reading: RequestReading) -> None:
        """A page that contradicts itself is asked for again: somebody else may have been writing just then."""
        if not answer.mapping:
            return
        target = answer.outgoing.target if reading.canonical else None
        flaws = list_flaws(reading.operation, of(answer), target)
        latest = answer
        for _ in range(2):
            if not flaws:
                break
            latest = self._again(latest)
            kinds = {flaw.kind for flaw in flaws}
            again = list_flaws(reading.operation, of(latest), target)
            flaws = [flaw for flaw in again if flaw.kind in kinds]
        for flaw in flaws:
            # It was asked for three times, and contradicts itself.
            kind = f"{reading.operation}: {flaw.kind}"
            self._expect.breach(flaw.rule, flaw.statement, kind=kind, because=flaw.because, proves=True)
        if not any(flaw.rule == "LIST-3" for flaw in flaws) and reading.operation == "listInvoices":
            self.recorder.held("LIST-3")

    def _again(self, answer: Answer) -> Answer:
        self._confirming.now = True
        try:
            return self.transport.send(answer.outgoing)
        finally:
            self._confirming.now = False

    def _within_reach(self, reading: RequestReading, answer: Answer) -> None:
        """Whatever is searched for, and on whichever page, a list shows nobody else's records."""
        reach = None if "caller" in reading.odd else self.reaches.get((reading.token or "", reading.merchant or ""))
        parties = {str(row["chargee_id"]) for row in answer.rows if "chargee_id" in row}
        if reach is None or not parties:
            return
        beyond = parties & {reach.never} if reach.only is None else parties - {reach.only}
        if not beyond:
            self.recorder.held(reach.rule)
            return
        whose = of(answer).each("chargee_id")
        if reach.only is None:
            statement = whose.every("disagrees", reach.never)
            because = f"the merchant {reach.never} is not in it"
        else:
            statement = whose.every("agrees", reach.only)
            because = f"the list is the merchant {reach.only}'s alone"
        actual = f"it shows one of the merchant {min(beyond)}"
        kind = f"{reading.operation} shows another merchant"
        self._expect.breach(reach.rule, statement, kind=kind, because=because, actual=actual, proves=True)

    def _remember(self, operation: Operation, reading: RequestReading, answer: Answer) -> None:
        if operation.id == "createInvoice":
            self._invoices.made(answer, reading)
        elif operation.id in _ACTIONS:
            self._invoices.acted(_ACTIONS[operation.id], reading, answer)
        elif operation.id == "createQuickAdjustment" and answer.ok:
            self._charges.made(answer)
        elif operation.id == "getCharge" and answer.ok:
            self._charges.row(answer.part("charge"), answer, of(answer).at("charge"))
        elif operation.id == "listCharges" and answer.ok:
            for row in answer.rows:
                self._charges.row(row, answer, of(answer).row("charge", row.get("id", 0)))
        elif operation.id == "listInvoices" and answer.ok:
            for row in answer.rows:
                self._invoices.row(row, answer, of(answer).row("invoice", row.get("id", 0)))

    def _state_of(self, operation: Operation, reading: RequestReading, answer: Answer) -> str:
        if operation.id not in _ACTIONS:
            return "-"
        history = self.invoices.get(reading.record or -1)
        return history.state(answer.started) if history else "none"
