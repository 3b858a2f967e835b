"""What the proxy does not let out: whatever could change something, or charge a card, where it was told so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mockserver.verify.transport.safety import SafetyGuard, Withheld

_READS = ("GET", "HEAD", "OPTIONS")
_OVERRIDES = ("x-http-method", "x-http-method-override", "x-method-override")


@dataclass(frozen=True, slots=True)
class Permits:
    """Decides on each request before it leaves."""

    read_only: bool
    no_collect: bool

    def refusal(self, method: str, target: str, headers: Iterable[str]) -> str | None:
        """Why it may not leave; None where it may. `target` as it was sent, `headers` their names."""
        if self.read_only and (method not in _READS or any(name.lower() in _OVERRIDES for name in headers)):
            return f"{method} is not forwarded: the proxy is read-only (--read-only)"
        if self.read_only or self.no_collect:
            try:
                SafetyGuard(read_only=False, charges_allowed=False).check(method, target, ())
            except Withheld:
                if method not in _READS or any(name.lower() in _OVERRIDES for name in headers):
                    return "a collect is not forwarded: it could charge a card (--no-collect)"
        return None
