"""The story of each charge: what it is of, and that it is on one invoice at most, ever."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial

from mockserver.billing.money import fits
from mockserver.verify.assertions.statements import Statement, Subject, is_refused, of
from mockserver.verify.claims.values import Row, shown
from mockserver.verify.monitor.history import Inconsistency
from mockserver.verify.transport.messages import Answer
from mockserver.watch.judging.memory import KnownCharge, Memory, amount_of, charge_history
from mockserver.watch.judging.sight import Sight
from mockserver.watch.judging.telling import Teller

_FIXED = ("chargee_id", "charger_id", "created_at", "currency", "status")
"""What nobody changes; the rest of an open charge another person may."""
Where = Callable[[Answer], Subject]


class Charges:
    """Judges every row of a charge by what was known before, and the invoices that are made of charges."""

    def __init__(self, memory: Memory, teller: Teller) -> None:
        self._memory = memory
        self._teller = teller

    def known(self, sight: Sight, number: int) -> KnownCharge | None:
        return self._memory.charges.get((sight.world, number))

    def made(self, sight: Sight) -> None:
        """GEN-9 on the charge that a quick adjustment answers."""
        row = sight.part("charge")
        made = _made
        if row.get("status") == "Invoiced":
            because = "a new charge is on no invoice: it is Open"
            self._teller.breach(
                sight, "GEN-9", "born invoiced", because, lambda answer: made(answer).at("status").differs("Invoiced")
            )
        amount, price = amount_of(row, "amount"), amount_of(row, "price")
        if amount is not None and price is not None and amount != price:
            self._teller.breach(
                sight,
                "GEN-9",
                "price and amount",
                "a charge's price and amount are equal",
                lambda answer: made(answer).at("price").equals(made(answer).at("amount")),
            )
        asked = sight.reading.amount if sight.plain else None
        if asked is not None and amount is not None and amount != asked and fits(asked, str(row.get("currency"))):
            self._teller.breach(
                sight,
                "GEN-9",
                "charge of another amount",
                f"the charge is of the amount that was asked for, {asked}",
                lambda answer: made(answer).at("amount").equals(asked),
            )
        self.row(sight, row, _made, made=True)

    def shown(self, sight: Sight, rows: Sequence[tuple[Row, Where]]) -> None:
        """All rows of an answer, and where in it each is."""
        self._swept(sight, rows)
        for row, where in rows:
            self.row(sight, row, where)

    def row(self, sight: Sight, row: Row, where: Where, *, made: bool = False) -> None:
        """GEN-9, CREATE-4 and CREATE-6 on one row."""
        number = row.get("id")
        if not isinstance(number, int) or isinstance(number, bool):
            return
        known = self.known(sight, number)
        if known is None:
            known = KnownCharge(
                charge_history(number, row, sight.ended), row, sight.passing, sight.passing, just_made=made
            )
            self._memory.charges.set((sight.world, number), known)
        elif known.is_as_it_was(row, sight.started):
            sight.held.add("GEN-9")
            known.latest = sight.passing
            return
        else:
            self._compare(sight, known, row, where)
        self._void(sight, known, row, where)
        if row.get("status") == "Invoiced" and known.history.invoiced_since is None:
            known.history.invoiced_since = sight.ended
        known.row, known.latest = row, sight.passing

    def _compare(self, sight: Sight, known: KnownCharge, row: Row, where: Where) -> None:
        found = known.history.inconsistencies(row, sight.started)
        for one in found:
            self._contradicts(sight, known, one, row, where)
        if not found and sight.started >= known.history.since:
            sight.held.update(("GEN-9", "CREATE-4") if known.history.invoiced_since is not None else ("GEN-9",))
            if known.just_made:
                for name in ("amount", "price", "category", "description"):
                    self._teller.cleared(sight, f"charge: charge {name} changed")
        if sight.started >= known.history.since:
            known.just_made = False
        if found:
            since = known.history.invoiced_since
            known.history = charge_history(known.history.id, row, sight.ended)
            known.history.invoiced_since = since

    def _contradicts(self, sight: Sight, known: KnownCharge, found: Inconsistency, row: Row, where: Where) -> None:
        kind = f"charge: {found.kind}"
        earlier = [one for one in (known.told_by, known.taken_by, known.latest) if one is not None]

        def stated(answer: Answer) -> Statement:
            return where(answer).at(found.name).compares(found.operator, found.right)

        if found.name in _FIXED:
            self._teller.breach(sight, found.rule, kind, found.because, stated, earlier=earlier)
        elif found.name in ("amount", "price") and self._is_locked(sight, known, row):
            because = "the charges of a finalized invoice never change again"
            self._teller.breach(sight, "FINALIZE-1", f"{kind} after finalize", because, stated, earlier=earlier)
        elif known.just_made and sight.passing.soon_after(known.latest):
            self._teller.suspect(sight, "GEN-9", kind, found.because, stated, earlier=earlier)

    def _is_locked(self, sight: Sight, known: KnownCharge, row: Row) -> bool:
        """Whether it was shown both times on an invoice that was known to be finalized before."""
        invoice = None if known.invoice is None else self._memory.invoices.get((sight.world, known.invoice))
        since = None if invoice is None else invoice.history.finalized_since
        is_on_it = known.row.get("status") == row.get("status") == "Invoiced"
        return since is not None and since <= known.latest.started and is_on_it

    def _swept(self, sight: Sight, rows: Sequence[tuple[Row, Where]]) -> None:
        """CREATE-2 on what was open before a create of all that was; somebody may remove one draft, but not each."""
        kind = "charge left out"
        took = False
        for row, where in rows:
            number, place = row.get("id"), (sight.world, str(row.get("chargee_id")), str(row.get("currency")))
            known = self.known(sight, number) if isinstance(number, int) else None
            sweep = self._memory.swept.get(place)
            if known is None or sweep is None or known.row.get("status") != "Open":
                continue
            if not sweep.soon_after(known.latest) or not sight.passing.soon_after(sweep):
                continue
            took = took or row.get("status") == "Invoiced"
            if row.get("status") == "Open":
                self._teller.suspect(
                    sight,
                    "CREATE-2",
                    kind,
                    "a create without charge_ids includes all of the merchant's uninvoiced charges",
                    partial(_is_invoiced, where),
                    earlier=[known.latest, sweep],
                )
                return
        if took:
            sight.held.add("CREATE-2")
            self._teller.cleared(sight, kind)

    def _void(self, sight: Sight, known: KnownCharge, row: Row, where: Where) -> None:
        if "void" in str(row.get("status")).lower():
            known.void = True
        elif known.void and row.get("status") == "Invoiced" and sight.started >= known.latest.ended:
            self._teller.breach(
                sight,
                "CREATE-6",
                "void charge invoiced",
                "a void charge is never invoiced",
                lambda answer: where(answer).at("status").differs("Invoiced"),
                earlier=[known.latest],
            )

    # --- on an invoice ----------------------------------------------------------------------------------------

    def taken(self, sight: Sight, invoice: Row, numbers: Sequence[int]) -> None:
        """CREATE-4, -5, -6 and -8 on a create that named these charges and succeeded."""
        found = [known for number in numbers if (known := self.known(sight, number)) is not None]
        for known in found:
            self._taken(sight, known, invoice)
        if len(found) == len(numbers):
            self._of_one_kind(sight, invoice, found)
            self._sum(sight, invoice, found)
        for number in numbers:
            self._remember(sight, number, invoice)

    def all_taken(self, sight: Sight, invoice: Row) -> None:
        """A create that named no charges and succeeded."""
        place = (sight.world, str(invoice.get("chargee_id")), str(invoice.get("currency")))
        self._memory.swept.set(place, sight.passing)

    def _taken(self, sight: Sight, known: KnownCharge, invoice: Row) -> None:
        number, history = known.history.id, known.history
        if known.invoice is not None and known.invoice != invoice.get("id"):
            self._teller.breach(
                sight,
                "CREATE-4",
                "charge invoiced twice",
                "a charge is on at most one invoice, ever",
                is_refused,
                earlier=[one for one in (known.told_by, known.taken_by) if one is not None],
                actual=f"charge {number} is on the invoices {known.invoice} and {invoice.get('id')}",
            )
        elif known.invoice is None and (history.was_invoiced(sight.started) or known.void):
            state = "void" if known.void else "Invoiced"
            self._teller.breach(
                sight,
                "CREATE-6" if known.void else "CREATE-4",
                f"{state.lower()} charge taken",
                f"a charge that is {state} is refused",
                is_refused,
                earlier=[known.latest],
                actual=f"charge {number} was {state} before the create that named it",
            )
        else:
            sight.held.add("CREATE-4")

    def _remember(self, sight: Sight, number: int, invoice: Row) -> None:
        known = self.known(sight, number)
        if known is None:
            known = KnownCharge(charge_history(number, {}, sight.ended), {}, sight.passing, sight.passing)
            self._memory.charges.set((sight.world, number), known)
        made = invoice.get("id")
        known.invoice = made if isinstance(made, int) else None
        known.history.invoiced_since = min(known.history.invoiced_since or sight.ended, sight.ended)
        known.taken_by = sight.passing

    def _of_one_kind(self, sight: Sight, invoice: Row, found: Sequence[KnownCharge]) -> None:
        """CREATE-8: one merchant and one currency, those of the charges."""
        for name, what in (("chargee_id", "merchant"), ("currency", "currency")):
            values = {str(known.row[name]): known for known in found if name in known.row}
            earlier = [known.latest for known in values.values()]
            if len(values) > 1:
                self._teller.breach(
                    sight,
                    "CREATE-8",
                    f"several {name}",
                    f"an invoice has one {what}",
                    is_refused,
                    earlier=earlier,
                    actual=f"its charges have {' and '.join(sorted(values))}",
                )
            elif values and name in invoice and str(invoice[name]) not in values:
                [due] = values
                self._teller.breach(
                    sight,
                    "CREATE-8",
                    f"{name} of its charges",
                    f"the invoice has the {name} of its charges, {due}",
                    partial(_agrees, name, due),
                    earlier=earlier,
                )
            elif values:
                sight.held.add("CREATE-8")

    def _sum(self, sight: Sight, invoice: Row, found: Sequence[KnownCharge]) -> None:
        """CREATE-5; somebody may have changed an open charge meanwhile, but not before each create."""
        amounts = [amount_of(known.row, "amount") for known in found]
        total = amount_of(invoice, "total")
        if total is None or any(amount is None or not fits(amount, str(invoice.get("currency"))) for amount in amounts):
            return
        due = sum((amount for amount in amounts if amount is not None), Decimal(0))
        if total == due:
            sight.held.add("CREATE-5")
            self._teller.cleared(sight, "total")
            return
        if all(sight.passing.soon_after(known.latest) for known in found):
            self._teller.suspect(
                sight,
                "CREATE-5",
                "total",
                f"the total is the exact sum of its charges, {shown(due)}",
                lambda answer: of(answer).at("invoice.total").equals(due),
                earlier=[known.latest for known in found],
            )


def _made(answer: Answer) -> Subject:
    return of(answer).at("charge")


def _is_invoiced(where: Where, answer: Answer) -> Statement:
    return where(answer).at("status").equals("Invoiced")


def _agrees(name: str, due: str, answer: Answer) -> Statement:
    return of(answer).at(f"invoice.{name}").agrees(due)
