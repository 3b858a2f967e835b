"""Measures the open choices of collecting: payments, their repetition, and declines."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mockserver.verify.calibration.measurements import Calibration
from mockserver.verify.context import Bench, Invoice
from mockserver.verify.errors import NotPossible
from mockserver.verify.transport.billing_client import Billing
from mockserver.verify.transport.http import Answer


def collects(work: Calibration) -> None:
    """The choices that a payment shows: how it is answered, when it is repeated, when it is declined."""
    bench = work.bench
    bench.needs_charges()
    draft = bench.draft()
    early = bench.me.collect(draft.id)
    if early.refused:
        bench.draft_refusal = early.body
        work.says("illegal_state_status", early.status, f"collecting a draft is answered with {early.status}")
    invoice = bench.finalized()
    answer = _collected(work, bench.me, invoice)
    bench.pays = answer is not None or bench.must_row(invoice.id)[0].get("stripe_invoice_status") == "paid"
    if not bench.pays:
        work.misses("the merchant's card did not pay", "collect_status", "recollect")
        return
    if answer is not None:
        work.says("collect_status", answer.status, f"a collect is answered with {answer.status}")
    again = bench.me.collect(invoice.id)
    if again.ok:
        work.says("recollect", "accept", f"collecting again is answered with {again.status}")
    elif again.refused:
        work.says("recollect", "refuse", f"collecting again is answered with {again.status}")
    if "declined_status" not in work.found:
        _declines(work)


def _collected(work: Calibration, caller: Billing, invoice: Invoice) -> Answer | None:
    """The first answer that accepts, within three attempts; a refusal on the way is a decline."""
    for _ in range(3):
        answer = caller.collect(invoice.id)
        if answer.ok:
            _is_paid(work.bench, caller, invoice, answer)
            return answer
        if answer.refused:
            row, _ = work.bench.row(invoice.id, by=caller)
            if row is not None and row.get("stripe_invoice_status") != "paid":
                work.bench.declined = work.bench.declined or caller is work.bench.me
                work.says("declined_status", answer.status, f"a declined collect is answered with {answer.status}")
    return None


def _is_paid(bench: Bench, caller: Billing, invoice: Invoice, answer: Answer) -> None:
    """COLLECT-3: what an answer calls a success is one, with whichever card."""
    row, after = bench.row(invoice.id, by=caller)
    if row is not None and answer.status != 202:
        bench.expect(
            "COLLECT-3",
            row.get("stripe_invoice_status") == "paid",
            kind="not paid after success",
            expected="after a successful collect stripe_invoice_status is paid",
            actual=f"it is {row.get('stripe_invoice_status')}",
            using=[invoice.made_by, answer, after],
        )


def _declines(work: Calibration) -> None:
    """Looks for a merchant whose card declines, where that is asked for or does no harm."""
    bench = work.bench
    wish = bench.options.declining_merchant or "auto"
    candidates = [wish] if wish not in ("auto", "none") else []
    if wish == "auto" and bench.options.loopback:
        candidates = _visible_merchants(bench)
    for merchant in candidates[:12]:
        caller = bench.me.acting(merchant=merchant)
        try:
            charge = bench.charge(bench.spare_amount, by=caller)
            created = caller.create([charge.id])
            number = created.part("invoice").get("id")
            if not created.ok or not isinstance(number, int) or not caller.finalize(number).ok:
                continue
            if _collected(work, caller, Invoice(number, (charge,), created)) is None:
                bench.declining = merchant
        except NotPossible:
            continue
        if "declined_status" in work.found:
            return
    if wish == "auto" and bench.options.loopback and not bench.options.charge_ids:
        _declines_a_trifle(work)
    work.misses("no merchant within reach whose card declines (--declining-merchant)", "declined_status")


def _declines_a_trifle(work: Calibration) -> None:
    """Without such a merchant: an amount below Stripe's minimum can't be charged, whatever the card."""
    bench = work.bench
    least = Decimal(1).scaleb(-(bench.digits or 0))
    try:
        invoice = bench.finalized(bench.draft([bench.charge(least)]))
    except NotPossible:
        return
    answer = bench.me.collect(invoice.id)
    row, _ = bench.row(invoice.id)
    if answer.refused and row is not None and row.get("stripe_invoice_status") != "paid":
        evidence = f"collecting {least}, less than Stripe can charge, is answered with {answer.status}"
        work.says("declined_status", answer.status, evidence)


def _visible_merchants(bench: Bench) -> list[str]:
    """The other merchants on the first and the last page that the token sees without a merchant header."""
    size = bench.at_most(50)
    first = bench.anyone.invoices(per_page=size)
    rows: list[Mapping[str, Any]] = [*first.rows, *bench.anyone.charges().rows]
    last = first.mapping.get("last_page")
    if isinstance(last, int) and last > 1:
        rows += bench.anyone.invoices(per_page=size, page=last).rows
    seen = {str(row["chargee_id"]): None for row in rows if "chargee_id" in row}
    return [merchant for merchant in seen if merchant != bench.me.merchant]
