"""Worlds of any size from a count and a seed: the same plan gives the same records, whenever it is asked."""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, cycle, islice
from random import Random
from types import ModuleType
from typing import Any, TypeVar

from mockserver.billing import INVOICED, OPEN, PAID, STRIPE_OPEN, STRIPE_VOID, UNCOLLECTIBLE, Charge, Invoice, Merchant
from mockserver.clock import MICROSECONDS, Identifiers, parse_time
from mockserver.store import MemoryStore

Thing = TypeVar("Thing")
Progress = Callable[[int, int], None]
"""Takes the number of records made so far, and of all."""


def _lazily(name: str) -> ModuleType:
    """The module, executed when first used: Faker's import reads for a tenth of a second, and few worlds need it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    if name in sys.modules:
        return sys.modules[name]
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


faker = _lazily("faker")
_FIRST_USE = threading.Lock()
"""A lazy module must not be used by two threads at once before it is there."""

_HOUR = 3600 * MICROSECONDS
_LEAD = 72 * _HOUR
"""How long before its invoice a charge is made."""
_SHARES = (1, 1, 2, 1, 1, 1, 1, 1, 3, 1)
"""How many charges an invoice has, in turn."""
_CHUNK = 5_000
"""Invoices, or open charges, that are made before the next report of progress."""


def _spread(weights: Mapping[str, int]) -> list[str]:
    """Each word as often as its weight says, to draw from."""
    return [word for word, weight in weights.items() for _ in range(weight)]


_DRAFT = "draft"
_LATELY = _spread({PAID: 40, STRIPE_OPEN: 40, _DRAFT: 20})
_BEFORE = _spread({PAID: 94, STRIPE_OPEN: 2, STRIPE_VOID: 2, UNCOLLECTIBLE: 2})
"""Where invoices stand: the last twentieth of them, and those before."""
_CURRENCIES = _spread({"USD": 70, "EUR": 10, "GBP": 8, "CAD": 6, "JPY": 3, "KWD": 2, "BIF": 1})
_CARDS = _spread(
    {
        "pm_card_visa": 88,
        "pm_card_visa_chargeDeclinedInsufficientFunds": 5,
        "pm_card_chargeDeclinedExpiredCard": 3,
        "pm_card_authenticationRequired": 2,
        "none": 2,
    }
)
_PER_CENT = {"EUR": 0.92, "GBP": 0.78, "CAD": 1.37, "JPY": 1.5, "KWD": 3.1, "BIF": 29.0}
"""Roughly the minor units that a US cent buys; 1 for others. It only keeps the amounts believable."""
_WORK = {
    "OutboundShipment": "Outbound shipment of {units} units to {city}",
    "InboundShipment": "Receiving of {units} units, lot {lot}",
    "Storage": "Storage of {units} units, lot {lot}",
    "Labelling": "Labelling of {units} units for {city}",
}
"""Categories and descriptions of charges; only the first category is the API's for certain."""
_POOL = 300
"""How many amounts, notes, and descriptions of each kind of work there are to draw from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to generate. Times are in microseconds since 1970, UTC."""

    merchants: int = 0
    charges: int = 0
    """Open charges, beside those on invoices."""
    invoices: int = 0
    seed: int = 1
    start: int = parse_time("2025-01-01")
    end: int = parse_time("2026-11-01")
    """Invoices are created from `start` to `end`, in the order of their ids."""


def charges_on(invoices: int) -> int:
    """How many charges are made for that many invoices."""
    rounds, rest = divmod(invoices, len(_SHARES))
    return rounds * sum(_SHARES) + sum(_SHARES[:rest])


def merchants(plan: Plan, *, after: int) -> list[Merchant]:
    """The generated merchants, with ids that follow `after`; merchants 1 and 2 always pay, in USD."""
    if not plan.merchants:
        return []
    fake, random = _fake(plan.seed), Random(f"merchants {plan.seed}").random
    made = []
    for number in range(after + 1, after + plan.merchants + 1):
        currency, card = _drawn(random, _CURRENCIES), _drawn(random, _CARDS)
        if number <= 2:
            currency, card = "USD", "pm_card_visa"
        made.append(Merchant(number, fake.company(), currency, card))
    return made


