"""Remembers the invoices that a run made, and holds each answer about one against what earlier ones said."""

from __future__ import annotations

from collections.abc import Sequence

from mockserver.billing.money import fits
from mockserver.verify.assertions.expect import Expect
from mockserver.verify.assertions.statements import Subject, all_of, is_refused, of, sum_of
from mockserver.verify.claims.values import Row, exact
from mockserver.verify.monitor.canonical import RequestReading
from mockserver.verify.monitor.history import ChargeHistory, InvoiceHistory
from mockserver.verify.monitor.seen_charges import SeenCharges
from mockserver.verify.transport.messages import Answer


class SeenInvoices:
    """The invoices that this run made, and the ids of all others that it was shown."""

    def __init__(self, expect: Expect, charges: SeenCharges) -> None:
        self._expect = expect
        self._charges = charges
        self.histories: dict[int, InvoiceHistory] = {}
        """By the invoices' ids."""
        self.shown: dict[int, float] = {}
        """The ids of all invoices that any answer showed, and when it was first."""
        self._stripe_ids: dict[str, int] = {}

    def made(self, answer: Answer, reading: RequestReading) -> None:
        """CREATE-3 to CREATE-8, GEN-9: takes over the invoice that was just made, and judges it.

        Which charges an odd create has taken is not known until an answer shows them to be invoiced.
        """
        row, named = answer.part("invoice"), reading.charges if reading.canonical else None
        made = of(answer).at("invoice")
        new = row.get("id")
        if not answer.ok or not isinstance(new, int):
            return
        self._id_is_new(new, answer, made)
        history = InvoiceHistory(new, row, made, answer.ended, named)
        history.append(answer.exchange)
        self.histories[new] = history
        self.row(row, answer, made)
        self._is_draft(made)
        for charge in named or ():
            self._charges.taken(charge, history, answer)
        self._agrees_with_charges(row, named, answer)

    def acted(self, action: str, reading: RequestReading, answer: Answer) -> None:
        """Takes over what came of a `finalize` or a `collect`."""
        if not answer.refused:
            self.may_have_acted(reading)
        history = self.histories.get(reading.record or -1)
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
            self.row(answer.part("invoice"), answer, of(answer).at("invoice"))

    def may_have_acted(self, reading: RequestReading) -> None:
        """One that was not refused may have finalized its invoice, or any where the path names none for sure."""
        named = self.histories.get(reading.record or -1)
        for history in self.histories.values() if "path" in reading.odd else [named]:
            if history is not None:
                history.finalize_tried = True
                history.collect_tried = history.collect_tried or reading.operation == "collectInvoice"

    def row(self, row: Row, answer: Answer, seen: Subject) -> None:
        """GEN-9, FINALIZE-1: judges what an answer says of one invoice, in the row `seen`, and learns it."""
        number = row.get("id")
        if not isinstance(number, int):
            return
        self.shown.setdefault(number, answer.ended)
        history = self.histories.get(number)
        if history is None:
            return
        found = history.inconsistencies(row, answer.started)
        for inconsistency in found:
            inconsistency.tell(self._expect, "invoice", seen, history.trace, history.told)
        if not found and answer.started >= history.since:
            rules = ("GEN-9", "FINALIZE-1") if history.finalized_since is not None else ("GEN-9",)
            self._expect.recorder.held(*rules)
        history.learn(row, answer.ended, seen)
        self._has_stripe_invoice_of_its_own(history, seen)

    def _id_is_new(self, new: int, answer: Answer, made: Subject) -> None:
        known = self.histories.get(new)
        if known is None and self.shown.get(new, answer.started) >= answer.started:
            self._expect.recorder.held("CREATE-7")
            return
        self._expect.breach(
            "CREATE-7",
            made.at("id").differs(new if known is None else known.told_by.at("id")),
            kind="id used again",
            because="a new invoice has an id never seen before",
            actual=f"it has the id {new}, which was seen already",
        )

    def _is_draft(self, made: Subject) -> None:
        statement = all_of(
            made.at("status").equals("Draft"),
            # An empty text is no id either.
            *(made.at(name).is_one_of(None, "", False, 0) for name in ("stripe_invoice_id", "stripe_invoice_status")),
        )
        if not statement.is_true():
            because = "a new invoice is a Draft, both Stripe properties null"
            self._expect.breach("CREATE-3", statement, kind="no draft", because=because)

    def _agrees_with_charges(self, row: Row, named: tuple[int, ...] | None, answer: Answer) -> None:
        """Holds a new invoice against its charges, where all of them are known."""
        known = {number: self._charges.histories.get(number) for number in named or ()}
        charges = [charge for charge in known.values() if charge is not None and not charge.in_doubt]
        if not charges or len(charges) != len(known):
            return
        for name, what in (("chargee_id", "merchant"), ("currency", "currency")):
            values = {str(charge.first_seen.get(name)) for charge in charges}
            if len(values) > 1:
                self._expect.breach(
                    "CREATE-8",
                    is_refused(answer),
                    kind=f"several {name}",
                    because=f"an invoice has one {what}",
                    actual=f"its charges have {' and '.join(sorted(values))}",
                )
        made = of(answer).at("invoice")
        self._parties(row, made, charges)
        amounts = [exact(charge.first_seen.get("amount")) for charge in charges]
        # More decimals than the currency has are open, and so is how a total is rounded.
        plain = all(amount is not None and fits(amount, str(row.get("currency"))) for amount in amounts)
        if plain and exact(row.get("total")) is not None:
            self._total(made, charges)

    def _parties(self, row: Row, made: Subject, charges: Sequence[ChargeHistory]) -> None:
        """The invoice is between those, and in the currency, that its charges are."""
        for name, rule in (("currency", "CREATE-8"), ("chargee_id", "CREATE-8"), ("charger_id", "GEN-9")):
            statement = all_of(*(made.at(name).agrees(charge.told_by.at(name)) for charge in charges))
            if name in row and not statement.is_true():
                values = sorted({str(charge.first_seen.get(name)) for charge in charges})
                because = f"the invoice has the {name} of its charges, {' or '.join(values)}"
                self._expect.breach(rule, statement, kind=f"{name} of its charges", because=because)

    def _total(self, made: Subject, charges: Sequence[ChargeHistory]) -> None:
        due = sum_of(charge.told_by.at("amount") for charge in charges)
        statement = made.at("total").equals(due)
        if statement.is_true():
            self._expect.recorder.held("CREATE-5")
        else:
            because = f"the total is the exact sum of its charges, {due.value()}"
            self._expect.breach("CREATE-5", statement, kind="total", because=because, proves=True)

    def _has_stripe_invoice_of_its_own(self, history: InvoiceHistory, seen: Subject) -> None:
        if history.stripe_id is None:
            return
        owner = self.histories[self._stripe_ids.setdefault(history.stripe_id, history.id)]
        if owner is not history and owner.stripe_told_by is not None:
            self._expect.breach(
                "COLLECT-2" if history.last_action == "collect" else "FINALIZE-2",
                seen.at("stripe_invoice_id").differs(owner.stripe_told_by.at("stripe_invoice_id")),
                kind="shared stripe invoice",
                because="each invoice has a Stripe invoice of its own",
                actual=f"invoices {owner.id} and {history.id} both have {history.stripe_id}",
                using=[*owner.trace, *history.trace],
                proves=True,
            )
