"""The latest that traffic showed of each record, to be written down as a world."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from mockserver.verify.claims.values import Row
from mockserver.watch.judging.bounded import Bounded
from mockserver.watch.judging.memory import amount_of
from mockserver.watch.judging.sight import Sight
from mockserver.watch.loading.addresses import set_back
from mockserver.watch.passing import Passing

MOST_KEPT = 100_000
"""Invoices of one world, and charges, that are gathered; of more the latest."""
MOST_WORLDS = 20
_ONE = re.compile(r"/billing/(?P<kind>invoices|charges)/(?P<number>[1-9][0-9]{0,18})/?(?:\?.*)?")


@dataclass(slots=True)
class SeenRecord:
    """One record as it was shown last."""

    row: Row
    started: float
    """When that was asked for."""


@dataclass(slots=True)
class SeenWorld:
    """What was seen of one server, or of one world of a fake."""

    base: str
    invoices: Bounded[int, SeenRecord] = field(default_factory=lambda: Bounded(MOST_KEPT))
    charges: Bounded[int, SeenRecord] = field(default_factory=lambda: Bounded(MOST_KEPT))
    named: Bounded[int, tuple[int, ...]] = field(default_factory=lambda: Bounded(MOST_KEPT))
    """By the invoice: the charges that its create named."""
    declined: dict[str, str] = field(default_factory=dict)
    """The merchants whose cards declined, with the time."""

    swept: int = 0
    """Creates of all that was open of which is not known what that was."""

    @property
    def size(self) -> int:
        return len(self.invoices) + len(self.charges)

    def all_open(self, invoice: Row) -> tuple[int, ...]:
        """The charges that a create without ids took: those seen to be open, where they come to its total."""
        kin = (str(invoice.get("chargee_id")), invoice.get("currency"))
        rows = {number: one.row for number, one in self.charges.newest(len(self.charges))}
        left = {
            number: amount_of(row, "amount")
            for number, row in rows.items()
            if row.get("status") == "Open" and (str(row.get("chargee_id")), row.get("currency")) == kin
        }
        for _, named in self.named.newest(len(self.named)):
            for number in named:
                left.pop(number, None)
        amounts = [amount or Decimal(0) for amount in left.values()]
        return tuple(sorted(left)) if sum(amounts, Decimal(0)) == amount_of(invoice, "total") else ()


class Gather:
    """Hears of every answer that has the documented form."""

    def __init__(self) -> None:
        self._worlds: Bounded[str, SeenWorld] = Bounded(MOST_WORLDS)

    def see(self, sight: Sight) -> None:
        world = self._worlds.get_or(_server(sight.world), lambda: SeenWorld(sight.passing.base))
        if not sight.ok:
            self._declined(sight, world)
            return
        match sight.operation.id:
            case "listInvoices":
                for row in sight.rows:
                    _keep(world.invoices, row, sight.started)
            case "listCharges":
                for row in sight.rows:
                    _keep(world.charges, row, sight.started)
            case "getCharge" | "createQuickAdjustment":
                _keep(world.charges, sight.part("charge"), sight.started)
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
                world.invoices.drop(number)
                world.named.drop(number)

    def forget(self, world: str) -> None:
        """Nothing of that world is there any more."""
        self._worlds.drop(_server(world))

    def largest(self) -> tuple[SeenWorld | None, int]:
        """The world of which most was seen, and how many others there are."""
        worlds = [world for _, world in self._worlds.newest(MOST_WORLDS) if world.size]
        return max(worlds, key=lambda world: world.size, default=None), max(0, len(worlds) - 1)

    def _created(self, sight: Sight, world: SeenWorld) -> None:
        made = sight.part("invoice")
        number = made.get("id")
        if not isinstance(number, int):
            return
        known = world.invoices.get(number)
        if known is not None and known.started < sight.started:
            # It is another one by the same id: the database was emptied.
            world.invoices.drop(number)
        _keep(world.invoices, made, sight.started)
        if not sight.plain:
            return
        taken = sight.reading.charges or world.all_open(made)
        if taken:
            world.named.set(number, taken)
        else:
            world.swept += 1

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
        records.set(number, SeenRecord(row, started))


def _goes_back(known: Row, row: Mapping[str, object]) -> bool:
    """Whether it shows an invoice as it was before: what overlapped is not always in the order of its requests."""
    was_paid = known.get("stripe_invoice_status") == "paid" != row.get("stripe_invoice_status")
    return was_paid or (row.get("status") == "Draft" != known.get("status"))


def _server(world: str) -> str:
    """The world without the recording that showed it: several may show one server."""
    return world.partition("\0")[2]
