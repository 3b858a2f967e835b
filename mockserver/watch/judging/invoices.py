"""The story of each invoice, as the answers tell it that show it, whoever acts on it meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.verify.assertions.statements import Subject, is_refused, of
from mockserver.verify.claims.values import Row, shown
from mockserver.verify.monitor.history import Inconsistency
from mockserver.verify.transport.messages import Answer
from mockserver.watch.judging.memory import KnownInvoice, Memory, constant, invoice_history
from mockserver.watch.judging.sight import Sight
from mockserver.watch.judging.telling import SEVERAL, Teller

_OPEN = ("total", "currency")
"""What may still change while an invoice is a draft."""
_REFUSES_A_DRAFT = (400, 403, 409, 422)
"""The statuses of an action that the invoice's state forbids."""
Where = Callable[[Answer], Subject]
"""The row in the answer that shows it."""


class Invoices:
    """Judges every row of an invoice by what was known before."""

    def __init__(self, memory: Memory, teller: Teller) -> None:
        self._memory = memory
        self._teller = teller

    def row(self, sight: Sight, row: Row, where: Where, *, made: bool = False) -> None:
        """GEN-9, FINALIZE-1, FINALIZE-4, COLLECT-2 and COLLECT-4 on one row; `made`: it is the create's own."""
        number = row.get("id")
        if not isinstance(number, int) or isinstance(number, bool):
            return
        known = self._memory.invoices.get((sight.world, number))
        if known is None:
            known = KnownInvoice(
                invoice_history(number, row, sight.ended), row, sight.passing, sight.passing, just_made=made
            )
            self._memory.invoices.set((sight.world, number), known)
        elif known.is_as_it_was(row, sight.started):
            known.latest = sight.passing
            sight.held.update(("GEN-9", "FINALIZE-1") if known.history.finalized_since is not None else ("GEN-9",))
            return
        else:
            self._compare(sight, known, row, where)
        self._learn(sight, known, row, where)

    def _compare(self, sight: Sight, known: KnownInvoice, row: Row, where: Where) -> None:
        history = known.history
        found = [one for one in history.inconsistencies(row, sight.started) if _binds(one, known, row)]
        for one in found:
            self._contradicts(sight, known, one, where)
        if found:
            # The next answers are held against the latest word, so that each change is told once.
            known.history, known.locked = invoice_history(history.id, row, sight.ended), False
            known.row, known.told_by, known.just_made, known.collected = row, sight.passing, False, None
            return
        if sight.started >= history.since:
            sight.held.add("GEN-9")
            if history.finalized_since is not None:
                sight.held.add("FINALIZE-1")
            self._read_back(sight, known, row, where)
        self._after_collect(sight, known, row, where)

    def _contradicts(self, sight: Sight, known: KnownInvoice, found: Inconsistency, where: Where) -> None:
        self._teller.breach(
            sight,
            found.rule,
            f"invoice: {found.kind}",
            found.because,
            lambda answer: where(answer).at(found.name).compares(found.operator, found.right),
            earlier=[known.told_by, known.latest],
        )

    def _read_back(self, sight: Sight, known: KnownInvoice, row: Row, where: Where) -> None:
        """What a create or a finalize left the total at; another person may have changed one draft, but not each."""
        was_draft, is_draft = known.row.get("status") == "Draft", row.get("status") == "Draft"
        finalize = sight.passing if sight.operation.id == "finalizeInvoice" else known.finalized
        if known.just_made and is_draft and sight.passing.soon_after(known.latest):
            self._total(sight, known, row, where, "GEN-9", "invoice total answered otherwise")
        elif was_draft and not is_draft and finalize is not None and finalize.soon_after(known.latest):
            self._total(sight, known, row, where, "FINALIZE-1", "invoice total changed by finalize")
        known.just_made = False

    def _total(self, sight: Sight, known: KnownInvoice, row: Row, where: Where, rule: str, kind: str) -> None:
        before = known.row.get("total")
        if row.get("total") == before:
            self._teller.cleared(sight, kind)
            return
        self._teller.suspect(
            sight,
            rule,
            kind,
            f"the total stays at {shown(before)}",
            lambda answer: where(answer).at("total").equals(before),
            earlier=[known.latest],
        )

    def _after_collect(self, sight: Sight, known: KnownInvoice, row: Row, where: Where) -> None:
        """COLLECT-2 and COLLECT-3: after a collect that succeeded it is on Stripe, and no draft."""
        collected = known.collected
        if collected is None or sight.started < collected.ended:
            return
        earlier = [known.told_by, collected]
        if row.get("status") == "Draft":
            because = "a collected invoice is no draft"
            self._teller.breach(
                sight,
                "COLLECT-3",
                "invoice: draft after collect",
                because,
                lambda answer: where(answer).at("status").differs("Draft"),
                earlier=earlier,
            )
        elif not isinstance(row.get("stripe_invoice_id"), str):
            self._teller.breach(
                sight,
                "COLLECT-2",
                "invoice: not on stripe after collect",
                "after a collect stripe_invoice_id is set",
                lambda answer: where(answer).at("stripe_invoice_id").is_text(),
                earlier=earlier,
            )
        else:
            sight.held.add("COLLECT-2")
            if row.get("stripe_invoice_status") != "paid":
                # It may show later (payment_shown), and who waits for Stripe's word may wait in vain.
                return
            sight.held.add("COLLECT-3")
        known.collected = None

    def _learn(self, sight: Sight, known: KnownInvoice, row: Row, where: Where) -> None:
        history = known.history
        history.learn(row, sight.ended, constant(row))
        if not known.locked and row.get("status") not in (None, "Draft"):
            # What it is locked at is what the first answer shows in which it is no draft.
            known.locked, known.told_by = True, sight.passing
            history.first_seen, history.told_by = row, constant(row)
        known.row, known.latest = row, sight.passing
        if history.stripe_id is not None:
            self._one_stripe_invoice_each(sight, history.id, history.stripe_id, where)

    def _one_stripe_invoice_each(self, sight: Sight, number: int, stripe_id: str, where: Where) -> None:
        owner = self._memory.on_stripe.get_or((sight.world, stripe_id), lambda: number)
        if owner == number:
            return
        other = self._memory.invoices.get((sight.world, owner))
        self._teller.breach(
            sight,
            "FINALIZE-2",
            "shared stripe invoice",
            "each invoice has a Stripe invoice of its own",
            lambda answer: where(answer).at("stripe_invoice_id").differs(stripe_id),
            earlier=[] if other is None else [other.latest],
            actual=f"the invoices {owner} and {number} both have {stripe_id}",
        )

    def acted(self, sight: Sight) -> None:
        """What a finalize or a collect answered, and what follows from its success."""
        action = sight.operation.id.removesuffix("Invoice")
        if not sight.ok:
            return
        if "path" in sight.reading.odd:
            self._of_no_integer(sight, action)
            return
        number = sight.reading.record
        if not sight.acts_plainly or number is None:
            return
        told = sight.part("invoice")
        if told:
            self._of_its_own(sight, action, number, told)
        if (sight.world, number) not in self._memory.invoices:
            stub = KnownInvoice(invoice_history(number, {}, sight.ended), {}, sight.passing, sight.passing)
            self._memory.invoices.set((sight.world, number), stub)
        known = self._memory.invoices.get((sight.world, number))
        if known is not None:
            if known.history.finalized_since is None and action == "finalize":
                known.history.finalized_since = sight.ended
                known.told_by = sight.passing
            if action == "finalize":
                known.finalized = sight.passing
            if action == "collect":
                known.collected = sight.passing

    def collect_tried(self, sight: Sight) -> None:
        """COLLECT-1; somebody may have finalized it since it was shown, but not each time within so little time."""
        number = sight.reading.record if sight.acts_plainly else None
        known = None if number is None else self._memory.invoices.get((sight.world, number))
        if known is None or known.row.get("status") != "Draft" or known.history.finalized_since is not None:
            return
        kind = "draft collected"
        if sight.passing.status in _REFUSES_A_DRAFT:
            sight.held.add("COLLECT-1")
            self._teller.cleared(sight, kind)
        elif sight.ok and sight.passing.soon_after(known.latest):
            because = "a collect of a draft is refused"
            self._teller.suspect(sight, "COLLECT-1", kind, because, is_refused, enough=SEVERAL, earlier=[known.latest])

    def _of_its_own(self, sight: Sight, action: str, number: int, told: Row) -> None:
        rule = "FINALIZE-1" if action == "finalize" else "COLLECT-3"
        if told.get("id") != number:
            self._teller.breach(
                sight,
                "GEN-9",
                f"{action} answers another invoice",
                f"it answers the invoice {number}, which was asked for",
                lambda answer: of(answer).at("invoice.id").equals(number),
            )
        elif told.get("status") == "Draft":
            self._teller.breach(
                sight,
                rule,
                f"{action} answers a draft",
                f"after a {action} that succeeded the invoice is no draft",
                lambda answer: of(answer).at("invoice.status").differs("Draft"),
            )
        else:
            sight.held.add(rule)
            self.row(sight, told, lambda answer: of(answer).at("invoice"))

    def _of_no_integer(self, sight: Sight, action: str) -> None:
        """FINALIZE-3 and COLLECT-5: what begins with an integer and is none names no invoice."""
        segment = sight.passing.target.partition("?")[0].split("/")[-2:-1]
        text = segment[0] if segment else ""
        if not text[:1].isdigit() or not text.isascii() or not text.isalnum() or text.isdigit():
            return
        self._teller.breach(
            sight,
            "FINALIZE-3" if action == "finalize" else "COLLECT-5",
            f"{action} of what is no integer",
            f"{text} names no invoice: a {action} of it is refused",
            is_refused,
        )


def _binds(found: Inconsistency, known: KnownInvoice, row: Row) -> bool:
    """Whether nobody else's change explains it: the total and the currency of a draft are not locked yet."""
    return found.name not in _OPEN or (known.locked and row.get("status") != "Draft")
