"""The written form of what is in a world: plain JSON values, whole or as what differs from an earlier state."""

from __future__ import annotations

import heapq
import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from operator import attrgetter
from random import Random
from typing import Any, NamedTuple

from mockserver.billing.records import Charge, Invoice, Merchant
from mockserver.billing.stripe import OUTCOMES, Attempt, Stripe
from mockserver.core.clock import Clock, ClockState, Identifiers
from mockserver.state.outbox import Delivery, DeliveryAttempt, Event, Outbox, Subscription
from mockserver.state.store.memory import MemoryStore
from mockserver.state.world import State
from mockserver.traffic.faults.delays import Delay
from mockserver.traffic.faults.fault import Fault
from mockserver.traffic.faults.planned import Faults, Planned

CHARGE, INVOICE, ATTEMPT, DELIVERY = range(1, 5)
"""The kinds of rows."""


class KeptRow(NamedTuple):
    """Something that is written by itself, as there can be many of it: `values` are plain JSON values."""

    kind: int
    id: int
    values: list[Any]


def _values(of: type[Any]) -> attrgetter[Any]:
    return attrgetter(*(field.name for field in fields(of)))


_charge, _invoice, _merchant = _values(Charge), _values(Invoice), _values(Merchant)
_attempt, _delivery_attempt = _values(Attempt), _values(DeliveryAttempt)


def dump(values: Any) -> str:
    """Plain values as text; integers of any size and every text survive it."""
    return _dump(values)


_dump = json.JSONEncoder(separators=(",", ":")).encode


def charge_row(charge: Charge) -> KeptRow:
    return KeptRow(CHARGE, charge.id, _charge(charge))


def invoice_row(invoice: Invoice) -> KeptRow:
    return KeptRow(INVOICE, invoice.id, _invoice(invoice))


def attempt_row(attempt: Attempt, stripe: Stripe) -> KeptRow:
    """The line of the ledger, and what came of it for the next attempt on that invoice."""
    return KeptRow(ATTEMPT, attempt.number, [_attempt(attempt), stripe.answered.get(attempt.invoice)])


def delivery_row(delivery: Delivery) -> KeptRow:
    event = delivery.event
    happened = [event.id, event.type, event.at, event.body.decode()]
    tries = [_delivery_attempt(one) for one in delivery.attempts]
    return KeptRow(DELIVERY, delivery.id, [happened, delivery.fate, delivery.due, delivery.tries, delivery.rank, tries])


def rows_of(state: State, base: State | None) -> Iterator[KeptRow]:
    """All rows, or those that `base`, which the state grew from, has not."""
    for charge in state.store.charges() if base is None else state.store.charges_since(base.store):
        yield charge_row(charge)
    for invoice in state.store.invoices() if base is None else state.store.invoices_since(base.store):
        yield invoice_row(invoice)
    for attempt in state.stripe.ledger[0 if base is None else len(base.stripe.ledger) :]:
        yield attempt_row(attempt, state.stripe)
    for delivery in state.outbox.deliveries.values():
        yield delivery_row(delivery)


def head_of(state: State, base: State | None, usual: Subscription) -> dict[str, Any]:
    """All of a state that is in no rows. `usual` is who is told of events unless the world was told otherwise."""
    store, stripe, outbox = state.store, state.stripe, state.outbox
    merchants = store.merchants() if base is None else store.merchants_since(base.store)
    head = {
        "clock": [state.clock.state.offset, state.clock.state.frozen_at],
        "last_ids": store.last_ids,
        "merchants": [_merchant(one) for one in merchants],
        "stripe": [stripe.identifiers.seed, stripe.identifiers.given, [one.name for one in stripe.forced]],
        "queue": state.queue,
        "reports": state.reports,
        "outbox": [outbox.held, outbox.last_id, outbox.lost],
        "subscription": None if outbox.subscription == usual else asdict(outbox.subscription),
    }
    if base is None:
        # Later ones follow from the ledger.
        head |= {"settled": sorted(stripe.settled), "answered": sorted(stripe.answered.items())}
    return head


