"""Exact money: no amount is rounded, and what is too fine or no number is refused."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.billing.money import LARGEST_AMOUNT, exponent, to_major, to_minor, to_number

currencies = st.sampled_from(["USD", "EUR", "JPY", "BIF", "KWD", "CLF"])
amounts = st.integers(-LARGEST_AMOUNT, LARGEST_AMOUNT)


@pytest.mark.parametrize(("currency", "decimals"), [("USD", 2), ("BIF", 0), ("JPY", 0), ("KWD", 3), ("CLF", 4)])
def test_a_currency_has_the_decimals_of_iso_4217(currency: str, decimals: int) -> None:
    assert exponent(currency) == decimals


@pytest.mark.parametrize("code", ["XXY", "usd", "", "XAU"])
def test_what_is_no_currency_with_a_minor_unit_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match=r"valid Currency|minor unit"):
        exponent(code)


@given(amounts, currencies)
def test_minor_units_survive_the_way_to_major_units_and_back(minor: int, currency: str) -> None:
    major = to_major(minor, currency)
    assert to_minor(major, currency) == minor
    assert to_minor(str(major), currency) == minor


@given(amounts, currencies)
def test_a_json_number_says_exactly_the_amount(minor: int, currency: str) -> None:
    written = json.dumps(to_number(minor, currency))
    assert Decimal(written) == to_major(minor, currency)
    assert to_minor(json.loads(written), currency) == minor


@given(st.lists(st.decimals(-1000, 1000, places=2), max_size=50))
def test_sums_of_amounts_are_exact(parts: list[Decimal]) -> None:
    total = sum(to_minor(float(part), "USD") for part in parts)
    assert to_major(total, "USD") == sum(parts, Decimal(0))


def test_ten_times_ten_cents_is_one_dollar() -> None:
    assert to_number(sum([to_minor(0.1, "USD")] * 10), "USD") == 1


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        (12.5, "USD", 1250),
        ("576.30", "USD", 57630),
        (500, "BIF", 500),
        (1.234, "KWD", 1234),
        ("-0.01", "EUR", -1),
        ("1." + "0" * 90, "USD", 100),
    ],
)
def test_major_units_become_minor_ones(amount: float | str, currency: str, minor: int) -> None:
    assert to_minor(amount, currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "problem"),
    [
        (0.001, "USD", "must have at most 2 decimals in USD, got 0.001"),
        (0.5, "JPY", "must be a whole number in JPY, got 0.5"),
        ("1.2345", "KWD", "must have at most 3 decimals in KWD"),
        (0.1 + 0.2, "USD", "got 0.30000000000000004"),
        (1e300, "USD", "must be at most 10000000000.00 USD"),
        ("1e999999999", "USD", "must be at most 10000000000.00 USD"),
        ("1e-999999999", "USD", "must have at most 2 decimals in USD"),
        ("1." + "0" * 60 + "1", "USD", "must have at most 2 decimals in USD"),
        ("9" * 60, "USD", "must be at most"),
        (float("nan"), "USD", "must be a number"),
        (float("inf"), "USD", "must be a number"),
        ("ten", "USD", "must be a number, got 'ten'"),
        ("", "USD", "must be a number"),
    ],
)
def test_an_amount_that_cant_be_exact_is_refused_with_the_reason(
    amount: float | str, currency: str, problem: str
) -> None:
    with pytest.raises(ValueError, match="must") as caught:
        to_minor(amount, currency)
    assert problem in str(caught.value)


def test_whole_amounts_are_whole_numbers() -> None:
    assert json.dumps([to_number(50000, "BIF"), to_number(1200, "USD"), to_number(1250, "USD")]) == "[50000, 12, 12.5]"
