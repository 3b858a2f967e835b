"""Checks of collecting: only what is finalized, at once, and never twice."""

from __future__ import annotations

from mockserver.verify.checks.finalize import wait_for_stripe
from mockserver.verify.checks.runner import Check
from mockserver.verify.checks.unchanged import still_draft
from mockserver.verify.context import UNKNOWN_ID, Context, Evidence
from mockserver.verify.errors import NotPossible, Stop
from mockserver.verify.monitor.history import Row, exact, shown
from mockserver.verify.own_records import OwnInvoice
from mockserver.verify.transport.billing_client import Billing
from mockserver.verify.transport.http import Answer


def unknown_invoice(context: Context) -> None:
    """COLLECT-5: a 4xx."""
    context.needs_charges()
    for number in (UNKNOWN_ID, 0):
        context.refused("COLLECT-5", context.me.collect(number), "a collect of an unknown invoice")


def no_integer(context: Context) -> None:
    """COLLECT-5: what is no integer names no invoice, though it begins with the id of one."""
    context.needs_charges()
    invoice = context.finalized()
    answer = context.me.collect(f"{invoice.id}abc")
    context.refused("COLLECT-5", answer, "a collect of what is no integer", [invoice.made_by])
    row, after = context.must_row(invoice.id)
    context.expect(
        "COLLECT-5",
        row.get("stripe_invoice_status") != "paid",
        kind="paid by what is no integer",
        expected=f"a collect of {invoice.id}abc leaves invoice {invoice.id} unpaid",
        actual="it is paid",
        using=[invoice.made_by, answer, after],
    )


def a_draft(context: Context) -> None:
    """COLLECT-1: refused, and the draft stays one, off Stripe."""
    context.needs_charges()
    draft = context.draft()
    answer = context.me.collect(draft.id)
    context.refused("COLLECT-1", answer, "a collect of a draft", [draft.made_by])
    still_draft(context, "COLLECT-1", draft, "a collect of a draft", [answer])
    row, after = context.must_row(draft.id)
    context.expect(
        "COLLECT-1",
        not row.get("stripe_invoice_id") and not row.get("stripe_invoice_status"),
        kind="draft on stripe",
        expected="a collect of a draft leaves it off Stripe",
        actual=f"stripe_invoice_id is {shown(row.get('stripe_invoice_id'))}, stripe_invoice_status "
        f"{shown(row.get('stripe_invoice_status'))}",
        using=[draft.made_by, answer, after],
    )
    finalized = context.me.finalize(draft.id)
    context.expect(
        "COLLECT-1",
        finalized.ok,
        kind="draft spoilt",
        expected="the draft can still be finalized",
        actual=f"the finalize answers {finalized.brief()}",
        using=[draft.made_by, answer, finalized],
    )


def at_once(context: Context) -> None:
    """COLLECT-2 and COLLECT-3: right after finalizing, whatever the queue does."""
    context.needs_charges()
    collect_and_judge(context, context.finalized(context.draft(context.charges(2))))


