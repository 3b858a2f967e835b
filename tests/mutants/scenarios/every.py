"""All scenarios together, and what they find in a server."""

from __future__ import annotations

import http.client
from collections.abc import Iterable
from types import ModuleType

from tests.mutants.config import Mutant, ServerConfig
from tests.mutants.scenarios import general, invoicing, listing, paying
from tests.mutants.scenarios.bed import CHECKS, bed_at
from tests.mutants.server import running

ROOMS: tuple[ModuleType, ...] = (general, listing, invoicing, paying)
"""Importing them fills CHECKS."""
WRONG = (
    AssertionError,
    LookupError,
    StopIteration,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    http.client.HTTPException,
)
"""What a scenario may end with on a server that breaks its rule: not only assertions, since nothing is as expected."""
ONE_CURRENCY = ("CREATE-2", "CREATE-4")
"""Scenarios that bill whatever is open, which can't be where that is in two currencies."""


ORDERED = ("LIST-4", "CREATE-7", "SEARCH-1", "SEARCH-2", "SEARCH-3", "SEARCH-4", "SEARCH-5", "SEARCH-6")
"""Scenarios that take a higher id for a newer invoice, which the rules do not say."""


def scenarios(config: ServerConfig) -> list[str]:
    """The rules whose scenarios fit this server."""
    mixed = "mixed_currencies" in config.nuisances
    left_out = (ONE_CURRENCY if mixed else ()) + (ORDERED if config.choices.get("ids") == "scattered" else ())
    return [rule for rule in CHECKS if rule not in left_out]


def keep(config: ServerConfig) -> None:
    """Goes through all scenarios on one server; raises what the first that fails raises."""
    with running(config) as server, bed_at(server.url, config) as bed:
        for rule in scenarios(config):
            CHECKS[rule](bed)


def first_broken(fault: Mutant) -> str | None:
    """The first of the fault's own rules whose scenario fails; None when all of them pass."""
    return next(iter(broken(fault, fault.rules)), None)


def broken(config: ServerConfig, rules: Iterable[str]) -> Iterable[str]:
    """Those of the rules whose scenarios fail, each on a server of its own."""
    for rule in rules:
        with running(config) as server, bed_at(server.url, config) as bed:
            try:
                CHECKS[rule](bed)
            except WRONG:
                yield rule
