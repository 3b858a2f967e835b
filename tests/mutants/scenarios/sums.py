"""What scenarios put on one invoice: charges that are alike, more than a hundred, very large ones, and credits."""

from __future__ import annotations

from typing import Any

from tests.mutants.scenarios.bed import TestBed, succeeded

MANY = 120
LARGE = 899_999_999


def alike(bed: TestBed, *minor: int) -> list[int]:
    """Charges of one description."""
    made = [bed.mine.adjust(bed.money(amount), "one like another").charge for amount in minor]
    return [int(charge["id"]) for charge in made]


def named(bed: TestBed, charges: list[int]) -> dict[str, Any]:
    return succeeded(bed.mine.create(*charges), bed.choices.create_status).invoice


def odd_sums_are_exact(bed: TestBed) -> None:
    """Of the named charges; all of them are invoiced."""
    sums: tuple[tuple[int, ...], ...] = ((700, 700, 700, 800), (LARGE,) * 3)
    for minor in sums:
        charges = alike(bed, *minor)
        assert named(bed, charges)["total"] == bed.exact(*minor), minor
        assert {bed.status_of(charge) for charge in charges} == {"Invoiced"}
    large = bed.charge(LARGE)
    assert bed.mine.get_charge(large).charge["amount"] == bed.exact(LARGE)
    named(bed, [large])
    if bed.choices.most_charge_ids is None:
        charges = [bed.charge(100 + place) for place in range(MANY)]
        assert named(bed, charges)["total"] == bed.exact(*(100 + place for place in range(MANY)))
        assert {bed.status_of(charge) for charge in charges[-30:]} == {"Invoiced"}
    if bed.choices.negative_amounts == "accept":
        for minor in ((700, -700, 900), (700, -900, 1), (700, -29, 1)):
            assert named(bed, [bed.charge(amount) for amount in minor])["total"] == bed.exact(*minor), minor


def odd_sums_of_all(bed: TestBed) -> None:
    """Without charge_ids each of them is taken, too."""
    charges = [*alike(bed, 700, 700, 800), *(bed.charge(100 + place) for place in range(MANY))]
    if bed.choices.negative_amounts == "accept":
        charges.append(bed.charge(-29))
    if bed.choices.zero_amounts == "accept":
        charges.append(bed.charge(0))
    amounts = [row["amount"] for row in bed.open_charges()]
    made = succeeded(bed.mine.create_all(), bed.choices.create_status).invoice
    assert made["total"] == sum(amounts) and len(amounts) >= len(charges), made
    assert {bed.status_of(charge) for charge in charges} == {"Invoiced"}
