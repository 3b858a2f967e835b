"""Charges, invoices and merchants: plain records, and the pure moves from one state to the next.

Nothing here does I/O, reads the clock or knows of HTTP. A move returns new records or raises a `Refused`; the caller
saves what it returns, all of it or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from mockserver.billing.money import to_minor
from mockserver.core.errors import IllegalState, InvalidRequest

OPEN, INVOICED, VOID = "Open", "Invoiced", "Void"
"""States of a charge."""
PAID, STRIPE_OPEN, STRIPE_DRAFT, STRIPE_VOID, UNCOLLECTIBLE = "paid", "open", "draft", "void", "uncollectible"
STRIPE_STATUSES = (STRIPE_DRAFT, STRIPE_OPEN, PAID, STRIPE_VOID, UNCOLLECTIBLE)
"""Stripe's own states of an invoice."""


@dataclass(frozen=True, slots=True)
class Merchant:
    """A client of the prep centre: `card` names how its card on file behaves (`mockserver.billing.stripe.CARDS`)."""

    id: int
    name: str
    currency: str
    card: str
    type: str = "merchant"
    """What `chargee_type` shows: `merchant` or `team`."""


@dataclass(frozen=True, slots=True)
class Provider:
    """The prep centre that charges: what `charger_id` and `charger_type` show."""

    id: int
    name: str
    type: str = "company"


@dataclass(frozen=True, slots=True)
class Charge:
    """Something that a merchant owes: `amount` in minor units, times in microseconds since 1970, UTC."""

    id: int
    merchant: int
    created_at: int
    currency: str
    amount: int
    category: str
    description: str | None
    status: str = OPEN
    invoice: int | None = None
    stripe_invoice_item_id: str | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """Charges billed together: `total` in minor units, times in microseconds since 1970, UTC."""

    id: int
    merchant: int
    created_at: int
    currency: str
    total: int
    charges: tuple[int, ...]
    description: str | None = None
    finalized_at: int | None = None
    stripe_invoice_id: str | None = None
    stripe_invoice_status: str | None = None
    voided_at: int | None = None
    payment_pending: bool = False
    """Whether the card was charged, and Stripe has not reported it yet (COLLECT-3)."""

    @property
    def draft(self) -> bool:
        return self.finalized_at is None

    @property
    def paid(self) -> bool:
        return self.stripe_invoice_status == PAID


def exact(amount: float | str, currency: str, *, field: str) -> int:
    """An amount of major units in minor units; one finer than the currency is refused (CREATE-5)."""
    try:
        return to_minor(amount, currency)
    except ValueError as error:
        problem = f"{field} {error}"
        raise InvalidRequest(problem, because="CREATE-5", errors={field: [problem]}) from None


def bill(charges: Sequence[Charge], *, merchant: Merchant, invoice_id: int, now: int) -> tuple[Invoice, list[Charge]]:
    """A draft of exactly these charges, and the charges as they are from then on (CREATE-1, 3, 4, 5).

    The charges have passed `billable`. Without any, the draft is empty and in the merchant's currency.
    """
    invoice = Invoice(
        id=invoice_id,
        merchant=merchant.id,
        created_at=now,
        currency=charges[0].currency if charges else merchant.currency,
        total=sum(charge.amount for charge in charges),
        charges=tuple(charge.id for charge in charges),
    )
    return invoice, [replace(charge, status=INVOICED, invoice=invoice_id) for charge in charges]


def billable(charges: Sequence[Charge], *, field: str = "charge_ids") -> None:
    """Refuses charges that are taken, or that don't belong on one invoice (CREATE-6, CREATE-8)."""
    problems = [
        f"{field}.{index} is charge {charge.id}, which is {charge.status.lower()} already"
        + (f" (invoice {charge.invoice})" if charge.invoice else "")
        for index, charge in enumerate(charges)
        if charge.status != OPEN
    ]
    if problems:
        raise InvalidRequest(problems[0], because="CREATE-6", errors={field: problems})
    one_of_each(charges, field=field)


def one_of_each(charges: Iterable[Charge], *, field: str = "charge_ids", hint: str = "") -> None:
    """Refuses charges of several merchants or currencies (CREATE-8)."""
    charges = list(charges)
    for values, what in (
        ({charge.merchant for charge in charges}, "merchants"),
        ({charge.currency for charge in charges}, "currencies"),
    ):
        if len(values) > 1:
            those = ", ".join(map(str, sorted(values)))
            problem = f"{field} has charges of several {what} ({those}): an invoice has one{hint}"
            raise InvalidRequest(problem, because="CREATE-8", errors={field: [problem]})


def finalize(invoice: Invoice, *, now: int) -> Invoice:
    """The draft, locked (FINALIZE-1)."""
    if not invoice.draft:
        raise IllegalState(f"Invoice {invoice.id} is finalized already.", because="profile:refinalize")
    return replace(invoice, finalized_at=now)


def collectable(invoice: Invoice) -> None:
    """Refuses an invoice that can't be collected: a draft (COLLECT-1), a paid one (COLLECT-4), one given up."""
    if invoice.draft:
        raise IllegalState(
            f"Invoice {invoice.id} is a draft: finalize it before collecting payment.", because="COLLECT-1"
        )
    if invoice.paid or invoice.payment_pending:
        raise IllegalState(f"Invoice {invoice.id} is paid already.", because="profile:recollect")
    if invoice.stripe_invoice_status in (STRIPE_VOID, UNCOLLECTIBLE):
        raise IllegalState(
            f"Invoice {invoice.id} is {invoice.stripe_invoice_status} on Stripe: it can't be collected.",
            because="COLLECT-4",
        )


def put_on_stripe(invoice: Invoice, stripe_invoice_id: str) -> Invoice:
    """The finalized invoice, as it is once Stripe has it (FINALIZE-2, COLLECT-2)."""
    return replace(invoice, stripe_invoice_id=stripe_invoice_id, stripe_invoice_status=STRIPE_OPEN)


def pay(invoice: Invoice) -> Invoice:
    """The invoice, paid (COLLECT-3)."""
    return replace(invoice, stripe_invoice_status=PAID, payment_pending=False)


def await_report(invoice: Invoice) -> Invoice:
    """The invoice once its card was charged, until Stripe reports so (COLLECT-3)."""
    return replace(invoice, payment_pending=True)
