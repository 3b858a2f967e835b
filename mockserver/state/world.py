"""All mutable state of one isolated world: made from a fixture's blueprint, copied, reset, kept under one lock."""

from __future__ import annotations

import heapq
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from mockserver.billing import records
from mockserver.billing.profile import Profile
from mockserver.billing.records import Invoice, Provider
from mockserver.billing.stripe import Stripe
from mockserver.core.clock import LATEST, Clock
from mockserver.core.errors import Refused, Unavailable
from mockserver.core.frozen import Frozen
from mockserver.state.outbox import NOBODY, Outbox, Subscription
from mockserver.state.store.base import Scope, Store
from mockserver.traffic.faults.planned import Faults
from mockserver.traffic.journal import Journal
from mockserver.traffic.journal_budget import JournalBudget

T = TypeVar("T")


_TRIES = (False, True, True)
"""Of a change, and whether others are kept away meanwhile: at first nobody mostly comes between, and who has to wait
gets his turn then. The third is for a world that was not there yet, which nobody could be kept away from.
"""


@dataclass(slots=True)
class State:
    """What changes in a world. Its records are immutable, so that a copy is cheap, exact and independent."""

    store: Store
    stripe: Stripe
    clock: Clock = field(default_factory=Clock)
    queue: list[tuple[int, int]] = field(default_factory=list)
    """Invoices to create on Stripe, as a heap of (due, invoice id); due in microseconds since 1970 (FINALIZE-2)."""
    outbox: Outbox = field(default_factory=Outbox)
    reports: list[tuple[int, int]] = field(default_factory=list)
    """Payments that Stripe has yet to report, as a heap of (due, invoice id) like the queue (COLLECT-3)."""
    era: str = field(default_factory=lambda: secrets.token_hex(8), compare=False)
    """Names this course of events: whatever a world is set back to is another one."""

    def copy(self) -> State:
        return State(
            self.store.copy(),
            self.stripe.copy(),
            Clock(self.clock.state),
            self.queue.copy(),
            self.outbox.copy(),
            self.reports.copy(),
        )

    def next_delivery(self) -> int | None:
        """When the next event is to be delivered, in microseconds since 1970 of real time; None if none will be due."""
        delivery = self.outbox.next() if self.outbox.pending else None
        return None if delivery is None else self.clock.real(delivery.due)

    def settle(self) -> None:
        """Do what has become due by now."""
        while self.queue and self.queue[0][0] <= self.clock.now():
            _, invoice_id = heapq.heappop(self.queue)
            invoice = self.store.invoice(invoice_id)
            if invoice is not None and invoice.stripe_invoice_id is None:
                self._put_on_stripe(invoice)
        while self.reports and self.reports[0][0] <= self.clock.now():
            _, invoice_id = heapq.heappop(self.reports)
            invoice = self.store.invoice(invoice_id)
            if invoice is not None and invoice.payment_pending:
                self.store.put_invoice(records.pay(invoice))

    def pay_later(self, invoice: Invoice, *, due: int) -> Invoice:
        """Save the invoice, whose card was charged, as one that shows as paid once Stripe reports it (COLLECT-3)."""
        invoice = records.await_report(invoice)
        self.store.put_invoice(invoice)
        heapq.heappush(self.reports, (min(due, LATEST), invoice.id))
        return invoice

    def enqueue(self, invoice: Invoice, *, due: int) -> None:
        """Queue the finalized invoice for creation on Stripe."""
        heapq.heappush(self.queue, (min(due, LATEST), invoice.id))

    def put_on_stripe(self, invoice: Invoice) -> Invoice:
        """Create the invoice on Stripe now, whenever it was to be, and save it as it is then (COLLECT-2)."""
        self.queue = [one for one in self.queue if one[1] != invoice.id]
        heapq.heapify(self.queue)
        return self._put_on_stripe(invoice)

    def _put_on_stripe(self, invoice: Invoice) -> Invoice:
        """The invoice as Stripe has created it (FINALIZE-2)."""
        identifier = self.stripe.create_invoice()
        # A fixture may hold what this seed gives, as it does when it was written down from an answer.
        while self.store.has_stripe_id(identifier):
            identifier = self.stripe.create_invoice()
        invoice = records.put_on_stripe(invoice, identifier)
        self.store.put_invoice(invoice)
        return invoice


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Blueprint:
    """What a fixture makes of a world: its people, its tokens and its first state."""

    name: str
    description: str
    provider: Provider
    tokens: Mapping[str, Scope]
    """Token to the merchants that it reaches (GEN-4, GEN-8)."""
    state: State
    base: Blueprint | None = None
    """What the state grew from, with the same people; None for what a fixture made."""

    @property
    def root(self) -> Blueprint:
        """What a fixture made, and all of this grew from."""
        return self.base or self


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A world as it was: `blueprint` holds its people and its state, which nobody changes."""

    name: str
    taken_at: int
    """Microseconds since 1970 of real time, whatever the world's clock showed."""
    blueprint: Blueprint