def read_state(head: dict[str, Any], rows: Iterable[KeptRow], base: State | None, usual: Subscription) -> State:
    """The state that was written so; rows of one kind come in the order of their ids, or as they were written."""
    state = State(MemoryStore(), Stripe(Identifiers(0))) if base is None else base.copy()
    seed, given, forced = head["stripe"]
    stripe, told = state.stripe, head["subscription"]
    stripe.identifiers = Identifiers(seed, given)
    stripe.forced = deque(OUTCOMES[name] for name in forced)
    stripe.settled.update(head.get("settled", ()))
    stripe.answered.update(head.get("answered", ()))
    for merchant in head["merchants"]:
        state.store.put_merchant(Merchant(*merchant))
    held, last_id, lost = head["outbox"]
    state.outbox = Outbox(usual if told is None else Subscription(**told), held=held, last_id=last_id, lost=lost)
    _read_rows(rows, state)
    charge, invoice = head["last_ids"]
    state.store.reserve_ids(charge=charge, invoice=invoice)
    state.clock = Clock(ClockState(*head["clock"]))
    state.queue, state.reports = _heap(head["queue"]), _heap(head["reports"])
    return state


def _heap(entries: list[list[int]]) -> list[tuple[int, int]]:
    heap = [(due, invoice) for due, invoice in entries]
    heapq.heapify(heap)
    return heap


def _read_rows(rows: Iterable[KeptRow], state: State) -> None:
    charges: list[Charge] = []
    events: dict[int, Event] = {}
    for kind, number, values in rows:
        if kind == CHARGE:
            charges.append(Charge(*values))
        elif kind == INVOICE:
            invoice = dict(zip((field.name for field in fields(Invoice)), values, strict=False))
            state.store.put_invoice(Invoice(**invoice | {"charges": tuple(invoice["charges"])}))
        elif kind == ATTEMPT:
            _read_attempt(values, state.stripe)
        else:
            state.outbox.enter(_read_delivery(number, values, events))
    state.store.put_charges(charges)


def _read_attempt(values: list[Any], stripe: Stripe) -> None:
    attempt, answered = Attempt(*values[0]), values[1]
    stripe.ledger.append(attempt)
    if attempt.charged:
        stripe.settled.add(attempt.idempotency_key)
    if answered is not None:
        stripe.answered[attempt.invoice] = answered


def _read_delivery(number: int, values: list[Any], events: dict[int, Event]) -> Delivery:
    """The delivery; those of one event share it."""
    (event_id, kind, at, body), fate, due, tries, rank, attempts = values
    event = events.get(event_id)
    if event is None:
        event = events[event_id] = Event.known(event_id, kind, at, body.encode())
    return Delivery(number, event, fate, due, tries, rank, tuple(DeliveryAttempt(*one) for one in attempts))


def faults_form(faults: Faults) -> list[Any]:
    """The planned faults with their counts and their chance."""
    return [faults.last_id, [_planned(one) for one in faults.planned]]


def _planned(planned: Planned) -> list[Any]:
    state: Any = planned.chance.getstate()
    untouched = state == Random(planned.fault.seed).getstate()
    chance = None if untouched else state
    return [planned.id, asdict(planned.fault), planned.created_at, planned.seen, planned.struck, chance]


def read_faults(form: list[Any]) -> Faults:
    """The planned faults that were written so."""
    faults = Faults()
    faults.last_id, written = form
    for number, fields_of_it, created_at, seen, struck, chance in written:
        delay = fields_of_it["delay"]
        if delay is not None:
            delay = Delay(delay["distribution"], tuple(delay["parameters"]))
        fault = Fault(**fields_of_it | {"operations": tuple(fields_of_it["operations"]), "delay": delay})
        planned = Planned(number, fault, created_at)
        planned.seen, planned.struck = seen, struck
        if chance is not None:
            version, words, gauss = chance
            planned.chance.setstate((version, tuple(words), gauss))
        faults.planned.append(planned)
    return faults
