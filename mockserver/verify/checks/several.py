"""Checks of invoices that hold several charges, alike ones and credits among them, once they are locked."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from mockserver.verify.assertions.statements import of
from mockserver.verify.checks.finalize import once_more, wait_for_stripe
from mockserver.verify.checks.runner import Check, Steps
from mockserver.verify.claims.values import shown
from mockserver.verify.context.context import Context
from mockserver.verify.context.own_records import OwnCharge, OwnInvoice, row_of
from mockserver.verify.errors import NotPossible
from mockserver.verify.transport.billing_client import Billing

ALIKE = 3
"""Charges of one amount and one description."""


def locked(context: Context) -> Steps:
    """FINALIZE-1, FINALIZE-2, FINALIZE-4: finalizing, and again, leaves them as they are, and the queue takes them."""
    _can_make(context)
    draft = context.records.draft(_charges(context))
    _keeps_its_total(context, draft)
    once_more(context, draft, "with several charges")
    yield
    wait_for_stripe(context, draft)


def _keeps_its_total(context: Context, draft: OwnInvoice) -> None:
    """FINALIZE-1: finalizes the draft, and expects that its total is what the create said."""
    context.records.finalized(draft)
    _, after = context.records.must_row(draft.id)
    total = draft.shown.at("total")
    context.expect(
        "FINALIZE-1",
        row_of(draft, after).at("total").equals(total),
        kind="total of several charges changed by finalize",
        because=f"finalizing leaves the total of several charges at {shown(total.value())}",
        using=context.monitor.invoices[draft.id].trace,
    )


def _can_make(context: Context) -> None:
    if context.options.charge_ids:
        raise NotPossible("charges of given amounts can't be made with --charge-ids")


def _charges(context: Context) -> list[OwnCharge]:
    """Alike ones, some whose sum binary fractions get wrong, and a credit where the server takes one."""
    records = context.records
    amount, description = records.amount(), records.mark()
    charges = [records.charge(amount, description=description) for _ in range(ALIKE)]
    charges += [records.charge(records.amount() + tenths) for tenths in _tenths(context)]
    credit = credit_of(context, amount)
    return [*charges, *((credit,) if credit is not None else ())]


def _tenths(context: Context) -> Sequence[Decimal]:
    return [Decimal(number).scaleb(-1 if context.records.digits else 0) for number in (1, 2, 7, 1)]


def credit_of(context: Context, amount: Decimal) -> OwnCharge | None:
    """A charge of that amount below nothing, which is above it; None where the server takes no such thing."""
    answer = context.me.adjust(-amount, context.records.mark())
    row = answer.part("charge")
    if not answer.ok or not isinstance(row.get("id"), int):
        return None
    context.records.amount_as_asked(answer, -amount)
    return OwnCharge(row["id"], -amount, str(row.get("currency")), answer)


def paid(context: Context) -> None:
    """COLLECT-4 and CREATE-4: collecting it again makes no other Stripe invoice and frees no charge."""
    invoice = context.records.paid(context.records.draft(context.records.charges(ALIKE)))
    context.records.must_row(invoice.id)
    context.me.collect(invoice.id)
    # What it was before and is now is held against each other where answers are observed.
    context.records.must_row(invoice.id)
    _stay_invoiced(context, invoice, context.me, "collecting a paid invoice again")


def declined(context: Context) -> None:
    """CREATE-4: a decline frees no charge."""
    context.records.needs_charges()
    if context.declining is None:
        # A decline is put to the test elsewhere, where that is told.
        return
    caller = context.me.acting(merchant=context.declining)
    charges = [context.records.charge(context.records.spare_amount, by=caller) for _ in range(ALIKE)]
    invoice = context.records.finalized(context.records.draft(charges, by=caller), by=caller)
    if caller.collect(invoice.id).refused:
        _stay_invoiced(context, invoice, caller, "a decline")


def _stay_invoiced(context: Context, invoice: OwnInvoice, caller: Billing, what: str) -> None:
    for charge in invoice.charges:
        after = caller.charge(charge.id)
        context.expect(
            "CREATE-4",
            of(after).at("charge.status").equals("Invoiced"),
            kind=f"charge released by {what}",
            because=f"a charge on an invoice is Invoiced from then on: {what} leaves it there",
            actual=f"charge {charge.id} is {after.part('charge').get('status')}",
            using=context.monitor.invoices[invoice.id].trace,
        )


def alike(context: Context) -> Steps:
    """FINALIZE-2 and COLLECT-2: what is billed alike, as each month's storage is, has Stripe invoices of its own."""
    _can_make(context)
    records = context.records
    amount, description = records.amount(), records.mark()
    # That no two share one is seen where answers are observed.
    twins = [records.finalized(records.draft([records.charge(amount, description=description)])) for _ in range(2)]
    if not context.options.charges_allowed:
        yield
    for invoice in twins:
        if context.options.charges_allowed:
            # Whatever becomes of the charge, the invoice is put on Stripe for it.
            context.me.collect(invoice.id)
            records.must_row(invoice.id)
        elif wait_for_stripe(context, invoice) is None:
            return


CHECKS = (
    Check("several charges that are locked", ("FINALIZE-1", "FINALIZE-2", "FINALIZE-4"), locked, thorough=True),
    Check("several charges that are paid", ("COLLECT-4", "CREATE-4"), paid, thorough=True),
    Check("several charges that are declined", ("CREATE-4",), declined, thorough=True),
    Check("invoices that are alike", ("FINALIZE-2", "COLLECT-2"), alike, thorough=True),
)
