"""Which checks a run makes, in which order: the cheap ones that name most faults first."""

from __future__ import annotations

from mockserver.verify.checks import (
    amounts,
    audit,
    bodies,
    casts,
    collect,
    create,
    finalize,
    freshness,
    general,
    isolation,
    listing,
    mass_assignment,
    negatives,
    parameters,
    races,
    reach,
    refusals,
    rivals,
    search,
    search_values,
    several,
    sums,
    tokens,
)
from mockserver.verify.checks.runner import Check
from mockserver.verify.context.context import Context

ALL: tuple[Check, ...] = (
    *general.CHECKS,
    *tokens.CHECKS,
    *refusals.CHECKS,
    *parameters.CHECKS,
    *casts.CHECKS,
    *negatives.CHECKS,
    *listing.CHECKS,
    *create.CHECKS,
    *bodies.CHECKS,
    *mass_assignment.CHECKS,
    *amounts.CHECKS,
    *sums.CHECKS,
    *finalize.CHECKS,
    *collect.CHECKS,
    *several.CHECKS,
    *freshness.CHECKS,
    *isolation.CHECKS,
    *reach.CHECKS,
    *search.CHECKS,
    *search_values.CHECKS,
    *races.CHECKS,
    *rivals.CHECKS,
)


def checks_for(context: Context) -> list[Check]:
    """All checks in the order of this run: scenarios, races, what may have to wait for the queue, properties.

    On a slow server races come after what may have to wait, and what is only thorough comes last.
    """
    lean = not context.thorough
    kinds = {"scenario": 0, "race": 3 if lean else 1, "property": 4}

    def rank(check: Check) -> tuple[bool, int]:
        later = check.thorough or check.found_by == "property"
        return lean and later, 2 if check.waits else kinds.get(check.found_by, 4)

    return [*sorted(ALL, key=rank), *audit.CHECKS]
