"""Checks of collecting: only what is finalized, at once, and never twice."""

from __future__ import annotations

from mockserver.verify.assertions.statements import (
    Evidence,
    all_of,
    any_of,
    came,
    eventually,
    is_answered,
    is_refused,
    of,
    status_of,
    succeeds,
)
from mockserver.verify.checks.finalize import wait_for_stripe
from mockserver.verify.checks.runner import Check, Steps
from mockserver.verify.checks.unchanged import still_draft
from mockserver.verify.claims.values import Row, shown
from mockserver.verify.context.context import Context
from mockserver.verify.context.own_records import OwnInvoice, row_of
from mockserver.verify.context.records import UNKNOWN_ID
from mockserver.verify.errors import NotPossible, Stop
from mockserver.verify.events import PAID_AFTER_A_DECLINE
from mockserver.verify.transport.billing_client import Billing
from mockserver.verify.transport.messages import Answer


def unknown_invoice(context: Context) -> None:
    """COLLECT-5: a 4xx."""
    context.records.needs_charges()
    for number in (UNKNOWN_ID, 0):
        context.expect.refused("COLLECT-5", context.me.collect(number), "a collect of an unknown invoice")


def no_integer(context: Context) -> None:
    """COLLECT-5: what is no integer names no invoice, though it begins with the id of one."""
    context.records.needs_charges()
    invoice = context.records.finalized()
    answer = context.me.collect(f"{invoice.id}abc")
    context.expect.refused("COLLECT-5", answer, "a collect of what is no integer", [invoice.made_by])
    _, after = context.records.must_row(invoice.id)
    context.expect(
        "COLLECT-5",
        row_of(invoice, after).at("stripe_invoice_status").differs("paid"),
        kind="paid by what is no integer",
        because=f"a collect of {invoice.id}abc leaves invoice {invoice.id} unpaid",
        actual="it is paid",
        using=[answer],
    )


def a_draft(context: Context) -> None:
    """COLLECT-1: refused, and the draft stays one, off Stripe."""
    context.records.needs_charges()
    draft = context.records.draft()
    answer = context.me.collect(draft.id)
    context.expect.refused("COLLECT-1", answer, "a collect of a draft", [draft.made_by])
    still_draft(context, "COLLECT-1", draft, "a collect of a draft", [answer])
    _, after = context.records.must_row(draft.id)
    seen = row_of(draft, after)
    context.expect(
        "COLLECT-1",
        all_of(
            came(answer),
            *(seen.at(name).is_one_of(None, "") for name in ("stripe_invoice_id", "stripe_invoice_status")),
        ),
        kind="draft on stripe",
        because="a collect of a draft leaves it off Stripe",
        using=[answer],
    )
    finalized = context.me.finalize(draft.id)
    context.expect(
        "COLLECT-1",
        all_of(came(answer), succeeds(finalized)),
        kind="draft spoilt",
        because="the draft can still be finalized",
        using=[answer],
    )


def at_once(context: Context) -> None:
    """COLLECT-2 and COLLECT-3: right after finalizing, whatever the queue does."""
    context.records.needs_charges()
    collect_and_judge(context, context.records.finalized(context.records.draft(context.records.charges(2))))


def after_the_queue(context: Context) -> Steps:
    """COLLECT-2 and COLLECT-3: on an invoice that is on Stripe already; its Stripe invoice is the one that is paid."""
    context.records.needs_charges()
    invoice = context.records.queued()
    yield
    waited = wait_for_stripe(context, invoice)
    if waited is None:
        return
    if collect_and_judge(context, invoice) and context.turned_away:
        # The card pays: an invoice that was refused before its turn was not refused for want of one.
        at_once(context)
    _, answer = context.records.must_row(invoice.id)
    context.expect(
        "COLLECT-2",
        row_of(invoice, answer).at("stripe_invoice_id").equals(row_of(invoice, waited).at("stripe_invoice_id")),
        kind="another stripe invoice",
        because="the invoice that is on Stripe is the one that is collected",
        using=context.monitor.invoices[invoice.id].trace,
    )


def collect_and_judge(context: Context, invoice: OwnInvoice, *, by: Billing | None = None) -> bool:
    """Collects until the card pays or has declined three times, judging every state on the way; True once paid."""
    refusals: list[Answer] = []
    lost = False
    for _ in range(3):
        answer = (by or context.me).collect(invoice.id)
        row, after = _listed(context, invoice, by)
        trace: list[Evidence] = [*context.monitor.invoices[invoice.id].trace, after]
        if answer.ok:
            _paid(context, invoice, answer, after, trace, by)
            return True
        if not answer.refused:
            # Stripe's own trouble, about which nothing says what comes: the charge may have succeeded.
            lost = True
            context.transport.pause(0.2)
            continue
        if lost and row.get("stripe_invoice_status") != "paid":
            row, after = context.records.shown_paid(invoice.id, by=by, succeeded=False) or (row, after)
        if lost and row.get("stripe_invoice_status") == "paid":
            context.recorder.held("COLLECT-4")
            return True
        _declined(context, invoice, after, trace, by)
        # That a decline frees no charge is seen where answers are observed.
        (by or context.me).charge(invoice.charges[0].id)
        refusals.append(answer)
        _tried(context, refusals, trace)
    context.recorder.skipped("the merchant's card does not pay", ("COLLECT-4",))
    return False


