"""Measures the open choices of collecting: payments, their repetition, and declines."""

from __future__ import annotations

import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mockserver.verify.assertions.statements import eventually
from mockserver.verify.calibration.measurements import Calibration
from mockserver.verify.claims.values import shown
from mockserver.verify.context.context import Context
from mockserver.verify.context.own_records import OwnInvoice, row_of
from mockserver.verify.discovery import merchants_of
from mockserver.verify.errors import NotPossible
from mockserver.verify.transport.billing_client import Billing
from mockserver.verify.transport.messages import Answer


def collects(work: Calibration) -> None:
    """The choices that a payment shows: how it is answered, when it is repeated, when it is declined."""
    context = work.context
    context.records.needs_charges()
    draft = context.records.draft()
    early = context.me.collect(draft.id)
    if early.refused:
        context.draft_refusal = early
        work.record("illegal_state_status", early.status, f"collecting a draft is answered with {early.status}")
    invoice = context.records.finalized()
    answer = _collected(work, context.me, invoice)
    # A queued collect says nothing of the card by itself.
    succeeded = answer is not None and (answer.status != 202 or context.records.has_seen_payment)
    context.pays = succeeded or context.records.must_row(invoice.id)[0].get("stripe_invoice_status") == "paid"
    if not context.pays:
        work.unmeasured("the merchant's card did not pay", "collect_status", "recollect", "payment_shown")
        return
    if answer is not None:
        work.record("collect_status", answer.status, f"a collect is answered with {answer.status}")
    again = context.me.collect(invoice.id)
    if again.ok:
        work.record("recollect", "accept", f"collecting again is answered with {again.status}")
    elif again.refused:
        work.record("recollect", "refuse", f"collecting again is answered with {again.status}")
    if "declined_status" not in work.found:
        _declines(work)


def _collected(work: Calibration, caller: Billing, invoice: OwnInvoice) -> Answer | None:
    """The first answer that accepts, within three attempts; a refusal on the way is a decline."""
    for _ in range(3):
        answer = caller.collect(invoice.id)
        if answer.ok:
            _is_paid(work, caller, invoice, answer)
            return answer
        if answer.refused:
            row, _ = work.context.records.row(invoice.id, by=caller)
            if row is not None and row.get("stripe_invoice_status") != "paid":
                work.context.declined = work.context.declined or caller is work.context.me
                work.record("declined_status", answer.status, f"a declined collect is answered with {answer.status}")
    return None


def _is_paid(work: Calibration, caller: Billing, invoice: OwnInvoice, answer: Answer) -> None:
    """COLLECT-3: what an answer calls a success is one, with whichever card; at once or once Stripe has reported it."""
    context = work.context
    collected = time.monotonic()
    row, after = context.records.row(invoice.id, by=caller)
    if row is None:
        return
    if row.get("stripe_invoice_status") == "paid":
        context.records.has_seen_payment |= caller is context.me
        context.recorder.held("COLLECT-3")
        told = answer.part("invoice").get("stripe_invoice_status", "paid")
        if told == "paid":
            work.record("payment_shown", "at_once", "an invoice is paid as soon as its collect is answered")
        else:
            work.record("payment_shown", "later", f"a collect answers {shown(told)}, and the list shows paid after it")
    elif context.records.shown_paid(invoice.id, by=caller, succeeded=answer.status != 202) is not None:
        context.recorder.held("COLLECT-3")
        waited = time.monotonic() - collected
        work.record("payment_shown", "later", f"a collected invoice shows as paid some {waited:.1f} s later")
    elif unknown := context.records.may_show_later(answer):
        context.recorder.skipped(unknown, ("COLLECT-3",))
    else:
        paid = row_of(invoice, after).at("stripe_invoice_status").equals("paid")
        context.expect(
            "COLLECT-3",
            eventually(paid, context.records.report_wait),
            kind="not paid after success",
            because="after a successful collect stripe_invoice_status is paid, at once or some seconds later",
            actual=f"it is {row.get('stripe_invoice_status')} {time.monotonic() - collected:.0f} s later",
            using=[answer],
        )


def _declines(work: Calibration) -> None:
    """Looks for a merchant whose card declines, where that is asked for or does no harm."""
    context = work.context
    wish = context.options.declining_merchant or "auto"
    candidates = [wish] if wish not in ("auto", "none") else []
    if wish == "auto" and context.options.loopback:
        candidates = _visible_merchants(context)
    for merchant in candidates[:12]:
        caller = context.me.acting(merchant=merchant)
        try:
            charge = context.records.charge(context.records.spare_amount, by=caller)
            created = caller.create([charge.id])
            number = created.part("invoice").get("id")
            if not created.ok or not isinstance(number, int) or not caller.finalize(number).ok:
                continue
            if _collected(work, caller, OwnInvoice(number, (charge,), created)) is None:
                context.declining = merchant
        except NotPossible:
            continue
        if "declined_status" in work.found:
            return
    if wish == "auto" and context.options.loopback and not context.options.charge_ids:
        _declines_a_trifle(work)
    work.unmeasured("no merchant within reach whose card declines (--declining-merchant)", "declined_status")


def _declines_a_trifle(work: Calibration) -> None:
    """Without such a merchant: an amount below Stripe's minimum can't be charged, whatever the card."""
    context = work.context
    least = Decimal(1).scaleb(-(context.records.digits or 0))
    try:
        invoice = context.records.finalized(context.records.draft([context.records.charge(least)]))
    except NotPossible:
        return
    answer = context.me.collect(invoice.id)
    row, _ = context.records.row(invoice.id)
    if answer.refused and row is not None and row.get("stripe_invoice_status") != "paid":
        evidence = f"collecting {least}, less than Stripe can charge, is answered with {answer.status}"
        work.record("declined_status", answer.status, evidence)


def _visible_merchants(context: Context) -> list[str]:
    """The other merchants on the first and the last page that the token sees without a merchant header."""
    size = context.records.at_most(50)
    first = context.anyone.invoices(per_page=size)
    rows: list[Mapping[str, Any]] = [*first.rows, *context.anyone.charges().rows]
    last = first.figure("last_page")
    if isinstance(last, int) and last > 1:
        rows += context.anyone.invoices(per_page=size, page=last).rows
    return [merchant for merchant in merchants_of(rows) if merchant != context.me.merchant]
