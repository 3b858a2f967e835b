"""Expects that what was refused, or was no matter of theirs, has left charges and drafts as they were."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from mockserver.verify.context import Context, Evidence
from mockserver.verify.errors import NotPossible
from mockserver.verify.monitor.history import Row, exact
from mockserver.verify.own_records import OwnCharge, OwnInvoice


def charge_untouched(context: Context, rule: str, charge: OwnCharge, what: str, using: Iterable[Evidence]) -> bool:
    """Expects that the charge is still `Open` after `what` was refused."""
    status, answer = context.charge_status(charge.id)
    return context.expect(
        rule,
        status != "Invoiced",
        kind=f"charge taken by {what}",
        expected=f"{what} takes no charge",
        actual=f"charge {charge.id} is {status} afterwards",
        using=[charge.made_by, *using, answer],
        check="answers[-1].json['charge']['status'] != 'Invoiced'",
    )


def still_draft(context: Context, rule: str, invoice: OwnInvoice, what: str, using: Iterable[Evidence]) -> bool:
    """Expects that the invoice is a draft as it was, after `what` was refused."""
    row, answer = context.must_row(invoice.id)
    was, now = _as_draft(invoice.made_by.part("invoice")), _as_draft(row)
    if was != now and _listed_otherwise(context, was[1]):
        return True
    return context.expect(
        rule,
        was == now,
        kind=f"draft changed by {what}",
        expected=f"{what} leaves the draft as it was: {was[0]}, of {was[1]}",
        actual=f"it is {now[0]}, of {now[1]}",
        using=[invoice.made_by, *using, answer],
        check="answers[-1].json['data'][0]['status'] == 'Draft'",
    )


def _listed_otherwise(context: Context, total: Decimal | None) -> bool:
    """Whether another draft of that total is listed otherwise than its create answered: a breach by itself (GEN-9)."""
    try:
        draft = context.draft() if context.options.charge_ids else context.draft((context.charge(total),))
    except NotPossible:
        # Without another draft to compare with, what was seen stands.
        return False
    row, answer = context.must_row(draft.id)
    was, now = _as_draft(draft.made_by.part("invoice")), _as_draft(row)
    return not context.expect(
        "GEN-9",
        was == now,
        kind="draft listed otherwise",
        expected=f"the list shows the draft as the create answered it: {was[0]}, of {was[1]}",
        actual=f"it shows {now[0]}, of {now[1]}",
        using=[draft.made_by, answer],
    )


def _as_draft(row: Row) -> tuple[object, Decimal | None]:
    """What of an invoice only its own operations may change."""
    return row.get("status", "Draft"), exact(row.get("total"))
