"""The merchants, charges and invoices that a fixture lists, each checked alone and against the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from iso4217 import Currency

from mockserver.billing import INVOICED, OPEN, STRIPE_STATUSES, STRIPE_VOID, VOID, Charge, Invoice, Merchant
from mockserver.fixture_fields import Fields, nearest, shown
from mockserver.money import exponent, to_major, to_minor
from mockserver.stripe import CARDS

MERCHANT_KEYS = ("id", "name", "currency", "card", "type")
CHARGE_KEYS = (
    "id", "merchant", "created_at", "currency", "amount", "category", "description", "status", "invoice",
    "stripe_invoice_item_id",
)  # fmt: skip
INVOICE_KEYS = (
    "id", "merchant", "created_at", "currency", "charges", "total", "description", "finalized_at",
    "stripe_invoice_id", "stripe_invoice_status", "voided_at",
)  # fmt: skip
MERCHANT_TYPES = ("merchant", "team")
_SUCH = "such as USD; there are"
CHARGE_STATUSES = (OPEN, INVOICED, VOID)
CARD = "pm_card_visa"
"""The card of a merchant that names none: one that pays."""
CATEGORY = "OutboundShipment"
"""The category of a charge that names none: the one that the documentation shows."""


@dataclass(slots=True)
class Rows:
    """What a fixture lists, by id. A row with a mistake is not among the records, but its id is declared."""

    merchants: dict[int, Merchant] = field(default_factory=dict)
    charges: dict[int, Charge] = field(default_factory=dict)
    invoices: dict[int, Invoice] = field(default_factory=dict)
    declared_merchants: dict[int, Fields] = field(default_factory=dict)
    declared_charges: dict[int, Fields] = field(default_factory=dict)
    declared_invoices: dict[int, Fields] = field(default_factory=dict)

    def merchant_of(self, row: Fields) -> Merchant:
        """The merchant that a row names; notes a mistake if there is none."""
        number = row.need("merchant", row.integer, 0)
        if number and number not in self.declared_merchants:
            row.wrong("merchant", f"there is no merchant {number}: {nearest(number, self.declared_merchants)}")
        # One whose own row has a mistake must not cause a second one here.
        return self.merchants.get(number) or Merchant(number, "", "", "")


def read_merchants(top: Fields, rows: Rows) -> None:
    """Add the listed merchants to `rows`."""
    for row in top.rows("merchants", MERCHANT_KEYS):
        merchant = Merchant(
            id=_new_id(row, rows.declared_merchants),
            name=row.need("name", row.text, ""),
            currency=row.need("currency", currency_of(row), ""),
            card=row.one_of("card", CARDS) or CARD,
            type=row.one_of("type", MERCHANT_TYPES) or "merchant",
        )
        if not row.bad:
            rows.merchants[merchant.id] = merchant


def read_charges(top: Fields, rows: Rows) -> None:
    """Add the listed charges to `rows`; those on invoices are put there by `read_invoices`."""
    for row in top.rows("charges", CHARGE_KEYS):
        merchant = rows.merchant_of(row)
        currency = _currency(row, merchant.currency)
        charge = Charge(
            id=_new_id(row, rows.declared_charges),
            merchant=merchant.id,
            created_at=row.need("created_at", row.time, 0),
            currency=currency,
            amount=_minor(row, "amount", row.need("amount", row.decimal, Decimal(0)), currency),
            category=row.text("category") or CATEGORY,
            description=row.text("description", empty=True),
            status=VOID if row.one_of("status", CHARGE_STATUSES) == VOID else OPEN,
            stripe_invoice_item_id=row.text("stripe_invoice_item_id"),
        )
        row.integer("invoice")
        if not row.bad:
            rows.charges[charge.id] = charge


def read_invoices(top: Fields, rows: Rows) -> None:
    """Add the listed invoices to `rows`, and put their charges on them."""
    owners: dict[int, int] = {}
    stripe_ids: dict[str, int] = {}
    for row in top.rows("invoices", INVOICE_KEYS):
        merchant = rows.merchant_of(row)
        number = _new_id(row, rows.declared_invoices)
        charges = _charges_of(row, number, merchant, rows, owners)
        currency = _currency(row, charges[0].currency if charges else merchant.currency)
        invoice = Invoice(
            id=number,
            merchant=merchant.id,
            created_at=row.need("created_at", row.time, 0),
            currency=currency,
            total=sum(charge.amount for charge in charges),
            charges=tuple(charge.id for charge in charges),
            description=row.text("description", empty=True),
            finalized_at=row.time("finalized_at"),
            stripe_invoice_id=row.text("stripe_invoice_id"),
            stripe_invoice_status=row.one_of("stripe_invoice_status", STRIPE_STATUSES),
            voided_at=row.time("voided_at"),
        )
        _check_total(row, invoice, charges)
        _check_stripe(row, invoice, stripe_ids)
        if not row.bad:
            rows.invoices[number] = invoice
            rows.charges.update((one.id, replace(one, status=INVOICED, invoice=number)) for one in charges)
    _check_owners(rows, owners)


def currency_of(row: Fields) -> Callable[[str], str | None]:
    """How a row's currency is read: a code of ISO 4217 that has a minor unit, if only none."""

    def read(key: str) -> str | None:
        code = row.text(key)
        if code is None:
            return None
        try:
            exponent(code)
        except ValueError:
            codes = [one.code for one in Currency]
            row.wrong(key, f"{shown(code)} is no currency of ISO 4217: {nearest(code.upper(), codes, otherwise=_SUCH)}")
            return None
        return code

    return read


