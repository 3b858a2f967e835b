"""Invoices of several charges, and alike ones, stay what they are, and servers on which they do not are found."""

from __future__ import annotations

import pytest

from mockserver.verify.checks import finalize, several
from mockserver.verify.checks.runner import Check
from mockserver.verify.context.context import Context
from tests.mutants.catalogue.several import SEVERAL
from tests.mutants.conforming import LEGAL
from tests.verify.checks.trying import broken, tried

DECLINING = "3"
"""The provider's merchant whose card declines."""
WAIT = 0.1
CORRECT = (
    "correct",
    "lenient",
    "laravel",
    "provider",
    "no_minor_unit",
    "three_decimals",
    "crowded",
    "declining",
    "pays_later",
    "answers_lost",
    "webhook_integration",
    "four_operations",
)


def find_who_declines(context: Context) -> None:
    """As calibrating does."""
    if context.me.token == "provider":
        context.declining = DECLINING


FOUND = Check("a merchant whose card declines", (), find_who_declines)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finalize, "LONGEST_QUEUE", WAIT)


@pytest.mark.parametrize("name", SEVERAL.faults)
def test_what_does_not_stay_is_found(name: str) -> None:
    fault = SEVERAL.faults[name]
    checks = (FOUND, *several.CHECKS, finalize.LATE)
    assert fault.rules[0] in broken(tried(fault, checks, enough=fault.rules, stripe_wait=WAIT))


@pytest.mark.parametrize("name", CORRECT)
def test_a_server_on_which_all_stays_is_not_blamed(name: str) -> None:
    assert broken(tried(LEGAL[name], (FOUND, *several.CHECKS, finalize.LATE))) == set()
