"""Measures the open choices of lists: sizes and numbers of pages, what stands in a row, links to other pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qsl

from mockserver.verify.calibration.measurements import NOTHING, Calibration
from mockserver.verify.claims.values import Row

ZEROS = ".000000"
LINKS = ("first_page_url", "last_page_url", "next_page_url", "prev_page_url", "links")
HUGE_PAGE = 1_000_000
USUAL_MAXIMA = (100, 50, 25, 200, 250, 500, 1000)


def page_sizes(work: Calibration) -> None:
    """The largest page, and what becomes of a wish for a larger one."""
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


def lists(work: Calibration) -> None:
    """What a page below the first is, and from where rows are counted."""
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
        row_shown(work, row, "a listed invoice", own=False)


def row_shown(work: Calibration, row: Row, where: str, *, own: bool) -> None:
    """What a row shows by itself: types of parties' ids, precision of times; `own` if this run has just made it."""
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


def links(work: Calibration) -> None:
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
    queries = [dict(parse_qsl(url.partition("#")[0].partition("?")[2])) for url in urls if isinstance(url, str)]
    kept = [{"q", "per_page"} & query.keys() for query in queries if "page" in query]
    shown = next((url for url in urls if isinstance(url, str) and "page=" in url), None)
    if kept and all(len(names) == 2 for names in kept):
        work.record("page_links", "keep_query", f"a page asked for with q and per_page links to {shown}")
    elif kept and not any(kept):
        work.record("page_links", "drop_query", f"a page asked for with q and per_page links to {shown}")
    elif kept:
        work.unmeasured(f"a part of the query is kept in links: {shown}", "page_links")
