"""Who there is on each server of this folder: two service providers, their merchants, and the tokens of both."""

from __future__ import annotations

from dataclasses import dataclass

from tests.mutants.frameworks.choices import Choices

PROVIDER, OTHER_PROVIDER = 31, 32


@dataclass(frozen=True, slots=True)
class Merchant:
    """A merchant of a provider; `card` is one of Stripe's test payment methods."""

    id: int
    provider: int
    name: str
    currency: str
    card: str


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a provider, or of one of its merchants alone."""

    value: str
    provider: int
    merchant: int | None


TOKENS = (
    Token("tok-provider-8e1f", PROVIDER, None),
    Token("tok-other-provider-55ad", OTHER_PROVIDER, None),
    Token("tok-merchant-of-other-90c2", OTHER_PROVIDER, 2201),
)

PAYING, DECLINING, OTHER, CARDLESS, FRANCS = 2101, 2102, 2201, 2103, 2104


def merchants(choices: Choices) -> tuple[Merchant, ...]:
    """All merchants, in the currency that was chosen."""
    return (
        Merchant(PAYING, PROVIDER, "Paying Goods", choices.currency, "pm_card_visa"),
        Merchant(DECLINING, PROVIDER, "Declining Goods", choices.currency, "pm_card_visa_chargeDeclined"),
        Merchant(CARDLESS, PROVIDER, "Cardless Goods", choices.currency, "none"),
        Merchant(FRANCS, PROVIDER, "Franc Goods", "BIF", "pm_card_visa"),
        Merchant(OTHER, OTHER_PROVIDER, "Other Goods", choices.currency, "pm_card_visa"),
    )


PLACES = {"USD": 2, "EUR": 2, "JPY": 0, "BIF": 0, "KWD": 3}
"""The decimal places of each currency."""
