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
from mockserver.state.outbox import Subscription
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
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    """Where each snapshot stands in the order of all."""

    @classmethod
    def of(cls, world: World, usual: Subscription, places: dict[str, int]) -> Saved:
        """The world as it is; from now on its store and its outbox note what is put into them."""
        state = world.state
        _watch(state)
        return cls(usual, state, head(world, usual), len(state.stripe.ledger), dict(world.snapshots), places)

    def change(self, world: World) -> Change | None:
        """What has changed since, and is taken for saved from now on; None if nothing has."""
        new = head(world, self.usual)
        whole = world.state is not self.state
        rows, gone = (list(rows_of(world.state, world.blueprint.root.state)), []) if whole else self._rows(world.state)
        snapshots, lost = self._snapshots(world)
        if new == self.head and not (whole or rows or gone or snapshots or lost):
            return None
        if whole:
            _watch(world.state)
        self.state, self.head, self.attempts = world.state, new, len(world.state.stripe.ledger)
        return Change(new, whole, rows, gone, snapshots, lost)

    def _rows(self, state: State) -> tuple[list[KeptRow], list[KeptRow]]:
        charges, invoices = state.store.noted()
        rows = [*map(charge_row, charges), *map(invoice_row, invoices)]
        rows += [attempt_row(one, state.stripe) for one in state.stripe.ledger[self.attempts :]]
        gone = []
        for number in state.outbox.take_noted():
            delivery = state.outbox.deliveries.get(number)
            if delivery is None:
                gone.append(KeptRow(DELIVERY, number, []))
            else:
                rows.append(delivery_row(delivery))
        return rows, gone

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


def _watch(state: State) -> None:
    state.store.watch()
    state.outbox.take_noted()


def head(world: World, usual: Subscription) -> str:
    """All of a world that is in no rows."""
    state = head_of(world.state, world.blueprint.root.state, usual)
    return dump({"state": state, "faults": faults_form(world.faults)})
