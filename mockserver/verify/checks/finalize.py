"""Checks of finalizing: what it locks, the queue for Stripe, and doing it again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from mockserver.verify.assertions.statements import Statement, Subject, eventually, is_answered, of, succeeds
from mockserver.verify.checks.runner import Check, Steps
from mockserver.verify.checks.unchanged import still_draft
from mockserver.verify.claims.values import exact, shown
from mockserver.verify.context.context import Context
from mockserver.verify.context.own_records import Late, OwnInvoice, row_of
from mockserver.verify.context.records import UNKNOWN_ID
from mockserver.verify.events import AFTER_THE_QUEUE, RecordedExchange
from mockserver.verify.monitor.history import InvoiceHistory
from mockserver.verify.transport.messages import Answer

LONGEST_QUEUE = 45.0
"""Seconds that an invoice is given to get onto Stripe where the run has the time, if its queue may not take longer."""


def locks_a_draft(context: Context) -> None:
    """FINALIZE-1: no draft any more, and its charges and total stay."""
    draft = context.records.draft(context.records.charges(2))
    total = draft.shown.at("total")
    answer = context.me.finalize(draft.id)
    context.expect(
        "FINALIZE-1",
        succeeds(answer),
        kind="valid finalize refused",
        because="a draft can be finalized",
    )
    _, after = context.records.must_row(draft.id)
    seen = row_of(draft, after)
    context.expect(
        "FINALIZE-1",
        seen.at("status").differs("Draft"),
        kind="still a draft",
        because="a finalized invoice is a draft no more",
        using=[answer],
    )
    context.expect(
        "FINALIZE-1",
        seen.at("total").equals(total),
        kind="total changed",
        because=f"finalizing leaves the total at {shown(total.value())}",
        using=[answer],
    )
    _answer_is_true(context, draft, answer, after)
    for charge in draft.charges:
        status, shown_charge = context.records.charge_status(charge.id)
        context.expect(
            "FINALIZE-1",
            of(shown_charge).at("charge.status").equals("Invoiced"),
            kind="charge released",
            because="finalizing leaves the charges on the invoice",
            actual=f"charge {charge.id} is {status}",
            using=[answer, after],
        )


def _answer_is_true(context: Context, draft: OwnInvoice, answer: Answer, after: Answer) -> None:
    """What the action answered about the invoice is what the list shows."""
    seen, told = row_of(draft, after), of(answer).at("invoice")
    for name in ("id", "total", "currency"):
        if name in answer.part("invoice"):
            context.expect(
                "GEN-9",
                seen.at(name).equals(told.at(name)),
                kind=f"{name} answered otherwise",
                because=f"the list shows the {name} that was answered, {shown(told.at(name).value())}",
            )
    if "status" in answer.part("invoice"):
        # Which labels come after that is open, and one may say how far the queue is.
        context.expect(
            "GEN-9",
            told.at("status").differs("Draft"),
            kind="status answered otherwise",
            because="the list shows no draft, and none was answered",
        )


def gets_onto_stripe(context: Context) -> Steps:
    """FINALIZE-2: the queue sets the Stripe id, without a further call."""
    invoice = context.records.finalized()
    yield
    wait_for_stripe(context, invoice)


def wait_for_stripe(context: Context, invoice: OwnInvoice) -> Answer | None:
    """The page that shows it with a Stripe id; one that is late is looked at again at the run's end."""
    late = Late(invoice, time.monotonic(), invoice.made_by)
    answer = context.records.until_queued(partial(_when_on_stripe, context, late))
    if answer is None:
        context.late.append(late)
        return None
    context.recorder.held("FINALIZE-2")
    _sound_on_stripe(context, invoice, answer)
    return answer


def _when_on_stripe(context: Context, late: Late) -> Answer | None:
    """The page that shows it on Stripe."""
    row, late.seen = context.records.must_row(late.invoice.id)
    return late.seen if isinstance(row.get("stripe_invoice_id"), str) else None


def late_for_stripe(context: Context) -> None:
    """FINALIZE-2 on invoices that the run has waited for in vain: those that are not on Stripe by now break it."""
    if not context.late:
        return
    longest = max(LONGEST_QUEUE, context.options.stripe_wait or 0.0)
    while context.late:
        late = context.late[0]
        left = max(0.5, late.began + longest - time.monotonic())
        if context.records.until(partial(_when_on_stripe, context, late), left) is None:
            never_on_stripe(context)
            return
        context.late.pop(0)
    context.recorder.held("FINALIZE-2")
    context.recorder.note(f"the queue for Stripe takes longer than {context.records.queue_wait:g} s (--stripe-wait)")


