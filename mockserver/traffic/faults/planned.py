"""The planned faults of one world: which of them strike a request, and how often each did."""

from __future__ import annotations

from random import Random
from typing import Any

from mockserver.core.clock import render_time
from mockserver.core.messages import Call
from mockserver.traffic.faults.fault import Fault
from mockserver.traffic.faults.kinds import KINDS


class Planned:
    """A fault in force, with its own chance and its counts."""

    __slots__ = ("chance", "created_at", "fault", "id", "seen", "struck")

    def __init__(self, id: int, fault: Fault, now: int) -> None:
        self.id = id
        self.fault = fault
        self.created_at = now
        self.seen = 0
        """How many requests it was about."""
        self.struck = 0
        """How many of them it struck."""
        self.chance = Random(fault.seed)

    def in_force(self, now: int) -> bool:
        fault = self.fault
        if fault.count is not None and self.struck >= fault.count:
            return False
        return fault.duration is None or self.created_at <= now < self.created_at + fault.duration

    def strikes(self, call: Call, now: int) -> bool:
        """Whether it strikes this request; counts it as one that it was about."""
        if not self.fault.matches(call):
            return False
        self.seen += 1
        if not self.in_force(now) or (self.fault.nth is not None and self.seen < self.fault.nth):
            return False
        return self.fault.probability >= 1 or self.chance.random() < self.fault.probability

    def to_json(self, now: int) -> dict[str, Any]:
        """As JSON, with its counts."""
        return {
            "id": self.id,
            **self.fault.to_json(),
            "created_at": render_time(self.created_at),
            "in_force": self.in_force(now),
            "seen": self.seen,
            "struck": self.struck,
        }


class Faults:
    """The planned faults of one world, in the order in which they were made. Whoever uses it holds the world's lock,
    save for a look at whether it is empty."""

    __slots__ = ("last_id", "planned")

    def __init__(self) -> None:
        self.planned: list[Planned] = []
        self.last_id = 0

    def add(self, fault: Fault, *, now: int) -> Planned:
        self.last_id += 1
        planned = Planned(self.last_id, fault, now)
        self.planned.append(planned)
        return planned

    def find(self, id: int) -> Planned | None:
        return next((one for one in self.planned if one.id == id), None)

    def drop(self, id: int) -> bool:
        """Whether there was one of that id; it is gone now."""
        kept = [one for one in self.planned if one.id != id]
        found, self.planned = len(kept) < len(self.planned), kept
        return found

    def clear(self) -> None:
        """Take all away. No id is given again: who still has one would take away another fault by it."""
        self.planned = []

    def striking(self, call: Call, *, now: int) -> list[Planned]:
        """The faults that strike this request.

        Delays add up. Of those that Stripe suffers from, and of those that spoil the answer, the oldest strikes, and
        the others are kept for a later request.
        """
        taken: set[bool] = set()
        found = []
        for planned in self.planned:
            kind = KINDS[planned.fault.kind]
            if not planned.strikes(call, now):
                continue
            if not kind.slows:
                if kind.at_stripe in taken:
                    continue
                taken.add(kind.at_stripe)
            planned.struck += 1
            found.append(planned)
        return found
