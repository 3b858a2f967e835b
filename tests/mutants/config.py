"""What one server is: its choices, its nuisances, the cards and currencies of its merchants, its fault if any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from tests.mutants.dialects import DIALECTS
from tests.mutants.noise import API_OPTIONS, Background, plant
from tests.mutants.reference.api import Api
from tests.mutants.reference.choices import choose
from tests.mutants.reference.records import Merchant
from tests.mutants.reference.stripe import PAYS, check_card
from tests.mutants.reference.worlds import fill

Area = Literal["form", "list", "search", "create", "finalize", "collect", "isolation", "races"]
CURRENCIES: dict[int, str] = {1: "USD", 2: "USD", 3: "EUR", 4: "BIF", 5: "KWD"}
CARDS: dict[int, str] = {1: PAYS, 2: PAYS, 3: "pm_card_visa_chargeDeclined", 4: PAYS, 5: PAYS}
MERCHANT: tuple[str, ...] = ("--token", "merchant1", "--merchant", "1", "--other-token", "merchant2")
MIXED: tuple[str, ...] = (*MERCHANT, "--charge-ids", "1,2,3,4")
"""For `mixed_currencies` with `empty`, where the charges have these ids."""
GIVEN: tuple[str, ...] = (*MERCHANT, "--charge-ids", ",".join(str(number) for number in range(1, 161)))
"""For `four_operations`."""
PROVIDER: tuple[str, ...] = ("--token", "provider", "--merchant", "1", "--other-token", "merchant2")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """One legal server."""

    name: str
    says: str
    choices: Mapping[str, Any] = field(default_factory=dict)
    nuisances: tuple[str, ...] = ()
    cards: Mapping[int, str] = field(default_factory=dict)
    currencies: Mapping[int, str] = field(default_factory=dict)
    dialect: str = ""
    """How odd requests are read, where that is otherwise than by the correct server."""
    stripe_delay: float = 0.0
    """Seconds between finalize and the creation on Stripe."""
    arguments: tuple[str, ...] = MERCHANT
    """How the verifier is called on it."""
    exits: frozenset[int] = frozenset((0,))
    """The verifier's right exit codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant(ServerConfig):
    """One server that breaks a rule: the legal one of this configuration, changed by `patch`."""

    area: Area
    rules: tuple[str, ...]
    """The ids that it may rightly be named by, the one that it was made for first."""
    patch: Callable[[Api], None]
    exits: frozenset[int] = frozenset((1,))


def without_fault(fault: Mutant) -> ServerConfig:
    """The legal server that the fault was made of."""
    same = {item.name: getattr(fault, item.name) for item in fields(ServerConfig)}
    return ServerConfig(**same | {"exits": frozenset((0,))})


def build(config: ServerConfig) -> tuple[Api, list[Background]]:
    """The server's inside, filled and patched, and what must run beside it."""
    options: dict[str, Any] = {}
    for name in config.nuisances:
        options |= API_OPTIONS.get(name, {})
    options.setdefault("stripe_delay", config.stripe_delay)
    api = DIALECTS.get(config.dialect, Api)(choose(config.choices), **options)
    currencies = CURRENCIES | dict(config.currencies)
    cards = CARDS | dict(config.cards)
    for number in sorted(currencies):
        api.records.add_merchant(Merchant(number, currencies[number], check_card(cards[number])))
    fill(api, config.nuisances)
    background = plant(api, config.nuisances)
    if isinstance(config, Mutant):
        config.patch(api)
    return api, background
