"""Which checks a run makes, in which order: the cheap ones that name most faults first."""

from __future__ import annotations

from mockserver.verify.bench import Bench
from mockserver.verify.checks import Check
from mockserver.verify.rules import audit, collect, create, finalize, general, isolation, listing, races, search

ALL: tuple[Check, ...] = (
    *general.CHECKS,
    *listing.CHECKS,
    *create.CHECKS,
    *finalize.CHECKS,
    *collect.CHECKS,
    *isolation.CHECKS,
    *search.CHECKS,
    *races.CHECKS,
)
_SLOW = (
    "a finalized invoice gets onto Stripe",
    "finalizing again",
    "collecting after the queue",
    "paid for good",
    "operators on stripe_invoice_id",
)
"""Those that may wait for the queue."""


def checks_for(bench: Bench) -> list[Check]:
    """All checks in the order of this run: scenarios, races, properties, and last what may have to wait."""
    kinds = {"scenario": 0, "race": 1, "property": 3}

    def rank(check: Check) -> int:
        return 2 if check.name in _SLOW else kinds.get(check.found_by, 3)

    return [*sorted(ALL, key=rank), *audit.CHECKS]
