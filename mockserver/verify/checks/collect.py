"""Checks of collecting: only what is finalized, at once, and never twice."""

from __future__ import annotations

from mockserver.verify.checks.finalize import wait_for_stripe
from mockserver.verify.checks.runner import Check
from mockserver.verify.checks.unchanged import still_draft
from mockserver.verify.context import UNKNOWN_ID, Bench, Evidence, Invoice
from mockserver.verify.errors import NotPossible, Stop
from mockserver.verify.monitor.history import Row, exact, shown
from mockserver.verify.transport.billing_client import Billing
from mockserver.verify.transport.http import Answer

LATER = 5.0
"""Seconds that a server may take to be done after a 202."""


def unknown_invoice(bench: Bench) -> None:
    """COLLECT-5: a 4xx."""
    bench.needs_charges()
    for number in (UNKNOWN_ID, 0):
        bench.refused("COLLECT-5", bench.me.collect(number), "a collect of an unknown invoice")


def a_draft(bench: Bench) -> None:
    """COLLECT-1: refused, and the draft stays one, off Stripe."""
    bench.needs_charges()
    draft = bench.draft()
    answer = bench.me.collect(draft.id)
    bench.refused("COLLECT-1", answer, "a collect of a draft", [draft.made_by])
    still_draft(bench, "COLLECT-1", draft, "a collect of a draft", [answer])
    row, after = bench.must_row(draft.id)
    bench.expect(
        "COLLECT-1",
        not row.get("stripe_invoice_id") and not row.get("stripe_invoice_status"),
        kind="draft on stripe",
        expected="a collect of a draft leaves it off Stripe",
        actual=f"stripe_invoice_id is {shown(row.get('stripe_invoice_id'))}, stripe_invoice_status "
        f"{shown(row.get('stripe_invoice_status'))}",
        using=[draft.made_by, answer, after],
    )
    finalized = bench.me.finalize(draft.id)
    bench.expect(
        "COLLECT-1",
        finalized.ok,
        kind="draft spoilt",
        expected="the draft can still be finalized",
        actual=f"the finalize answers {finalized.brief()}",
        using=[draft.made_by, answer, finalized],
    )


def at_once(bench: Bench) -> None:
    """COLLECT-2 and COLLECT-3: right after finalizing, whatever the queue does."""
    bench.needs_charges()
    collect_and_judge(bench, bench.finalized(bench.draft(bench.charges(2))))


def after_the_queue(bench: Bench) -> None:
    """COLLECT-2 and COLLECT-3: on an invoice that is on Stripe already; its Stripe invoice is the one that is paid."""
    bench.needs_charges()
    invoice = bench.queued()
    row = wait_for_stripe(bench, invoice)
    if row is None:
        return
    collect_and_judge(bench, invoice)
    after, answer = bench.must_row(invoice.id)
    bench.expect(
        "COLLECT-2",
        after.get("stripe_invoice_id") == row.get("stripe_invoice_id"),
        kind="another stripe invoice",
        expected="the invoice that is on Stripe is the one that is collected",
        actual=f"stripe_invoice_id was {shown(row.get('stripe_invoice_id'))} and is "
        f"{shown(after.get('stripe_invoice_id'))}",
        using=[*bench.observer.invoices[invoice.id].story, answer],
    )


def collect_and_judge(bench: Bench, invoice: Invoice, *, by: Billing | None = None) -> bool:
    """Collects until the card pays or has declined three times, judging every state on the way; True once paid."""
    refusals: list[Answer] = []
    lost = False
    for _ in range(3):
        answer = (by or bench.me).collect(invoice.id)
        row, after = _listed(bench, invoice, by)
        story: list[Evidence] = [*bench.observer.invoices[invoice.id].story, after]
        if answer.ok:
            _paid(bench, invoice, answer, row, story)
            return True
        if not answer.refused:
            # Stripe's own trouble, about which nothing says what comes: the charge may have succeeded.
            lost = True
            bench.transport.pause(0.2)
            continue
        if lost and row.get("stripe_invoice_status") == "paid":
            bench.court.met("COLLECT-4")
            return True
        _declined(bench, row, answer, story, invoice)
        # That a decline frees no charge is seen where answers are observed.
        (by or bench.me).charge(invoice.charges[0].id)
        refusals.append(answer)
        _tried(bench, refusals, story)
    bench.court.untried("the merchant's card does not pay", ("COLLECT-4",))
    return False


