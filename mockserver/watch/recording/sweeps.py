"""Which charges went onto the invoices of creates that named none: what is known of it, and what is a guess."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import accumulate
from math import inf

from mockserver.verify.claims.values import Row
from mockserver.watch.judging.memory import amount_of
from mockserver.watch.recording.gather import Moment, SeenWorld

Kin = tuple[str, str]


@dataclass(slots=True)
class Swept:
    """What was found out of the creates of all that was open (CREATE-2)."""

    taken: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """By the invoice: the charges that were open before its create, where they come to no more than its total."""
    guessed: int = 0
    """Invoices of which these charges are not all."""
    unknown: int = 0
    """Invoices of which they would be too many, so that none is taken to be on it."""


def find_swept(seen: SeenWorld, invoices: Mapping[int, Row], charges: Mapping[int, Row]) -> Swept:
    """Of these invoices and charges.

    What was open is on the invoice of the first create of everything after which it was not shown as open.
    """
    swept, left = Swept(), _left_open(seen, charges)
    for kin, sweeps in _sweeps(seen, invoices).items():
        groups: list[list[int]] = [[] for _ in sweeps]
        steps = [moment.step for moment, _ in sweeps]
        # A create of which the time is not known says nothing of what came after it.
        starts = (moment.started if moment.started < inf else -inf for moment, _ in sweeps)
        latest = list(accumulate(starts, max))
        for number, shown in left.get(kin, ()):
            # That it was open came before the create's answer did, or was at least asked for before the create.
            first = min(bisect_left(steps, shown.step), bisect_right(latest, shown.started))
            if first < len(groups):
                groups[first].append(number)
        for (_, invoice), group in zip(sweeps, groups, strict=True):
            total = amount_of(invoices[invoice], "total") or Decimal(0)
            known = sum((amount_of(charges[number], "amount") or Decimal(0) for number in group), Decimal(0))
            if known > total:
                swept.unknown += 1
            elif group:
                swept.taken[invoice] = tuple(group)
                swept.guessed += known < total
    return swept


def kin_of(row: Row) -> Kin:
    """The merchant and the currency, which are the same for an invoice and all its charges."""
    return str(row.get("chargee_id")), str(row.get("currency"))


def is_void(charge: Row) -> bool:
    return "void" in str(charge.get("status")).lower()


def _sweeps(seen: SeenWorld, invoices: Mapping[int, Row]) -> dict[Kin, list[tuple[Moment, int]]]:
    """The creates of all that was open, with their invoices, in the order of their answers."""
    found: dict[Kin, list[tuple[Moment, int]]] = {}
    for invoice, moment in sorted(seen.sweeps.items(), key=lambda item: item[1].step):
        if invoice in invoices:
            found.setdefault(kin_of(invoices[invoice]), []).append((moment, invoice))
    return found


def _left_open(seen: SeenWorld, charges: Mapping[int, Row]) -> dict[Kin, list[tuple[int, Moment]]]:
    """The charges that were shown as open and that no create named, with when they last were."""
    named = {number for _, numbers in seen.named.items() for number in numbers}
    found: dict[Kin, list[tuple[int, Moment]]] = {}
    for number, one in sorted(seen.charges.items()):
        if one.open_last is not None and number in charges and number not in named and not is_void(one.row):
            found.setdefault(kin_of(one.row), []).append((number, one.open_last))
    return found
