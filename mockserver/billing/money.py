"""Exact money: amounts are whole minor units inside, decimals of major units outside."""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import cache

from iso4217 import Currency

LARGEST_AMOUNT = 10**12
"""No single amount is larger, in minor units; sums of thousands of them still fit a JSON number exactly."""
_EXACT = Context(prec=40, traps=[Inexact])
"""Rather refuses than rounds, as Decimal would do from the 29th digit on."""


@cache
def exponent(currency: str) -> int:
    """How many decimals the currency has by ISO 4217: USD 2, BIF 0, KWD 3; raises ValueError if unknown."""
    decimals = Currency(currency).exponent
    if decimals is None:
        raise ValueError(f"{currency} has no minor unit")
    return int(decimals)


def fits(amount: Decimal, currency: str) -> bool:
    """Whether the currency is as fine as the amount; False where it is unknown. A finer amount may be rounded."""
    try:
        return amount == round(amount, exponent(currency))
    except (ValueError, InvalidOperation):
        return False


def to_minor(amount: int | float | str | Decimal, currency: str) -> int:
    """Major units as exact minor units: `to_minor(12.5, "USD")` is 1250.

    A float counts as the decimal that it prints as. Raises ValueError, told in words that fit behind the field's
    name, when the amount is no number, too large, or finer than the currency.
    """
    decimals = exponent(currency)
    try:
        exact = Decimal(str(amount))
    except InvalidOperation:
        raise ValueError(f"must be a number, got {amount!r}") from None
    if not exact.is_finite():
        raise ValueError(f"must be a number, got {amount!r}")
    if exact.copy_abs() > to_major(LARGEST_AMOUNT, currency):
        raise ValueError(f"must be at most {to_major(LARGEST_AMOUNT, currency)} {currency}")
    try:
        minor = exact.scaleb(decimals, _EXACT)
        return int(minor.to_integral_exact(context=_EXACT))
    except Inexact:
        finest = f"have at most {decimals} decimals" if decimals else "be a whole number"
        raise ValueError(f"must {finest} in {currency}, got {amount}") from None


def to_major(minor: int, currency: str) -> Decimal:
    """Minor units as exact major units: `to_major(1250, "USD")` is 12.50."""
    return Decimal(minor).scaleb(-exponent(currency))


def to_number(minor: int, currency: str) -> float | int:
    """Minor units as the JSON number of major units: 12.5 for 1250 USD, 500 for 500 BIF."""
    decimals = exponent(currency)
    unit: int = 10**decimals
    return minor // unit if minor % unit == 0 else minor / unit
