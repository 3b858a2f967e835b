"""What was measured of one server so far, and why the rest was not."""

from __future__ import annotations

from dataclasses import dataclass

from mockserver.billing.profile import CHOICES, Value
from mockserver.verify.context import Context


@dataclass(slots=True)
class Calibration:
    """The measuring of one server. `found` maps a key to its value and what showed it."""

    context: Context
    found: dict[str, tuple[Value, str]]
    missed: dict[str, str]
    """Key to why it can't be measured."""

    def record(self, key: str, value: Value, evidence: str) -> None:
        """Records a measurement, unless it is one that no profile can express."""
        if key in self.found:
            return
        if CHOICES[key].accepts(value):
            self.found[key] = (value, evidence)
            self.missed.pop(key, None)
        else:
            self.missed[key] = f"{evidence}, which is legal, but a profile can only say {CHOICES[key].legal()}"

    def unmeasured(self, reason: str, *keys: str) -> None:
        for key in keys:
            if key not in self.found:
                self.missed.setdefault(key, reason)