def records(plan: Plan, store: MemoryStore, identifiers: Identifiers, *, progress: Progress | None = None) -> None:
    """Add the generated invoices, their charges and the open charges to the store, for all merchants in it."""
    total = plan.invoices + charges_on(plan.invoices) + plan.charges
    if not total:
        return
    maker = _Maker(plan, store, identifiers)
    done = 0
    for charges, invoices in chain(maker.billed(), maker.unbilled()):
        store.put_charges(charges)
        for invoice in invoices:
            store.put_invoice(invoice)
        done += len(charges) + len(invoices)
        if progress is not None:
            progress(done, total)


class _Maker:
    """Draws one record after the other. What many of them share is one object in memory."""

    def __init__(self, plan: Plan, store: MemoryStore, identifiers: Identifiers) -> None:
        fake, rng = _fake(plan.seed), Random(f"records {plan.seed}")
        self._plan = plan
        self._identifiers = identifiers
        self._random = rng.random
        self._merchants = store.merchants()
        self._charge_id, self._invoice_id = store.last_ids
        self._works = _works(fake)
        self._notes = [fake.bothify("Purchase order ??-####").upper() if one % 3 == 0 else None for one in range(_POOL)]
        cents = [round(rng.lognormvariate(8.0, 1.1)) + 50 for _ in range(_POOL)]
        self._prices = {
            merchant.currency: [round(price * _PER_CENT.get(merchant.currency, 1)) for price in cents]
            for merchant in self._merchants
        }

    def billed(self) -> Iterator[tuple[list[Charge], list[Invoice]]]:
        """The invoices with their charges, some thousand at a time, both by rising ids and times."""
        start, count = self._plan.start, self._plan.invoices
        span, lately = self._plan.end - start, count - count // 20 - 1
        charges: list[Charge] = []
        invoices: list[Invoice] = []
        for index, share in zip(range(count), cycle(_SHARES), strict=False):
            slot = start + span * index // count
            step = start + span * (index + 1) // count - slot
            merchant = _drawn(self._random, self._merchants)
            self._invoice_id += 1
            own = [
                self._charge(merchant, slot - _LEAD + step * one // share, step // share, self._invoice_id)
                for one in range(share)
            ]
            charges += own
            state = _drawn(self._random, _LATELY if index > lately else _BEFORE)
            invoices.append(self._invoice(merchant, own, slot + int(self._random() * step), state))
            if len(invoices) == _CHUNK:
                yield charges, invoices
                charges, invoices = [], []
        yield charges, invoices

    def unbilled(self) -> Iterator[tuple[list[Charge], list[Invoice]]]:
        """The open charges, dealt to the merchants in turn; they are later than all those on invoices."""
        count = self._plan.charges
        slots = (self._plan.end - _LEAD + _LEAD * index // count for index in range(count))
        dealt = zip(slots, cycle(self._merchants), strict=False)
        while charges := [self._charge(merchant, slot, 1, None) for slot, merchant in islice(dealt, _CHUNK)]:
            yield charges, []

    def _charge(self, merchant: Merchant, slot: int, step: int, invoice_id: int | None) -> Charge:
        self._charge_id += 1
        category, description = _drawn(self._random, self._works)
        return Charge(
            self._charge_id,
            merchant.id,
            slot + int(self._random() * step),
            merchant.currency,
            _drawn(self._random, self._prices[merchant.currency]),
            category,
            description,
            OPEN if invoice_id is None else INVOICED,
            invoice_id,
        )

    def _invoice(self, merchant: Merchant, charges: list[Charge], created_at: int, state: str) -> Invoice:
        finalized_at = None if state == _DRAFT else created_at + int((1 + self._random() * 47) * _HOUR)
        on_stripe = state != _DRAFT
        return Invoice(
            self._invoice_id,
            merchant.id,
            created_at,
            merchant.currency,
            charges[0].amount if len(charges) == 1 else sum([charge.amount for charge in charges]),
            tuple([charge.id for charge in charges]),
            _drawn(self._random, self._notes),
            finalized_at,
            self._identifiers.stripe("in_") if on_stripe else None,
            state if on_stripe else None,
            finalized_at if state == STRIPE_VOID else None,
        )


def _drawn(random: Callable[[], float], things: Sequence[Thing]) -> Thing:
    return things[int(random() * len(things))]


def _fake(seed: int) -> Any:
    with _FIRST_USE:
        fake = faker.Faker("en_US")
    fake.seed_instance(seed)
    return fake


def _works(fake: Any) -> list[tuple[str, str]]:
    """Categories of charges, each with its descriptions."""
    return [
        (category, form.format(units=fake.random_int(6, 900), city=fake.city(), lot=fake.bothify("??-###").upper()))
        for category, form in _WORK.items()
        for _ in range(_POOL)
    ]
