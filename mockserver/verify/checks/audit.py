"""The last look: every invoice and charge that the run made is still what all answers said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from mockserver.verify.assertions.statements import id_of, of, succeeds
from mockserver.verify.checks.runner import Check
from mockserver.verify.context.context import Context
from mockserver.verify.monitor.history import ChargeHistory, InvoiceHistory

Item = TypeVar("Item")
LONG = 1_000
"""Rows that an answer may have without being a burden."""
AT_ONCE = 10
"""Invoices that one search asks for."""


def every_invoice_is_listed(context: Context) -> None:
    """GEN-9: each of them is found by its id, and by the monitor held against its history."""
    histories = _some(list(context.monitor.invoices.values()), round(200 * context.quick()))
    histories = [
        history
        for history in histories
        if str(history.first_seen.get("chargee_id")) == context.me.merchant or not context.me.merchant
    ]
    for start in range(0, len(histories), AT_ONCE):
        part = histories[start : start + AT_ONCE]
        answer = context.me.invoices(
            " OR ".join(f'id:"{history.id}"' for history in part), per_page=context.records.at_most(AT_ONCE * 2)
        )
        found = {row.get("id") for row in answer.rows}
        for history in part:
            if answer.ok and history.id not in found:
                _missing(context, history)
    context.recorder.held("GEN-9")


def _missing(context: Context, history: InvoiceHistory) -> None:
    """Once more by itself, since the search may be what is broken."""
    _, answer = context.records.row(history.id)
    context.expect(
        "GEN-9",
        of(answer).each("id").includes(id_of("invoice", history.id)),
        kind="invoice not listed",
        because="the list shows every invoice that was made",
        actual=f"invoice {history.id} is not in it",
        using=history.trace,
    )


def largest_page(context: Context) -> None:
    """LIST-3: the largest page, now that the list may be longer than one; the monitor does its sums."""
    total = context.me.invoices(per_page=1).mapping.get("total")
    largest = context.records.at_most(LONG) if context.profile.get("per_page_above_max") == "refuse" else LONG
    if isinstance(total, int) and total > 0:
        context.me.invoices(per_page=min(total, largest))


def charges_are_as_named(context: Context) -> None:
    """CREATE-4, CREATE-6, GEN-9: charges in their list and alone, held by the monitor against what it knows."""
    context.me.charges(per_page=100)
    for number in _some(list(context.monitor.void), 3):
        context.me.charge(number)
        context.recorder.held("CREATE-6")
    for charge in _some(list(context.monitor.charges.values()), round(30 * context.quick())):
        if str(charge.first_seen.get("chargee_id")) == context.me.merchant:
            _read(context, charge)


def _read(context: Context, charge: ChargeHistory) -> None:
    answer = context.me.charge(charge.id)
    context.expect(
        "GEN-9",
        succeeds(answer),
        kind="charge not found",
        because="a charge that was made can be read",
        using=charge.trace,
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
