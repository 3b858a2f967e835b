"""What goes wrong when requests meet is found, and servers to which others speak meanwhile are not blamed."""

from __future__ import annotations

import pytest

from mockserver.verify.checks import races, rivals
from tests.mutants.catalogue.racing import RACES
from tests.mutants.conforming import LEGAL
from tests.verify.checks.trying import broken, tried

BILLING = [check for check in races.CHECKS if check.run is races.billing_while_charging]
COLLECTING = [check for check in races.CHECKS if check.run is races.collecting_several]
FOUND = {
    "charged_meanwhile_is_not_summed": BILLING,
    "named_and_all_lock_apart": BILLING,
    "last_collect_undoes_others": COLLECTING,
    "creates_lock_by_header": rivals.CHECKS,
    "collects_lock_by_token": rivals.CHECKS,
    "losers_leave_drafts": rivals.CHECKS,
}
CORRECT = (
    "correct",
    "lenient",
    "provider",
    "crowded",
    "charged",
    "mixed_currencies",
    "pays_later",
    "answers_lost",
    "collect_status=202",
)
TRIES = 10
"""Whether requests meet is chance: on a busy machine one race may find that they came one after the other."""


@pytest.mark.parametrize("name", FOUND)
def test_what_shows_only_in_a_race_of_different_requests_is_found(name: str) -> None:
    fault = RACES.faults[name]
    found = tried(fault, [*FOUND[name]] * TRIES, {"recollect": "refuse"}, enough=fault.rules, stripe_wait=0.2)
    assert broken(found) & set(fault.rules)


@pytest.mark.parametrize("name", CORRECT)
def test_a_server_on_which_each_waits_for_its_turn_is_not_blamed(name: str) -> None:
    assert broken(tried(LEGAL[name], [*BILLING, *COLLECTING, *rivals.CHECKS], stripe_wait=2.0)) == set()
