"""Charges that are alike, many, large or credits all count, and servers on which they don't are found."""

from __future__ import annotations

import pytest

from mockserver.verify.checks import sums
from tests.mutants.catalogue.folding import FOLDING
from tests.mutants.conforming import LEGAL
from tests.verify.checks.trying import broken, tried

CORRECT = ("correct", "lenient", "no_minor_unit", "charged", "mixed_currencies", "declining")


@pytest.mark.parametrize("name", FOLDING.faults)
def test_what_does_not_count_is_found(name: str) -> None:
    fault = FOLDING.faults[name]
    assert broken(tried(fault, sums.CHECKS, enough=fault.rules)) & set(fault.rules)


@pytest.mark.parametrize("name", CORRECT)
def test_a_server_on_which_all_count_is_not_blamed(name: str) -> None:
    assert broken(tried(LEGAL[name], sums.CHECKS)) == set()


def test_a_limit_on_how_many_ids_a_create_takes_is_honest() -> None:
    assert broken(tried(LEGAL["most_charge_ids=50"], sums.CHECKS)) == set()
