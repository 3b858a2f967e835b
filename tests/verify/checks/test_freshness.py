"""Answers of then and answers for others are found, and servers that others write to are not blamed."""

from __future__ import annotations

import pytest

from mockserver.verify.checks import freshness
from tests.mutants.catalogue.keeping import KEEPING
from tests.mutants.conforming import LEGAL
from tests.verify.checks.trying import broken, tried

CORRECT = ("correct", "laravel", "lenient", "provider", "crowded", "charged", "four_operations")


@pytest.mark.parametrize("name", KEEPING.faults)
def test_what_is_not_of_now_or_for_another_is_found(name: str) -> None:
    fault = KEEPING.faults[name]
    assert broken(tried(fault, freshness.CHECKS, enough=fault.rules)) & set(fault.rules)


@pytest.mark.parametrize("name", CORRECT)
def test_a_server_that_is_written_to_by_others_is_not_blamed(name: str) -> None:
    assert broken(tried(LEGAL[name], freshness.CHECKS)) == set()
