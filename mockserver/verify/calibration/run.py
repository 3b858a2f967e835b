"""Measures the open choices of a server, each by its effect, and never guesses one."""

from __future__ import annotations

import re
from collections.abc import Callable

from mockserver.billing.profile import CHOICES, Value
from mockserver.verify.calibration.collecting import collects
from mockserver.verify.calibration.measurements import Calibration
from mockserver.verify.checks.runner import held_back, still_there
from mockserver.verify.claims import CannotTell
from mockserver.verify.context import Context
from mockserver.verify.errors import NoAnswer, NotPossible, Stop
from mockserver.verify.events import ChoiceMeasured, PhaseStarted, Progress
from mockserver.verify.records import UNKNOWN_ID, OwnInvoice
from mockserver.verify.transport.http import Answer
from mockserver.verify.transport.safety import Withheld
from mockserver.verify.values import Row

NOTHING = f'id:"{UNKNOWN_ID}"'
"""A search that no invoice matches, so that a probe never fetches a large page."""
HUGE_PAGE = 1_000_000
USUAL_MAXIMA = (100, 50, 25, 200, 250, 500, 1000)


def calibrate(context: Context) -> dict[str, Value]:
    """Measures what can be measured, emits it, and puts it into the context's profile; returns the measured ones."""
    steps: tuple[tuple[str, Callable[[Calibration], None], tuple[str, ...]], ...] = (
        ("page sizes", _page_sizes, ("per_page_max", "per_page_above_max")),
        ("reading lists", _lists, ("page_below_one", "range_base", "party_id_type", "created_at_precision")),
        ("searching", _searches, ("invalid_search", "date_without_modifier")),
        ("merchants", _merchants, ("unknown_merchant_status",)),
        ("creating", _creates, ("create_status", "duplicate_charge_ids", "numeric_strings", "list_order")),
        ("refusing", _refusals, ("invalid_request_status",)),
        ("finalizing", _finalizes, ("finalize_status", "finalized_label", "refinalize", "action_body")),
        ("collecting", collects, ("collect_status", "recollect", "illegal_state_status", "declined_status")),
        ("isolation", _isolation, ("foreign_invoice_status",)),
        ("nothing to invoice", _nothing, ("no_charges",)),
    )
    context.recorder.emit(PhaseStarted("calibrate", len(steps)))
    work = Calibration(context, {}, {})
    for number, (text, step, keys) in enumerate(steps, 1):
        context.recorder.emit(Progress(text, number))
        try:
            with held_back(context):
                step(work)
        except (NotPossible, Withheld, CannotTell) as reason:
            work.unmeasured(str(reason), *keys)
        except (NoAnswer, Stop) as failure:
            work.unmeasured(f"the server did not answer as it should: {failure}", *keys)
            still_there(context)
        work.unmeasured("the server's answers did not show it", *keys)
    _tell(work)
    return {key: value for key, (value, _) in work.found.items()}


def _tell(work: Calibration) -> None:
    given = work.context.options.profile or {}
    for key in CHOICES:
        expected = given.get(key)
        if key in work.found:
            value, evidence = work.found[key]
            differs = key in given and expected != value
            work.context.recorder.emit(ChoiceMeasured(key, value, True, evidence, expected if differs else None))
            work.context.profile[key] = value
        else:
            work.context.recorder.emit(ChoiceMeasured(key, None, False, work.missed.get(key, "not tried")))
            if key in given:
                work.context.profile[key] = expected


# --- one function for each step ------------------------------------------------------------------------------


def _lists(work: Calibration) -> None:
    me = work.context.me
    below = me.invoices(page=0, per_page=1)
    if below.refused:
        work.record("page_below_one", "refuse", f"page 0 is answered with {below.status}")
    elif below.ok:
        work.record("page_below_one", "first_page", f"page 0 is answered with {below.status}")
    first = me.invoices(per_page=work.context.records.at_most(25))
    last = first.mapping.get("last_page")
    oldest = (
        me.invoices(per_page=work.context.records.at_most(25), page=last)
        if isinstance(last, int) and last > 1
        else first
    )
    work.context.records.elders = [*first.rows, *(oldest.rows if oldest is not first else [])]
    # Before anything takes the open ones: which charges are void is remembered.
    me.charges(per_page=100)
    start = first.mapping.get("from")
    if first.rows and isinstance(start, int):
        work.record("range_base", start, f"the first page's from is {start}")
    for row in first.rows[:1]:
        _row(work, row, "a listed invoice")


