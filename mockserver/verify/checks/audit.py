"""The last look: every invoice and charge that the run made is still what all answers said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from mockserver.verify.checks.runner import Check
from mockserver.verify.context import Bench
from mockserver.verify.monitor.history import ChargeLife, InvoiceLife

Item = TypeVar("Item")
LONG = 1_000
"""Rows that an answer may have without being a burden."""
AT_ONCE = 10
"""Invoices that one search asks for."""


def every_invoice_is_listed(bench: Bench) -> None:
    """GEN-9: each of them is found by its id, and by the observer held against its life."""
    lives = _some(list(bench.observer.invoices.values()), round(200 * bench.quick()))
    lives = [life for life in lives if str(life.born.get("chargee_id")) == bench.me.merchant or not bench.me.merchant]
    for start in range(0, len(lives), AT_ONCE):
        part = lives[start : start + AT_ONCE]
        answer = bench.me.invoices(" OR ".join(f'id:"{life.id}"' for life in part), per_page=bench.at_most(AT_ONCE * 2))
        found = {row.get("id") for row in answer.rows}
        for life in part:
            if answer.ok and life.id not in found:
                _missing(bench, life)
    bench.court.met("GEN-9")


def _missing(bench: Bench, life: InvoiceLife) -> None:
    """Once more by itself, since the search may be what is broken."""
    row, answer = bench.row(life.id)
    bench.expect(
        "GEN-9",
        row is not None,
        kind="invoice not listed",
        expected="the list shows every invoice that was made",
        actual=f"invoice {life.id} is not in it",
        using=[*life.story, answer],
    )


def largest_page(bench: Bench) -> None:
    """LIST-3: the largest page, now that the list may be longer than one; the observer does its sums."""
    total = bench.me.invoices(per_page=1).mapping.get("total")
    largest = bench.at_most(LONG) if bench.profile.get("per_page_above_max") == "refuse" else LONG
    if isinstance(total, int) and total > 0:
        bench.me.invoices(per_page=min(total, largest))


def charges_are_as_named(bench: Bench) -> None:
    """CREATE-4, CREATE-6, GEN-9: charges in their list and alone, held by the observer against what it knows."""
    bench.me.charges(per_page=100)
    for number in _some(list(bench.observer.void), 3):
        bench.me.charge(number)
        bench.court.met("CREATE-6")
    for charge in _some(list(bench.observer.charges.values()), round(30 * bench.quick())):
        if str(charge.born.get("chargee_id")) == bench.me.merchant:
            _read(bench, charge)


def _read(bench: Bench, charge: ChargeLife) -> None:
    answer = bench.me.charge(charge.id)
    bench.expect(
        "GEN-9",
        answer.ok,
        kind="charge not found",
        expected="a charge that was made can be read",
        actual=f"the answer is {answer.brief()}",
        using=[*charge.story, answer],
    )


def _some(values: Sequence[Item], count: int) -> list[Item]:
    """At most `count` of them, from the whole run."""
    step = max(1, -(-len(values) // max(1, count)))
    return list(values[::step])


CHECKS = (
    Check("every invoice is listed", ("GEN-9",), every_invoice_is_listed),
    Check("the largest page", ("LIST-3",), largest_page),
    Check("charges are as named", ("CREATE-4", "CREATE-6", "GEN-9"), charges_are_as_named),
)
