"""Which checks a run makes, in which order: the cheap ones that name most faults first."""

from __future__ import annotations

from mockserver.verify.checks import (
    audit,
    collect,
    create,
    finalize,
    general,
    isolation,
    listing,
    races,
    refusals,
    search,
)
from mockserver.verify.checks.runner import Check
from mockserver.verify.context import Context

ALL: tuple[Check, ...] = (
    *general.CHECKS,
    *refusals.CHECKS,
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
    "after a decline",
    "operators on stripe_invoice_id",
)
"""Those that may wait for the queue."""


_THOROUGH = frozenset(
    {
        "odd numbers",
        "odd searches",
        "content types",
        "bad actions",
        "bad adjustments",
        "odd descriptions",
        "collecting without a token",
        "collecting with the token as a parameter",
        "page sizes",
        "large page numbers",
        "the whole list",
        "the order is stable",
        "values in quotes",
        "searching by a leap day",
        "a paid charge once only",
        "void charges",
        "charges of two currencies",
        "finalize leaves others alone",
        "a finalized invoice is locked",
        "finalizing a paid invoice",
        "collecting leaves others alone",
        "collecting after the queue",
        "paid for good",
        "both merchants for themselves",
        "a refused create leaves no invoice",
        "creates that overlap",
        "creating of everything at once",
        "finalizing one invoice at once",
        "collecting while finalizing",
        "operators on stripe_invoice_id",
        "what is made is the merchant's",
        "writing with the token as a parameter",
    }
)
"""Those that look further at rules which others have put to the test; a slow server meets them last."""


def checks_for(context: Context) -> list[Check]:
    """All checks in the order of this run: scenarios, races, what may have to wait for the queue, properties.

    On a slow server races come after what may have to wait, and what is only thorough comes last.
    """
    lean = not context.thorough
    kinds = {"scenario": 0, "race": 3 if lean else 1, "property": 4}

    def rank(check: Check) -> tuple[bool, int]:
        later = check.name in _THOROUGH or check.found_by == "property"
        return lean and later, 2 if check.name in _SLOW else kinds.get(check.found_by, 4)

    return [*sorted(ALL, key=rank), *audit.CHECKS]
