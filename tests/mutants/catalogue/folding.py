"""Faults of sums: alike charges folded into one, limits on how many count, columns that are too small, credits."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from tests.mutants.catalogue.making import Catalog, swap
from tests.mutants.reference.api import Api
from tests.mutants.reference.money import decimals
from tests.mutants.reference.records import Caller, Charge

FOLDING = Catalog("create")
CREDITS = {"negative_amounts": "accept"}


def sum_of_some(api: Api, some: Callable[[Sequence[Charge]], Sequence[Charge]]) -> None:
    """All charges are taken, and those are summed that `some` leaves."""
    swap(api.billing, "add_up", lambda charges: sum(charge.amount for charge in some(charges)))


def take_some_of_all(api: Api, some: Callable[[list[Charge]], list[Charge]]) -> None:
    """Without charge_ids those of the open charges are taken that `some` leaves; they come oldest first."""

    def open_charges(caller: Caller) -> list[Charge]:
        return some([charge for charge in original(caller) if charge.status == "Open"])

    original = swap(api.billing, "open_charges", open_charges)


def take_some_of_the_named(api: Api, some: Callable[[list[Charge]], list[Charge]]) -> None:
    def named(caller: Caller, charge_ids: Sequence[int]) -> list[Charge]:
        return some(original(caller, charge_ids))

    original = swap(api.billing, "named", named)


def by_description(charges: Sequence[Charge]) -> list[Charge]:
    return list({charge.description: charge for charge in charges}.values())


def by_line(charges: Sequence[Charge]) -> list[Charge]:
    return list({(charge.description, charge.amount): charge for charge in charges}.values())


# Alike


@FOLDING.fault("CREATE-5", says="of charges of the same description the last is summed")
def equal_descriptions_are_summed_once(api: Api) -> None:
    sum_of_some(api, by_description)


@FOLDING.fault("CREATE-5", says="charges of the same description and amount are summed once")
def equal_lines_are_summed_once(api: Api) -> None:
    sum_of_some(api, by_line)


@FOLDING.fault("CREATE-2", "CREATE-5", says="without charge_ids, of several charges of one description one is taken")
def equal_descriptions_count_once(api: Api) -> None:
    take_some_of_all(api, by_description)


@FOLDING.fault("CREATE-2", "CREATE-5", says="without charge_ids, of several charges that are alike one is taken")
def equal_lines_count_once(api: Api) -> None:
    take_some_of_all(api, by_line)


@FOLDING.fault("CREATE-1", "CREATE-5", "CREATE-4", says="of named charges that are alike one is taken")
def equal_lines_are_named_once(api: Api) -> None:
    take_some_of_the_named(api, by_line)


@FOLDING.fault("CREATE-5", says="a sum of charges of one description is that of the first, times their number")
def lines_have_one_price(api: Api) -> None:
    def total(charges: Sequence[Charge]) -> int:
        prices: dict[str, int] = {}
        return sum(prices.setdefault(charge.description, charge.amount) for charge in charges)

    swap(api.billing, "add_up", total)


# Many


@FOLDING.fault("CREATE-5", says="no more than a hundred charges are summed")
def hundred_charges_are_summed(api: Api) -> None:
    sum_of_some(api, lambda charges: charges[:100])


@FOLDING.fault("CREATE-1", "CREATE-5", "CREATE-4", says="of the named charges no more than a hundred are taken")
def hundred_named_are_taken(api: Api) -> None:
    take_some_of_the_named(api, lambda charges: charges[:100])


@FOLDING.fault("CREATE-2", "CREATE-5", says="without charge_ids the oldest hundred are taken")
def oldest_hundred_are_taken(api: Api) -> None:
    take_some_of_all(api, lambda charges: charges[:100])


@FOLDING.fault("CREATE-2", "CREATE-5", says="without charge_ids the latest hundred are taken")
def latest_hundred_are_taken(api: Api) -> None:
    take_some_of_all(api, lambda charges: charges[-100:])


@FOLDING.fault(
    "CREATE-2",
    "CREATE-5",
    says="all open charges are gone through by fifty while they change, so that fifty are skipped",
)
def chunks_are_skipped(api: Api) -> None:
    take_some_of_all(api, lambda charges: [charge for place, charge in enumerate(charges) if place // 50 % 2 == 0])


@FOLDING.fault(
    "CREATE-2",
    "CREATE-5",
    says="all open charges are gone through by two hundred while they change, so that those after them are skipped",
)
def large_chunks_are_skipped(api: Api) -> None:
    take_some_of_all(api, lambda charges: [charge for place, charge in enumerate(charges) if place // 200 % 2 == 0])


@FOLDING.fault("CREATE-2", "CREATE-4", says="without charge_ids all are summed, and a hundred are marked")
def hundred_are_marked(api: Api) -> None:
    def take(charge: Charge, invoice: Any) -> None:
        if charge in invoice.charges[:100]:
            original(charge, invoice)

    original = swap(api.billing, "take", take)


# Large


@FOLDING.fault("CREATE-5", says="totals have eight digits, and are clipped")
def totals_are_clipped(api: Api) -> None:
    swap(api.billing, "add_up", lambda charges: min(sum(charge.amount for charge in charges), 99_999_999))


@FOLDING.fault("CREATE-5", says="totals in minor units have 32 bits")
def totals_have_32_bits(api: Api) -> None:
    swap(api.billing, "add_up", lambda charges: wrapped(sum(charge.amount for charge in charges)))


def wrapped(number: int) -> int:
    return (number + 2**31) % 2**32 - 2**31


@FOLDING.fault("CREATE-5", says="totals are kept in single precision")
def totals_in_single_precision(api: Api) -> None:
    def single(charges: Sequence[Charge]) -> int:
        total = sum(charge.amount for charge in charges)
        kept: float = struct.unpack("f", struct.pack("f", total))[0]
        return int(kept)

    swap(api.billing, "add_up", single)


@FOLDING.fault("GEN-9", "CREATE-5", says="an amount of six digits and more is kept as 99,999.99")
def amounts_are_clipped(api: Api) -> None:
    def to_minor(amount: Decimal, currency: str) -> int:
        return min(int(original(amount, currency)), int(10 ** (5 + decimals(currency))) - 1)

    original = swap(api, "to_minor", to_minor)


# Credits


@FOLDING.fault("CREATE-5", says="credits are added", choices=CREDITS)
def credits_are_added(api: Api) -> None:
    swap(api.billing, "add_up", lambda charges: sum(abs(charge.amount) for charge in charges))


@FOLDING.fault("CREATE-5", says="credits do not count", choices=CREDITS)
def credits_do_not_count(api: Api) -> None:
    sum_of_some(api, lambda charges: [charge for charge in charges if charge.amount > 0])


@FOLDING.fault("CREATE-2", "CREATE-5", says="without charge_ids credits are left open", choices=CREDITS)
def credits_stay_open(api: Api) -> None:
    take_some_of_all(api, lambda charges: [charge for charge in charges if charge.amount >= 0])


@FOLDING.fault("CREATE-5", says="a total below nothing is nothing", choices=CREDITS)
def negative_totals_are_nothing(api: Api) -> None:
    swap(api.billing, "add_up", lambda charges: max(0, sum(charge.amount for charge in charges)))


@FOLDING.fault("GEN-9", "CREATE-5", says="a credit is made a charge", choices=CREDITS)
def credits_are_charges(api: Api) -> None:
    def to_minor(amount: Decimal, currency: str) -> int:
        return abs(int(original(amount, currency)))

    original = swap(api, "to_minor", to_minor)


@FOLDING.fault("CREATE-5", "GEN-9", says="a credit and a charge that is as high leave each other out", choices=CREDITS)
def one_amount_cancels_another(api: Api) -> None:
    sum_of_some(api, lambda charges: list({abs(charge.amount): charge for charge in charges}.values()))


@FOLDING.fault("CREATE-2", says="without charge_ids what is free of charge is left open")
def nothing_stays_open(api: Api) -> None:
    take_some_of_all(api, lambda charges: [charge for charge in charges if charge.amount])