def never_on_stripe(context: Context) -> None:
    """FINALIZE-2 is broken by the first invoice that was waited for in vain, for as long as its queue is said to take.

    Where nobody says so, that is not known: sooner or later can be the next day.
    """
    for late in context.late[:1]:
        waited = late.seen.started - late.began
        earlier, later = _neighbours(context, late)
        is_overtaken = any(_came_by_queue(history, late.seen.started) for history in later)
        if context.options.stripe_wait is None:
            which = "one of two invoices, the later one," if is_overtaken else "no invoice"
            reason = f"{which} got onto Stripe within {waited:.0f} s, and how long that may take was not said"
            context.recorder.skipped(reason, ("FINALIZE-2",))
            if is_overtaken:
                context.recorder.note(f"{reason} (--stripe-wait)", warning=True)
            return
        if waited < context.options.stripe_wait:
            context.recorder.skipped("there was no time to wait for the queue for Stripe (--max-time)", ("FINALIZE-2",))
            return
        context.expect.breach(
            "FINALIZE-2",
            eventually(row_of(late.invoice, late.seen).at("stripe_invoice_id").is_text(), context.options.stripe_wait),
            kind="never on stripe",
            because="a finalized invoice gets a stripe_invoice_id without any further call",
            actual=f"it has none after {waited:.0f} s (a slower queue needs a longer --stripe-wait)",
            # Another one that is still in the queue may be why its own job was lost.
            using=[*_a_finalize(earlier), *context.monitor.invoices[late.invoice.id].trace],
            # A queue that is only slow comes to them in their order.
            proves=is_overtaken,
        )


def _neighbours(context: Context, late: Late) -> tuple[list[InvoiceHistory], list[InvoiceHistory]]:
    """The merchant's invoices that were finalized before it and after it, in that order."""
    since = context.monitor.invoices[late.invoice.id].finalized_since or late.began
    merchant = late.invoice.made_by.part("invoice").get("chargee_id")
    done = [
        (history.finalized_since, history.id, history)
        for history in context.monitor.invoices.values()
        if history.finalized_since is not None and history.first_seen.get("chargee_id") == merchant
    ]
    earlier = [history for moment, _, history in sorted(done) if moment < since]
    return earlier, [history for moment, _, history in sorted(done) if moment > since]


def _a_finalize(earlier: Sequence[InvoiceHistory]) -> Sequence[RecordedExchange]:
    """The last of the finalizes that were no race, of an invoice that was left to the queue."""
    queued = [history.trace for history in earlier if not history.collect_tried]
    done = [one for trace in queued for one in trace if one.url.endswith("/finalize") and not one.race]
    return done[-1:]


def _came_by_queue(history: InvoiceHistory, before: float) -> bool:
    """Whether it was on Stripe before that time, and not by a collect, nor because it is of nothing."""
    on_stripe = history.stripe_id is not None and history.stripe_since < before
    return on_stripe and not history.collect_tried and exact(history.first_seen.get("total")) != 0


def _sound_on_stripe(context: Context, invoice: OwnInvoice, answer: Answer) -> None:
    known = ("draft", "open")
    seen = row_of(invoice, answer)
    context.expect(
        "FINALIZE-2",
        seen.at("stripe_invoice_status").is_one_of(*known),
        kind=AFTER_THE_QUEUE,
        because=f"an invoice on Stripe that nobody collected is {' or '.join(known)} there",
        using=context.monitor.invoices[invoice.id].trace,
    )
    context.expect(
        "FINALIZE-2",
        seen.at("stripe_invoice_id").matches("^in_"),
        kind="no Stripe id",
        because="stripe_invoice_id is of the form in_…",
    )


def unknown_invoice(context: Context) -> None:
    """FINALIZE-3: a 4xx."""
    for number in (UNKNOWN_ID, 0):
        context.expect.refused("FINALIZE-3", context.me.finalize(number), "a finalize of an unknown invoice")


def no_integer(context: Context) -> None:
    """FINALIZE-3: what is no integer names no invoice, though it begins with the id of one."""
    draft = context.records.draft()
    for odd in (f"{draft.id}abc", f"{draft.id}.5"):
        answer = context.me.finalize(odd)
        context.expect.refused("FINALIZE-3", answer, "a finalize of what is no integer", [draft.made_by])
        if not still_draft(context, "FINALIZE-3", draft, "a finalize of what is no integer", [answer]):
            return