def _row(work: Calibration, row: Row, where: str) -> None:
    party = row.get("chargee_id")
    if isinstance(party, str | int):
        kind = "integer" if isinstance(party, int) else "string"
        work.record("party_id_type", kind, f"chargee_id of {where} is {party!r}")
    digits = re.search(r"T\d\d:\d\d:\d\d(\.\d+)?", str(row.get("created_at")))
    if digits:
        fraction = len(digits[1] or ".") - 1
        precision = {0: "seconds", 6: "microseconds"}.get(fraction, f"{fraction} digits")
        work.record("created_at_precision", precision, f"created_at of {where} is {row.get('created_at')}")


def _page_sizes(work: Calibration) -> None:
    me = work.context.me
    huge = me.invoices(NOTHING, per_page=HUGE_PAGE)
    if huge.ok:
        size = huge.mapping.get("per_page")
        evidence = f"per_page={HUGE_PAGE} gives pages of {size}"
        if size == HUGE_PAGE:
            work.record("per_page_max", None, evidence)
            work.unmeasured("there is no largest page", "per_page_above_max")
        elif isinstance(size, int):
            work.record("per_page_max", size, evidence)
            work.record("per_page_above_max", "clamp", evidence)
            work.context.profile["per_page_max"] = size
        return
    if huge.refused:
        work.record("per_page_above_max", "refuse", f"per_page={HUGE_PAGE} is answered with {huge.status}")
        largest = _largest_page(lambda size: me.invoices(NOTHING, per_page=size).ok)
        if largest:
            work.record("per_page_max", largest, f"per_page={largest} is accepted, {largest + 1} refused")
            work.context.profile["per_page_max"] = largest


