"""Charges and invoices of a run, and the newest charges of a merchant in whichever order they are listed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from mockserver.billing.money import fits
from mockserver.verify.assertions.statements import Subject, of, sum_of
from mockserver.verify.claims.values import Row, when
from mockserver.verify.errors import NotPossible
from mockserver.verify.transport.billing_client import Billing
from mockserver.verify.transport.messages import Answer

MOST_PAGES = 4
UNSHOWN = "the server shows no charges, so that the amounts of those given are not known"


@dataclass(frozen=True, slots=True)
class OwnCharge:
    """A charge of this run, as the server shows it."""

    id: int
    shown_amount: Decimal | None
    """None for one that was given, on a server that shows no charges."""
    currency: str
    made_by: Answer

    @property
    def amount(self) -> Decimal:
        """Raises `NotPossible` where it can't be known."""
        if self.shown_amount is None:
            raise NotPossible(UNSHOWN)
        return self.shown_amount

    @property
    def shown(self) -> Subject:
        """What the answer that made or showed it says of it."""
        return of(self.made_by).at("charge")


@dataclass(frozen=True, slots=True)
class OwnInvoice:
    """An invoice of this run as it was created."""

    id: int
    charges: tuple[OwnCharge, ...]
    made_by: Answer

    @property
    def shown(self) -> Subject:
        """What the create answered of it."""
        return of(self.made_by).at("invoice")


@dataclass(slots=True)
class Late:
    """An invoice that the queue for Stripe is waited for with, since `began` of the monotonic clock."""

    invoice: OwnInvoice
    began: float
    seen: Answer
    """What showed it last."""


def due(charges: Iterable[OwnCharge]) -> Subject:
    """The exact sum of what these charges are of. Raises `NotPossible` where that can't be known."""
    known = list(charges)
    if any(charge.shown_amount is None for charge in known):
        raise NotPossible(UNSHOWN)
    if not all(fits(charge.shown_amount, charge.currency) for charge in known if charge.shown_amount is not None):
        raise NotPossible("a charge has more decimals than its currency, and how that is rounded is open")
    return sum_of(charge.shown.at("amount") for charge in known)


def row_of(invoice: OwnInvoice, answer: Answer) -> Subject:
    """The invoice's row in a page."""
    return of(answer).row("invoice", invoice.id)


def newest_charges(caller: Billing, count: int) -> Iterator[Row]:
    """Some `count` of the newest charges that the caller sees, whoever made them, from four pages at most."""
    size: int | None = min(count, 100)
    first = caller.charges(per_page=size)
    if not first.ok:
        first, size = caller.charges(), None
    last = first.mapping.get("last_page")
    pages = range(1, min(last, MOST_PAGES) + 1) if isinstance(last, int) else range(1, 2)
    if isinstance(last, int) and _ascends(first):
        # The order is open: the newest stand at the end.
        pages = range(last, max(0, last - MOST_PAGES), -1)
    seen = 0
    for page in pages:
        answer = first if page == 1 else caller.charges(page=page, per_page=size)
        yield from answer.rows
        seen += len(answer.rows)
        if seen >= count:
            return


def _ascends(page: Answer) -> bool:
    """Whether the rows of a page come oldest first, by their times or else by their ids."""
    ends = [(when(row.get("created_at")), row.get("id")) for row in (*page.rows[:1], *page.rows[-1:])]
    if len(ends) < 2:
        return False
    (first, one), (last, other) = ends
    if first is not None and last is not None and first != last:
        return first < last
    return isinstance(one, int) and isinstance(other, int) and one < other
