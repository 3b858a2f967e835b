"""Expects that what was refused, or was no matter of theirs, has left charges and drafts as they were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from mockserver.verify.assertions.statements import Evidence, Statement, all_of, any_of, came, of, status_of
from mockserver.verify.claims.values import exact, shown
from mockserver.verify.context.context import Context
from mockserver.verify.context.own_records import OwnCharge, OwnInvoice, row_of
from mockserver.verify.errors import NotPossible
from mockserver.verify.events import CHARGE_TAKEN, DRAFT_CHANGED
from mockserver.verify.transport.messages import Answer


def charge_untouched(context: Context, rule: str, charge: OwnCharge, what: str, using: Sequence[Evidence]) -> bool:
    """Expects that the charge is still `Open` after `what` was refused."""
    status, answer = context.records.charge_status(charge.id)
    return context.expect(
        rule,
        all_of(*_done(using), _unless_accepted(using, of(answer).at("charge.status").differs("Invoiced"))),
        kind=f"{CHARGE_TAKEN} {what}",
        because=f"{what} takes no charge",
        actual=f"charge {charge.id} is {status} afterwards",
        using=using,
    )


def still_draft(context: Context, rule: str, invoice: OwnInvoice, what: str, using: Sequence[Evidence]) -> bool:
    """Expects that the invoice is a draft as it was, after `what` was refused."""
    _, answer = context.records.must_row(invoice.id)
    statement = _same_draft(invoice, answer)
    if not statement.is_true() and _listed_otherwise(context, exact(invoice.shown.at("total").value())):
        return True
    return context.expect(
        rule,
        all_of(*_done(using), _unless_accepted(using, statement)),
        kind=f"{DRAFT_CHANGED} {what}",
        because=f"{what} leaves the draft as it was: {_told(invoice)}",
        using=using,
    )


def _listed_otherwise(context: Context, total: Decimal | None) -> bool:
    """Whether another draft of that total is listed otherwise than its create answered: a breach by itself (GEN-9)."""
    try:
        draft = (
            context.records.draft()
            if context.options.charge_ids
            else context.records.draft((context.records.charge(total),))
        )
    except NotPossible:
        # Without another draft to compare with, what was seen stands.
        return False
    _, answer = context.records.must_row(draft.id)
    statement = _same_draft(draft, answer)
    return not context.expect(
        "GEN-9",
        statement,
        kind="draft listed otherwise",
        because=f"the list shows the draft as the create answered it: {_told(draft)}",
    )


def _done(using: Iterable[Evidence]) -> list[Statement]:
    """What was done, however it was answered."""
    return [came(one) for one in using if isinstance(one, Answer) and one.outgoing.method == "POST"]


def _unless_accepted(using: Iterable[Evidence], statement: Statement) -> Statement:
    """Of what was refused: in a replay it may be accepted, since somebody else was why it was refused."""
    refused = [one for one in using if isinstance(one, Answer) and one.outgoing.method == "POST" and one.refused]
    return any_of(*(status_of(one).compares("<", 400) for one in refused), statement)


def _same_draft(invoice: OwnInvoice, answer: Answer) -> Statement:
    """What of an invoice only its own operations may change."""
    seen = row_of(invoice, answer)
    status = invoice.shown.at("status") if "status" in invoice.made_by.part("invoice") else "Draft"
    return all_of(seen.at("status").equals(status), seen.at("total").equals(invoice.shown.at("total")))


def _told(invoice: OwnInvoice) -> str:
    return f"{shown(invoice.shown.at('status').value())}, of {shown(invoice.shown.at('total').value())}"
