"""Checks of finalizing: what it locks, the queue for Stripe, and doing it again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from mockserver.verify.checks.runner import Check
from mockserver.verify.checks.unchanged import still_draft
from mockserver.verify.context import UNKNOWN_ID, Context, Evidence
from mockserver.verify.monitor.history import Row, exact, shown
from mockserver.verify.own_records import OwnInvoice
from mockserver.verify.transport.http import Answer

LONGEST_QUEUE = 45.0
"""Seconds after which an invoice that is not on Stripe is taken never to get there, where the run has the time."""


def locks_a_draft(context: Context) -> None:
    """FINALIZE-1: no draft any more, and its charges and total stay."""
    draft = context.draft(context.charges(2))
    total = exact(draft.made_by.part("invoice").get("total"))
    answer = context.me.finalize(draft.id)
    context.expect(
        "FINALIZE-1",
        answer.ok,
        kind="valid finalize refused",
        expected="a draft can be finalized",
        actual=f"the answer is {answer.brief()}",
        using=[draft.made_by, answer],
        check="200 <= answers[-1].status < 300",
    )
    row, after = context.must_row(draft.id)
    trace = [draft.made_by, answer, after]
    context.expect(
        "FINALIZE-1",
        row.get("status") != "Draft",
        kind="still a draft",
        expected="a finalized invoice is a draft no more",
        actual="its status is Draft",
        using=trace,
        check="answers[-1].json['data'][0]['status'] != 'Draft'",
    )
    context.expect(
        "FINALIZE-1",
        exact(row.get("total")) == total,
        kind="total changed",
        expected=f"finalizing leaves the total at {total}",
        actual=f"it is {row.get('total')}",
        using=trace,
    )
    _answer_is_true(context, answer, row, after, "FINALIZE-1")
    for charge in draft.charges:
        status, shown_charge = context.charge_status(charge.id)
        context.expect(
            "FINALIZE-1",
            status == "Invoiced",
            kind="charge released",
            expected="finalizing leaves the charges on the invoice",
            actual=f"charge {charge.id} is {status}",
            using=[*trace, shown_charge],
        )


def _answer_is_true(context: Context, answer: Answer, row: Row, after: Answer, rule: str) -> None:
    """What the action answered about the invoice is what the list shows."""
    told = answer.part("invoice")
    for name in ("id", "status", "total", "currency"):
        if name in told:
            context.expect(
                "GEN-9",
                told[name] == row.get(name),
                kind=f"{name} answered otherwise",
                expected=f"the list shows the {name} that was answered, {shown(told[name])}",
                actual=f"it shows {shown(row.get(name))}",
                using=[answer, after],
            )


def gets_onto_stripe(context: Context) -> None:
    """FINALIZE-2: the queue sets the Stripe id, without a further call."""
    invoice = context.finalized()
    wait_for_stripe(context, invoice)


def wait_for_stripe(context: Context, invoice: OwnInvoice) -> Row | None:
    """The row once it has a Stripe id; one that is late by the end of the wait is looked at again at the run's end."""
    began = time.monotonic()
    answers: list[Answer] = []
    row = context.until_queued(lambda: _row_on_stripe(context, invoice, answers))
    if row is None:
        context.late.append((invoice, began))
        return None
    context.recorder.held("FINALIZE-2")
    _sound_on_stripe(context, invoice, row, answers)
    return row


def _row_on_stripe(context: Context, invoice: OwnInvoice, answers: list[Answer]) -> Row | None:
    row, answer = context.must_row(invoice.id)
    answers[:] = [answer]
    return row if isinstance(row.get("stripe_invoice_id"), str) else None


def late_for_stripe(context: Context) -> None:
    """FINALIZE-2 on invoices that the run has waited for in vain: those that are not on Stripe by now break it."""
    if not context.late:
        return
    end = context.late[0][1] + LONGEST_QUEUE
    answers: list[Answer] = []
    while context.late:
        invoice, _ = context.late[0]
        left = max(0.5, end - time.monotonic())
        if context.until(partial(_row_on_stripe, context, invoice, answers), left) is None:
            never_on_stripe(context, answers)
            return
        context.late.pop(0)
    context.recorder.held("FINALIZE-2")
    context.recorder.note(f"the queue for Stripe takes longer than {context.options.stripe_wait:g} s (--stripe-wait)")


def never_on_stripe(context: Context, answers: Sequence[Answer] = ()) -> None:
    """FINALIZE-2 is broken by the first invoice that was waited for in vain, if that was long enough."""
    for invoice, began in context.late[:1]:
        waited = time.monotonic() - began
        if waited < min(context.options.stripe_wait, LONGEST_QUEUE):
            context.recorder.skipped("there was no time to wait for the queue for Stripe (--max-time)", ("FINALIZE-2",))
            return
        context.expect(
            "FINALIZE-2",
            False,
            kind="never on stripe",
            expected="a finalized invoice gets a stripe_invoice_id without any further call",
            actual=f"it has none after {waited:.0f} s (a slower queue needs --stripe-wait)",
            using=[*context.monitor.invoices[invoice.id].trace, *answers],
        )


