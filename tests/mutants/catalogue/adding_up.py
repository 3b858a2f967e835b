"""Faults of money: what a draft adds up to, and what becomes of an amount."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Any

from tests.mutants.catalogue.making import Catalog, swap
from tests.mutants.reference.api import Api
from tests.mutants.reference.money import decimals, to_number
from tests.mutants.reference.records import Caller, Charge, Invoice

MONEY = Catalog("create")


# Totals


@MONEY.fault("CREATE-5", "GEN-9", says="totals are summed in floating point")
def total_in_floating_point(api: Api) -> None:
    def total(invoice: Invoice) -> float:
        result = 0.0
        for charge in invoice.charges:
            result += to_number(charge.amount, charge.currency)
        return result

    swap(api.view, "total", total)


@MONEY.fault("CREATE-5", says="totals are in cents")
def total_in_cents(api: Api) -> None:
    swap(api.view, "total", lambda invoice: invoice.total)


@MONEY.fault("CREATE-5", says="totals are without their cents")
def total_without_cents(api: Api) -> None:
    swap(api.view, "total", lambda invoice: invoice.total // 10 ** decimals(invoice.currency))


@MONEY.fault("CREATE-5", says="totals beyond a thousand lose their cents")
def large_totals_lose_their_cents(api: Api) -> None:
    swap(api.view, "total", lambda invoice: float(f"{to_number(invoice.total, invoice.currency):.5g}"))


@MONEY.fault("CREATE-5", "GEN-9", says="totals have two decimals in every currency", currencies={1: "KWD"})
def two_decimals_for_dinars(api: Api) -> None:
    swap(api.view, "total", lambda invoice: round(to_number(invoice.total, invoice.currency), 2))


@MONEY.fault("CREATE-5", "GEN-9", says="totals are divided by a hundred in every currency", currencies={1: "BIF"})
def cents_for_francs(api: Api) -> None:
    swap(api.view, "total", lambda invoice: invoice.total / 100)


@MONEY.fault("CREATE-5", says="a charge that has no cents is not counted")
def whole_amounts_do_not_count(api: Api) -> None:
    swap(api.billing, "add_up", lambda charges: sum(charge.amount for charge in charges if charge.amount % 100))


@MONEY.fault("CREATE-5", says="charges of the same amount are summed once")
def equal_amounts_are_summed_once(api: Api) -> None:
    swap(api.billing, "add_up", lambda charges: sum({charge.amount for charge in charges}))


@MONEY.fault("CREATE-5", says="no more than ten charges are summed")
def ten_charges_are_summed(api: Api) -> None:
    swap(api.billing, "add_up", lambda charges: sum(charge.amount for charge in charges[:10]))


@MONEY.fault(
    "CREATE-5",
    "CREATE-1",
    "CREATE-4",
    says="an id given twice is summed twice",
    choices={"duplicate_charge_ids": "collapse"},
)
def duplicates_are_summed_twice(api: Api) -> None:
    def named(caller: Caller, charge_ids: Sequence[int]) -> list[Charge]:
        original(caller, charge_ids)
        return [api.records.charges[number] for number in charge_ids]

    original = swap(api.billing, "named", named)


@MONEY.fault("CREATE-5", "CREATE-8", "GEN-9", "GEN-1", says="every invoice is in dollars", currencies={1: "EUR"})
def invoices_in_dollars(api: Api) -> None:
    def invoice(record: Invoice) -> Any:
        return original(record) | {"currency": "USD"}

    original = swap(api.view, "invoice", invoice)


@MONEY.fault("GEN-2", "GEN-9", "CREATE-5", says="an amount in a form loses its cents")
def form_amount_loses_its_cents(api: Api) -> None:
    def amount(given: object, currency: str, *, form: bool) -> int:
        if form and isinstance(given, str):
            given = given.partition(".")[0]
        known: int = original(given, currency, form=form)
        return known

    original = swap(api, "amount", amount)


@MONEY.fault("GEN-9", "CREATE-5", says="an amount is multiplied in floating point and cut, so that 0.29 is 0.28")
def amount_is_cut(api: Api) -> None:
    def to_minor(amount: Decimal, currency: str) -> int:
        original(amount, currency)
        return int(float(amount) * 10 ** decimals(currency))

    original = swap(api, "to_minor", to_minor)


@MONEY.fault("GEN-9", "CREATE-5", says="an amount loses its cents")
def amount_without_cents(api: Api) -> None:
    def to_minor(amount: Decimal, currency: str) -> int:
        original(amount, currency)
        whole = int(amount.quantize(Decimal(1), ROUND_DOWN))
        return whole * int(10 ** decimals(currency))

    original = swap(api, "to_minor", to_minor)