def _currency(row: Fields, otherwise: str) -> str:
    return currency_of(row)("currency") or otherwise


def _minor(row: Fields, key: str, amount: Decimal, currency: str) -> int:
    if currency:
        try:
            return to_minor(amount, currency)
        except ValueError as error:
            row.wrong(key, str(error))
    return 0


def _new_id(row: Fields, declared: dict[int, Fields]) -> int:
    """The row's own id, declared from now on; notes a mistake if another row has it."""
    number = row.need("id", row.integer, 0)
    if number in declared:
        row.wrong("id", f"{number} is the id of {declared[number].place} already")
    elif number:
        declared[number] = row
    return number


def _charges_of(row: Fields, number: int, merchant: Merchant, rows: Rows, owners: dict[int, int]) -> list[Charge]:
    """The charges that an invoice lists, without those that can't be on it; each of these is noted."""
    charges: list[Charge] = []
    for charge_id in row.integers("charges") or ():
        if charge_id not in rows.declared_charges:
            row.wrong("charges", f"there is no charge {charge_id}")
        elif owners.get(charge_id) == number:
            row.wrong("charges", f"charge {charge_id} is listed twice")
        elif charge_id in owners:
            row.wrong("charges", f"charge {charge_id} is on invoice {owners[charge_id]} already: it can be on one only")
        else:
            owners[charge_id] = number
            if charge_id in rows.charges:
                charges.append(rows.charges[charge_id])
    for charge in charges:
        if merchant.currency and charge.merchant != merchant.id:
            row.wrong("charges", f"charge {charge.id} is of merchant {charge.merchant}, not of {merchant.id}")
        if charge.status == VOID:
            row.wrong("charges", f"charge {charge.id} is void: it can be on no invoice")
    return charges


def _check_total(row: Fields, invoice: Invoice, charges: Sequence[Charge]) -> None:
    for charge in charges:
        if charge.currency != invoice.currency:
            problem = (
                f"charge {charge.id} is in {charge.currency}, the invoice in {invoice.currency}: it has one currency"
            )
            row.wrong("charges", problem)
    total = row.decimal("total")
    if total is None or row.bad:
        return
    right = to_major(invoice.total, invoice.currency)
    if total != right:
        row.wrong(
            "total",
            f"must be the exact sum of the charges, {right:f}, got {shown(row.values['total'])}; it may be left out",
        )


def _check_stripe(row: Fields, invoice: Invoice, stripe_ids: dict[str, int]) -> None:
    """Notes what can't be together: only a finalized invoice is on Stripe, and only one there has a status there."""
    stripe_id, status = invoice.stripe_invoice_id, invoice.stripe_invoice_status
    on_stripe, has_status = row.given("stripe_invoice_id"), row.given("stripe_invoice_status")
    if on_stripe and not row.given("finalized_at"):
        row.wrong("stripe_invoice_id", "a draft is not on Stripe: give finalized_at too, or leave this out")
    if on_stripe and not has_status:
        row.wrong("stripe_invoice_status", f"is missing: an invoice on Stripe is {' or '.join(STRIPE_STATUSES)} there")
    if has_status and not on_stripe:
        row.wrong("stripe_invoice_id", "is missing: an invoice with a status on Stripe has an id there")
    if stripe_id is not None and stripe_ids.setdefault(stripe_id, invoice.id) != invoice.id:
        row.wrong("stripe_invoice_id", f"is that of invoice {stripe_ids[stripe_id]} already")
    if row.given("voided_at") and status != STRIPE_VOID and (status or not has_status):
        row.wrong("voided_at", f"is only for an invoice whose stripe_invoice_status is {STRIPE_VOID}")


def _check_owners(rows: Rows, owners: dict[int, int]) -> None:
    """Notes charges whose `status` or `invoice` says other than the invoices do."""
    for number, row in rows.declared_charges.items():
        owner, status, invoice = owners.get(number), row.values.get("status"), row.values.get("invoice")
        if row.bad:
            continue
        if invoice is not None and invoice != owner:
            where = f"invoice {owner} does" if owner else "no invoice does"
            row.wrong("invoice", f"invoice {invoice} does not list charge {number} among its charges; {where}")
        elif owner is None and status == INVOICED:
            row.wrong(
                "status", f"no invoice lists charge {number}: an {INVOICED} one must be among an invoice's charges"
            )
        elif owner is not None and status == OPEN:
            row.wrong(
                "status", f"charge {number} is on invoice {owner}: that makes it {INVOICED}; leave the status out"
            )