def _tried(context: Context, refusals: list[Answer], trace: list[Evidence]) -> None:
    """A refused collect of a finalized invoice is a card's decline, each time, and not a word about its state."""
    illegal = None if context.draft_refusal is None else context.draft_refusal.status
    first, last = refusals[0], refusals[-1]
    text = str(last.mapping.get("message", "")).lower()
    if context.draft_refusal is not None and ("draft" in text or "finali" in text):
        as_draft = of(context.draft_refusal).at("message")
        context.expect(
            "COLLECT-2",
            any_of(status_of(last).differs(illegal), of(last).at("message").differs(as_draft)),
            kind="finalized invoice taken for a draft",
            because="collecting a finalized invoice attempts the charge",
            actual=f"it is refused as a draft is: {last.brief()}",
            using=trace,
        )
    context.expect(
        "COLLECT-3",
        any_of(status_of(last).equals(status_of(first)), status_of(last).differs(illegal)),
        kind="no further attempt after a decline",
        because=f"after a decline, answered with {first.status}, the invoice can be collected again",
        actual=f"the next collect is refused for its state, with {last.status}",
        using=trace,
    )


def _listed(context: Context, invoice: OwnInvoice, by: Billing | None) -> tuple[Row, Answer]:
    if by is None:
        return context.records.must_row(invoice.id)
    row, answer = context.records.row(invoice.id, by=by)
    if row is None:
        raise Stop
    return row, answer


def _paid(
    context: Context, invoice: OwnInvoice, answer: Answer, after: Answer, trace: list[Evidence], by: Billing | None
) -> None:
    paid = row_of(invoice, after).at("stripe_invoice_status").equals("paid")
    if not paid.is_true():
        # An integration that learns of the payment from Stripe shows it seconds later.
        succeeded = answer.status != 202
        found = context.records.shown_paid(invoice.id, by=by, succeeded=succeeded) or _listed(context, invoice, by)
        after = found[1]
        paid = row_of(invoice, after).at("stripe_invoice_status").equals("paid")
    context.records.has_seen_payment |= by is None and paid.is_true()
    if not paid.is_true() and (unknown := context.records.may_show_later(answer)):
        context.recorder.skipped(unknown, ("COLLECT-3",))
        return
    seen = row_of(invoice, after)
    context.expect(
        "COLLECT-3",
        eventually(paid, context.records.report_wait),
        kind="not paid after success",
        because="after a successful collect stripe_invoice_status is paid, at once or some seconds later",
        using=trace,
    )
    context.expect(
        "COLLECT-2",
        seen.at("stripe_invoice_id").is_text(),
        kind="not on stripe after collect",
        because="after a collect stripe_invoice_id is set",
        using=trace,
    )
    context.expect(
        "COLLECT-3",
        seen.at("status").differs("Draft"),
        kind="draft after collect",
        because="a collected invoice is no draft",
        using=trace,
    )
    told = of(answer).at("invoice")
    # Whether it is paid may be known between the answer and the list.
    for name in ("id", "total", "stripe_invoice_id"):
        if name in answer.part("invoice") and answer.status != 202:
            context.expect(
                "GEN-9",
                seen.at(name).equals(told.at(name)),
                kind=f"{name} answered otherwise by collect",
                because=f"the list shows the {name} that was answered, {shown(told.at(name).value())}",
                using=trace,
            )


def _declined(context: Context, invoice: OwnInvoice, after: Answer, trace: list[Evidence], by: Billing | None) -> None:
    seen = row_of(invoice, after)
    context.expect(
        "COLLECT-3",
        seen.at("stripe_invoice_status").differs("paid"),
        kind=PAID_AFTER_A_DECLINE,
        because="after a declined collect the invoice is not paid",
        using=trace,
    )
    total = invoice.shown.at("total")
    context.expect(
        "FINALIZE-1",
        all_of(seen.at("status").differs("Draft"), seen.at("total").equals(total)),
        kind="changed by a decline",
        because=f"a decline leaves the invoice finalized, its total {shown(total.value())}",
        using=trace,
    )
    is_on_stripe = seen.at("stripe_invoice_id").value() not in (None, "")
    if not is_on_stripe and not (by is None and context.records.has_seen_payment):
        # It may have been refused before Stripe was asked, for want of a card on file.
        context.turned_away |= by is None
        return
    context.expect(
        "COLLECT-2",
        seen.at("stripe_invoice_id").is_text(),
        kind="not on stripe after a decline",
        because="a collect puts the invoice on Stripe first, so stripe_invoice_id is set",
        using=trace,
    )
    context.expect(
        "COLLECT-3",
        seen.at("stripe_invoice_status").is_one_of("open", "draft", "paid"),
        kind="can't be collected again after a decline",
        because="a declined invoice can be collected again: it is open on Stripe",
        using=trace,
    )