def _largest_page(accepted: Callable[[int], bool]) -> int:
    """The largest accepted size, the usual ones first; 0 when none is."""
    low, high = 0, HUGE_PAGE
    for guess in USUAL_MAXIMA:
        if low < guess < high:
            low, high = (guess, high) if accepted(guess) else (low, guess)
            if low == guess and low + 1 < high:
                low, high = (low + 1, high) if accepted(low + 1) else (low, low + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if accepted(middle) else (low, middle)
    return low


def _searches(work: Calibration) -> None:
    me = work.context.me
    probes = ('nonsense:"1"', 'created_at$DATE>="2026-13-45"', 'id:"1" AND AND', "id = 1")
    answers = [me.invoices(q, per_page=1) for q in probes]
    if all(answer.refused for answer in answers):
        work.record("invalid_search", "refuse", f"{probes[0]} is answered with {answers[0].status}")
    elif all(answer.ok for answer in answers):
        work.record("invalid_search", "ignore", f"{probes[0]} is answered with {answers[0].status}")
    else:
        told = ", ".join(f"{q}: {answer.status}" for q, answer in zip(probes, answers, strict=True))
        work.unmeasured(f"some are refused and some ignored ({told})", "invalid_search")
    dated = me.invoices('created_at>="2000-01-01"', per_page=1)
    if dated.refused:
        work.record("date_without_modifier", "refuse", f"created_at without $DATE is answered with {dated.status}")
    elif dated.ok:
        none = me.invoices('created_at<"2000-01-01"', per_page=1).mapping.get("total")
        if none == 0 or not me.invoices(per_page=1).mapping.get("total"):
            work.record("date_without_modifier", "accept", 'created_at<"2000-01-01" finds nothing, and is not refused')
        else:
            work.unmeasured('created_at<"2000-01-01" is answered as if it was not there', "date_without_modifier")


def _merchants(work: Calibration) -> None:
    unknown = work.context.me.acting(merchant=str(UNKNOWN_ID)).invoices(NOTHING)
    if unknown.refused:
        work.record("unknown_merchant_status", unknown.status, f"an unknown merchant is answered with {unknown.status}")
    else:
        work.unmeasured(
            f"an unknown merchant is not refused but answered with {unknown.status}", "unknown_merchant_status"
        )


def _creates(work: Calibration) -> None:
    context = work.context
    first = context.records.charge()
    draft = context.records.draft((first,))
    row = draft.made_by.part("invoice")
    work.record("create_status", draft.made_by.status, f"a create is answered with {draft.made_by.status}")
    _row(work, row, "a created invoice")
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
    spare = twice if answer.refused else context.records.charge()
    answer = context.me.create([str(spare.id)])
    if answer.refused:
        work.record("numeric_strings", "refuse", f'"{spare.id}" is answered with {answer.status}')
        context.records.draft((spare,))
    elif answer.ok:
        work.record("numeric_strings", "accept", f'"{spare.id}" is answered with {answer.status}')
    _order(work, draft)


def _order(work: Calibration, older: OwnInvoice) -> None:
    newer = work.context.records.draft()
    page = work.context.me.invoices(f'id:"{older.id}" OR id:"{newer.id}"', per_page=5)
    ids = [row.get("id") for row in page.rows]
    if newer.id in ids and older.id in ids:
        order = "newest_first" if ids.index(newer.id) < ids.index(older.id) else "oldest_first"
        work.record("list_order", order, f"of the invoices {older.id} and {newer.id} the list shows {ids[0]} first")
    start = page.mapping.get("from")
    if page.rows and isinstance(start, int):
        work.record("range_base", start, f"the first page's from is {start}")


def _refusals(work: Calibration) -> None:
    answer = work.context.me.post("/billing/invoices", {"charge_ids": ["no number"]})
    if answer.refused:
        work.record(
            "invalid_request_status", answer.status, f"a charge id that is no number is answered with {answer.status}"
        )


def _finalizes(work: Calibration) -> None:
    context = work.context
    invoice = context.records.draft()
    answer = context.me.finalize(invoice.id)
    if not answer.ok:
        raise Stop(f"finalize answers {answer.brief()}")
    context.records.waiting = [context.records.finalized() for _ in range(5)]
    work.record("finalize_status", answer.status, f"a finalize is answered with {answer.status}")
    _body(work, answer, "finalize")
    row, _ = context.records.row(invoice.id)
    if row is not None:
        work.record("finalized_label", str(row.get("status")), f"a finalized invoice's status is {row.get('status')}")
    again = context.me.finalize(invoice.id)
    if again.refused:
        work.record("refinalize", "refuse", f"finalizing again is answered with {again.status}")
        if not context.options.charges_allowed:
            work.record("illegal_state_status", again.status, f"finalizing again is answered with {again.status}")
    elif again.ok:
        work.record("refinalize", "accept", f"finalizing again is answered with {again.status}")


def _body(work: Calibration, answer: Answer, action: str) -> None:
    kind = "message_and_invoice" if answer.part("invoice") else "message"
    work.record("action_body", kind, f"a {action} is answered with {', '.join(sorted(answer.mapping)) or 'nothing'}")


def _isolation(work: Calibration) -> None:
    context = work.context
    other = context.second()
    answer = other.finalize(context.records.draft().id)
    if answer.refused:
        work.record(
            "foreign_invoice_status", answer.status, f"another merchant's invoice is answered with {answer.status}"
        )


def _nothing(work: Calibration) -> None:
    context = work.context
    if context.options.charge_ids:
        raise NotPossible("with --charge-ids no other charges of the merchant are touched")
    if len(context.records.open_currencies()) > 1:
        answer = context.me.create()
        context.expect.refused("CREATE-8", answer, "a create of charges of several currencies")
        if answer.refused:
            raise NotPossible("the merchant has open charges in several currencies")
    for _ in range(4):
        answer = context.me.create()
        if answer.refused:
            work.record("no_charges", "refuse", f"with nothing to invoice a create is answered with {answer.status}")
            return
        total = answer.part("invoice").get("total")
        if answer.ok and total == 0:
            context.records.must_row(int(answer.part("invoice").get("id", 0)))
            work.record("no_charges", "empty_draft", "with nothing to invoice a create makes a draft of total 0")
            return
