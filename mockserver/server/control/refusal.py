"""What a control operation refuses by itself, in the form that the contract's own refusals have."""

from __future__ import annotations

from mockserver.core.errors import InvalidRequest, NotFound

RULE = "control"


def invalid(field: str, *problems: object) -> InvalidRequest:
    """The refusal of one field of the request, in one sentence for each problem."""
    told = [f"{field}: {problem}" for problem in problems]
    return InvalidRequest(told[0], because=RULE, errors={field: told})


def missing(problem: str) -> NotFound:
    """The refusal of something that isn't there."""
    return NotFound(problem, because=RULE)
