"""Random worlds, and worlds as plain values to compare."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import Any

from hypothesis import strategies as st

from mockserver.billing.money import LARGEST_AMOUNT
from mockserver.billing.records import (
    INVOICED,
    OPEN,
    STRIPE_DRAFT,
    STRIPE_OPEN,
    STRIPE_STATUSES,
    STRIPE_VOID,
    VOID,
    Charge,
    Invoice,
    Merchant,
    Provider,
)
from mockserver.billing.stripe import CARDS, OUTCOMES, Due, Outcome, Stripe
from mockserver.core.clock import EARLIEST, LATEST, Clock, ClockState, Identifiers
from mockserver.state.fixtures.fields import LARGEST_ID
from mockserver.state.store.base import Scope
from mockserver.state.store.memory import MemoryStore
from mockserver.state.world import Blueprint, State, World

DAY = 24 * 60 * 60 * 1_000_000
SOME_TIME = 20_000 * DAY
"""2024-10-04, in microseconds since 1970."""

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
"""Any text that a request can bring: all but lone surrogates."""
names = texts.filter(str.strip)
tokens = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="@"), min_size=1, max_size=8)
ids = st.integers(1, 40) | st.integers(1, LARGEST_ID - 10)
times = st.integers(SOME_TIME, SOME_TIME + 3 * DAY) | st.integers(EARLIEST, LATEST)
currencies = st.sampled_from(["USD", "EUR", "JPY", "KWD", "BIF", "MGA"])
moments = st.none() | times


@st.composite
def merchants(draw: st.DrawFn, *, most: int = 4) -> list[Merchant]:
    numbers = draw(st.lists(ids, min_size=1, max_size=most, unique=True))
    kinds = st.sampled_from(["merchant", "team"])
    return [
        Merchant(number, draw(names), draw(currencies), draw(st.sampled_from(sorted(CARDS))), draw(kinds))
        for number in numbers
    ]


@st.composite
def charges(draw: st.DrawFn, of: list[Merchant], *, most: int = 12) -> list[Charge]:
    """Charges that are open or void, mostly in their merchants' currencies."""
    made = []
    for number in draw(st.lists(ids, max_size=most, unique=True)):
        merchant = draw(st.sampled_from(of))
        made.append(
            Charge(
                id=number,
                merchant=merchant.id,
                created_at=draw(times),
                currency=draw(st.just(merchant.currency) | currencies),
                amount=draw(st.integers(-LARGEST_AMOUNT, LARGEST_AMOUNT)),
                category=draw(names),
                description=draw(st.none() | texts),
                status=draw(st.sampled_from([OPEN, OPEN, OPEN, VOID])),
                stripe_invoice_item_id=draw(st.none() | names),
            )
        )
    return made


@st.composite
def invoices(draw: st.DrawFn, owner: Merchant, numbers: list[int], billed: list[Charge]) -> Invoice:
    """An invoice of these charges, in any state that the billing domain knows."""
    finalized_at = draw(moments)
    on_stripe = finalized_at is not None and draw(st.booleans())
    status = draw(st.sampled_from(STRIPE_STATUSES)) if on_stripe else None
    number = numbers.pop()
    return Invoice(
        id=number,
        merchant=owner.id,
        created_at=draw(times),
        currency=billed[0].currency if billed else draw(currencies),
        total=sum(charge.amount for charge in billed),
        charges=tuple(charge.id for charge in billed),
        description=draw(st.none() | texts),
        finalized_at=finalized_at,
        stripe_invoice_id=f"in_{number:x}" if on_stripe else None,
        stripe_invoice_status=status,
        voided_at=draw(moments) if status == STRIPE_VOID else None,
    )


@st.composite
def stores(draw: st.DrawFn) -> MemoryStore:
    store = MemoryStore()
    owners = draw(merchants())
    for owner in owners:
        store.put_merchant(owner)
    made = draw(charges(owners))
    store.put_charges(made)
    numbers = draw(st.lists(ids, min_size=20, max_size=20, unique=True))
    alike = attrgetter("merchant", "currency")
    for (merchant, _), group in groupby(sorted(made, key=alike), key=alike):
        billed = [charge for charge in group if charge.status == OPEN and draw(st.booleans())]
        owner = next(one for one in owners if one.id == merchant)
        invoice = draw(invoices(owner, numbers, billed))
        store.put_invoice(invoice)
        store.put_charges(replace(charge, status=INVOICED, invoice=invoice.id) for charge in billed)
    charge, invoice_id = store.last_ids
    store.reserve_ids(charge=charge + draw(st.integers(0, 3)), invoice=invoice_id + draw(st.integers(0, 3)))
    return store


def _is_known_to_pay(outcome: Outcome) -> bool:
    return outcome.charges and outcome.answered


@st.composite
def worlds(draw: st.DrawFn) -> World:
    store = draw(stores())
    stripe = Stripe(Identifiers(draw(st.integers(-(10**18), 10**18)), draw(st.integers(0, 10**6))))
    state = State(store, stripe, Clock(draw(_clocks())))
    outcomes = st.sampled_from(sorted(OUTCOMES)).map(OUTCOMES.__getitem__)
    for invoice in list(store.invoices()):
        due = Due(
            invoice.id,
            invoice.stripe_invoice_id,
            invoice.merchant,
            invoice.total,
            invoice.currency,
            "none",
            nothing=invoice.total <= 0,
        )
        reported = invoice.stripe_invoice_status in (STRIPE_DRAFT, STRIPE_OPEN) and draw(st.booleans())
        possible = outcomes if invoice.paid or reported else outcomes.filter(lambda one: not _is_known_to_pay(one))
        for outcome in draw(st.lists(possible, max_size=3)):
            stripe.attempt(due, outcome, now=draw(times))
        if not invoice.draft and (invoice.stripe_invoice_id is None or draw(st.booleans())):
            state.enqueue(invoice, due=draw(times))
        if reported:
            state.pay_later(invoice, due=draw(times))
    stripe.forced.extend(draw(st.lists(outcomes, max_size=3)))
    everyone = [merchant.id for merchant in store.merchants()]
    reaches = draw(st.dictionaries(tokens, st.frozensets(st.sampled_from(everyone)), min_size=1, max_size=3))
    provider = Provider(draw(ids), draw(names), draw(names))
    return World("random", Blueprint("random", draw(texts), provider, reaches, state))


@st.composite
def _clocks(draw: st.DrawFn) -> ClockState:
    frozen_at = draw(st.none() | times)
    return (
        ClockState(frozen_at=frozen_at) if frozen_at is not None else ClockState(draw(st.integers(-(10**15), 10**16)))
    )


def everything(world: World) -> dict[str, Any]:
    """All that makes a world what it is, but its name."""
    blueprint, state, store, stripe = world.blueprint, world.state, world.state.store, world.state.stripe
    return {
        "description": blueprint.description,
        "provider": blueprint.provider,
        "tokens": dict(blueprint.tokens),
        "merchants": store.merchants(),
        "charges": list(store.charges()),
        "invoices": list(store.invoices()),
        "last_ids": store.last_ids,
        "open": store.uninvoiced(reach_of_all(world)),
        "clock": state.clock.state,
        "queue": state.queue,
        "reports": state.reports,
        "stripe": (stripe.identifiers, stripe.ledger, stripe.settled, stripe.answered, list(stripe.forced)),
    }


def reach_of_all(world: World) -> Scope:
    return frozenset(merchant.id for merchant in world.state.store.merchants())
