"""The latest that traffic showed of each record, to be written down as a world."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, isfinite

from mockserver.verify.claims.values import Row
from mockserver.watch.judging.bounded import Bounded
from mockserver.watch.judging.sight import Sight
from mockserver.watch.loading.addresses import set_back
from mockserver.watch.passing import Passing

MOST_KEPT = 100_000
"""Invoices of one world, and charges, that are gathered; of more the latest."""
MOST_WORLDS = 20
_ONE = re.compile(r"/billing/(?P<kind>invoices|charges)/(?P<number>[1-9][0-9]{0,18})/?(?:\?.*)?")


@dataclass(frozen=True, slots=True)
class Moment:
    """When an answer came, by the order of the traffic, and when it was asked for; `inf` where that is not known."""

    step: int
    started: float


@dataclass(slots=True)
class SeenRecord:
    """One record as it was shown last."""

    row: Row
    started: float
    """When that was asked for."""
    open_last: Moment | None = None
    """When a charge was last shown as open."""


@dataclass(slots=True)
class SeenWorld:
    """What was seen of one server, or of one world of a fake."""

    base: str
    invoices: Bounded[int, SeenRecord] = field(default_factory=lambda: Bounded(MOST_KEPT))
    charges: Bounded[int, SeenRecord] = field(default_factory=lambda: Bounded(MOST_KEPT))
    named: Bounded[int, tuple[int, ...]] = field(default_factory=lambda: Bounded(MOST_KEPT))
    """By the invoice: the charges that its create named."""
    sweeps: Bounded[int, Moment] = field(default_factory=lambda: Bounded(MOST_KEPT))
    """By the invoice: the creates that named none."""
    declined: dict[str, str] = field(default_factory=dict)
    """The merchants whose cards declined, with the time."""
    lost: bool = False
    """Whether records were seen that a reset then took away."""
    gone: bool = False
    """Whether these are such records."""
    _steps: int = 0

    @property
    def size(self) -> int:
        return len(self.invoices) + len(self.charges)

    def moment(self, sight: Sight) -> Moment:
        """When that was seen."""
        self._steps += 1
        return Moment(self._steps, sight.started if isfinite(sight.started) else inf)

    def keep_charge(self, row: Mapping[str, object], sight: Sight) -> None:
        """One that an answer shows."""
        _keep(self.charges, row, sight.started)
        number = row.get("id")
        known = self.charges.get(number) if isinstance(number, int) else None
        if known is not None and row.get("status") == "Open":
            shown = self.moment(sight)
            if known.open_last is None or known.open_last.started <= shown.started:
                known.open_last = shown

    def drop_invoice(self, number: int) -> None:
        """It is not there any more."""
        for records in (self.invoices, self.named, self.sweeps):
            records.drop(number)


class Gather:
    """Hears of every answer that has the documented form."""

    def __init__(self) -> None:
        self._worlds: Bounded[str, SeenWorld] = Bounded(MOST_WORLDS)
        self._gone: Bounded[str, SeenWorld] = Bounded(MOST_WORLDS)
        """What was seen before it was set back, of each the latest that held records."""

    def see(self, sight: Sight) -> None:
        server = _server(sight.world)
        world = self._worlds.get_or(server, lambda: SeenWorld(sight.passing.base, lost=server in self._gone))
        if not sight.ok:
            self._declined(sight, world)
            return
        match sight.operation.id:
            case "listInvoices":
                for row in sight.rows:
                    _keep(world.invoices, row, sight.started)
            case "listCharges":
                for row in sight.rows:
                    world.keep_charge(row, sight)
            case "getCharge" | "createQuickAdjustment":
                world.keep_charge(sight.part("charge"), sight)
            case "createInvoice":
                self._created(sight, world)
            case _:
                _keep(world.invoices, sight.part("invoice"), sight.started)
                self._acted(sight, world)

    def changed(self, passing: Passing) -> None:
        """What nobody documents may take away what was seen."""
        if set_back(passing.target) is not None:
            self.forget(passing.world)
        world, found = self._worlds.get(_server(passing.world)), _ONE.fullmatch(passing.target)
        if world is not None and found is not None and passing.method == "DELETE" and 200 <= passing.status < 300:
            number = int(found["number"])
            if found["kind"] == "charges":
                world.charges.drop(number)
            else:
                world.drop_invoice(number)

    def forget(self, world: str) -> None:
        """Nothing of that world is there any more."""
        server = _server(world)
        known = self._worlds.get(server)
        if known is not None and known.size:
            known.gone = True
            self._gone.set(server, known)
        self._worlds.drop(server)

    def largest(self) -> tuple[SeenWorld | None, int]:
        """The world of which most was seen, and how many others there are; of those set back if there are no others."""
        worlds = [world for _, world in self._worlds.newest(MOST_WORLDS) if world.size]
        worlds = worlds or [world for _, world in self._gone.newest(MOST_WORLDS)]
        return max(worlds, key=lambda world: world.size, default=None), max(0, len(worlds) - 1)

    def _created(self, sight: Sight, world: SeenWorld) -> None:
        made = sight.part("invoice")
        number = made.get("id")
        if not isinstance(number, int):
            return
        known = world.invoices.get(number)
        if known is not None and known.started < sight.started:
            # It is another one by the same id: the database was emptied.
            world.drop_invoice(number)
        _keep(world.invoices, made, sight.started)
        if not sight.plain:
            return
        if sight.reading.charges:
            world.named.set(number, sight.reading.charges)
        else:
            world.sweeps.set(number, world.moment(sight))

    def _acted(self, sight: Sight, world: SeenWorld) -> None:
        """A finalize or a collect that succeeded says what became of the invoice, though its answer may not show it."""
        number = sight.reading.record
        known = world.invoices.get(number) if number is not None and sight.acts_plainly else None
        if known is None or number is None:
            return
        status = known.row.get("status")
        known.row = {**known.row, "status": "Finalized" if status == "Draft" else status}
        if sight.operation.id == "collectInvoice":
            stripe_id = known.row.get("stripe_invoice_id") or f"in_{number}"
            known.row = {**known.row, "stripe_invoice_id": stripe_id, "stripe_invoice_status": "paid"}

    def _declined(self, sight: Sight, world: SeenWorld) -> None:
        """A card that declined."""
        if sight.operation.id != "collectInvoice" or sight.passing.status != 402:
            return
        known = world.invoices.get(sight.reading.record or -1)
        if known is not None:
            world.declined[str(known.row.get("chargee_id"))] = sight.passing.at


def _keep(records: Bounded[int, SeenRecord], row: Mapping[str, object], started: float) -> None:
    number = row.get("id")
    if not isinstance(number, int) or isinstance(number, bool):
        return
    known = records.get(number)
    if known is None or (known.started <= started and not _goes_back(known.row, row)):
        records.set(number, SeenRecord(row, started, known.open_last if known is not None else None))


def _goes_back(known: Row, row: Mapping[str, object]) -> bool:
    """Whether it shows an invoice as it was before: what overlapped is not always in the order of its requests."""
    was_paid = known.get("stripe_invoice_status") == "paid" != row.get("stripe_invoice_status")
    return was_paid or (row.get("status") == "Draft" != known.get("status"))


def _server(world: str) -> str:
    """The world without the recording that showed it: several may show one server."""
    return world.partition("\0")[2]
