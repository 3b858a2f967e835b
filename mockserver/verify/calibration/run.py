"""Measures the open choices of a server, each by its effect, and never guesses one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlsplit

from mockserver.billing.profile import CHOICES, Value
from mockserver.verify.calibration.collecting import collects
from mockserver.verify.calibration.measurements import Calibration
from mockserver.verify.calibration.reading import empty_ids, loose_ids, odd_pages, unreadable
from mockserver.verify.calibration.searching import searches
from mockserver.verify.checks.runner import held_back, still_there
from mockserver.verify.claims.claims import CannotTell
from mockserver.verify.claims.values import Row
from mockserver.verify.context.context import Context
from mockserver.verify.context.own_records import OwnInvoice
from mockserver.verify.context.records import UNKNOWN_ID
from mockserver.verify.errors import NoAnswer, NotPossible, OutOfTime, Stop
from mockserver.verify.events import ChoiceMeasured, PhaseStarted, Progress
from mockserver.verify.transport.messages import Answer
from mockserver.verify.transport.safety import Withheld
from mockserver.verify.transport.signals import Interrupted

ZEROS = ".000000"
LINKS = ("first_page_url", "last_page_url", "next_page_url", "prev_page_url", "links")
NOTHING = f'id:"{UNKNOWN_ID}"'
"""A search that no invoice matches, so that a probe never fetches a large page."""
HUGE_PAGE = 1_000_000
USUAL_MAXIMA = (100, 50, 25, 200, 250, 500, 1000)


SEARCHES = ("unknown_search_field", "bad_search_value", "bad_search_syntax")
PAYING = ("collect_status", "recollect", "illegal_state_status", "declined_status", "payment_shown")


def calibrate(context: Context) -> Calibration:
    """Measures what can be measured, emits it, and puts it into the context's profile."""
    steps: tuple[tuple[str, Callable[[Calibration], None], tuple[str, ...]], ...] = (
        ("page sizes", _page_sizes, ("per_page_max", "per_page_above_max")),
        ("reading lists", _lists, ("page_below_one", "range_base", "party_id_type")),
        ("pages that are no number", odd_pages, ("page_not_a_number",)),
        ("links of pages", _links, ("page_links",)),
        ("merchants", _merchants, ("unknown_merchant_status", "merchant_header")),
        ("creating", _creates, ("create_status", "duplicate_charge_ids", "list_order", "created_at_precision")),
        ("refusing", _refusals, ("invalid_request_status",)),
        ("numbers", loose_ids, ("numeric_strings", "loose_integers")),
        ("empty lists of charges", empty_ids, ("empty_charge_ids",)),
        ("unreadable bodies", unreadable, ("unreadable_body",)),
        ("searching", searches, (*SEARCHES, "date_without_modifier")),
        ("finalizing", _finalizes, ("finalize_status", "finalized_label", "refinalize", "action_body")),
        ("collecting", collects, PAYING),
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
        except Interrupted:
            raise
        except OutOfTime:
            # Of the share that measuring may take; where it was the run's own time, the next request will say so.
            work.unmeasured("there was no time to measure it (--max-time)", *CHOICES)
            break
        work.unmeasured("the server's answers did not show it", *keys)
    _tell(work)
    _compare(work, context.options.expect_profile or {})
    return work


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


def _compare(work: Calibration, recorded: Mapping[str, Value]) -> None:
    """Tells which choices are no longer those that were recorded."""
    for key, before in recorded.items():
        if key in work.found and work.found[key][0] != before:
            work.context.recorder.drift(key, before, *work.found[key])
    if unknown := [key for key in recorded if key not in work.found]:
        told = f"not measured, so that nobody can say whether they are still as recorded: {', '.join(unknown)}"
        work.context.recorder.note(told, warning=True)


# --- one function for each step ------------------------------------------------------------------------------


def _lists(work: Calibration) -> None:
    me = work.context.me
    below = me.invoices(page=0, per_page=1)
    if below.refused:
        work.record("page_below_one", "refuse", f"page 0 is answered with {below.status}")
    elif below.ok:
        work.record("page_below_one", "first_page", f"page 0 is answered with {below.status}")
    first = me.invoices(per_page=work.context.records.at_most(25))
    last = first.figure("last_page")
    oldest = (
        me.invoices(per_page=work.context.records.at_most(25), page=last)
        if isinstance(last, int) and last > 1
        else first
    )
    work.context.records.elders = [*first.rows, *(oldest.rows if oldest is not first else [])]
    # Before anything takes the open ones: which charges are void is remembered.
    me.charges(per_page=100)
    start = first.figure("from")
    if first.rows and isinstance(start, int):
        work.record("range_base", start, f"the first page's from is {start}")
    for row in first.rows[:1]:
        _row(work, row, "a listed invoice", own=False)


def _row(work: Calibration, row: Row, where: str, *, own: bool) -> None:
    party = row.get("chargee_id")
    if isinstance(party, str | int):
        kind = "integer" if isinstance(party, int) else "string"
        work.record("party_id_type", kind, f"chargee_id of {where} is {party!r}")
    digits = re.search(r"T\d\d:\d\d:\d\d(\.\d+)?", str(row.get("created_at")))
    if digits is None or not (own or work.context.options.read_only):
        # What was there before may have been written by something else, to another precision.
        return
    evidence = f"created_at of {where} is {row.get('created_at')}"
    if digits[1] != ZEROS:
        fraction = len(digits[1] or ".") - 1
        precision = {0: "seconds", 6: "microseconds"}.get(fraction, f"{fraction} digits")
        work.record("created_at_precision", precision, evidence)
    elif own:
        # Any one time, and any that somebody entered, may happen to be of a whole second.
        work.whole_seconds.append(str(row.get("created_at")))
        if len(work.whole_seconds) > 1:
            told = " and ".join(work.whole_seconds)
            work.record("created_at_precision", "zero_microseconds", f"created_at of what was just made is {told}")


def _links(work: Calibration) -> None:
    """What of the request's query the links of its page repeat."""
    answer = work.context.me.invoices('created_at$DATE>="1970-01-01"', per_page=1)
    page = answer.mapping
    if not answer.ok:
        return
    if not any(name in page for name in LINKS):
        work.record("page_links", "absent", f"a page has none of {', '.join(LINKS)}")
        return
    links = page.get("links")
    urls = [page.get(name) for name in LINKS if name != "links"]
    urls += [link.get("url") for link in links if isinstance(link, dict)] if isinstance(links, list) else []
    queries = [dict(parse_qsl(urlsplit(url).query)) for url in urls if isinstance(url, str)]
    kept = [{"q", "per_page"} & query.keys() for query in queries if "page" in query]
    shown = next((url for url in urls if isinstance(url, str) and "page=" in url), None)
    if kept and all(len(names) == 2 for names in kept):
        work.record("page_links", "keep_query", f"a page asked for with q and per_page links to {shown}")
    elif kept and not any(kept):
        work.record("page_links", "drop_query", f"a page asked for with q and per_page links to {shown}")
    elif kept:
        work.unmeasured(f"a part of the query is kept in links: {shown}", "page_links")


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


def _merchants(work: Calibration) -> None:
    unknown = work.context.me.acting(merchant=str(UNKNOWN_ID)).invoices(NOTHING)
    if unknown.refused:
        work.record("unknown_merchant_status", unknown.status, f"an unknown merchant is answered with {unknown.status}")
    else:
        work.unmeasured(
            f"an unknown merchant is not refused but answered with {unknown.status}", "unknown_merchant_status"
        )
    _header(work)


def _header(work: Calibration) -> None:
    """Whether a provider's calls need the merchant header; a token that reaches one merchant alone tells less."""
    context = work.context
    bare = context.anyone.invoices(per_page=context.records.at_most(25))
    if bare.refused:
        evidence = f"without X-Selected-Client-Id a list is answered with {bare.status}"
        work.record("merchant_header", "required", evidence)
        return
    parties = {str(row.get("chargee_id")) for row in (*bare.rows, *context.anyone.charges().rows)}
    if bare.ok and (context.reaches_both or len(parties) > 1):
        evidence = f"without X-Selected-Client-Id a list is answered with {bare.status}"
        work.record("merchant_header", "optional", evidence)
    else:
        work.unmeasured("the token is not known to reach several merchants", "merchant_header")


def _creates(work: Calibration) -> None:
    context = work.context
    first = context.records.charge()
    draft = context.records.draft((first,))
    row = draft.made_by.part("invoice")
    work.record("create_status", draft.made_by.status, f"a create is answered with {draft.made_by.status}")
    _row(work, row, "a created invoice", own=True)
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


def _order(work: Calibration, older: OwnInvoice) -> None:
    newer = work.context.records.draft()
    _row(work, newer.made_by.part("invoice"), "a created invoice", own=True)
    page = work.context.me.invoices(f'id:"{older.id}" OR id:"{newer.id}"', per_page=5)
    ids = [row.get("id") for row in page.rows]
    if newer.id in ids and older.id in ids:
        order = "newest_first" if ids.index(newer.id) < ids.index(older.id) else "oldest_first"
        work.record("list_order", order, f"of the invoices {older.id} and {newer.id} the list shows {ids[0]} first")
    start = page.figure("from")
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
            if not isinstance(number := answer.part("invoice").get("id"), int):
                raise Stop("a create answers no id")
            context.records.must_row(number)
            work.record("no_charges", "empty_draft", "with nothing to invoice a create makes a draft of total 0")
            return
