"""Judges every answer of a run, whoever asked for it: by its figures, and by what earlier answers said."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from mockserver.contract.contract import Contract, Operation
from mockserver.verify.claims.values import Row, exact
from mockserver.verify.events import RecordedExchange
from mockserver.verify.expectations.expect import Expect
from mockserver.verify.expectations.recorder import Recorder
from mockserver.verify.expectations.statements import (
    Evidence,
    Statement,
    Subject,
    all_of,
    is_refused,
    of,
    succeeded,
    sum_of,
)
from mockserver.verify.monitor.canonical import RequestReading, read_request
from mockserver.verify.monitor.history import ChargeHistory, Inconsistency, InvoiceHistory
from mockserver.verify.monitor.paging import list_flaws
from mockserver.verify.monitor.response_schema import ResponseSchema
from mockserver.verify.transport.http import Transport
from mockserver.verify.transport.messages import Answer, Outgoing

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
        self.invoices: dict[int, InvoiceHistory] = {}
        self.charges: dict[int, ChargeHistory] = {}
        self.void: dict[int, RecordedExchange] = {}
        """Void charges, by their ids, with the answer that showed each."""
        self.met: dict[tuple[str, str, str], int] = {}
        """Operation, documented status, state of the invoice addressed: how often."""
        self.reaches: dict[tuple[str, str], Reach] = {}
        """By the token and the merchant header, which is empty when there is none."""
        self.absent: frozenset[str] = frozenset()
        """Companions that the server does not have; nothing is judged on them."""
        self.shown: set[int] = set()
        """The ids of all invoices and charges that any answer showed."""
        self._expect = Expect(recorder, transport.ledger, self.lacks)
        self._schema = ResponseSchema(contract, self._expect)
        self._seen: dict[int, float] = {}
        """Every invoice id that any answer showed, and when."""
        self._stripe_ids: dict[str, int] = {}
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
            elif operation is not None and operation.id in ("finalizeInvoice", "collectInvoice"):
                self._may_have_acted(read_request(operation.id, outgoing))

    # --- figures ----------------------------------------------------------------------------------------------

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
            self._breach(flaw.rule, flaw.statement, f"{reading.operation}: {flaw.kind}", flaw.because, proves=True)
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
        self._breach(
            reach.rule, statement, f"{reading.operation} shows another merchant", because, actual=actual, proves=True
        )

    # --- histories --------------------------------------------------------------------------------------------

    def _remember(self, operation: Operation, reading: RequestReading, answer: Answer) -> None:
        if operation.id == "createInvoice":
            self._created(answer, reading)
        elif operation.id in ("finalizeInvoice", "collectInvoice"):
            self._acted(operation.id.removesuffix("Invoice"), reading, answer)
        elif operation.id == "createQuickAdjustment" and answer.ok:
            self._charged(answer)
        elif operation.id == "getCharge" and answer.ok:
            self._charge_row(answer.part("charge"), answer, of(answer).at("charge"))
        elif operation.id == "listCharges" and answer.ok:
            for row in answer.rows:
                self._charge_row(row, answer, of(answer).row("charge", row.get("id", 0)))
        elif operation.id == "listInvoices" and answer.ok:
            for row in answer.rows:
                self._invoice_row(row, answer, of(answer).row("invoice", row.get("id", 0)))

    def _created(self, answer: Answer, reading: RequestReading) -> None:
        """Which charges an odd create has taken is not known until an answer shows them to be invoiced."""
        row, named = answer.part("invoice"), reading.charges if reading.canonical else None
        made = of(answer).at("invoice")
        new = row.get("id")
        if not answer.ok or not isinstance(new, int):
            return
        if new in self.invoices or self._seen.get(new, answer.started) < answer.started:
            known = self.invoices.get(new)
            self._breach(
                "CREATE-7",
                made.at("id").differs(new if known is None else known.told_by.at("id")),
                "id used again",
                "a new invoice has an id never seen before",
                actual=f"it has the id {new}, which was seen already",
            )
        else:
            self.recorder.held("CREATE-7")
        history = InvoiceHistory(new, row, made, answer.ended, named)
        history.append(answer.exchange)
        self.invoices[new] = history
        self._invoice_row(row, answer, made)
        self._draft(made)
        for charge in named or ():
            self._taken(charge, history, answer)
        self._sum(row, named, answer)

    def _draft(self, made: Subject) -> None:
        names = ("status", "stripe_invoice_id", "stripe_invoice_status")
        statement = all_of(
            made.at("status").equals("Draft"),
            # An empty text is no id either.
            *(made.at(name).is_one_of(None, "", False, 0) for name in names[1:]),
        )
        if not statement.is_true():
            self._breach("CREATE-3", statement, "no draft", "a new invoice is a Draft, both Stripe properties null")

    def _taken(self, charge: int, history: InvoiceHistory, answer: Answer) -> None:
        known = self.charges.get(charge)
        if known is None or known.in_doubt:
            return
        if known.invoice is None and known.was_invoiced(answer.started):
            self._breach(
                "CREATE-4",
                is_refused(answer),
                "invoiced charge taken",
                "a charge that is Invoiced is on an invoice, and on no other ever",
                actual=f"charge {charge} was Invoiced before the create that named it",
                trace=known.trace,
            )
        elif known.invoice not in (None, history.id):
            first = self._trace(known.invoice)[:1]
            both: list[Evidence] = [*first, answer] if answer.exchange.race and first else []
            self._breach(
                "CREATE-4",
                succeeded(both).compares("<=", 1) if both else is_refused(answer),
                "charge invoiced twice",
                "a charge is on at most one invoice, ever",
                actual=f"charge {charge} is on the invoices {known.invoice} and {history.id}",
                trace=self._trace(known.invoice),
                proves=True,
            )
        else:
            self.recorder.held("CREATE-4")
        known.invoice, known.invoiced_since = history.id, answer.ended

    def _sum(self, row: Row, named: tuple[int, ...] | None, answer: Answer) -> None:
        histories = [self.charges[charge] for charge in named or () if charge in self.charges]
        histories = [history for history in histories if not history.in_doubt]
        if not named or len(histories) != len(set(named)):
            return
        for name, what in (("chargee_id", "merchant"), ("currency", "currency")):
            values = {str(history.first_seen.get(name)) for history in histories}
            if len(values) > 1:
                self._breach(
                    "CREATE-8",
                    is_refused(answer),
                    f"several {name}",
                    f"an invoice has one {what}",
                    actual=f"its charges have {' and '.join(sorted(values))}",
                )
        made = of(answer).at("invoice")
        self._parties(row, made, histories)
        if exact(row.get("total")) is not None:
            due = sum_of(
                history.told_by.at("amount") for history in {history.id: history for history in histories}.values()
            )
            statement = made.at("total").equals(due)
            if statement.is_true():
                self.recorder.held("CREATE-5")
            else:
                because = f"the total is the exact sum of its charges, {due.value()}"
                self._breach("CREATE-5", statement, "total", because, proves=True)

    def _parties(self, row: Row, made: Subject, histories: Sequence[ChargeHistory]) -> None:
        """The invoice is between those, and in the currency, that its charges are."""
        for name, rule in (("currency", "CREATE-8"), ("chargee_id", "CREATE-8"), ("charger_id", "GEN-9")):
            statement = all_of(*(made.at(name).agrees(history.told_by.at(name)) for history in histories))
            if name in row and not statement.is_true():
                values = sorted({str(history.first_seen.get(name)) for history in histories})
                because = f"the invoice has the {name} of its charges, {' or '.join(values)}"
                self._breach(rule, statement, f"{name} of its charges", because)

    def _acted(self, action: str, reading: RequestReading, answer: Answer) -> None:
        if not answer.refused:
            self._may_have_acted(reading)
        history = self.invoices.get(reading.record or -1)
        if history is None:
            return
        history.append(answer.exchange)
        if answer.refused and history.finalized_since is None:
            history.refused = action
        history.last_action = action
        if action == "collect" and answer.refused and history.finalized_since is not None:
            history.declined = True
        if action == "collect" and (history.finalize_tried or history.finalized_since is not None):
            # Even a refused attempt is one.
            history.collect_tried = True
        if answer.ok and action == "finalize" and history.finalized_since is None and reading.canonical:
            history.finalized_since = answer.ended
        if answer.ok and answer.part("invoice"):
            self._invoice_row(answer.part("invoice"), answer, of(answer).at("invoice"))

    def _may_have_acted(self, reading: RequestReading) -> None:
        """One that was not refused may have finalized its invoice, or any where the path names none for sure."""
        named = self.invoices.get(reading.record or -1)
        for history in self.invoices.values() if "path" in reading.odd else [named]:
            if history is not None:
                history.finalize_tried = True
                history.collect_tried = history.collect_tried or reading.operation == "collectInvoice"

    def expect_collect(self, invoice: int) -> None:
        """The invoice is about to be finalized and collected at once, in whichever order."""
        with self._lock:
            if (history := self.invoices.get(invoice)) is not None:
                history.finalize_tried = history.collect_tried = True

    def know_charge(self, answer: Answer) -> None:
        """Remembers the charge that an answer shows as one that this run works with."""
        row = answer.part("charge")
        new = row.get("id")
        with self._lock:
            if isinstance(new, int) and new not in self.charges:
                told_by = of(answer).at("charge")
                self.charges[new] = ChargeHistory(new, row, told_by, answer.ended, trace=[answer.exchange])

    def _charged(self, answer: Answer) -> None:
        self.know_charge(answer)
        made = of(answer).at("charge")
        for kind, because, statement in (
            ("born invoiced", "a new charge is on no invoice: it is Open", made.at("status").differs("Invoiced")),
            ("price and amount", "a charge's price and amount are equal", made.at("price").equals(made.at("amount"))),
        ):
            if not statement.is_true():
                self._breach("GEN-9", statement, kind, because)

    def _charge_row(self, row: Row, answer: Answer, seen: Subject) -> None:
        number = row.get("id")
        if not isinstance(number, int):
            return
        self.shown.add(number)
        self._void(number, row, answer, seen)
        history = self.charges.get(number)
        if history is None:
            return
        trace = [*history.trace, *self._trace(history.invoice)]
        found = history.inconsistencies(row, answer.started)
        for inconsistency in found:
            self._inconsistent(inconsistency, "charge", seen, trace)
        if not found:
            self.recorder.held("GEN-9", *(("CREATE-4",) if history.invoice is not None else ()))
        history.learn(row, answer.exchange, answer.ended)

    def _void(self, number: int, row: Row, answer: Answer, seen: Subject) -> None:
        if "void" in str(row.get("status")).lower():
            self.void.setdefault(number, answer.exchange)
        elif number in self.void and row.get("status") == "Invoiced":
            self._breach(
                "CREATE-6",
                seen.at("status").differs("Invoiced"),
                "void charge invoiced",
                "a void charge is never invoiced",
                trace=[self.void[number]],
            )

    def _invoice_row(self, row: Row, answer: Answer, seen: Subject) -> None:
        number = row.get("id")
        if not isinstance(number, int):
            return
        self.shown.add(number)
        self._seen.setdefault(number, answer.ended)
        history = self.invoices.get(number)
        if history is None:
            return
        found = history.inconsistencies(row, answer.started)
        for inconsistency in found:
            self._inconsistent(inconsistency, "invoice", seen, history.trace)
        if not found and answer.started >= history.since:
            self.recorder.held("GEN-9", *(("FINALIZE-1",) if history.finalized_since is not None else ()))
        history.learn(row, answer.ended, seen)
        self._one_stripe_invoice_each(history, seen)

    def _one_stripe_invoice_each(self, history: InvoiceHistory, seen: Subject) -> None:
        if history.stripe_id is None:
            return
        owner = self.invoices[self._stripe_ids.setdefault(history.stripe_id, history.id)]
        if owner is not history and owner.stripe_told_by is not None:
            self._breach(
                "COLLECT-2" if history.last_action == "collect" else "FINALIZE-2",
                seen.at("stripe_invoice_id").differs(owner.stripe_told_by.at("stripe_invoice_id")),
                "shared stripe invoice",
                "each invoice has a Stripe invoice of its own",
                actual=f"invoices {owner.id} and {history.id} both have {history.stripe_id}",
                trace=[*owner.trace, *history.trace],
                proves=True,
            )

    # --- telling ----------------------------------------------------------------------------------------------

    def _inconsistent(self, found: Inconsistency, where: str, seen: Subject, trace: Sequence[RecordedExchange]) -> None:
        statement = seen.at(found.name).compares(found.operator, found.right)
        self._breach(found.rule, statement, f"{where}: {found.kind}", found.because, trace=trace)

    def _breach(
        self,
        rule: str,
        statement: Statement,
        kind: str,
        because: str,
        *,
        actual: str = "",
        trace: Sequence[RecordedExchange] = (),
        proves: bool = False,
    ) -> None:
        self._expect.breach(rule, statement, because=because, kind=kind, actual=actual, using=trace, proves=proves)

    def _trace(self, invoice: int | None) -> list[RecordedExchange]:
        history = self.invoices.get(invoice) if invoice is not None else None
        return list(history.trace) if history is not None else []

    def _state_of(self, operation: Operation, reading: RequestReading, answer: Answer) -> str:
        if operation.id not in ("finalizeInvoice", "collectInvoice"):
            return "-"
        history = self.invoices.get(reading.record or -1)
        return history.state(answer.started) if history else "none"
