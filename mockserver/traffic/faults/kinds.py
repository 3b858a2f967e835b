"""The planned faults of one world: what goes wrong, for which requests, how often, and until when."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from mockserver.billing.stripe import DOWN, LATE, LOST_ANSWER, OUTCOMES, Outcome
from mockserver.core.clock import MICROSECONDS, render_time
from mockserver.core.messages import Call
from mockserver.traffic.faults.delays import Delay

BEFORE, AFTER = "before", "after"
"""When a fault strikes: before anything was done, so that nothing happened, or after it, so that it did."""
COLLECT = "collectInvoice"
"""The one operation that asks Stripe for money."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of fault."""

    name: str
    description: str
    when: tuple[str, ...] = (AFTER,)
    """When it can strike, the default first; nothing where the question makes no sense."""
    takes: tuple[str, ...] = ()
    """The fields that it has beyond those that every fault has."""
    outcome: Outcome | None = None
    """How it makes Stripe's attempt end."""
    at_stripe: bool = False
    """Whether it happens between the API and Stripe; the API's own answer is sound then."""
    slows: bool = False
    """Whether it only takes time; the answer is sound then."""
    needs: tuple[str, ...] = ()
    """Those of its fields that have no default."""
    breaks: str = ""
    """What is wrong with any answer that it spoils; nothing where that depends on the answer."""
    leaves_sound: bool = False
    """Whether what the client has read in the end is the answer as it was made."""


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("latency", "The answer is late.", (AFTER, BEFORE), ("delay",), slows=True, needs=("delay",)),
        Kind(
            "status",
            "A status of 400 to 599 with a body of the API's own form, and Retry-After with 429 and 503.",
            (BEFORE, AFTER),
            ("status", "retry_after"),
        ),
        Kind(
            "reset",
            "The connection is reset (TCP RST) and no byte is answered.",
            (BEFORE, AFTER),
            breaks="no answer was sent: the connection was reset",
        ),
        Kind(
            "empty",
            "The connection is closed and no byte is answered.",
            (BEFORE, AFTER),
            breaks="no answer was sent: the connection was closed",
        ),
        Kind(
            "truncated",
            "The connection is closed in the middle of the body.",
            takes=("share",),
            breaks="the body was cut off",
        ),
        Kind("malformed", "The body is complete, but it is no JSON.", breaks="the body is no JSON"),
        Kind(
            "drip",
            "The body comes a few bytes at a time.",
            takes=("delay",),
            needs=("delay",),
            leaves_sound=True,
        ),
        Kind("schema", "A success whose body breaks the spec.", takes=("way",)),
        Kind("outcome", "The attempt to charge ends with that outcome.", (), ("outcome",), at_stripe=True),
        Kind("stripe_down", "Stripe can't be reached: nothing is charged.", (), outcome=DOWN, at_stripe=True),
        Kind(
            "stripe_slow", "Stripe charges, and answers late.", (), takes=("delay",), outcome=LATE, at_stripe=True
        ),
        Kind(
            "lost_answer", "Stripe charges, and its answer is lost.", (), outcome=LOST_ANSWER, at_stripe=True
        ),
    )
}  # fmt: skip
"""Every kind of fault by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault as it was asked for; None, where it is allowed, says that the field limits nothing."""

    kind: str
    when: str | None = None
    """`before`, `after`, or None where the kind knows no such thing."""
    operations: tuple[str, ...] = ()
    """The operations that it strikes; nothing means all."""
    invoice: int | None = None
    nth: int | None = None
    """The first of the matching requests that it strikes, counted from 1."""
    probability: float = 1.0
    count: int | None = None
    """How many requests it strikes at most."""
    duration: int | None = None
    """How long it is in force, in microseconds on the world's clock."""
    seed: int = 0
    delay: Delay | None = None
    status: int | None = None
    retry_after: int | None = None
    share: float | None = None
    """How much of the body goes out."""
    way: str | None = None
    """How the schema is broken; None lets the seed choose."""
    outcome: str | None = None

    @property
    def forces(self) -> Outcome | None:
        """How the attempt to charge is to end."""
        return OUTCOMES[self.outcome] if self.outcome is not None else KINDS[self.kind].outcome

    def matches(self, call: Call) -> bool:
        """Whether it is about such a request."""
        if self.operations and call.operation not in self.operations:
            return False
        return self.invoice is None or call.path.get("invoice") == self.invoice

    def to_json(self) -> dict[str, Any]:
        """As JSON, without what limits nothing."""
        names = ("when", "invoice", "nth", "count", "status", "retry_after", "share", "way", "outcome")
        body: dict[str, Any] = {"kind": self.kind}
        body |= {name: value for name in names if (value := getattr(self, name)) is not None}
        if self.operations:
            body["operation"] = list(self.operations)
        if self.probability < 1:
            body["probability"] = self.probability
        if self.duration is not None:
            body["duration"] = self.duration / MICROSECONDS
        if self.delay is not None:
            body["delay"] = self.delay.to_json()
        return body | {"seed": self.seed}


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

    __slots__ = ("_ids", "planned")

    def __init__(self) -> None:
        self.planned: list[Planned] = []
        self._ids: Iterator[int] = itertools.count(1)

    def add(self, fault: Fault, *, now: int) -> Planned:
        planned = Planned(next(self._ids), fault, now)
        self.planned.append(planned)
        return planned

    def drop(self, id: int) -> bool:
        """Whether there was one of that id; it is gone now."""
        kept = [one for one in self.planned if one.id != id]
        found, self.planned = len(kept) < len(self.planned), kept
        return found

    def clear(self) -> None:
        self.planned = []
        self._ids = itertools.count(1)

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
