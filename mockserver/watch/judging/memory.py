"""What is known of the records that passed by: the newest of them, with where it was said."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from mockserver.verify.assertions.statements import Subject
from mockserver.verify.claims.claims import Const
from mockserver.verify.claims.values import Row
from mockserver.verify.monitor.history import ChargeHistory, InvoiceHistory
from mockserver.watch.judging.bounded import Bounded
from mockserver.watch.passing import Passing

MOST_RECORDS = 20_000
"""Invoices, and charges, that are remembered; of older ones nothing is judged any more."""

Key = tuple[str, int]
"""World and id."""


@dataclass(slots=True, eq=False)
class KnownInvoice:
    """One invoice that was seen."""

    history: InvoiceHistory
    row: Row
    """As it was shown last."""
    told_by: Passing
    """What showed it first, or locked it."""
    latest: Passing
    just_made: bool = False
    """Whether only the create that made it has told of it."""
    finalized: Passing | None = None
    """A finalize that succeeded."""
    collected: Passing | None = None
    """A collect that succeeded."""
    locked: bool = False
    """Whether an answer showed it as no draft, so that its total is what `history` says, for good."""

    @property
    def settled(self) -> float:
        """From when on all that is known of it holds: what is asked later may be compared."""
        history = self.history
        settled = history.since
        for time in (history.finalized_since, history.stripe_since, history.paid_since):
            if time is not None and time > settled:
                settled = time
        return settled

    def is_as_it_was(self, row: Row, asked: float) -> bool:
        """Whether it is shown as before and may be: nothing that was done since must have changed it."""
        if row != self.row or asked < self.settled or self.just_made or self.collected is not None:
            return False
        return self.history.finalized_since is None or row.get("status") != "Draft"


@dataclass(slots=True, eq=False)
class KnownCharge:
    """One charge that was seen."""

    history: ChargeHistory
    row: Row
    told_by: Passing
    latest: Passing
    just_made: bool = False
    void: bool = False
    invoice: int | None = None
    """The invoice that took it."""
    taken_by: Passing | None = None
    """The create that put it on an invoice."""

    @property
    def settled(self) -> float:
        return max(self.history.since, self.history.invoiced_since or self.history.since)

    def is_as_it_was(self, row: Row, asked: float) -> bool:
        """Whether it is shown as before and may be: nothing that was done since must have changed it."""
        if row != self.row or asked < self.settled or self.just_made:
            return False
        return self.history.invoiced_since is None or row.get("status") == "Invoiced"


class Memory:
    """The records of all worlds."""

    def __init__(self, most: int = MOST_RECORDS) -> None:
        self.invoices: Bounded[Key, KnownInvoice] = Bounded(most)
        self.charges: Bounded[Key, KnownCharge] = Bounded(most)
        self.on_stripe: Bounded[tuple[str, str], int] = Bounded(most)
        """The invoice of each Stripe id, by world."""
        self.swept: Bounded[tuple[str, str, str], Passing] = Bounded(most)
        """The last create of all that was open, by world, merchant and currency."""

    def forget(self, world: str) -> None:
        """Nothing is known of the records of that world any more."""
        self.invoices.drop_where(lambda key: key[0] == world)
        self.charges.drop_where(lambda key: key[0] == world)
        self.on_stripe.drop_where(lambda key: key[0] == world)
        self.swept.drop_where(lambda key: key[0] == world)


def invoice_history(number: int, row: Row, since: float) -> InvoiceHistory:
    """A history that takes into account that others act on the invoice, unseen."""
    return InvoiceHistory(number, row, constant(row), since, finalize_tried=True, collect_tried=True)


def charge_history(number: int, row: Row, since: float) -> ChargeHistory:
    return ChargeHistory(number, row, constant(row), since)


def constant(row: Row) -> Subject:
    """What was said before, as a value: its answer may be gone when it is contradicted."""
    return Subject(Const(row))


def amount_of(row: Row, name: str) -> Decimal | None:
    """A number of JSON as the exact decimal that it was written as; None for anything else."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None
