"""Currencies as Stripe counts them: its decimals, which are not always those of ISO 4217, and its smallest charges."""

from __future__ import annotations

MINIMUM_CHARGE: dict[str, int] = {
    "AED": 200, "AUD": 50, "BGN": 100, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250, "EUR": 50,
    "GBP": 30, "HKD": 400, "HUF": 17500, "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200, "NOK": 300, "NZD": 50,
    "PLN": 200, "RON": 200, "SEK": 300, "SGD": 50, "THB": 1000, "USD": 50,
}  # fmt: skip
"""Stripe's published smallest charge in Stripe's minor units (docs.stripe.com/currencies, minimum charge amounts)."""

ZERO_DECIMAL = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF".split())
"""Currencies that Stripe charges in whole units (docs.stripe.com/currencies#zero-decimal)."""
THREE_DECIMAL = frozenset("BHD JOD KWD OMR TND".split())
"""Currencies that Stripe charges in thousandths (docs.stripe.com/currencies#three-decimal)."""


def stripe_exponent(currency: str) -> int:
    """How many decimals Stripe counts the currency with; it differs from ISO 4217 for a few, such as MGA."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def stripe_minor(minor: int, currency: str, *, exponent: int) -> int:
    """ISO minor units (of `exponent` decimals) in Stripe's own minor units, rounded half up where they are coarser."""
    shift = stripe_exponent(currency) - exponent
    if shift >= 0:
        return minor * int(10**shift)
    divisor = int(10**-shift)
    return (2 * minor + divisor) // (2 * divisor)