def after_a_decline(context: Context) -> Steps:
    """COLLECT-3: a declined invoice is not paid, however often it is tried, and each try is made."""
    context.records.needs_charges()
    if context.declining is None:
        raise NotPossible("no merchant within reach whose card declines", matters=False)
    caller = context.me.acting(merchant=context.declining)
    charge = context.records.charge(context.records.spare_amount, by=caller)
    invoice = context.records.finalized(context.records.draft((charge,), by=caller), by=caller)
    if not collect_and_judge(context, invoice, by=caller):
        # The Stripe invoice that was tried is the one that stays, which is seen where answers are observed.
        yield from after_the_next_turn(context)
        _listed(context, invoice, caller)


def collecting_again(context: Context) -> None:
    """COLLECT-4: a paid invoice, collected again: nothing changes."""
    invoice = context.records.paid()
    _, first = context.records.must_row(invoice.id)
    before = row_of(invoice, first)
    for _ in range(2):
        answer = context.me.collect(invoice.id)
        context.expect(
            "COLLECT-4",
            is_answered(answer),
            kind="collect of a paid invoice fails",
            because="collecting a paid invoice is refused or accepted",
            using=context.monitor.invoices[invoice.id].trace,
        )
        if context.profile.get("recollect") == "refuse":
            context.expect(
                "COLLECT-4",
                any_of(is_refused(answer), status_of(answer).compares(">=", 500)),
                kind="collected twice",
                because="a paid invoice is refused, as this server refuses others",
                actual=f"the answer is {answer.brief()}",
                using=context.monitor.invoices[invoice.id].trace,
            )
    _, last = context.records.must_row(invoice.id)
    # A label may change with the report of the payment.
    for name in ("total", "stripe_invoice_id", "stripe_invoice_status"):
        context.expect(
            "COLLECT-4",
            row_of(invoice, last).at(name).equals(before.at(name)),
            kind=f"{name} changed by collecting again",
            because=f"collecting a paid invoice leaves {name} at {shown(before.at(name).value())}",
            using=context.monitor.invoices[invoice.id].trace,
        )


def after_the_next_turn(context: Context) -> Steps:
    """Waits until the queue for Stripe has come to an invoice that was finalized just now."""
    last = context.records.finalized()
    yield

    def ready() -> bool | None:
        return True if context.records.must_row(last.id)[0].get("stripe_invoice_id") else None

    context.records.until_queued(ready)


def paid_for_good(context: Context) -> Steps:
    """COLLECT-4 and FINALIZE-2: the queue, when its turn comes, makes no second Stripe invoice of a paid one."""
    context.records.needs_charges()
    invoices = [context.records.paid() for _ in range(2)]
    before = [row_of(invoice, context.records.must_row(invoice.id)[1]) for invoice in invoices]
    yield from after_the_next_turn(context)
    for invoice, row in zip(invoices, before, strict=True):
        _, answer = context.records.must_row(invoice.id)
        for name in ("stripe_invoice_id", "stripe_invoice_status"):
            context.expect(
                "COLLECT-4",
                row_of(invoice, answer).at(name).equals(row.at(name)),
                kind=f"{name} changed later",
                because=f"a paid invoice keeps its {name}, {shown(row.at(name).value())}",
                using=context.monitor.invoices[invoice.id].trace,
            )


def alone(context: Context) -> None:
    """COLLECT-2: collecting one invoice leaves the others alone."""
    context.records.needs_charges()
    draft, finalized = context.records.draft(), context.records.finalized()
    invoice = context.records.paid()
    trace = context.monitor.invoices[invoice.id].trace
    still_draft(context, "GEN-9", draft, "collecting another invoice", trace)
    _, after = context.records.must_row(finalized.id)
    context.expect(
        "GEN-9",
        row_of(finalized, after).at("stripe_invoice_status").differs("paid"),
        kind="another invoice paid",
        because="collecting one invoice pays that one alone",
        actual="another one is paid",
        using=trace,
    )


CHECKS = (
    Check("collecting an unknown invoice", ("COLLECT-5",), unknown_invoice),
    Check("collecting what is no integer", ("COLLECT-5",), no_integer),
    Check("collecting a draft", ("COLLECT-1",), a_draft),
    Check("collecting at once", ("COLLECT-2", "COLLECT-3"), at_once),
    Check("collecting after the queue", ("COLLECT-2", "COLLECT-3"), after_the_queue, thorough=True),
    Check("collecting again", ("COLLECT-4",), collecting_again),
    Check("collecting leaves others alone", ("GEN-9",), alone, thorough=True),
    Check("paid for good", ("COLLECT-4",), paid_for_good, thorough=True),
    Check("after a decline", ("COLLECT-3",), after_a_decline),
)
