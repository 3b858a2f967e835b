"""Remembers the charges that a run works with, and holds each answer about one against what earlier ones said."""

from __future__ import annotations

from mockserver.verify.assertions.expect import Expect
from mockserver.verify.assertions.statements import Evidence, Subject, is_refused, of, succeeded
from mockserver.verify.claims.values import Row
from mockserver.verify.events import RecordedExchange
from mockserver.verify.monitor.history import ChargeHistory, InvoiceHistory
from mockserver.verify.transport.messages import Answer


class SeenCharges:
    """The charges that this run made or was given, and those that any answer showed to be void."""

    def __init__(self, expect: Expect) -> None:
        self._expect = expect
        self.histories: dict[int, ChargeHistory] = {}
        """By the charges' ids."""
        self.void: dict[int, RecordedExchange] = {}
        """Void charges, by their ids, with the answer that showed each."""
        self.shown: set[int] = set()
        """The ids of all charges that any answer showed."""

    def know(self, answer: Answer) -> None:
        """Remembers the charge that an answer shows as one that this run works with."""
        row = answer.part("charge")
        new = row.get("id")
        if isinstance(new, int) and new not in self.histories:
            told_by = of(answer).at("charge")
            self.histories[new] = ChargeHistory(new, row, told_by, answer.ended, trace=[answer.exchange])

    def made(self, answer: Answer) -> None:
        """GEN-9: takes over the charge that was just made, and judges it."""
        self.know(answer)
        made = of(answer).at("charge")
        for kind, because, statement in (
            ("born invoiced", "a new charge is on no invoice: it is Open", made.at("status").differs("Invoiced")),
            ("price and amount", "a charge's price and amount are equal", made.at("price").equals(made.at("amount"))),
        ):
            if not statement.is_true():
                self._expect.breach("GEN-9", statement, kind=kind, because=because)

    def row(self, row: Row, answer: Answer, seen: Subject) -> None:
        """GEN-9, CREATE-4, CREATE-6: judges what an answer says of one charge, in the row `seen`, and learns it."""
        number = row.get("id")
        if not isinstance(number, int):
            return
        self.shown.add(number)
        self._stays_void(number, row, answer, seen)
        history = self.histories.get(number)
        if history is None:
            return
        taken = history.invoice
        trace = [*history.trace, *(taken.trace if taken is not None else ())]
        found = history.inconsistencies(row, answer.started)
        for inconsistency in found:
            inconsistency.tell(self._expect, "charge", seen, trace, history.told)
        if not found:
            self._expect.recorder.held("GEN-9", *(("CREATE-4",) if taken is not None else ()))
        history.learn(row, answer.exchange, answer.ended)

    def taken(self, number: int, by: InvoiceHistory, answer: Answer) -> None:
        """CREATE-4: takes over that a create which named the charge was accepted, and judges whether it might be."""
        known = self.histories.get(number)
        if known is None or known.in_doubt:
            return
        before = known.invoice
        if before is None and known.was_invoiced(answer.started):
            self._expect.breach(
                "CREATE-4",
                is_refused(answer),
                kind="invoiced charge taken",
                because="a charge that is Invoiced is on an invoice, and on no other ever",
                actual=f"charge {number} was Invoiced before the create that named it",
                using=known.trace,
            )
        elif before is not None and before.id != by.id:
            both: list[Evidence] = [*before.trace[:1], answer] if answer.exchange.race and before.trace else []
            self._expect.breach(
                "CREATE-4",
                succeeded(both).compares("<=", 1) if both else is_refused(answer),
                kind="charge invoiced twice",
                because="a charge is on at most one invoice, ever",
                actual=f"charge {number} is on the invoices {before.id} and {by.id}",
                using=before.trace,
                proves=True,
            )
        else:
            self._expect.recorder.held("CREATE-4")
        known.invoice, known.invoiced_since = by, answer.ended

    def _stays_void(self, number: int, row: Row, answer: Answer, seen: Subject) -> None:
        if "void" in str(row.get("status")).lower():
            self.void.setdefault(number, answer.exchange)
        elif number in self.void and row.get("status") == "Invoiced":
            self._expect.breach(
                "CREATE-6",
                seen.at("status").differs("Invoiced"),
                kind="void charge invoiced",
                because="a void charge is never invoiced",
                using=[self.void[number]],
            )
