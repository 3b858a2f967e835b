"""A Stripe that charges again whenever it is asked to: whoever calls it must see to it that nobody pays twice."""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from decimal import Decimal

from tests.mutants.frameworks.parties import PLACES

_MINIMUM = {"USD": 50, "EUR": 50, "JPY": 50, "BIF": 0, "KWD": 0}
_DECLINES = {
    "pm_card_visa_chargeDeclined": "Your card was declined.",
    "pm_card_chargeDeclinedExpiredCard": "Your card has expired.",
    "none": "The merchant has no card on file.",
}


class Declined(Exception):
    """A charge that did not come to pass; the message says why."""


class Stripe:
    """The invoices and the charges of one server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._invoices: list[str] = []
        self._charges: Counter[str] = Counter()

    def create_invoice(self) -> str:
        """A new invoice, at each call another one; its id."""
        made = f"in_{secrets.token_hex(12)}"
        with self._lock:
            self._invoices.append(made)
        return made

    def pay(self, invoice: str, minor: int, currency: str, card: str) -> None:
        """Charge `minor` units to a card; nothing, or less than nothing, is paid without a charge.

        Raises:
            Declined: when the card is, or the amount is less than Stripe takes.
        """
        if minor <= 0:
            return
        if card in _DECLINES:
            raise Declined(_DECLINES[card])
        if minor < _MINIMUM[currency]:
            raise Declined(f"The amount is less than the least that can be charged in {currency}.")
        with self._lock:
            self._charges[invoice] += 1

    def ledger(self) -> dict[str, object]:
        """What happened on Stripe, for the tests of this folder."""
        with self._lock:
            return {"invoices": list(self._invoices), "charges": dict(self._charges)}


def minor_units(total: Decimal, currency: str) -> int:
    """An amount in major units as minor ones."""
    return int(total.scaleb(PLACES[currency]))
