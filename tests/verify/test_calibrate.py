"""Each value of each open choice is measured as what it is, and the fake then behaves alike."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from mockserver.billing.profile import CHOICES, load_profile
from tests.mutants.conforming import CORRECT
from tests.mutants.reference.choices import LISTED
from tests.mutants.server import running
from tests.verify.driving import Heard, judge

EVERY_VALUE = [(key, value) for key, values in LISTED.items() for value in values[1:]]


def measured(tmp_path: Path, **choices: Any) -> tuple[Heard, dict[str, Any]]:
    """A run that does little beside calibrating, and the profile that it writes."""
    cards = {1: "pm_card_visa", 3: "pm_card_visa_chargeDeclined"}
    config = dataclasses.replace(CORRECT, choices=choices, cards=cards)
    path = tmp_path / "measured.yaml"
    with running(config) as server:
        heard = judge(server.url, token="provider", only=("COLLECT-5",), declining_merchant="3", write_profile=path)
    return heard, load_profile(str(path)).profile.values()


def test_the_defaults_are_all_measured(tmp_path: Path) -> None:
    heard, profile = measured(tmp_path)
    assert heard.choices == profile == {key: choice.default for key, choice in CHOICES.items()}


@pytest.mark.parametrize(("key", "value"), EVERY_VALUE)
def test_every_value_of_every_choice_is_measured(tmp_path: Path, key: str, value: Any) -> None:
    needs = {"per_page_max": 25} if key == "per_page_above_max" else {}
    _, profile = measured(tmp_path, **needs, **{key: value})
    assert profile[key] == value


@pytest.mark.parametrize("largest", [15, 33, 99, 101, 4096])
@pytest.mark.parametrize("above", ["clamp", "refuse"])
def test_any_largest_page_is_found(tmp_path: Path, largest: int, above: str) -> None:
    _, profile = measured(tmp_path, per_page_max=largest, per_page_above_max=above)
    assert (profile["per_page_max"], profile["per_page_above_max"]) == (largest, above)


def test_what_cannot_be_measured_is_said_with_its_reason() -> None:
    with running() as server:
        heard = judge(server.url, only=("COLLECT-5",), other_token=None, declining_merchant="none")
    reasons = {choice.key: choice.evidence for choice in heard.measurements if not choice.measured}
    assert reasons["foreign_invoice_status"] == "no second token given (--other-token)"
    assert "--declining-merchant" in reasons["declined_status"]


def test_a_given_profile_is_compared_with_what_is_measured() -> None:
    expected = {key: choice.default for key, choice in CHOICES.items()} | {"create_status": 201}
    with running() as server:
        heard = judge(server.url, only=("COLLECT-5",), profile=expected)
    differing = {choice.key: choice.expected for choice in heard.measurements if choice.expected is not None}
    assert differing["create_status"] == 201
    assert heard.end.exit_code == 0


@pytest.mark.parametrize("status", CHOICES["declined_status"].values)
def test_without_a_card_that_declines_an_amount_too_small_shows_the_status(status: int) -> None:
    with running(dataclasses.replace(CORRECT, choices={"declined_status": status})) as server:
        heard = judge(server.url, only=("COLLECT-5",))
    assert heard.choices["declined_status"] == status