def _tried(bench: Bench, refusals: list[Answer], story: list[Evidence]) -> None:
    """A refused collect of a finalized invoice is a card's decline, each time, and not a word about its state."""
    text = str(refusals[-1].mapping.get("message", "")).lower()
    bench.expect(
        "COLLECT-2",
        not (
            refusals[-1].status == bench.profile.get("illegal_state_status")
            and bench.draft_refusal == refusals[-1].body
            and ("draft" in text or "finali" in text)
        ),
        kind="finalized invoice taken for a draft",
        expected="collecting a finalized invoice attempts the charge",
        actual=f"it is refused as a draft is: {refusals[-1].brief()}",
        using=story,
    )
    first, last = refusals[0].status, refusals[-1].status
    bench.expect(
        "COLLECT-3",
        first == last or last != bench.profile.get("illegal_state_status"),
        kind="no further attempt after a decline",
        expected=f"after a decline, answered with {first}, the invoice can be collected again",
        actual=f"the next collect is refused for its state, with {last}",
        using=story,
    )


def _listed(bench: Bench, invoice: Invoice, by: Billing | None) -> tuple[Row, Answer]:
    if by is None:
        return bench.must_row(invoice.id)
    row, answer = bench.row(invoice.id, by=by)
    if row is None:
        raise Stop
    return row, answer


def _paid(bench: Bench, invoice: Invoice, answer: Answer, row: Row, story: list[Evidence]) -> None:
    if answer.status == 202 and row.get("stripe_invoice_status") != "paid":
        row = bench.until(lambda: _when_paid(bench, invoice), LATER) or bench.must_row(invoice.id)[0]
    bench.expect(
        "COLLECT-3",
        row.get("stripe_invoice_status") == "paid",
        kind="not paid after success",
        expected="after a successful collect stripe_invoice_status is paid",
        actual=f"it is {shown(row.get('stripe_invoice_status'))}",
        using=story,
        check="answers[-1].json['data'][0]['stripe_invoice_status'] == 'paid'",
    )
    bench.expect(
        "COLLECT-2",
        isinstance(row.get("stripe_invoice_id"), str),
        kind="not on stripe after collect",
        expected="after a collect stripe_invoice_id is set",
        actual=f"it is {shown(row.get('stripe_invoice_id'))}",
        using=story,
        check="answers[-1].json['data'][0]['stripe_invoice_id'] is not None",
    )
    bench.expect(
        "COLLECT-3",
        row.get("status") != "Draft",
        kind="draft after collect",
        expected="a collected invoice is no draft",
        actual="its status is Draft",
        using=story,
    )
    told = answer.part("invoice")
    for name in ("id", "total", "stripe_invoice_id", "stripe_invoice_status"):
        if name in told and answer.status != 202:
            bench.expect(
                "GEN-9",
                told[name] == row.get(name),
                kind=f"{name} answered otherwise by collect",
                expected=f"the list shows the {name} that was answered, {shown(told[name])}",
                actual=f"it shows {shown(row.get(name))}",
                using=story,
            )


def _when_paid(bench: Bench, invoice: Invoice) -> Row | None:
    row, _ = bench.must_row(invoice.id)
    return row if row.get("stripe_invoice_status") == "paid" else None


def _declined(bench: Bench, row: Row, answer: Answer, story: list[Evidence], invoice: Invoice) -> None:
    bench.expect(
        "COLLECT-3",
        row.get("stripe_invoice_status") != "paid",
        kind="paid after a decline",
        expected="after a declined collect the invoice is not paid",
        actual="stripe_invoice_status is paid",
        using=story,
        check="answers[-1].json['data'][0]['stripe_invoice_status'] != 'paid'",
    )
    bench.expect(
        "COLLECT-2",
        isinstance(row.get("stripe_invoice_id"), str),
        kind="not on stripe after a decline",
        expected="a collect puts the invoice on Stripe first, so stripe_invoice_id is set",
        actual=f"it is {shown(row.get('stripe_invoice_id'))}",
        using=story,
    )
    status = row.get("stripe_invoice_status")
    bench.expect(
        "COLLECT-3",
        status in ("open", "draft", "paid"),
        kind="can't be collected again after a decline",
        expected="a declined invoice can be collected again: it is open on Stripe",
        actual=f"stripe_invoice_status is {shown(status)}",
        using=story,
    )
    total = exact(invoice.made_by.part("invoice").get("total"))
    bench.expect(
        "FINALIZE-1",
        row.get("status") != "Draft" and exact(row.get("total")) == total,
        kind="changed by a decline",
        expected=f"a decline leaves the invoice finalized, its total {total}",
        actual=f"status {row.get('status')}, total {row.get('total')}",
        using=story,
    )