def after_the_queue(context: Context) -> None:
    """COLLECT-2 and COLLECT-3: on an invoice that is on Stripe already; its Stripe invoice is the one that is paid."""
    context.needs_charges()
    invoice = context.queued()
    row = wait_for_stripe(context, invoice)
    if row is None:
        return
    collect_and_judge(context, invoice)
    after, answer = context.must_row(invoice.id)
    context.expect(
        "COLLECT-2",
        after.get("stripe_invoice_id") == row.get("stripe_invoice_id"),
        kind="another stripe invoice",
        expected="the invoice that is on Stripe is the one that is collected",
        actual=f"stripe_invoice_id was {shown(row.get('stripe_invoice_id'))} and is "
        f"{shown(after.get('stripe_invoice_id'))}",
        using=[*context.monitor.invoices[invoice.id].trace, answer],
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
            _paid(context, invoice, answer, row, trace, by)
            return True
        if not answer.refused:
            # Stripe's own trouble, about which nothing says what comes: the charge may have succeeded.
            lost = True
            context.transport.pause(0.2)
            continue
        if lost and row.get("stripe_invoice_status") != "paid":
            row = context.shown_paid(invoice.id, by=by, succeeded=False) or row
        if lost and row.get("stripe_invoice_status") == "paid":
            context.recorder.held("COLLECT-4")
            return True
        _declined(context, row, answer, trace, invoice)
        # That a decline frees no charge is seen where answers are observed.
        (by or context.me).charge(invoice.charges[0].id)
        refusals.append(answer)
        _tried(context, refusals, trace)
    context.recorder.skipped("the merchant's card does not pay", ("COLLECT-4",))
    return False


def _tried(context: Context, refusals: list[Answer], trace: list[Evidence]) -> None:
    """A refused collect of a finalized invoice is a card's decline, each time, and not a word about its state."""
    text = str(refusals[-1].mapping.get("message", "")).lower()
    context.expect(
        "COLLECT-2",
        not (
            refusals[-1].status == context.profile.get("illegal_state_status")
            and context.draft_refusal == refusals[-1].body
            and ("draft" in text or "finali" in text)
        ),
        kind="finalized invoice taken for a draft",
        expected="collecting a finalized invoice attempts the charge",
        actual=f"it is refused as a draft is: {refusals[-1].brief()}",
        using=trace,
    )
    first, last = refusals[0].status, refusals[-1].status
    context.expect(
        "COLLECT-3",
        first == last or last != context.profile.get("illegal_state_status"),
        kind="no further attempt after a decline",
        expected=f"after a decline, answered with {first}, the invoice can be collected again",
        actual=f"the next collect is refused for its state, with {last}",
        using=trace,
    )


def _listed(context: Context, invoice: OwnInvoice, by: Billing | None) -> tuple[Row, Answer]:
    if by is None:
        return context.must_row(invoice.id)
    row, answer = context.row(invoice.id, by=by)
    if row is None:
        raise Stop
    return row, answer


def _paid(
    context: Context, invoice: OwnInvoice, answer: Answer, row: Row, trace: list[Evidence], by: Billing | None
) -> None:
    paid_at_once = row.get("stripe_invoice_status") == "paid"
    if not paid_at_once:
        # An integration that learns of the payment from Stripe shows it seconds later.
        row = context.shown_paid(invoice.id, by=by) or _listed(context, invoice, by)[0]
    context.expect(
        "COLLECT-3",
        row.get("stripe_invoice_status") == "paid",
        kind="not paid after success",
        expected="after a successful collect stripe_invoice_status is paid, at once or some seconds later",
        actual=f"it is {shown(row.get('stripe_invoice_status'))}",
        using=trace,
        check="answers[-1].json['data'][0]['stripe_invoice_status'] == 'paid'",
    )
    context.expect(
        "COLLECT-2",
        isinstance(row.get("stripe_invoice_id"), str),
        kind="not on stripe after collect",
        expected="after a collect stripe_invoice_id is set",
        actual=f"it is {shown(row.get('stripe_invoice_id'))}",
        using=trace,
        check="answers[-1].json['data'][0]['stripe_invoice_id'] is not None",
    )
    context.expect(
        "COLLECT-3",
        row.get("status") != "Draft",
        kind="draft after collect",
        expected="a collected invoice is no draft",
        actual="its status is Draft",
        using=trace,
    )
    told = answer.part("invoice")
    for name in ("id", "total", "stripe_invoice_id", "stripe_invoice_status"):
        reported_later = name == "stripe_invoice_status" and not paid_at_once
        if name in told and answer.status != 202 and not reported_later:
            context.expect(
                "GEN-9",
                told[name] == row.get(name),
                kind=f"{name} answered otherwise by collect",
                expected=f"the list shows the {name} that was answered, {shown(told[name])}",
                actual=f"it shows {shown(row.get(name))}",
                using=trace,
            )


def _declined(context: Context, row: Row, answer: Answer, trace: list[Evidence], invoice: OwnInvoice) -> None:
    context.expect(
        "COLLECT-3",
        row.get("stripe_invoice_status") != "paid",
        kind="paid after a decline",
        expected="after a declined collect the invoice is not paid",
        actual="stripe_invoice_status is paid",
        using=trace,
        check="answers[-1].json['data'][0]['stripe_invoice_status'] != 'paid'",
    )
    context.expect(
        "COLLECT-2",
        isinstance(row.get("stripe_invoice_id"), str),
        kind="not on stripe after a decline",
        expected="a collect puts the invoice on Stripe first, so stripe_invoice_id is set",
        actual=f"it is {shown(row.get('stripe_invoice_id'))}",
        using=trace,
    )
    status = row.get("stripe_invoice_status")
    context.expect(
        "COLLECT-3",
        status in ("open", "draft", "paid"),
        kind="can't be collected again after a decline",
        expected="a declined invoice can be collected again: it is open on Stripe",
        actual=f"stripe_invoice_status is {shown(status)}",
        using=trace,
    )
    total = exact(invoice.made_by.part("invoice").get("total"))
    context.expect(
        "FINALIZE-1",
        row.get("status") != "Draft" and exact(row.get("total")) == total,
        kind="changed by a decline",
        expected=f"a decline leaves the invoice finalized, its total {total}",
        actual=f"status {row.get('status')}, total {row.get('total')}",
        using=trace,
    )


def after_a_decline(context: Context) -> None:
    """COLLECT-3: a declined invoice is not paid, however often it is tried, and each try is made."""
    context.needs_charges()
    if context.declining is None:
        raise NotPossible("no merchant within reach whose card declines", matters=False)
    caller = context.me.acting(merchant=context.declining)
    charge = context.charge(context.spare_amount, by=caller)
    invoice = context.finalized(context.draft((charge,), by=caller), by=caller)
    if not collect_and_judge(context, invoice, by=caller):
        # The Stripe invoice that was tried is the one that stays, which is seen where answers are observed.
        after_the_next_turn(context)
        _listed(context, invoice, caller)


def collecting_again(context: Context) -> None:
    """COLLECT-4: a paid invoice, collected again: nothing changes."""
    invoice = context.paid()
    before, first = context.must_row(invoice.id)
    for _ in range(2):
        answer = context.me.collect(invoice.id)
        context.expect(
            "COLLECT-4",
            answer.ok or answer.refused,
            kind="collect of a paid invoice fails",
            expected="collecting a paid invoice is refused or accepted",
            actual=f"the answer is {answer.brief()}",
            using=[*context.monitor.invoices[invoice.id].trace, answer],
        )
        expected = context.profile.get("recollect")
        context.expect(
            "COLLECT-4",
            not (expected == "refuse" and answer.ok),
            kind="collected twice",
            expected="a paid invoice is refused, as this server refuses others",
            actual=f"the answer is {answer.brief()}",
            using=[*context.monitor.invoices[invoice.id].trace, answer],
        )
    after, last = context.must_row(invoice.id)
    for name in ("status", "total", "stripe_invoice_id", "stripe_invoice_status"):
        context.expect(
            "COLLECT-4",
            before.get(name) == after.get(name),
            kind=f"{name} changed by collecting again",
            expected=f"collecting a paid invoice leaves {name} at {shown(before.get(name))}",
            actual=f"it is {shown(after.get(name))}",
            using=[first, *context.monitor.invoices[invoice.id].trace, last],
        )


def after_the_next_turn(context: Context) -> None:
    """Waits until the queue for Stripe has come to an invoice that was finalized just now."""
    last = context.finalized()

    def ready() -> bool | None:
        return True if context.must_row(last.id)[0].get("stripe_invoice_id") else None

    context.until_queued(ready)


def paid_for_good(context: Context) -> None:
    """COLLECT-4 and FINALIZE-2: the queue, when its turn comes, makes no second Stripe invoice of a paid one."""
    context.needs_charges()
    invoices = [context.paid() for _ in range(2)]
    before = [context.must_row(invoice.id)[0] for invoice in invoices]
    after_the_next_turn(context)
    for invoice, row in zip(invoices, before, strict=True):
        after, answer = context.must_row(invoice.id)
        for name in ("stripe_invoice_id", "stripe_invoice_status"):
            context.expect(
                "COLLECT-4",
                row.get(name) == after.get(name),
                kind=f"{name} changed later",
                expected=f"a paid invoice keeps its {name}, {shown(row.get(name))}",
                actual=f"it is {shown(after.get(name))}",
                using=[*context.monitor.invoices[invoice.id].trace, answer],
            )


def alone(context: Context) -> None:
    """COLLECT-2: collecting one invoice leaves the others alone."""
    context.needs_charges()
    draft, finalized = context.draft(), context.finalized()
    invoice = context.paid()
    trace = context.monitor.invoices[invoice.id].trace
    still_draft(context, "GEN-9", draft, "collecting another invoice", trace)
    row, after = context.must_row(finalized.id)
    context.expect(
        "GEN-9",
        row.get("stripe_invoice_status") != "paid",
        kind="another invoice paid",
        expected="collecting one invoice pays that one alone",
        actual="another one is paid",
        using=[*trace, after],
    )


CHECKS = (
    Check("collecting an unknown invoice", ("COLLECT-5",), unknown_invoice),
    Check("collecting what is no integer", ("COLLECT-5",), no_integer),
    Check("collecting a draft", ("COLLECT-1",), a_draft),
    Check("collecting at once", ("COLLECT-2", "COLLECT-3"), at_once),
    Check("collecting after the queue", ("COLLECT-2", "COLLECT-3"), after_the_queue),
    Check("collecting again", ("COLLECT-4",), collecting_again),
    Check("collecting leaves others alone", ("GEN-9",), alone),
    Check("paid for good", ("COLLECT-4",), paid_for_good),
    Check("after a decline", ("COLLECT-3",), after_a_decline),
)