class Keeper(Protocol):
    """Keeps one world elsewhere, where it outlives a restart and other servers may change it too.

    The caller holds the world's lock. Everything raises `Unavailable`.
    """

    def load(self, world: World) -> None:
        """Make the world what was saved last, or new if nothing was."""
        ...

    def is_current(self) -> bool:
        """Whether nobody else has changed the world since it was loaded or saved here."""
        ...

    def save(self, world: World) -> bool:
        """Save what has changed since the last time, all of it or nothing; whether the world is current.

        Nothing is saved in one that is not.
        """
        ...

    def alone(self) -> AbstractContextManager[None]:
        """Let nobody else change the world meanwhile."""
        ...

    def take_over(self, seconds: float) -> bool:
        """Whether events of the world are delivered by nobody else from now on, for at least that long."""
        ...

    def hand_over(self) -> None:
        """Let others deliver them."""
        ...


class World:
    """One isolated world. Whoever touches `state` or `snapshots` holds `lock`, and does it in `look` or `change`."""

    MOST_RENDERED = 10_000
    """How many rendered invoices are kept at most."""

    def __init__(
        self,
        name: str,
        blueprint: Blueprint,
        *,
        subscription: Subscription = NOBODY,
        wake: Callable[[World], None] | None = None,
        journal_size: int = 1000,
        journal_budget: JournalBudget | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        self.name = name
        self.journal = Journal(journal_size, journal_budget)
        """What was said here; like the faults it is no part of a snapshot, and a reset empties it."""
        self.faults = Faults()
        self.origin = blueprint
        """What a reset goes back to."""
        self.lock = threading.RLock()
        self.users = 0
        """Requests that are in this world now; whoever changes it holds the lock of `Worlds`."""
        self.last_used = 0.0
        self.closed = False
        """Whether it was dropped, so that nothing more is to be sent from it."""
        self.snapshots: dict[str, Snapshot] = {}
        """By name, in the order in which the names came; a reset leaves them."""
        self._rendered: dict[int, tuple[Invoice, Frozen]] = {}
        self._rendered_by: Profile | None = None
        self._subscription = subscription
        self._wake = wake
        self._keeper = keeper
        self._doubtful = keeper is not None
        """Whether what is here may not be what was saved last."""
        self.reset()

    def change(self, do: Callable[[], T]) -> T:
        """What `do` returns or refuses, with the lock held; what it changed is saved first.

        If another server has changed the world meanwhile, what was done is dropped and done again on what is there now,
        so that `do` must change nothing but the world. After any other error, and if nothing can be saved, the world is
        as it was. It must not be called within itself. Raises `Unavailable`.
        """
        with self.lock:
            if self._keeper is None:
                return do()
            for alone in _TRIES:
                with self._keeper.alone() if alone else nullcontext():
                    self._recall()
                    self._doubtful = True
                    try:
                        answer: T | Refused = do()
                    except Refused as refusal:
                        answer = refusal
                    saved = self._keeper.save(self)
                if saved:
                    self._doubtful = False
                    if isinstance(answer, Refused):
                        raise answer
                    return answer
            raise Unavailable(
                "Other servers change this world all the time, and it is as it was. Try again.",
                because="state",
                headers={"Retry-After": "1"},
            )

    def look(self, do: Callable[[], T]) -> T:
        """What `do` returns, with the lock held; it may settle what is due, and changes nothing else.

        Nothing is saved: what is due would be settled in the same way again. Raises `Unavailable`.
        """
        with self.lock:
            self.refresh()
            return do()

    def refresh(self) -> None:
        """Be as it was saved last, by whatever server; raises `Unavailable`."""
        with self.lock:
            if self._keeper is not None:
                self._doubtful = self._doubtful or not self._keeper.is_current()
                self._recall()

    def recall(self) -> None:
        """Be as it was saved last, where that is not sure; raises `Unavailable`."""
        if self._doubtful:
            with self.lock:
                self._recall()

    def begin(self, blueprint: Blueprint) -> None:
        """Be as the blueprint has it; faults and snapshots stay."""
        self._become(blueprint)
        self.state.outbox.subscription = self._subscription

    def reset(self) -> None:
        """Start over from the fixture. Whoever resets it empties the journal too, once the rest is saved."""
        with self.lock:
            self.faults.clear()
            self.begin(self.origin)

    def take(self, name: str, blueprint: Blueprint | None = None) -> Snapshot:
        """Keep the world as it is, or the blueprint given instead, under that name; what had the name is forgotten."""
        with self.lock:
            if blueprint is None:
                blueprint = replace(self.blueprint, state=self.state.copy(), base=self.blueprint.root)
            else:
                blueprint.state.outbox.subscription = self.state.outbox.subscription
            snapshot = self.snapshots[name] = Snapshot(name, time.time_ns() // 1000, blueprint)
            return snapshot

    def restore(self, snapshot: Snapshot) -> None:
        """Be as the snapshot has it. A clock that ran runs on, as far ahead of the real time as it was."""
        with self.lock:
            self._become(snapshot.blueprint)
            self.go_on()

    def rendered(self, profile: Profile) -> dict[int, tuple[Invoice, Frozen]]:
        """Invoices as they were rendered last by that profile, with the record that each shows, to be added to.

        A saved invoice is a new record, and a profile that was read anew a new profile: what shows another is stale.
        """
        if self._rendered_by is not profile or len(self._rendered) >= self.MOST_RENDERED:
            self._rendered, self._rendered_by = {}, profile
        return self._rendered

    def emit(self, kind: str, render: Callable[[], dict[str, Any]], *, now: int) -> None:
        """Record an event, to be delivered by others; `render` makes its `data` when it is first looked at."""
        outbox = self.state.outbox
        outbox.add(kind, render, now=now)
        if outbox.pending and self._wake is not None:
            self._wake(self)

    def attend(self) -> None:
        """See to it that what is to be delivered is; raises `Unavailable`."""
        self.look(self._wake_if_pending)

    def take_over(self, seconds: float) -> bool:
        """Whether only this server delivers events of this world, for at least that long; raises `Unavailable`."""
        with self.lock:
            return self._keeper is None or self._keeper.take_over(seconds)

    def hand_over(self) -> None:
        """Let other servers deliver them; raises `Unavailable`."""
        with self.lock:
            if self._keeper is not None:
                self._keeper.hand_over()

    def go_on(self) -> None:
        """Do what has become due, after the clock or the state was changed."""
        self.state.settle()
        self._wake_if_pending()

    def _recall(self) -> None:
        if self._doubtful and self._keeper is not None:
            self._keeper.load(self)
            self._doubtful = False
            self._wake_if_pending()

    def _wake_if_pending(self) -> None:
        if self.state.outbox.pending and self._wake is not None:
            self._wake(self)

    def _become(self, blueprint: Blueprint) -> None:
        self.blueprint = blueprint.root
        """Whose people are in this world now: the fixture's, or those of the snapshot that was restored."""
        self.state = blueprint.state.copy()
        self._rendered_by = None
