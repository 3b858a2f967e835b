"""All mutable state of one isolated world: made from a fixture's blueprint, copied, reset, kept under one lock."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mockserver import billing
from mockserver.billing import Invoice
from mockserver.clock import Clock
from mockserver.store import MemoryStore, Scope
from mockserver.stripe import Stripe


@dataclass(frozen=True, slots=True)
class Provider:
    """The prep centre that charges: what `charger_id` and `charger_type` show."""

    id: int
    name: str
    type: str = "company"


@dataclass(slots=True)
class State:
    """What changes in a world. Its records are immutable, so that a copy is cheap, exact and independent."""

    store: MemoryStore
    stripe: Stripe
    clock: Clock = field(default_factory=Clock)
    queue: list[tuple[int, int]] = field(default_factory=list)
    """Invoices to create on Stripe, as a heap of (due, invoice id); due in microseconds since 1970 (FINALIZE-2)."""

    def copy(self) -> State:
        return State(self.store.copy(), self.stripe.copy(), Clock(self.clock.state), self.queue.copy())

    def settle(self) -> None:
        """Do what has become due by now."""
        while self.queue and self.queue[0][0] <= self.clock.now():
            _, invoice_id = heapq.heappop(self.queue)
            invoice = self.store.invoice(invoice_id)
            if invoice is not None and invoice.stripe_invoice_id is None:
                self.put_on_stripe(invoice)

    def enqueue(self, invoice: Invoice, *, due: int) -> None:
        """Queue the finalized invoice for creation on Stripe."""
        heapq.heappush(self.queue, (due, invoice.id))

    def put_on_stripe(self, invoice: Invoice) -> Invoice:
        """Create the invoice on Stripe and save it as it is then (FINALIZE-2, COLLECT-2)."""
        invoice = billing.put_on_stripe(invoice, self.stripe.create_invoice())
        self.store.put_invoice(invoice)
        return invoice


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What a fixture makes of a world: its people, its tokens and its first state."""

    name: str
    description: str
    provider: Provider
    tokens: Mapping[str, Scope]
    """Token to the merchants that it reaches (GEN-4, GEN-8)."""
    state: State


class World:
    """One isolated world. Whoever touches `state` holds `lock`."""

    MOST_RENDERED = 10_000
    """How many rendered invoices are kept at most."""

    def __init__(self, name: str, blueprint: Blueprint) -> None:
        self.name = name
        self.blueprint = blueprint
        self.lock = threading.RLock()
        self.users = 0
        """Requests that are in this world now; whoever changes it holds the lock of `Worlds`."""
        self.last_used = 0.0
        self.state = blueprint.state.copy()
        self.rendered: dict[int, tuple[Invoice, dict[str, Any]]] = {}
        """Invoices as they were rendered last; a saved invoice is a new record, so identity tells a stale one."""

    def reset(self) -> None:
        """Start over from the blueprint."""
        with self.lock:
            self.state = self.blueprint.state.copy()
            self.rendered.clear()