def _sound_on_stripe(context: Context, invoice: OwnInvoice, row: Row, answers: Sequence[Answer]) -> None:
    known = ("draft", "open")
    status = row.get("stripe_invoice_status")
    context.expect(
        "FINALIZE-2",
        status in known,
        kind="stripe status after the queue",
        expected=f"an invoice on Stripe that nobody collected is {' or '.join(known)} there",
        actual=f"stripe_invoice_status is {shown(status)}",
        using=[*context.monitor.invoices[invoice.id].trace, *answers],
    )
    context.expect(
        "FINALIZE-2",
        str(row.get("stripe_invoice_id")).startswith("in_"),
        kind="no Stripe id",
        expected="stripe_invoice_id is of the form in_…",
        actual=f"it is {shown(row.get('stripe_invoice_id'))}",
        using=answers,
    )


def unknown_invoice(context: Context) -> None:
    """FINALIZE-3: a 4xx."""
    for number in (UNKNOWN_ID, 0):
        context.refused("FINALIZE-3", context.me.finalize(number), "a finalize of an unknown invoice")


def no_integer(context: Context) -> None:
    """FINALIZE-3: what is no integer names no invoice, though it begins with the id of one."""
    draft = context.draft()
    for odd in (f"{draft.id}abc", f"{draft.id}.5"):
        answer = context.me.finalize(odd)
        context.refused("FINALIZE-3", answer, "a finalize of what is no integer", [draft.made_by])
        if not still_draft(context, "FINALIZE-3", draft, "a finalize of what is no integer", [answer]):
            return


def again(context: Context) -> None:
    """FINALIZE-4: before it is on Stripe, and after."""
    invoice = context.finalized()
    once_more(context, invoice, "at once")
    invoice = context.queued()
    if wait_for_stripe(context, invoice) is not None:
        once_more(context, invoice, "on Stripe")


def once_more(context: Context, invoice: OwnInvoice, when: str) -> None:
    """Finalizes once more, and expects that nothing changed."""
    before, first = context.must_row(invoice.id)
    answer = context.me.finalize(invoice.id)
    context.expect(
        "FINALIZE-4",
        answer.ok or answer.refused,
        kind=f"finalize again {when} fails",
        expected="finalizing again is refused or accepted",
        actual=f"the answer is {answer.brief()}",
        using=[invoice.made_by, answer],
    )
    after, second = context.must_row(invoice.id)
    trace: list[Evidence] = [*context.monitor.invoices[invoice.id].trace, second]
    for name in ("status", "total", "stripe_invoice_status", "stripe_invoice_id"):
        if before.get(name) is None and name.startswith("stripe"):
            # The queue may do its work in between.
            continue
        context.expect(
            "FINALIZE-4",
            _same_stage(name, before.get(name), after.get(name)),
            kind=f"{name} changed by finalizing again {when}",
            expected=f"finalizing again leaves {name} at {shown(before.get(name))}",
            actual=f"it is {shown(after.get(name))}",
            using=[first, *trace],
        )
    for charge in invoice.charges:
        status, shown_charge = context.charge_status(charge.id)
        context.expect(
            "FINALIZE-4",
            status == "Invoiced",
            kind="charge released by finalizing again",
            expected="finalizing again leaves the charges on the invoice",
            using=[*trace, shown_charge],
            actual=f"charge {charge.id} is {status}",
        )


def _same_stage(name: str, before: object, after: object) -> bool:
    """Equal, or a Stripe draft that Stripe has opened meanwhile."""
    if name == "stripe_invoice_status" and before == "draft":
        return after in ("draft", "open")
    return before == after


def finalizing_a_paid_one(context: Context) -> None:
    """FINALIZE-4: a paid invoice stays paid."""
    once_more(context, context.paid(), "once paid")


def locked_for_good(context: Context) -> None:
    """FINALIZE-1: neither a create nor another finalize takes charges from a finalized invoice or adds some."""
    invoice, spare = context.finalized(), context.charge()
    answer = context.me.create([invoice.charges[0].id, spare.id])
    context.refused("CREATE-4", answer, "a create of a charge on a finalized invoice", [invoice.made_by])
    row, after = context.must_row(invoice.id)
    context.expect(
        "FINALIZE-1",
        exact(row.get("total")) == invoice.charges[0].amount,
        kind="total changed later",
        expected="a finalized invoice's total never changes",
        actual=f"it is {row.get('total')}",
        using=[*context.monitor.invoices[invoice.id].trace, answer, after],
    )


def alone(context: Context) -> None:
    """FINALIZE-1: finalizing one draft leaves the others alone."""
    neighbours = context.draft(), context.draft(), context.draft()
    answer = context.me.finalize(neighbours[1].id)
    for neighbour in (neighbours[0], neighbours[2]):
        still_draft(context, "GEN-9", neighbour, "finalizing another invoice", [answer])


CHECKS = (
    Check("an unknown invoice", ("FINALIZE-3",), unknown_invoice),
    Check("finalizing what is no integer", ("FINALIZE-3",), no_integer),
    Check("finalize locks a draft", ("FINALIZE-1", "GEN-9"), locks_a_draft),
    Check("finalize leaves others alone", ("GEN-9",), alone),
    Check("a finalized invoice is locked", ("FINALIZE-1", "CREATE-4"), locked_for_good),
    Check("a finalized invoice gets onto Stripe", ("FINALIZE-2",), gets_onto_stripe),
    Check("finalizing again", ("FINALIZE-4",), again),
    Check("finalizing a paid invoice", ("FINALIZE-4",), finalizing_a_paid_one),
)

LATE = Check("late for Stripe", ("FINALIZE-2",), late_for_stripe)
"""Comes after all others, so that the queue has had the whole run."""
