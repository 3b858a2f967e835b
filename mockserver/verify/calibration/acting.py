"""Measures the open choices of what changes invoices: creating, refusing, finalizing, and creating of nothing."""

from __future__ import annotations

from datetime import timedelta

from mockserver.core.clock import parse_http_date
from mockserver.verify.calibration.listing import row_shown
from mockserver.verify.calibration.measurements import Calibration
from mockserver.verify.claims.values import Row, when
from mockserver.verify.context.own_records import OwnInvoice
from mockserver.verify.errors import NotPossible, Stop
from mockserver.verify.transport.messages import Answer

ON_STRIPE = 6
"""Invoices that the checks of what is on Stripe need, all together."""
QUARTER = timedelta(minutes=15)
"""All zones differ from UTC by a multiple of it."""
FARTHEST = timedelta(hours=14)
"""Of any zone from UTC."""
ABOUT = timedelta(minutes=1)
"""What clocks of one service may differ by."""


def creates(work: Calibration) -> None:
    """How a create is answered, what an id given twice becomes, where a new invoice stands, how precise its time is."""
    context = work.context
    first = context.records.charge()
    draft = context.records.draft((first,))
    row = draft.made_by.part("invoice")
    work.record("create_status", draft.made_by.status, f"a create is answered with {draft.made_by.status}")
    row_shown(work, row, "a created invoice", own=True)
    _zone(work, row, draft.made_by)
    twice = context.records.charge()
    answer = context.me.create([twice.id, twice.id])
    if answer.refused:
        work.record("duplicate_charge_ids", "refuse", f"an id given twice is answered with {answer.status}")
    elif answer.ok:
        work.record(
            "duplicate_charge_ids",
            "collapse",
            f"an id given twice makes a total of {answer.part('invoice').get('total')} for a charge of {twice.amount}",
        )
    if answer.refused:
        context.records.draft((twice,))
    _order(work, draft)


def _zone(work: Calibration, made: Row, answer: Answer) -> None:
    """Warns where a new invoice is dated by whole quarters of an hour beside the answer's own `Date`.

    No breach: a service whose clock is moved, as for tests, looks the same.
    """
    dated, sent = when(made.get("created_at")), parse_http_date(answer.headers.get("date", ""))
    if dated is None or sent is None:
        return
    off = dated - sent
    zone = round(off / QUARTER) * QUARTER
    if zone and abs(zone) <= FARTHEST and abs(off - zone) <= ABOUT:
        work.context.recorder.note(
            f"an invoice that was just made is dated {made['created_at']}, and its answer {sent:%Y-%m-%dT%H:%M:%SZ}: "
            "local time that is labelled as UTC looks so, and then days are searched for in that zone (SEARCH-5)",
            warning=True,
        )


def _order(work: Calibration, older: OwnInvoice) -> None:
    newer = work.context.records.draft()
    row_shown(work, newer.made_by.part("invoice"), "a created invoice", own=True)
    page = work.context.me.invoices(f'id:"{older.id}" OR id:"{newer.id}"', per_page=5)
    ids = [row.get("id") for row in page.rows]
    if newer.id in ids and older.id in ids:
        order = "newest_first" if ids.index(newer.id) < ids.index(older.id) else "oldest_first"
        work.record("list_order", order, f"of the invoices {older.id} and {newer.id} the list shows {ids[0]} first")
    start = page.figure("from")
    if page.rows and isinstance(start, int):
        work.record("range_base", start, f"the first page's from is {start}")


def refusals(work: Calibration) -> None:
    """With which status a request is refused."""
    answer = work.context.me.post("/billing/invoices", {"charge_ids": ["no number"]})
    if answer.refused:
        work.record(
            "invalid_request_status", answer.status, f"a charge id that is no number is answered with {answer.status}"
        )


def finalizes(work: Calibration) -> None:
    """How a finalize is answered, the first time and again, and how its invoice is labelled."""
    context = work.context
    invoice = context.records.draft()
    answer = context.me.finalize(invoice.id)
    if not answer.ok:
        raise Stop(f"finalize answers {answer.brief()}")
    context.records.waiting = [context.records.finalized() for _ in range(ON_STRIPE)]
    work.record("finalize_status", answer.status, f"a finalize is answered with {answer.status}")
    _body(work, answer, "finalize")
    row, _ = context.records.row(invoice.id)
    if row is not None:
        work.record("finalized_label", str(row.get("status")), f"a finalized invoice's status is {row.get('status')}")
    again = context.me.finalize(invoice.id)
    if again.refused:
        evidence = f"finalizing again is answered with {again.status}"
        work.record("refinalize", "refuse", evidence)
        # Collecting a draft tells it too, but not in every run, and a server may have two statuses for the two.
        work.record("illegal_state_status", again.status, evidence)
    elif again.ok:
        work.record("refinalize", "accept", f"finalizing again is answered with {again.status}")


def _body(work: Calibration, answer: Answer, action: str) -> None:
    kind = "message_and_invoice" if answer.part("invoice") else "message"
    work.record("action_body", kind, f"a {action} is answered with {', '.join(sorted(answer.mapping)) or 'nothing'}")


def nothing_to_invoice(work: Calibration) -> None:
    """What a create of nothing becomes."""
    context = work.context
    if context.options.charge_ids:
        raise NotPossible("with --charge-ids no other charges of the merchant are touched")
    if len(context.records.open_currencies()) > 1:
        answer = context.me.create()
        context.expect.refused("CREATE-8", answer, "a create of charges of several currencies")
        if answer.refused:
            raise NotPossible("the merchant has open charges in several currencies")
    for _ in range(4):
        are_left = context.records.others_are_open()
        answer = context.me.create()
        if are_left:
            context.records.not_refused_for_others(answer)
        if answer.refused:
            work.record("no_charges", "refuse", f"with nothing to invoice a create is answered with {answer.status}")
            return
        total = answer.part("invoice").get("total")
        if answer.ok and total == 0:
            if not isinstance(number := answer.part("invoice").get("id"), int):
                raise Stop("a create answers no id")
            context.records.must_row(number)
            work.record("no_charges", "empty_draft", "with nothing to invoice a create makes a draft of total 0")
            return
