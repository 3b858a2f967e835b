"""Searches for 0, and with spaces written as %20, are read as they are; a server that leaves out what is odd may."""

from __future__ import annotations

import pytest

from mockserver.verify.checks import search_values
from tests.mutants.catalogue.reading import READING
from tests.mutants.config import ServerConfig
from tests.mutants.conforming import LEGAL
from tests.verify.checks.trying import broken, tried

FAULTS = ("nought_is_no_value", "encoded_spaces_are_none")
CORRECT = (
    "correct",
    "laravel",
    "lenient",
    "provider",
    "crowded",
    "ids=scattered",
    "firewall",
    "bad_search_value=ignore",
)


def rules_broken(config: ServerConfig) -> set[str]:
    """With what was measured of its searches before."""
    measured = {choice: config.choices.get(choice, "refuse") for choice in search_values.IGNORED}
    return broken(tried(config, search_values.CHECKS, measured))


@pytest.mark.parametrize("name", FAULTS)
def test_a_search_that_is_misread_is_found(name: str) -> None:
    fault = READING.faults[name]
    assert fault.rules[0] in rules_broken(fault)


@pytest.mark.parametrize("name", CORRECT)
def test_a_server_that_refuses_or_ignores_0_is_not_blamed(name: str) -> None:
    assert rules_broken(LEGAL[name]) == set()
