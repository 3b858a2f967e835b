"""What is in a server's records before anybody asks: nothing, a little, or thousands of invoices."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta

from tests.mutants.reference.api import Api
from tests.mutants.reference.money import decimals
from tests.mutants.reference.records import Charge, Invoice, State

EDGES = (time(0, 0, 0), time(23, 59, 59, 999999))
GIVEN = 160
"""Charges to be billed by their ids."""
SMALL_DAYS = 12
MANY = 5_200
MANY_DAYS = 400
SHARES = {1: 60, 2: 20, 3: 10, 4: 5, 5: 5}
"""Merchant to weight, when there are many invoices."""


def fill(api: Api, nuisances: Sequence[str]) -> None:
    """Twenty-four old invoices, at the edges of days; or none (`empty`), or thousands (`prefilled`)."""
    if "mixed_currencies" in nuisances:
        add_mixed(api)
    if "charges_given" in nuisances:
        for place in range(GIVEN):
            api.records.add_charge(api.records.merchants[1], 1_000 + 37 * place, "given")
    if "empty" in nuisances:
        return
    rng = random.Random(20260115)
    today = datetime.now(UTC).date()
    if "prefilled" in nuisances:
        merchants = rng.choices(list(SHARES), weights=list(SHARES.values()), k=MANY)
        start = datetime.combine(today - timedelta(days=MANY_DAYS), time(), UTC)
        seconds = sorted(rng.uniform(0, (MANY_DAYS - 1) * 86_400) for _ in range(MANY))
        moments: Iterator[datetime] = (start + timedelta(seconds=second) for second in seconds)
    else:
        merchants = [1 + place % 3 for place in range(SMALL_DAYS * len(EDGES))]
        days = (today - timedelta(days=back) for back in range(SMALL_DAYS, 0, -1))
        moments = (datetime.combine(day, edge, UTC) for day in days for edge in EDGES)
    for merchant, moment in zip(merchants, moments, strict=True):
        add_old(api, merchant, moment, rng)
    api.records.add_charge(api.records.merchants[1], 1_234, "never mind").void = True
    api.records.add_charge(api.records.merchants[3], 5_678, "not billed yet")


def add_mixed(api: Api) -> None:
    """Charges 1 and 2 in the merchant's currency, 3 and 4 in another."""
    for place in range(4):
        charge = api.records.add_charge(api.records.merchants[1], 1_000 + place, "of several currencies")
        charge.currency = "EUR" if place > 1 else charge.currency


def add_old(api: Api, merchant: int, moment: datetime, rng: random.Random) -> None:
    """One invoice with one to three charges, in any of the states."""
    records = api.records
    currency = records.merchants[merchant].currency
    charges = []
    for _ in range(rng.randint(1, 3)):
        number = next(records.charge_ids)
        amount = rng.randint(1, 90_000) * 10 ** decimals(currency) // 100 + 1
        charge = Charge(number, merchant, moment, currency, amount, "Shipping", "OutboundShipment")
        records.charges[number] = charge
        records.charges_of[merchant].append(charge)
        charges.append(charge)
    state: State = rng.choice(("draft", "finalized", "paid"))
    invoice = Invoice(
        id=next(records.invoice_ids),
        merchant=merchant,
        created_at=moment,
        currency=currency,
        total=sum(charge.amount for charge in charges),
        charges=charges,
        description="Services rendered",
        state=state,
    )
    for charge in charges:
        charge.invoice = invoice.id
    if state != "draft":
        invoice.stripe_id = api.stripe.new_id()
        invoice.stripe_status = "paid" if state == "paid" else "open"
    records.add_invoice(invoice)
