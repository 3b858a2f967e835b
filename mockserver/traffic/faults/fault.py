"""One fault as it was asked for: of which kind, for which requests, how often, and the fields that its kind has."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from mockserver.core.clock import MICROSECONDS
from mockserver.core.messages import Call
from mockserver.traffic.faults.delays import Delay


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

    def seconds(self, chance: Random) -> float:
        """Draws how long it takes; 0 where it takes no time."""
        return 0.0 if self.delay is None else self.delay.draw(chance)

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
