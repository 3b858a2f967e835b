"""What resembles an id or an amount is none, no shape of a parameter is a failure, and leniency is not blamed."""

from __future__ import annotations

import pytest

from mockserver.verify.checks import amounts, casts, negatives, parameters
from tests.mutants.catalogue.casting import CASTING
from tests.mutants.catalogue.crashing import CRASHING
from tests.mutants.conforming import LEGAL
from tests.verify.checks.trying import broken, tried

LIKENESS = (*casts.CHECKS, *negatives.CHECKS, *amounts.CHECKS)
CORRECT = ("correct", "laravel", "lenient", "no_minor_unit", "ids=scattered", "declining")


@pytest.mark.parametrize("name", CASTING.faults)
def test_what_is_read_as_what_it_resembles_is_found(name: str) -> None:
    fault = CASTING.faults[name]
    assert broken(tried(fault, LIKENESS, enough=fault.rules)) & set(fault.rules)


@pytest.mark.parametrize("name", CRASHING.faults)
def test_what_ends_in_a_failure_is_found(name: str) -> None:
    fault = CRASHING.faults[name]
    assert broken(tried(fault, parameters.CHECKS, enough=fault.rules)) & set(fault.rules)


@pytest.mark.parametrize("name", CORRECT)
def test_a_server_that_refuses_or_ignores_what_is_odd_is_not_blamed(name: str) -> None:
    assert broken(tried(LEGAL[name], (*LIKENESS, *parameters.CHECKS))) == set()
