"""What has changed in one world since it was last saved."""

from __future__ import annotations

from dataclasses import dataclass, field

from mockserver.state.kept.form import (
    DELIVERY,
    KeptRow,
    attempt_row,
    charge_row,
    delivery_row,
    dump,
    faults_form,
    head_of,
    invoice_row,
    rows_of,
)
from mockserver.state.outbox import Delivery, Subscription
from mockserver.state.world import Snapshot, State, World


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be written, in one transaction."""

    head: str
    whole: bool
    """Whether these are all rows, and those that were kept belong to a state that is no more."""
    rows: list[KeptRow]
    gone: list[KeptRow]
    """Rows to be deleted; their values say nothing."""
    snapshots: dict[int, Snapshot]
    """New ones by their place."""
    lost_snapshots: list[int]
    """Places of those that are no more."""


@dataclass(slots=True)
class Saved:
    """A world as it was saved last, as far as it takes to find what has changed since."""

    usual: Subscription
    state: State
    head: str
    attempts: int
    deliveries: dict[int, Delivery]
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    """Where each snapshot stands in the order of all."""

    @classmethod
    def of(cls, world: World, usual: Subscription, places: dict[str, int]) -> Saved:
        """The world as it is; from now on its store notes what is put into it."""
        world.state.store.watch()
        state, snapshots = world.state, dict(world.snapshots)
        deliveries = state.outbox.deliveries.copy()
        return cls(usual, state, head(world, usual), len(state.stripe.ledger), deliveries, snapshots, places)

    def change(self, world: World) -> Change | None:
        """What has changed since, and is taken for saved from now on; None if nothing has."""
        new = head(world, self.usual)
        whole = world.state is not self.state
        rows, gone = (list(rows_of(world.state, world.blueprint.root.state)), []) if whole else self._rows(world.state)
        snapshots, lost = self._snapshots(world)
        if new == self.head and not (whole or rows or gone or snapshots or lost):
            return None
        if whole:
            world.state.store.watch()
        self.state, self.head, self.attempts = world.state, new, len(world.state.stripe.ledger)
        if world.state.outbox.deliveries != self.deliveries:
            self.deliveries = world.state.outbox.deliveries.copy()
        return Change(new, whole, rows, gone, snapshots, lost)

    def _rows(self, state: State) -> tuple[list[KeptRow], list[KeptRow]]:
        charges, invoices = state.store.noted()
        rows = [*map(charge_row, charges), *map(invoice_row, invoices)]
        rows += [attempt_row(one, state.stripe) for one in state.stripe.ledger[self.attempts :]]
        now, before = state.outbox.deliveries, self.deliveries
        # Equal means identical here, which takes no time: the records are immutable.
        if now == before:
            return rows, []
        rows += [delivery_row(one) for number, one in now.items() if before.get(number) is not one]
        return rows, [KeptRow(DELIVERY, number, []) for number in before if number not in now]

    def _snapshots(self, world: World) -> tuple[dict[int, Snapshot], list[int]]:
        lost = [self.places.pop(name) for name in self.snapshots if name not in world.snapshots]
        new: dict[int, Snapshot] = {}
        for name, snapshot in world.snapshots.items():
            if self.snapshots.get(name) is not snapshot:
                place = self.places.setdefault(name, max(self.places.values(), default=-1) + 1)
                new[place] = snapshot
        if new or lost:
            self.snapshots = dict(world.snapshots)
        return new, lost


def head(world: World, usual: Subscription) -> str:
    """All of a world that is in no rows."""
    state = head_of(world.state, world.blueprint.root.state, usual)
    return dump({"state": state, "faults": faults_form(world.faults)})
