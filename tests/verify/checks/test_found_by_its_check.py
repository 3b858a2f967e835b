"""Faults that are for one check alone to find, and correct servers that the same checks do not blame."""

from __future__ import annotations

import pytest

from mockserver.verify.checks import general, isolation, listing, reach, refusals, tokens
from mockserver.verify.checks.runner import Check
from tests.mutants.catalogue.isolation import ISOLATION
from tests.mutants.catalogue.listing import LIST
from tests.mutants.catalogue.nonsense import NONSENSE
from tests.mutants.catalogue.reading import READING
from tests.mutants.config import Mutant
from tests.mutants.conforming import LEGAL
from tests.verify.checks.trying import broken, tried

CHECKS: dict[object, Check] = {
    check.run: check
    for check in (*general.CHECKS, *tokens.CHECKS, *refusals.CHECKS, *listing.CHECKS, *isolation.CHECKS, *reach.CHECKS)
    if check.run
    in (
        general.writing_without_a_token,
        general.tokens_that_are_no_text,
        tokens.of_nobody,
        refusals.long_descriptions,
        listing.pages_below_one,
        isolation.charges_of_all_merchants,
        isolation.charging_others,
        reach.odd_headers,
        reach.known_on_stripe,
        reach.same_key,
    )
}
NEEDS = {
    "nought_is_any_token": general.tokens_that_are_no_text,
    "true_is_any_token": general.tokens_that_are_no_text,
    "operator_is_any_token": general.tokens_that_are_no_text,
    "refused_token_charges": general.writing_without_a_token,
    "pages_below_one_are_the_last": listing.pages_below_one,
    "provider_sees_one_merchants_charges": isolation.charges_of_all_merchants,
    "unselected_adjustment_goes_to_the_first": isolation.charging_others,
    "null_is_a_token": tokens.of_nobody,
    "token_is_a_pattern": tokens.of_nobody,
    "header_0_is_everybody": reach.odd_headers,
    "header_of_several_is_looked_at_once": reach.odd_headers,
    "stripe_id_finds_everybodys": reach.known_on_stripe,
    "idempotency_key_of_all": reach.same_key,
    "long_descriptions_are_cut": refusals.long_descriptions,
}
FAULTS: dict[str, Mutant] = NONSENSE.faults | READING.faults | ISOLATION.faults | LIST.faults
CORRECT = ("correct", "laravel", "lenient", "provider", "webhook_integration", "crowded", "charged", "four_operations")


@pytest.mark.parametrize("name", NEEDS)
def test_the_fault_is_found_by_its_check(name: str) -> None:
    fault = FAULTS[name]
    check: Check = CHECKS[NEEDS[name]]
    assert fault.rules[0] in broken(tried(fault, [check], enough=fault.rules))


@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_server_is_not_blamed(name: str) -> None:
    assert broken(tried(LEGAL[name], CHECKS.values())) == set()