def again(context: Context) -> Steps:
    """FINALIZE-4: before it is on Stripe, and after."""
    invoice = context.records.finalized()
    once_more(context, invoice, "at once")
    invoice = context.records.queued()
    yield
    if wait_for_stripe(context, invoice) is not None:
        once_more(context, invoice, "on Stripe")


def once_more(context: Context, invoice: OwnInvoice, when: str) -> None:
    """Finalizes once more, and expects that nothing changed."""
    _, first = context.records.must_row(invoice.id)
    before = row_of(invoice, first)
    answer = context.me.finalize(invoice.id)
    context.expect(
        "FINALIZE-4",
        is_answered(answer),
        kind=f"finalize again {when} fails",
        because="finalizing again is refused or accepted",
        using=[invoice.made_by],
    )
    _, second = context.records.must_row(invoice.id)
    after = row_of(invoice, second)
    trace = list(context.monitor.invoices[invoice.id].trace)
    context.expect(
        "FINALIZE-4",
        after.at("status").differs("Draft"),
        kind=f"status changed by finalizing again {when}",
        because="finalizing again makes no draft of it",
        using=trace,
    )
    for name in ("total", "stripe_invoice_status", "stripe_invoice_id"):
        if before.at(name).value() is None and name.startswith("stripe"):
            # The queue may do its work in between.
            continue
        context.expect(
            "FINALIZE-4",
            _same_stage(name, before.at(name), after.at(name)),
            kind=f"{name} changed by finalizing again {when}",
            because=f"finalizing again leaves {name} at {shown(before.at(name).value())}",
            using=trace,
        )
    for charge in invoice.charges:
        status, shown_charge = context.records.charge_status(charge.id)
        context.expect(
            "FINALIZE-4",
            of(shown_charge).at("charge.status").equals("Invoiced"),
            kind="charge released by finalizing again",
            because="finalizing again leaves the charges on the invoice",
            actual=f"charge {charge.id} is {status}",
            using=trace,
        )


def _same_stage(name: str, before: Subject, after: Subject) -> Statement:
    """Equal, or a Stripe draft that Stripe has opened meanwhile."""
    if name == "stripe_invoice_status" and before.value() == "draft":
        return after.is_one_of("draft", "open")
    return after.equals(before)


def finalizing_a_paid_one(context: Context) -> None:
    """FINALIZE-4: a paid invoice stays paid."""
    once_more(context, context.records.paid(), "once paid")


def locked_for_good(context: Context) -> None:
    """FINALIZE-1: neither a create nor another finalize takes charges from a finalized invoice or adds some."""
    invoice, spare = context.records.finalized(), context.records.charge()
    answer = context.me.create([invoice.charges[0].id, spare.id])
    context.expect.refused("CREATE-4", answer, "a create of a charge on a finalized invoice", [invoice.made_by])
    _, after = context.records.must_row(invoice.id)
    context.expect(
        "FINALIZE-1",
        row_of(invoice, after).at("total").equals(invoice.charges[0].shown.at("amount")),
        kind="total changed later",
        because="a finalized invoice's total never changes",
        using=[*context.monitor.invoices[invoice.id].trace, answer],
    )


def alone(context: Context) -> None:
    """FINALIZE-1: finalizing one draft leaves the others alone."""
    neighbours = context.records.draft(), context.records.draft(), context.records.draft()
    answer = context.me.finalize(neighbours[1].id)
    for neighbour in (neighbours[0], neighbours[2]):
        still_draft(context, "GEN-9", neighbour, "finalizing another invoice", [answer])


CHECKS = (
    Check("an unknown invoice", ("FINALIZE-3",), unknown_invoice),
    Check("finalizing what is no integer", ("FINALIZE-3",), no_integer),
    Check("finalize locks a draft", ("FINALIZE-1", "GEN-9"), locks_a_draft),
    Check("finalize leaves others alone", ("GEN-9",), alone, thorough=True),
    Check("a finalized invoice is locked", ("FINALIZE-1", "CREATE-4"), locked_for_good, thorough=True),
    Check("a finalized invoice gets onto Stripe", ("FINALIZE-2",), gets_onto_stripe),
    Check("finalizing again", ("FINALIZE-4",), again),
    Check("finalizing a paid invoice", ("FINALIZE-4",), finalizing_a_paid_one, thorough=True),
)

LATE = Check("late for Stripe", ("FINALIZE-2",), late_for_stripe)
"""Comes after all others, so that the queue has had the whole run."""
