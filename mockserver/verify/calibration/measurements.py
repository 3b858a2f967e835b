"""What was measured of one server so far, and why the rest was not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mockserver.billing.profile import CHOICES, Value
from mockserver.verify.context.context import Context
from mockserver.verify.context.records import UNKNOWN_ID
from mockserver.verify.transport.messages import Answer

NOTHING = f'id:"{UNKNOWN_ID}"'
"""A search that no invoice matches, so that a probe never fetches a large page."""


@dataclass(slots=True)
class Calibration:
    """The measuring of one server. `found` maps a key to its value and what showed it."""

    context: Context
    found: dict[str, tuple[Value, str]]
    missed: dict[str, str]
    """Key to why it can't be measured."""
    whole_seconds: list[str] = field(default_factory=list)
    """Times of records of this run that end in zeros."""

    def record(self, key: str, value: Value, evidence: str) -> None:
        """Records a measurement, unless it is one that no profile can express."""
        if key in self.found:
            return
        if CHOICES[key].accepts(value):
            self.found[key] = (value, evidence)
            self.missed.pop(key, None)
        else:
            self.missed[key] = f"{evidence}, which is legal, but a profile can only say {CHOICES[key].legal()}"

    def alike(self, key: str, answers: Mapping[str, Answer], *, refused: Value, taken: Value) -> None:
        """Records what all of these answers agree in, by the words for what was asked."""
        told = ", ".join(f"{what} is answered with {answer.status}" for what, answer in answers.items())
        if all(answer.refused for answer in answers.values()):
            self.record(key, refused, told)
        elif all(answer.ok for answer in answers.values()):
            self.record(key, taken, told)
        else:
            self.unmeasured(f"not all alike, which is legal, but a profile can't say it: {told}", key)

    def unmeasured(self, reason: str, *keys: str) -> None:
        for key in keys:
            if key not in self.found:
                self.missed.setdefault(key, reason)
