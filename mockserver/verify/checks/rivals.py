"""Races of callers who are not the same, though they reach the same records, and what is left of those who lose."""

from __future__ import annotations

from functools import partial

from mockserver.verify.assertions.statements import list_of, of
from mockserver.verify.checks.create import newest_invoices
from mockserver.verify.checks.races import CALLERS, at_once, invoices_once, rounds
from mockserver.verify.checks.runner import Check
from mockserver.verify.context.context import Context
from mockserver.verify.context.own_records import row_of


def creating(context: Context) -> None:
    """CREATE-4: whether with the merchant header, without it or by `api_token`, one create takes a charge."""
    ways = (context.me, context.anyone, context.me.acting(token_in="query"))
    for _ in range(max(1, rounds(context) // 2)):
        charge = context.records.charge()
        answers = at_once(context, [partial(caller.create, [charge.id]) for caller in ways] * 2)
        because = "of simultaneous creates on one charge, in whichever way they ask, at most one succeeds"
        if not invoices_once(context, answers, "charge invoiced twice in a race of several ways to ask", because):
            return


def collecting(context: Context) -> None:
    """COLLECT-4: a provider and its merchant who collect at once make one Stripe invoice."""
    context.records.needs_charges()
    if not context.reaches_both or not context.options.loopback:
        # Other tokens can't collect one invoice; and elsewhere the card is that of somebody who was not asked.
        return
    other = context.second()
    provider = context.me.acting(merchant=other.merchant)
    for _ in range(max(1, rounds(context) // 2)):
        invoice = context.records.finalized(context.records.draft(by=provider), by=provider)
        answers = at_once(context, [partial(provider.collect, invoice.id), partial(other.collect, invoice.id)] * 2)
        row, after = context.records.row(invoice.id, by=provider)
        ids = [of(answer).at("invoice.stripe_invoice_id") for answer in answers]
        if row is not None:
            ids.append(row_of(invoice, after).at("stripe_invoice_id"))
        if not context.expect(
            "COLLECT-4",
            list_of(ids).distinct().count().compares("<=", 1),
            kind="several stripe invoices in a race of two tokens",
            proves=True,
            because="simultaneous collects make one Stripe invoice, whosever the tokens are",
            actual=("there are", list_of(ids).distinct()),
        ):
            return


def leavings(context: Context) -> None:
    """GEN-6: a create that lost a race leaves no invoice."""
    for _ in range(2):
        charge = context.records.charge()
        before = newest_invoices(context)
        answers = at_once(context, [partial(context.me.create, [charge.id])] * (CALLERS // 2))
        won = list_of(of(answer).at("invoice.id") for answer in answers)
        # Somebody else may have made one of just that total; hardly twice.
        left = (
            of(newest_invoices(context))
            .where("id", "not in", of(before).each("id"))
            .where("id", "not in", won)
            .where("total", "is", charge.shown.at("amount"))
        )
        if len(answers) < CALLERS // 2 or not all(answer.ok or answer.refused for answer in answers):
            # What was done, of which no answer tells, is nobody's to say.
            return
        if left.is_empty().is_true():
            context.recorder.held("GEN-6")
            return
    context.expect.breach(
        "GEN-6",
        left.is_empty(),
        kind="invoice left by a create that lost a race",
        because="a create that is refused because another took the charge leaves no invoice",
        actual=("an invoice of that total was made, with the id", left.each("id")),
        using=[charge.made_by, *answers],
    )


CHECKS = (
    Check("creating in several ways at once", ("CREATE-4",), creating, "race", thorough=True),
    Check("collecting by two tokens at once", ("COLLECT-4",), collecting, "race", thorough=True),
    Check("what the losers of a race leave", ("GEN-6",), leavings, "race", thorough=True),
)