def after_a_decline(bench: Bench) -> None:
    """COLLECT-3: a declined invoice is not paid, however often it is tried, and each try is made."""
    bench.needs_charges()
    if bench.declining is None:
        raise NotPossible("no merchant within reach whose card declines", matters=False)
    caller = bench.me.acting(merchant=bench.declining)
    charge = bench.charge(bench.spare_amount, by=caller)
    invoice = bench.finalized(bench.draft((charge,), by=caller), by=caller)
    if not collect_and_judge(bench, invoice, by=caller):
        # The Stripe invoice that was tried is the one that stays, which is seen where answers are observed.
        after_the_next_turn(bench)
        _listed(bench, invoice, caller)


def collecting_again(bench: Bench) -> None:
    """COLLECT-4: a paid invoice, collected again: nothing changes."""
    invoice = bench.paid()
    before, first = bench.must_row(invoice.id)
    for _ in range(2):
        answer = bench.me.collect(invoice.id)
        bench.expect(
            "COLLECT-4",
            answer.ok or answer.refused,
            kind="collect of a paid invoice fails",
            expected="collecting a paid invoice is refused or accepted",
            actual=f"the answer is {answer.brief()}",
            using=[*bench.observer.invoices[invoice.id].story, answer],
        )
        expected = bench.profile.get("recollect")
        bench.expect(
            "COLLECT-4",
            not (expected == "refuse" and answer.ok),
            kind="collected twice",
            expected="a paid invoice is refused, as this server refuses others",
            actual=f"the answer is {answer.brief()}",
            using=[*bench.observer.invoices[invoice.id].story, answer],
        )
    after, last = bench.must_row(invoice.id)
    for name in ("status", "total", "stripe_invoice_id", "stripe_invoice_status"):
        bench.expect(
            "COLLECT-4",
            before.get(name) == after.get(name),
            kind=f"{name} changed by collecting again",
            expected=f"collecting a paid invoice leaves {name} at {shown(before.get(name))}",
            actual=f"it is {shown(after.get(name))}",
            using=[first, *bench.observer.invoices[invoice.id].story, last],
        )


def after_the_next_turn(bench: Bench) -> None:
    """Waits until the queue for Stripe has come to an invoice that was finalized just now."""
    last = bench.finalized()

    def ready() -> bool | None:
        return True if bench.must_row(last.id)[0].get("stripe_invoice_id") else None

    bench.until_queued(ready)


def paid_for_good(bench: Bench) -> None:
    """COLLECT-4 and FINALIZE-2: the queue, when its turn comes, makes no second Stripe invoice of a paid one."""
    bench.needs_charges()
    invoices = [bench.paid() for _ in range(2)]
    before = [bench.must_row(invoice.id)[0] for invoice in invoices]
    after_the_next_turn(bench)
    for invoice, row in zip(invoices, before, strict=True):
        after, answer = bench.must_row(invoice.id)
        for name in ("stripe_invoice_id", "stripe_invoice_status"):
            bench.expect(
                "COLLECT-4",
                row.get(name) == after.get(name),
                kind=f"{name} changed later",
                expected=f"a paid invoice keeps its {name}, {shown(row.get(name))}",
                actual=f"it is {shown(after.get(name))}",
                using=[*bench.observer.invoices[invoice.id].story, answer],
            )


def alone(bench: Bench) -> None:
    """COLLECT-2: collecting one invoice leaves the others alone."""
    bench.needs_charges()
    draft, finalized = bench.draft(), bench.finalized()
    invoice = bench.paid()
    story = bench.observer.invoices[invoice.id].story
    still_draft(bench, "GEN-9", draft, "collecting another invoice", story)
    row, after = bench.must_row(finalized.id)
    bench.expect(
        "GEN-9",
        row.get("stripe_invoice_status") != "paid",
        kind="another invoice paid",
        expected="collecting one invoice pays that one alone",
        actual="another one is paid",
        using=[*story, after],
    )


CHECKS = (
    Check("collecting an unknown invoice", ("COLLECT-5",), unknown_invoice),
    Check("collecting a draft", ("COLLECT-1",), a_draft),
    Check("collecting at once", ("COLLECT-2", "COLLECT-3"), at_once),
    Check("collecting after the queue", ("COLLECT-2", "COLLECT-3"), after_the_queue),
    Check("collecting again", ("COLLECT-4",), collecting_again),
    Check("collecting leaves others alone", ("GEN-9",), alone),
    Check("paid for good", ("COLLECT-4",), paid_for_good),
    Check("after a decline", ("COLLECT-3",), after_a_decline),
)
