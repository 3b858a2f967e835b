"""What a create does beside its answer is found, and servers on which others make invoices are not blamed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mockserver.verify.checks import create
from mockserver.verify.events import Event, Note
from tests.mutants.catalogue.creating import CREATE, change_all
from tests.mutants.conforming import LEGAL
from tests.mutants.reference.api import Api
from tests.verify.checks.trying import broken, tried

REFUSED = [check for check in create.CHECKS if check.run is create.refused_leaves_no_invoice]
ALL = [check for check in create.CHECKS if check.run is create.whatever_is_open]
CORRECT = ("correct", "lenient", "crowded", "charged", "ids=scattered", "blocks_of_ids", "mixed_currencies")
REASONS = ("an invoiced charge", "another merchant's charge", "nothing to invoice")


def test_a_draft_that_is_left_is_found_whatever_the_create_was_refused_for() -> None:
    found = tried(CREATE.faults["only_the_ids_are_looked_at_before"], REFUSED).breaches
    assert set(found) == {f"GEN-6:invoice left by a create refused for {reason}" for reason in REASONS}


@pytest.mark.parametrize("choices", [{"list_order": "oldest_first"}, {"ids": "scattered"}])
def test_it_is_found_in_whichever_order_they_are_listed(choices: dict[str, str]) -> None:
    fault = replace(CREATE.faults["refused_create_leaves_a_draft"], choices=choices)
    measured = {name: value for name, value in choices.items() if name == "list_order"}
    assert len(tried(fault, REFUSED, measured).breaches) == len(REASONS) + 1


@pytest.mark.parametrize("name", CORRECT)
def test_a_server_that_leaves_none_is_not_blamed(name: str) -> None:
    assert broken(tried(LEGAL[name], REFUSED)) == set()


def test_what_was_open_before_and_is_left_so_is_told() -> None:
    def patch(api: Api) -> None:
        old = api.records.add_charge(api.records.merchants[1], 4_321, "storage")
        change_all(api, lambda charges: [charge for charge in charges if charge is not old])

    heard: list[Event] = []
    fault = replace(CREATE.faults["oldest_charge_left_out"], patch=patch)
    assert broken(tried(fault, ALL, heard=heard)) == set()
    (note,) = [event for event in heard if isinstance(event, Note)]
    assert note.level == "warning" and "left so by a create without charge_ids" in note.text


@pytest.mark.parametrize("name", CORRECT)
def test_of_a_server_that_takes_them_nothing_is_told(name: str) -> None:
    heard: list[Event] = []
    assert broken(tried(LEGAL[name], ALL, heard=heard)) == set()
    assert [event for event in heard if isinstance(event, Note)] == []
