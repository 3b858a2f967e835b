"""Races for real: the same thing asked for at once by several callers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial

from mockserver.verify.assertions.statements import (
    all_of,
    any_of,
    eventually,
    is_answered,
    list_of,
    of,
    status_of,
    succeeded,
    sum_of,
)
from mockserver.verify.checks.runner import Check
from mockserver.verify.claims.values import exact
from mockserver.verify.context.context import Context
from mockserver.verify.context.own_records import OwnInvoice, due, row_of
from mockserver.verify.errors import NoAnswer, NotPossible, OutOfTime
from mockserver.verify.events import GATEWAY
from mockserver.verify.transport.messages import Answer
from mockserver.verify.transport.safety import Withheld

ROUNDS = 6
CALLERS = 8


def at_once(context: Context, calls: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """Makes all calls at the same moment; answers that did not come are left out.

    Where the run's own limit allows no such number at once, they go one after the other. Raises what a call raises.
    """
    transport = context.transport
    reserved = transport.reserve(len(calls))
    barrier = threading.Barrier(len(calls))
    race = transport.new_race()
    answers: list[Answer | None] = [None] * len(calls)
    failures: list[Exception] = []

    def one(place: int) -> None:
        try:
            barrier.wait()
            with transport.reserved() if reserved else nullcontext(), transport.racing(race):
                answers[place] = calls[place]()
        except (NoAnswer, threading.BrokenBarrierError):
            return
        except (OutOfTime, Withheld) as failure:
            failures.append(failure)

    # Nobody waits at the end of the program for a thread whose server is silent.
    threads = [threading.Thread(target=one, args=(place,), daemon=True) for place in range(len(calls))]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                transport.signals.check()
                thread.join(0.05)
    finally:
        # Whoever still waits for the others would wait for ever if they never came.
        barrier.abort()
    if failures:
        raise failures[0]
    return [answer for answer in answers if answer is not None]


def rounds(context: Context) -> int:
    return max(2, round(ROUNDS * context.quick()))


def invoices_once(context: Context, answers: Sequence[Answer], kind: str, because: str) -> bool:
    """CREATE-4: all these creates of one charge have made one invoice at most."""
    numbers = list_of(of(answer).at("invoice.id") for answer in answers).distinct()
    return context.expect(
        "CREATE-4",
        numbers.count().compares("<=", 1),
        kind=kind,
        proves=True,
        because=because,
        actual=("several invoices were made:", numbers),
    )


def creating_one_charge(context: Context) -> None:
    """CREATE-4: of parallel creates on one charge at most one succeeds."""
    for _ in range(rounds(context)):
        charge = context.records.charge()
        answers = at_once(context, [partial(context.me.create, [charge.id])] * CALLERS)
        because = f"of {CALLERS} simultaneous creates on one charge at most one succeeds"
        if not invoices_once(context, answers, "charge invoiced twice in a race", because):
            return
        _no_failure(context, "CREATE-4", answers, "creates")


def creating_overlapping(context: Context) -> None:
    """CREATE-4: creates that share one charge out of several."""
    for _ in range(max(1, rounds(context) // 2)):
        shared, *own = context.records.charges(4)
        answers = at_once(context, [partial(context.me.create, [one.id, shared.id]) for one in own])
        context.expect(
            "CREATE-4",
            succeeded(answers).compares("<=", 1),
            kind="charge invoiced twice in a race",
            proves=True,
            because="of simultaneous creates that share a charge at most one succeeds",
            actual=("so many succeeded:", succeeded(answers)),
        )


def creating_everything(context: Context) -> None:
    """CREATE-4: parallel creates without ids bill the same charges once."""
    if context.options.charge_ids:
        raise NotPossible("with --charge-ids no other charges of the merchant are touched")
    for _ in range(max(1, rounds(context) // 2)):
        swept = context.me.create()
        charges = context.records.charges(2)
        answers = at_once(context, [context.me.create] * 4)
        both = due(charges)
        doubled = list_of(of(answer).at("invoice.total") for answer in answers).where("", "is", both).count()
        context.expect(
            "CREATE-4",
            doubled.compares("<=", 1),
            kind="charges invoiced twice in a race",
            proves=True,
            because="of simultaneous creates without charge_ids one takes the charges",
            actual=("so many invoices over all of them were made:", doubled),
            using=[swept],
        )


def finalizing(context: Context) -> None:
    """FINALIZE-4: parallel finalizes end in one Stripe invoice."""
    invoices = [context.records.draft() for _ in range(max(1, rounds(context) // 2))]
    for invoice in invoices:
        answers = at_once(context, [partial(context.me.finalize, invoice.id)] * 4)
        _no_failure(context, "FINALIZE-4", answers, "finalizes")
        context.records.must_row(invoice.id)
    for invoice in invoices:
        context.records.must_row(invoice.id)


def finalizing_several(context: Context) -> None:
    """FINALIZE-1: finalizes of different drafts at once leave none of them a draft."""
    for _ in range(max(1, rounds(context) // 2)):
        invoices = [context.records.draft() for _ in range(4)]
        answers = at_once(context, [partial(context.me.finalize, invoice.id) for invoice in invoices])
        _no_failure(context, "FINALIZE-1", answers, "finalizes")
        for invoice in invoices:
            _, after = context.records.must_row(invoice.id)
            done = [answer for answer in answers if f"/{invoice.id}/" in answer.outgoing.target]
            context.expect(
                "FINALIZE-1",
                any_of(succeeded(done).equals(0), row_of(invoice, after).at("status").differs("Draft")),
                kind="a draft again after a race",
                because="of simultaneous finalizes of different drafts each one locks its own",
                actual=f"invoice {invoice.id} was finalized and is a draft",
                using=answers,
            )


def listing_by_several(context: Context) -> None:
    """GEN-8: lists asked for at once by two merchants hold each its own records."""
    other = context.second()
    draft = context.records.draft()
    listed = of(context.me.invoices()).each("id")
    if not of(other.invoices()).each("id").compares("lacks", listed).is_true():
        raise NotPossible("the second token lists our invoices anyhow")
    for _ in range(rounds(context)):
        heard: list[Answer] = []

        def others(heard: list[Answer] = heard) -> Answer:
            heard.append(other.invoices())
            return heard[-1]

        at_once(context, [context.me.invoices, others] * (CALLERS // 2))
        for answer in heard:
            if not context.expect(
                "GEN-8",
                of(answer).each("id").compares("lacks", listed),
                kind="another's list in a race",
                proves=True,
                because="lists asked for at the same moment by two merchants hold each its own invoices",
                actual="the other merchant's list holds invoices of ours",
                using=[draft.made_by],
            ):
                return


def collecting(context: Context) -> None:
    """COLLECT-4: parallel collects of one invoice charge once."""
    context.records.needs_charges()
    for _ in range(rounds(context)):
        invoice = context.records.finalized()
        answers = at_once(context, [partial(context.me.collect, invoice.id)] * CALLERS)
        if not _charged_once(context, invoice, answers):
            return


def collecting_several(context: Context) -> None:
    """COLLECT-3: collects of different invoices at once leave none of them unpaid that was charged."""
    context.records.needs_charges()
    invoices = [context.records.finalized() for _ in range(4)]
    answers = at_once(context, [partial(context.me.collect, invoice.id) for invoice in invoices])
    for invoice in invoices:
        # A queued collect says nothing of the card, and is not waited for.
        own = [one for one in answers if f"/{invoice.id}/" in one.outgoing.target and one.status != 202]
        if not _paid_if_charged(context, invoice, own):
            return


def collecting_while_finalizing(context: Context) -> None:
    """COLLECT-4: finalizes and collects at once leave one Stripe invoice."""
    context.records.needs_charges()
    for _ in range(max(1, rounds(context) // 2)):
        invoice = context.records.draft()
        context.monitor.expect_collect(invoice.id)
        calls = [partial(context.me.finalize, invoice.id), partial(context.me.collect, invoice.id)] * 3
        answers = at_once(context, calls)
        collects = [answer for answer in answers if answer.outgoing.target.endswith("/collect")]
        if not _charged_once(context, invoice, collects):
            return


def _charged_once(context: Context, invoice: OwnInvoice, answers: Sequence[Answer]) -> bool:
    won = [answer for answer in answers if answer.ok]
    _, after = context.records.must_row(invoice.id)
    seen = row_of(invoice, after)
    shown_ids = [of(answer).at("invoice.stripe_invoice_id") for answer in answers]
    ids = list_of([*shown_ids, seen.at("stripe_invoice_id")]).distinct()
    one_invoice = context.expect(
        "COLLECT-4",
        ids.count().compares("<=", 1),
        kind="several stripe invoices in a race",
        proves=True,
        because="simultaneous collects make one Stripe invoice",
        actual=("there are", ids),
    )
    one_charge = True
    # Queued collects say nothing of the card: the queue may see that the first has charged it.
    if context.profile.get("recollect") == "refuse" and all(answer.status != 202 for answer in won):
        one_charge = context.expect(
            "COLLECT-4",
            succeeded(answers).compares("<=", 1),
            kind="several collects succeed in a race",
            because="of simultaneous collects one charges the card, the others are refused",
            actual=f"{len(won)} of {len(answers)} succeeded",
            using=[after],
        )
    return _paid_if_charged(context, invoice, answers) and one_invoice and one_charge


def _paid_if_charged(context: Context, invoice: OwnInvoice, answers: Sequence[Answer]) -> bool:
    """COLLECT-3 of an invoice whose collects raced."""
    won = [answer for answer in answers if answer.ok]
    if not won:
        return True
    found = context.records.shown_paid(invoice.id, succeeded=won[0].status != 202)
    if found is None and (unknown := context.records.may_show_later(won[0])):
        context.recorder.skipped(unknown, ("COLLECT-3",))
        return True
    _, after = context.records.must_row(invoice.id) if found is None else found
    paid = row_of(invoice, after).at("stripe_invoice_status")
    return context.expect(
        "COLLECT-3",
        eventually(
            any_of(succeeded(answers).equals(0), status_of(won[0]).equals(202), paid.equals("paid")),
            context.records.report_wait,
        ),
        kind="not paid after a race",
        because="after a successful collect the invoice is paid",
        actual=("stripe_invoice_status is", paid),
    )


def adjusting_at_once(context: Context) -> None:
    """GEN-9: charges that are made at the same time have ids of their own, and none is lost."""
    if context.me.merchant is None or context.options.charge_ids:
        raise NotPossible("charges are not made in this run")
    for _ in range(max(1, rounds(context) // 2)):
        wanted = [(context.records.amount(), context.records.mark()) for _ in range(CALLERS)]
        answers = at_once(context, [partial(context.me.adjust, amount, mark) for amount, mark in wanted])
        made = [answer for answer in answers if answer.ok and isinstance(answer.part("charge").get("id"), int)]
        ids = list_of(of(answer).at("charge.id") for answer in made)
        if not context.expect(
            "GEN-9",
            ids.count().equals(ids.distinct().count()),
            kind="one id for two charges in a race",
            proves=True,
            because="charges that are made at the same time have ids of their own",
            actual=("their ids are", ids),
        ):
            return
        for answer in made if "getCharge" not in context.monitor.absent else ():
            after = context.me.charge(answer.part("charge")["id"])
            context.expect(
                "GEN-9",
                of(after).at("charge.amount").equals(of(answer).at("charge.amount")),
                kind="charge lost in a race",
                because="a charge that was made is there, and of the amount that it was made of",
                using=[answer],
            )


def billing_while_charging(context: Context) -> None:
    """CREATE-4 and CREATE-5: whatever meets, what is billed comes to what was charged, neither more nor less."""
    if context.me.merchant is None or context.options.charge_ids:
        raise NotPossible("charges are not made in this run")
    for _ in range(max(1, rounds(context) // 3)):
        before = _counts(context)
        swept = context.me.create()
        first = context.records.charge()
        wanted = [(context.records.amount(), context.records.mark()) for _ in range(4)]
        charging: list[Callable[[], Answer]] = [partial(context.me.adjust, amount, mark) for amount, mark in wanted]
        billing: list[Callable[[], Answer]] = [context.me.create, partial(context.me.create, [first.id])] * 2
        answers = at_once(context, [call for pair in zip(charging, billing, strict=True) for call in pair])
        last = context.me.create()
        creates = [one for one in answers if one.outgoing.target.endswith("/billing/invoices")]
        adjusts = [one for one in answers if one not in creates and one.ok]
        context.records.not_refused_for_others(last)
        if len(answers) < len(charging) + len(billing) or not all(one.ok or one.refused for one in (*answers, last)):
            # What was done, of which no answer tells, is nobody's to say.
            continue
        made = sum(one.ok for one in (swept, *creates, last))
        if _counts(context) != [before[0] + 1 + len(adjusts), before[1] + made]:
            # Somebody else charges or bills this merchant, too.
            continue
        sums = [exact(one.part("invoice").get("total")) for one in (*creates, last) if one.ok]
        if None in sums:
            # What is wrong with each of them is told by its form.
            return
        charged = sum_of([first.shown.at("amount"), *(of(one).at("charge.amount") for one in adjusts)])
        totals = list_of(of(one).at("invoice.total") for one in (*creates, last))
        billed = totals.where("", "is a", ("number",)).sum()
        for rule, kind, statement in (
            ("CREATE-4", "more billed than charged in a race", billed.compares("<=", charged)),
            ("CREATE-5", "less billed than charged in a race", billed.compares(">=", charged)),
        ):
            context.expect(
                rule,
                any_of(status_of(last).compares(">=", 500), statement),
                kind=kind,
                because=f"each charge is billed once, whatever else is asked for meanwhile: {charged.value()} in all",
                actual=("what is billed comes to", billed),
                using=[swept],
            )


def _counts(context: Context) -> list[int]:
    """How many charges and invoices the merchant has; raises `NotPossible` where the server does not say."""
    totals = [ask(per_page=1).figure("total") for ask in (context.me.charges, context.me.invoices)]
    if None in totals:
        raise NotPossible("the server does not say how many charges and invoices there are")
    return [total for total in totals if total is not None]


def _no_failure(context: Context, rule: str, answers: Sequence[Answer], what: str) -> None:
    heard = [answer for answer in answers if answer.status not in GATEWAY]
    if heard:
        context.expect(
            rule,
            all_of(*map(is_answered, heard)),
            kind=f"{what} fail in a race",
            because=f"simultaneous {what} are accepted or refused",
        )


CHECKS = (
    Check("creating on one charge at once", ("CREATE-4",), creating_one_charge, "race"),
    Check("collecting one invoice at once", ("COLLECT-4",), collecting, "race"),
    Check("charging several times at once", ("GEN-9",), adjusting_at_once, "race", thorough=True),
    Check("creates that overlap", ("CREATE-4",), creating_overlapping, "race", thorough=True),
    Check("creating of everything at once", ("CREATE-4",), creating_everything, "race", thorough=True),
    Check("billing while charging", ("CREATE-4", "CREATE-5"), billing_while_charging, "race", thorough=True),
    Check("finalizing one invoice at once", ("FINALIZE-4",), finalizing, "race", thorough=True),
    Check("finalizing several at once", ("FINALIZE-1",), finalizing_several, "race"),
    Check("collecting several at once", ("COLLECT-3",), collecting_several, "race", thorough=True),
    Check("listing by several at once", ("GEN-8",), listing_by_several, "race"),
    Check("collecting while finalizing", ("COLLECT-4",), collecting_while_finalizing, "race", thorough=True),
)
