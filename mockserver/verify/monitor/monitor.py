"""Judges every answer of a run, whoever asked for it: by its figures, and by what earlier answers said."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from mockserver.verify.events import Exchange
from mockserver.verify.monitor.history import ChargeLife, Contradiction, InvoiceLife, Row, exact, shown
from mockserver.verify.monitor.paging import page_flaws, repeated_ids
from mockserver.verify.monitor.response_schema import Forms
from mockserver.verify.recorder import Court
from mockserver.verify.spec import Operation, Spec
from mockserver.verify.transport.billing_client import MERCHANT_HEADER
from mockserver.verify.transport.http import Answer, Transport
from mockserver.verify.transport.request_ids import addressed, named_charges, parameter


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose records a caller sees, and the rule that says so: those of one merchant only, or never those of another."""

    rule: str
    only: str | None = None
    never: str | None = None


class Observer:
    """Hears of every answer. Safe to use from several threads."""

    def __init__(self, spec: Spec, court: Court, transport: Transport) -> None:
        self.spec = spec
        self.court = court
        self.transport = transport
        self.invoices: dict[int, InvoiceLife] = {}
        self.charges: dict[int, ChargeLife] = {}
        self.void: dict[int, Exchange] = {}
        """Void charges, by their ids, with the answer that showed each."""
        self.met: dict[tuple[str, str, str], int] = {}
        """Operation, documented status, state of the invoice addressed: how often."""
        self.reaches: dict[tuple[str, str], Reach] = {}
        """By the token and the merchant header, which is empty when there is none."""
        self.shown: set[int] = set()
        """The ids of all invoices and charges that any answer showed."""
        self._forms = Forms(spec, court)
        self._seen: dict[int, float] = {}
        """Every invoice id that any answer showed, and when."""
        self._stripe_ids: dict[str, int] = {}
        self._lock = threading.RLock()
        self._confirming = threading.local()

    def see(self, answer: Answer) -> None:
        """Judges one answer."""
        operation = self.spec.operation(answer.outgoing.method, answer.outgoing.target)
        if operation is None or getattr(self._confirming, "now", False):
            return
        with self._lock:
            state = self._state_of(operation, answer)
            documented = operation.documented(answer.status)
            if documented is not None:
                key = (operation.id, documented, state)
                self.met[key] = self.met.get(key, 0) + 1
            if not self._forms.keeps(operation, answer):
                return
        if operation.id == "listInvoices" and answer.ok:
            self._figures(answer)
        if operation.id in ("listInvoices", "listCharges") and answer.ok:
            self._within_reach(operation, answer)
        with self._lock:
            self._remember(operation, answer)

    # --- figures ----------------------------------------------------------------------------------------------

    def _figures(self, answer: Answer) -> None:
        """A page that contradicts itself is asked for again: somebody else may have been writing just then."""
        flaws = self._page_flaws(answer)
        latest = answer
        for _ in range(2):
            if not flaws:
                break
            latest = self._again(latest)
            kinds = {flaw.kind for flaw in self._page_flaws(latest)}
            flaws = [flaw for flaw in flaws if flaw.kind in kinds]
        for flaw in flaws:
            self._contradicted(flaw, "listInvoices", [], latest)
        broken = {flaw.rule for flaw in flaws}
        self.court.met(*({"LIST-3"} - broken))

    def _page_flaws(self, answer: Answer) -> list[Contradiction]:
        return [*page_flaws(answer.mapping, answer.outgoing.target), *repeated_ids(answer.mapping)]

    def _again(self, answer: Answer) -> Answer:
        self._confirming.now = True
        try:
            return self.transport.send(answer.outgoing)
        finally:
            self._confirming.now = False

    def _within_reach(self, operation: Operation, answer: Answer) -> None:
        """Whatever is searched for, and on whichever page, a list shows nobody else's records."""
        headers = {name.lower(): value for name, value in answer.outgoing.headers}
        token = headers.get("authorization", "").removeprefix("Bearer ") or parameter(answer, "api_token")
        reach = self.reaches.get((token, headers.get(MERCHANT_HEADER.lower(), "")))
        parties = {str(row["chargee_id"]) for row in answer.rows if "chargee_id" in row}
        if reach is None or not parties:
            return
        beyond = parties & {reach.never} if reach.only is None else parties - {reach.only}
        if not beyond:
            self.court.met(reach.rule)
            return
        self._broken(
            reach.rule,
            f"{operation.id} shows another merchant",
            f"the list is the merchant {reach.only}'s alone"
            if reach.only
            else f"the merchant {reach.never} is not in it",
            f"it shows one of the merchant {min(beyond)}",
            answer,
        )

    # --- histories --------------------------------------------------------------------------------------------

    def _remember(self, operation: Operation, answer: Answer) -> None:
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
            self._broken(
                "CREATE-7",
                "id used again",
                "a new invoice has an id never seen before",
                f"it has the id {new}, which was seen already",
                answer,
                self._story(new),
            )
        else:
            self.court.met("CREATE-7")
        life = InvoiceLife(new, row, answer.ended, named)
        life.tell(answer.exchange)
        self.invoices[new] = life
        self._invoice_row(row, answer)
        self._draft(row, answer)
        for charge in named or ():
            self._taken(charge, life, answer)
        self._sum(row, named, answer)

    def _draft(self, row: Row, answer: Answer) -> None:
        if row.get("status") != "Draft" or row.get("stripe_invoice_id") or row.get("stripe_invoice_status"):
            self._broken(
                "CREATE-3",
                "no draft",
                "a new invoice is a Draft, both Stripe properties null",
                f"status is {shown(row.get('status'))}, stripe_invoice_id {shown(row.get('stripe_invoice_id'))},"
                f" stripe_invoice_status {shown(row.get('stripe_invoice_status'))}",
                answer,
            )

    def _taken(self, charge: int, life: InvoiceLife, answer: Answer) -> None:
        known = self.charges.get(charge)
        if known is None:
            return
        if known.invoice not in (None, life.id):
            self._broken(
                "CREATE-4",
                "charge invoiced twice",
                "a charge is on at most one invoice, ever",
                f"charge {charge} is on the invoices {known.invoice} and {life.id}",
                answer,
                self._story(known.invoice),
            )
        else:
            self.court.met("CREATE-4")
        known.invoice, known.invoiced_since = life.id, answer.ended

    def _sum(self, row: Row, named: tuple[int, ...] | None, answer: Answer) -> None:
        lives = [self.charges[charge] for charge in named or () if charge in self.charges]
        if not named or len(lives) != len(set(named)):
            return
        for name, what in (("chargee_id", "merchant"), ("currency", "currency")):
            values = {str(life.born.get(name)) for life in lives}
            if len(values) > 1:
                self._broken(
                    "CREATE-8",
                    f"several {name}",
                    f"an invoice has one {what}",
                    f"its charges have {' and '.join(sorted(values))}",
                    answer,
                )
        self._parties(row, lives, answer)
        due = sum((life.amount for life in {life.id: life for life in lives}.values()), Decimal(0))
        total = exact(row.get("total"))
        if total is not None and total != due:
            self._broken(
                "CREATE-5",
                "total",
                f"the total is the exact sum of its charges, {due}",
                f"it is {total}",
                answer,
                [step for life in lives for step in life.story[:1]],
            )
        elif total is not None:
            self.court.met("CREATE-5")

    def _parties(self, row: Row, lives: Sequence[ChargeLife], answer: Answer) -> None:
        """The invoice is between those, and in the currency, that its charges are."""
        for name, rule in (("currency", "CREATE-8"), ("chargee_id", "CREATE-8"), ("charger_id", "GEN-9")):
            values = {str(life.born.get(name)) for life in lives}
            if name in row and values != {str(row[name])}:
                self._broken(
                    rule,
                    f"{name} of its charges",
                    f"the invoice has the {name} of its charges, {' or '.join(sorted(values))}",
                    f"its {name} is {row[name]}",
                    answer,
                    [step for life in lives for step in life.story[:1]],
                )

    def _acted(self, action: str, answer: Answer) -> None:
        life = self.invoices.get(addressed(answer) or -1)
        if life is None:
            return
        life.tell(answer.exchange)
        if answer.refused and life.finalized_since is None:
            life.refused = action
        life.last_action = action
        if action == "collect" and answer.refused and life.finalized_since is not None:
            life.declined = True
        if answer.ok or not answer.refused:
            life.finalize_tried = True
        if action == "collect" and (life.finalize_tried or life.finalized_since is not None):
            # Even a refused attempt is one.
            life.collect_tried = True
        if answer.ok and action == "finalize" and life.finalized_since is None:
            life.finalized_since = answer.ended
        if answer.ok and answer.part("invoice"):
            self._invoice_row(answer.part("invoice"), answer)

    def expect_collect(self, invoice: int) -> None:
        """The invoice is about to be finalized and collected at once, in whichever order."""
        with self._lock:
            if (life := self.invoices.get(invoice)) is not None:
                life.finalize_tried = life.collect_tried = True

    def know_charge(self, row: Row, answer: Answer) -> None:
        """Remembers a charge that this run works with."""
        new = row.get("id")
        with self._lock:
            if isinstance(new, int) and new not in self.charges:
                self.charges[new] = ChargeLife(new, row, answer.ended, story=[answer.exchange])

    def _charged(self, answer: Answer) -> None:
        row = answer.part("charge")
        self.know_charge(row, answer)
        if row.get("status") == "Invoiced":
            self._broken(
                "GEN-9",
                "born invoiced",
                "a new charge is on no invoice: it is Open",
                "its status is Invoiced",
                answer,
            )
        if exact(row.get("amount")) != exact(row.get("price")):
            self._broken(
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
        life = self.charges.get(number)
        if life is None:
            return
        story = [*life.story, *self._story(life.invoice)]
        found = life.contradictions(row, answer.started)
        for contradiction in found:
            self._contradicted(contradiction, "charge", story, answer)
        if not found:
            self.court.met("GEN-9", *(("CREATE-4",) if life.invoice is not None else ()))

    def _void(self, number: int, row: Row, answer: Answer) -> None:
        if "void" in str(row.get("status")).lower():
            self.void.setdefault(number, answer.exchange)
        elif number in self.void and row.get("status") == "Invoiced":
            self._broken(
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
        life = self.invoices.get(number)
        if life is None:
            return
        found = life.contradictions(row, answer.started)
        for contradiction in found:
            self._contradicted(contradiction, "invoice", life.story, answer)
        if not found and answer.started >= life.since:
            self.court.met("GEN-9", *(("FINALIZE-1",) if life.finalized_since is not None else ()))
        life.learn(row, answer.ended)
        self._one_stripe_invoice_each(life, answer)

    def _one_stripe_invoice_each(self, life: InvoiceLife, answer: Answer) -> None:
        if life.stripe_id is None:
            return
        owner = self._stripe_ids.setdefault(life.stripe_id, life.id)
        if owner != life.id:
            rule = "COLLECT-2" if life.last_action == "collect" else "FINALIZE-2"
            self._broken(
                rule,
                "shared stripe invoice",
                "each invoice has a Stripe invoice of its own",
                f"invoices {owner} and {life.id} both have {life.stripe_id}",
                answer,
                [*self._story(owner), *life.story],
            )

    # --- telling ----------------------------------------------------------------------------------------------

    def _contradicted(self, found: Contradiction, where: str, story: Sequence[Exchange], answer: Answer) -> None:
        self._broken(found.rule, f"{where}: {found.kind}", found.expected, found.actual, answer, story)

    def _broken(
        self,
        rule: str,
        kind: str,
        expected: str,
        actual: str,
        answer: Answer,
        story: Sequence[Exchange] = (),
        check: str = "",
    ) -> None:
        exchanges = [step for step in story if step is not answer.exchange]
        self.court.broken(
            rule, kind=kind, expected=expected, actual=actual, check=check, exchanges=[*exchanges, answer.exchange]
        )

    def _story(self, invoice: int | None) -> list[Exchange]:
        life = self.invoices.get(invoice) if invoice is not None else None
        return list(life.story) if life is not None else []

    def _state_of(self, operation: Operation, answer: Answer) -> str:
        if operation.id not in ("finalizeInvoice", "collectInvoice"):
            return "-"
        life = self.invoices.get(addressed(answer) or -1)
        if life is None:
            return "none"
        if life.paid_since is not None and life.paid_since <= answer.started:
            return "paid"
        if life.finalized_since is None or life.finalized_since > answer.started:
            return "Draft"
        return "declined" if life.declined else "finalized"
