"""Money: how many decimals a currency has, and exact amounts as whole minor units."""

from __future__ import annotations

from decimal import Decimal

ZERO_DECIMAL = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF".split())
THREE_DECIMAL = frozenset("BHD JOD KWD OMR TND".split())
LARGEST = 10**10
"""Minor units; one amount beyond this is refused, so that every sum stays exact as a JSON number."""


class BadAmount(ValueError):
    """Not an amount of money in this currency; the text says why."""


def decimals(currency: str) -> int:
    """Digits after the point in this currency (ISO 4217)."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def to_minor(amount: Decimal, currency: str, *, rounded: bool = False) -> int:
    """The amount in whole minor units; raises BadAmount when it is too large, or too fine and not `rounded`."""
    if not amount.is_finite():
        raise BadAmount("must be a finite number")
    if amount and amount.adjusted() > 12:
        raise BadAmount("is too large")
    if amount and amount.adjusted() < -12:
        minor = Decimal(0)
        exact = False
    else:
        shifted = amount.scaleb(decimals(currency))
        minor = shifted.to_integral_value()
        exact = minor == shifted
    if not exact and not rounded:
        raise BadAmount(f"has more than the {decimals(currency)} decimals of {currency}")
    if abs(minor) > LARGEST:
        raise BadAmount("is too large")
    return int(minor)


def to_number(minor: int, currency: str) -> int | float:
    """Minor units as the JSON number in major units: the float nearest to the exact decimal."""
    digits = decimals(currency)
    if digits == 0:
        return minor
    return float(Decimal(minor).scaleb(-digits))


def stripe_minimum(currency: str) -> int:
    """The least amount in minor units that Stripe publishes for a card charge; 1 where it publishes none."""
    return {"USD": 50, "EUR": 50, "GBP": 30, "JPY": 50}.get(currency, 1)
