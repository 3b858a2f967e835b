"""Judges every answer of a run, whoever asked for it: by its figures, and by what earlier answers said."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from mockserver.verify.events import RecordedExchange
from mockserver.verify.monitor.history import ChargeHistory, Inconsistency, InvoiceHistory, Row, exact, shown
from mockserver.verify.monitor.paging import SIZES, page_flaws, repeated_ids
from mockserver.verify.monitor.response_schema import ResponseSchema
from mockserver.verify.recorder import Recorder
from mockserver.verify.spec import Spec, SpecOperation
from mockserver.verify.transport.billing_client import MERCHANT_HEADER
from mockserver.verify.transport.http import Answer, Transport
from mockserver.verify.transport.request_ids import addressed, named_charges, parameter


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose records a caller sees, and the rule that says so: those of one merchant only, or never those of another."""

    rule: str
    only: str | None = None
    never: str | None = None


class Monitor:
    """Hears of every answer. Safe to use from several threads."""

    def __init__(self, spec: Spec, recorder: Recorder, transport: Transport) -> None:
        self.spec = spec
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
        self._schema = ResponseSchema(spec, recorder)
        self._seen: dict[int, float] = {}
        """Every invoice id that any answer showed, and when."""
        self._stripe_ids: dict[str, int] = {}
        self._lock = threading.RLock()
        self._confirming = threading.local()

    def see(self, answer: Answer) -> None:
        """Judges one answer."""
        operation = self.spec.operation(answer.outgoing.method, answer.outgoing.target)
        if operation is None or operation.id in self.absent or getattr(self._confirming, "now", False):
            return
        with self._lock:
            state = self._state_of(operation, answer)
            documented = operation.documented(answer.status)
            if documented is not None:
                key = (operation.id, documented, state)
                self.met[key] = self.met.get(key, 0) + 1
            if not self._schema.keeps(operation, answer):
                return
        if operation.id in ("listInvoices", "listCharges") and answer.ok:
            self._figures(operation, answer)
            self._within_reach(operation, answer)
        with self._lock:
            self._remember(operation, answer)

    # --- figures ----------------------------------------------------------------------------------------------

    def _figures(self, operation: SpecOperation, answer: Answer) -> None:
        """A page that contradicts itself is asked for again: somebody else may have been writing just then."""
        flaws = self._page_flaws(operation, answer)
        latest = answer
        for _ in range(2):
            if not flaws:
                break
            latest = self._again(latest)
            kinds = {flaw.kind for flaw in self._page_flaws(operation, latest)}
            flaws = [flaw for flaw in flaws if flaw.kind in kinds]
        for flaw in flaws:
            self._inconsistent(flaw, operation.id, [], latest)
        if not any(flaw.rule == "LIST-3" for flaw in flaws) and operation.id == "listInvoices":
            self.recorder.held("LIST-3")

    def _page_flaws(self, operation: SpecOperation, answer: Answer) -> list[Inconsistency]:
        found = [*page_flaws(answer.mapping, answer.outgoing.target), *repeated_ids(answer.mapping)]
        # How many charges a page has, and whether that can be asked for, nothing says.
        unknown = SIZES if operation.id == "listCharges" else frozenset()
        return [flaw for flaw in found if flaw.kind not in unknown]

    def _again(self, answer: Answer) -> Answer:
        self._confirming.now = True
        try:
            return self.transport.send(answer.outgoing)
        finally:
            self._confirming.now = False

    def _within_reach(self, operation: SpecOperation, answer: Answer) -> None:
        """Whatever is searched for, and on whichever page, a list shows nobody else's records."""
        headers = {name.lower(): value for name, value in answer.outgoing.headers}
        token = headers.get("authorization", "").removeprefix("Bearer ") or parameter(answer, "api_token")
        reach = self.reaches.get((token, headers.get(MERCHANT_HEADER.lower(), "")))
        parties = {str(row["chargee_id"]) for row in answer.rows if "chargee_id" in row}
        if reach is None or not parties:
            return
        beyond = parties & {reach.never} if reach.only is None else parties - {reach.only}
        if not beyond:
            self.recorder.held(reach.rule)
            return
        self._breach(
            reach.rule,
            f"{operation.id} shows another merchant",
            f"the list is the merchant {reach.only}'s alone"
            if reach.only
            else f"the merchant {reach.never} is not in it",
            f"it shows one of the merchant {min(beyond)}",
            answer,
        )

    # --- histories --------------------------------------------------------------------------------------------

    def _remember(self, operation: SpecOperation, answer: Answer) -> None:
        if operation.id == "createInvoice":
            self._created(answer)
        elif operation.id in ("finalizeInvoice", "collectInvoice"):
            self._acted(operation.id.removesuffix("Invoice"), answer)
        elif operation.id == "createQuickAdjustment" and answer.ok:
            self._charged(answer)
        elif operation.id == "getCharge" and answer.ok:
            self._charge_row(answer.part("charge"), answer)
        elif operation.id == "listCharges" and answer.ok:
            for row in answer.rows:
                self._charge_row(row, answer)
        elif operation.id == "listInvoices" and answer.ok:
            for row in answer.rows:
                self._invoice_row(row, answer)

    def _created(self, answer: Answer) -> None:
        row, named = answer.part("invoice"), named_charges(answer.outgoing.body)
        new = row.get("id")
        if not answer.ok or not isinstance(new, int):
            return
        if new in self.invoices or self._seen.get(new, answer.started) < answer.started:
            self._breach(
                "CREATE-7",
                "id used again",
                "a new invoice has an id never seen before",
                f"it has the id {new}, which was seen already",
                answer,
                self._trace(new),
            )
        else:
            self.recorder.held("CREATE-7")
        history = InvoiceHistory(new, row, answer.ended, named)
        history.append(answer.exchange)
        self.invoices[new] = history
        self._invoice_row(row, answer)
        self._draft(row, answer)
        for charge in named or ():
            self._taken(charge, history, answer)
        self._sum(row, named, answer)

    def _draft(self, row: Row, answer: Answer) -> None:
        if row.get("status") != "Draft" or row.get("stripe_invoice_id") or row.get("stripe_invoice_status"):
            self._breach(
                "CREATE-3",
                "no draft",
                "a new invoice is a Draft, both Stripe properties null",
                f"status is {shown(row.get('status'))}, stripe_invoice_id {shown(row.get('stripe_invoice_id'))},"
                f" stripe_invoice_status {shown(row.get('stripe_invoice_status'))}",
                answer,
            )

    def _taken(self, charge: int, history: InvoiceHistory, answer: Answer) -> None:
        known = self.charges.get(charge)
        if known is None:
            return
        if known.invoice not in (None, history.id):
            self._breach(
                "CREATE-4",
                "charge invoiced twice",
                "a charge is on at most one invoice, ever",
                f"charge {charge} is on the invoices {known.invoice} and {history.id}",
                answer,
                self._trace(known.invoice),
            )
        else:
            self.recorder.held("CREATE-4")
        known.invoice, known.invoiced_since = history.id, answer.ended

    def _sum(self, row: Row, named: tuple[int, ...] | None, answer: Answer) -> None:
        histories = [self.charges[charge] for charge in named or () if charge in self.charges]
        if not named or len(histories) != len(set(named)):
            return
        for name, what in (("chargee_id", "merchant"), ("currency", "currency")):
            values = {str(history.first_seen.get(name)) for history in histories}
            if len(values) > 1:
                self._breach(
                    "CREATE-8",
                    f"several {name}",
                    f"an invoice has one {what}",
                    f"its charges have {' and '.join(sorted(values))}",
                    answer,
                )
        self._parties(row, histories, answer)
        due = sum((history.amount for history in {history.id: history for history in histories}.values()), Decimal(0))
        total = exact(row.get("total"))
        if total is not None and total != due:
            self._breach(
                "CREATE-5",
                "total",
                f"the total is the exact sum of its charges, {due}",
                f"it is {total}",
                answer,
                [step for history in histories for step in history.trace[:1]],
            )
        elif total is not None:
            self.recorder.held("CREATE-5")

    def _parties(self, row: Row, histories: Sequence[ChargeHistory], answer: Answer) -> None:
        """The invoice is between those, and in the currency, that its charges are."""
        for name, rule in (("currency", "CREATE-8"), ("chargee_id", "CREATE-8"), ("charger_id", "GEN-9")):
            values = {str(history.first_seen.get(name)) for history in histories}
            if name in row and values != {str(row[name])}:
                self._breach(
                    rule,
                    f"{name} of its charges",
                    f"the invoice has the {name} of its charges, {' or '.join(sorted(values))}",
                    f"its {name} is {row[name]}",
                    answer,
                    [step for history in histories for step in history.trace[:1]],
                )

    def _acted(self, action: str, answer: Answer) -> None:
        history = self.invoices.get(addressed(answer) or -1)
        if history is None:
            return
        history.append(answer.exchange)
        if answer.refused and history.finalized_since is None:
            history.refused = action
        history.last_action = action
        if action == "collect" and answer.refused and history.finalized_since is not None:
            history.declined = True
        if answer.ok or not answer.refused:
            history.finalize_tried = True
        if action == "collect" and (history.finalize_tried or history.finalized_since is not None):
            # Even a refused attempt is one.
            history.collect_tried = True
        if answer.ok and action == "finalize" and history.finalized_since is None:
            history.finalized_since = answer.ended
        if answer.ok and answer.part("invoice"):
            self._invoice_row(answer.part("invoice"), answer)

    def expect_collect(self, invoice: int) -> None:
        """The invoice is about to be finalized and collected at once, in whichever order."""
        with self._lock:
            if (history := self.invoices.get(invoice)) is not None:
                history.finalize_tried = history.collect_tried = True

    def know_charge(self, row: Row, answer: Answer) -> None:
        """Remembers a charge that this run works with."""
        new = row.get("id")
        with self._lock:
            if isinstance(new, int) and new not in self.charges:
                self.charges[new] = ChargeHistory(new, row, answer.ended, trace=[answer.exchange])

    def _charged(self, answer: Answer) -> None:
        row = answer.part("charge")
        self.know_charge(row, answer)
        if row.get("status") == "Invoiced":
            self._breach(
                "GEN-9",
                "born invoiced",
                "a new charge is on no invoice: it is Open",
                "its status is Invoiced",
                answer,
            )
        if exact(row.get("amount")) != exact(row.get("price")):
            self._breach(
                "GEN-9",
                "price and amount",
                "a charge's price and amount are equal",
                f"they are {shown(row.get('price'))} and {shown(row.get('amount'))}",
                answer,
            )

    def _charge_row(self, row: Row, answer: Answer) -> None:
        number = row.get("id")
        if not isinstance(number, int):
            return
        self.shown.add(number)
        self._void(number, row, answer)
        history = self.charges.get(number)
        if history is None:
            return
        trace = [*history.trace, *self._trace(history.invoice)]
        found = history.inconsistencies(row, answer.started)
        for inconsistency in found:
            self._inconsistent(inconsistency, "charge", trace, answer)
        if not found:
            self.recorder.held("GEN-9", *(("CREATE-4",) if history.invoice is not None else ()))

    def _void(self, number: int, row: Row, answer: Answer) -> None:
        if "void" in str(row.get("status")).lower():
            self.void.setdefault(number, answer.exchange)
        elif number in self.void and row.get("status") == "Invoiced":
            self._breach(
                "CREATE-6",
                "void charge invoiced",
                "a void charge is never invoiced",
                f"charge {number} is Invoiced",
                answer,
                [self.void[number]],
            )

    def _invoice_row(self, row: Row, answer: Answer) -> None:
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
            self._inconsistent(inconsistency, "invoice", history.trace, answer)
        if not found and answer.started >= history.since:
            self.recorder.held("GEN-9", *(("FINALIZE-1",) if history.finalized_since is not None else ()))
        history.learn(row, answer.ended)
        self._one_stripe_invoice_each(history, answer)

    def _one_stripe_invoice_each(self, history: InvoiceHistory, answer: Answer) -> None:
        if history.stripe_id is None:
            return
        owner = self._stripe_ids.setdefault(history.stripe_id, history.id)
        if owner != history.id:
            rule = "COLLECT-2" if history.last_action == "collect" else "FINALIZE-2"
            self._breach(
                rule,
                "shared stripe invoice",
                "each invoice has a Stripe invoice of its own",
                f"invoices {owner} and {history.id} both have {history.stripe_id}",
                answer,
                [*self._trace(owner), *history.trace],
            )

    # --- telling ----------------------------------------------------------------------------------------------

    def _inconsistent(
        self, found: Inconsistency, where: str, trace: Sequence[RecordedExchange], answer: Answer
    ) -> None:
        self._breach(found.rule, f"{where}: {found.kind}", found.expected, found.actual, answer, trace)

    def _breach(
        self,
        rule: str,
        kind: str,
        expected: str,
        actual: str,
        answer: Answer,
        trace: Sequence[RecordedExchange] = (),
        check: str = "",
    ) -> None:
        exchanges = [step for step in trace if step is not answer.exchange]
        self.recorder.breach(
            rule, kind=kind, expected=expected, actual=actual, check=check, exchanges=[*exchanges, answer.exchange]
        )

    def _trace(self, invoice: int | None) -> list[RecordedExchange]:
        history = self.invoices.get(invoice) if invoice is not None else None
        return list(history.trace) if history is not None else []

    def _state_of(self, operation: SpecOperation, answer: Answer) -> str:
        if operation.id not in ("finalizeInvoice", "collectInvoice"):
            return "-"
        history = self.invoices.get(addressed(answer) or -1)
        if history is None:
            return "none"
        if history.paid_since is not None and history.paid_since <= answer.started:
            return "paid"
        if history.finalized_since is None or history.finalized_since > answer.started:
            return "Draft"
        return "declined" if history.declined else "finalized"
