"""Races for real: the same thing asked for at once by several callers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial

from mockserver.verify.checks.runner import Check
from mockserver.verify.context import Context
from mockserver.verify.errors import NoAnswer, NotPossible
from mockserver.verify.monitor.history import exact
from mockserver.verify.own_records import OwnInvoice
from mockserver.verify.transport.http import Answer

ROUNDS = 6
CALLERS = 8


def at_once(calls: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """Makes all calls at the same moment; answers that did not come are left out."""
    barrier = threading.Barrier(len(calls))

    def one(call: Callable[[], Answer]) -> Answer | None:
        barrier.wait()
        try:
            return call()
        except NoAnswer:
            return None

    with ThreadPoolExecutor(len(calls)) as pool:
        return [answer for answer in pool.map(one, calls) if answer is not None]


def rounds(context: Context) -> int:
    return max(2, round(ROUNDS * context.quick()))


def creating_one_charge(context: Context) -> None:
    """CREATE-4: of parallel creates on one charge at most one succeeds."""
    for _ in range(rounds(context)):
        charge = context.charge()
        answers = at_once([partial(context.me.create, [charge.id])] * CALLERS)
        won = [answer for answer in answers if answer.ok]
        numbers = {answer.part("invoice").get("id") for answer in won}
        if not context.expect(
            "CREATE-4",
            len(numbers) <= 1,
            kind="charge invoiced twice in a race",
            expected=f"of {CALLERS} simultaneous creates on one charge at most one succeeds",
            actual=f"{len(numbers)} invoices were made: {sorted(map(str, numbers))}",
            using=[charge.made_by, *won],
        ):
            return
        _no_failure(context, "CREATE-4", answers, "creates")


def creating_overlapping(context: Context) -> None:
    """CREATE-4: creates that share one charge out of several."""
    for _ in range(max(1, rounds(context) // 2)):
        shared, *own = context.charges(4)
        answers = at_once([partial(context.me.create, [one.id, shared.id]) for one in own])
        won = [answer for answer in answers if answer.ok]
        context.expect(
            "CREATE-4",
            len(won) <= 1,
            kind="charge invoiced twice in a race",
            expected="of simultaneous creates that share a charge at most one succeeds",
            actual=f"{len(won)} succeeded",
            using=[shared.made_by, *won],
        )


def creating_everything(context: Context) -> None:
    """CREATE-4: parallel creates without ids bill the same charges once."""
    if context.options.charge_ids:
        raise NotPossible("with --charge-ids no other charges of the merchant are touched")
    for _ in range(max(1, rounds(context) // 2)):
        context.me.create()
        charges = context.charges(2)
        answers = at_once([context.me.create] * 4)
        full = [
            answer
            for answer in answers
            if answer.ok and (exact(answer.part("invoice").get("total")) or Decimal(0)) >= charges[0].amount
        ]
        both = charges[0].amount + charges[1].amount
        doubled = [answer for answer in full if exact(answer.part("invoice").get("total")) == both]
        context.expect(
            "CREATE-4",
            len(doubled) <= 1,
            kind="charges invoiced twice in a race",
            expected="of simultaneous creates without charge_ids one takes the charges",
            actual=f"{len(doubled)} invoices over {both} were made",
            using=[*(charge.made_by for charge in charges), *doubled],
        )


def finalizing(context: Context) -> None:
    """FINALIZE-4: parallel finalizes end in one Stripe invoice."""
    invoices = [context.draft() for _ in range(max(1, rounds(context) // 2))]
    for invoice in invoices:
        answers = at_once([partial(context.me.finalize, invoice.id)] * 4)
        _no_failure(context, "FINALIZE-4", answers, "finalizes")
        context.must_row(invoice.id)
    for invoice in invoices:
        context.must_row(invoice.id)


def finalizing_several(context: Context) -> None:
    """FINALIZE-1: finalizes of different drafts at once leave none of them a draft."""
    for _ in range(max(1, rounds(context) // 2)):
        invoices = [context.draft() for _ in range(4)]
        answers = at_once([partial(context.me.finalize, invoice.id) for invoice in invoices])
        _no_failure(context, "FINALIZE-1", answers, "finalizes")
        for invoice in invoices:
            row, after = context.must_row(invoice.id)
            done = [answer for answer in answers if answer.ok and f"/{invoice.id}/" in answer.outgoing.target]
            context.expect(
                "FINALIZE-1",
                not done or row.get("status") != "Draft",
                kind="a draft again after a race",
                expected="of simultaneous finalizes of different drafts each one locks its own",
                actual=f"invoice {invoice.id} was finalized and is a draft",
                using=[invoice.made_by, *answers, after],
            )


def listing_by_several(context: Context) -> None:
    """GEN-8: lists asked for at once by two merchants hold each its own records."""
    other = context.second()
    draft = context.draft()
    ours = {row.get("id") for row in context.me.invoices().rows}
    if ours & {row.get("id") for row in other.invoices().rows}:
        raise NotPossible("the second token lists our invoices anyhow")
    for _ in range(rounds(context)):
        heard: list[Answer] = []

        def others(heard: list[Answer] = heard) -> Answer:
            heard.append(other.invoices())
            return heard[-1]

        at_once([context.me.invoices, others] * (CALLERS // 2))
        for answer in heard:
            strays = ours & {row.get("id") for row in answer.rows}
            if not context.expect(
                "GEN-8",
                not strays,
                kind="another's list in a race",
                expected="lists asked for at the same moment by two merchants hold each its own invoices",
                actual=f"the other merchant's list holds our invoices {sorted(map(str, strays))}",
                using=[draft.made_by, answer],
            ):
                return


def collecting(context: Context) -> None:
    """COLLECT-4: parallel collects of one invoice charge once."""
    context.needs_charges()
    for _ in range(rounds(context)):
        invoice = context.finalized()
        answers = at_once([partial(context.me.collect, invoice.id)] * CALLERS)
        if not _charged_once(context, invoice, answers):
            return


def collecting_while_finalizing(context: Context) -> None:
    """COLLECT-4: finalizes and collects at once leave one Stripe invoice."""
    context.needs_charges()
    for _ in range(max(1, rounds(context) // 2)):
        invoice = context.draft()
        context.monitor.expect_collect(invoice.id)
        calls = [partial(context.me.finalize, invoice.id), partial(context.me.collect, invoice.id)] * 3
        answers = at_once(calls)
        collects = [answer for answer in answers if answer.outgoing.target.endswith("/collect")]
        if not _charged_once(context, invoice, collects):
            return


def _charged_once(context: Context, invoice: OwnInvoice, answers: Sequence[Answer]) -> bool:
    won = [answer for answer in answers if answer.ok]
    row, after = context.must_row(invoice.id)
    ids = {one for answer in (*won,) if (one := answer.part("invoice").get("stripe_invoice_id"))}
    ids |= {row["stripe_invoice_id"]} if row.get("stripe_invoice_id") else set()
    trace = [invoice.made_by, *answers, after]
    one_invoice = context.expect(
        "COLLECT-4",
        len(ids) <= 1,
        kind="several stripe invoices in a race",
        expected="simultaneous collects make one Stripe invoice",
        actual=f"there are {sorted(map(str, ids))}",
        using=trace,
    )
    one_charge = True
    if context.profile.get("recollect") == "refuse":
        one_charge = context.expect(
            "COLLECT-4",
            len(won) <= 1,
            kind="several collects succeed in a race",
            expected="of simultaneous collects one charges the card, the others are refused",
            actual=f"{len(won)} of {len(answers)} succeeded",
            using=trace,
        )
    if won:
        if row.get("stripe_invoice_status") != "paid":
            row = context.shown_paid(invoice.id) or row
        context.expect(
            "COLLECT-3",
            row.get("stripe_invoice_status") == "paid" or won[0].status == 202,
            kind="not paid after a race",
            expected="after a successful collect the invoice is paid",
            actual=f"stripe_invoice_status is {row.get('stripe_invoice_status')}",
            using=trace,
        )
    return one_invoice and one_charge


def _no_failure(context: Context, rule: str, answers: Sequence[Answer], what: str) -> None:
    failed = [answer for answer in answers if not answer.ok and not answer.refused]
    context.expect(
        rule,
        not failed,
        kind=f"{what} fail in a race",
        expected=f"simultaneous {what} are accepted or refused",
        actual=f"one answers {failed[0].brief() if failed else ''}",
        using=failed,
    )


CHECKS = (
    Check("creating on one charge at once", ("CREATE-4",), creating_one_charge, "race"),
    Check("collecting one invoice at once", ("COLLECT-4",), collecting, "race"),
    Check("creates that overlap", ("CREATE-4",), creating_overlapping, "race"),
    Check("creating of everything at once", ("CREATE-4",), creating_everything, "race"),
    Check("finalizing one invoice at once", ("FINALIZE-4",), finalizing, "race"),
    Check("finalizing several at once", ("FINALIZE-1",), finalizing_several, "race"),
    Check("listing by several at once", ("GEN-8",), listing_by_several, "race"),
    Check("collecting while finalizing", ("COLLECT-4",), collecting_while_finalizing, "race"),
)
