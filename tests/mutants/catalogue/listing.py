"""Faults of the list of invoices: pages, their figures, their order, and what they leave out."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.mutants.catalogue.making import Catalog, after, is_list, swap
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Reply, Request
from tests.mutants.reference.paging import Page
from tests.mutants.reference.records import Caller, Invoice, Refusal

LIST = Catalog("list")


def refigure(api: Api, **wrong: Any) -> None:
    """Each of the named figures is what the function given for it makes of the page."""

    def figures(page: Page) -> dict[str, Any]:
        shown: dict[str, Any] = original(page)
        return shown | {name.rstrip("_"): make(page, shown) for name, make in wrong.items()}

    original = swap(api.pages, "figures", figures)


# Parameters


@LIST.fault("LIST-2", "LIST-3", "LIST-4", says="pages are counted from 0")
def pages_count_from_zero(api: Api) -> None:
    def rows(ordered: Sequence[Any], number: int, size: int) -> Any:
        return original(ordered, number + 1, size)

    def number(query: Mapping[str, str]) -> Any:
        return api.pages.integer(query, "page", 0) if query.get("page", "0") == "0" else read(query)

    def figures(page: Page) -> Any:
        return figured(replace(page, number=page.number + 1)) | {"current_page": page.number}

    original = swap(api.pages, "rows", rows)
    read = swap(api.pages, "number", number)
    figured = swap(api.pages, "figures", figures)


@LIST.fault("LIST-2", "LIST-3", says="the page size is ten when none is given")
def default_size_is_ten(api: Api) -> None:
    swap(api.pages, "default_size", lambda: 10)


@LIST.fault("LIST-3", "LIST-2", says="per_page is ignored")
def page_size_ignored(api: Api) -> None:
    swap(api.pages, "size", lambda query: 15)


@LIST.fault("LIST-2", "LIST-4", "LIST-3", says="page is ignored: every page is the first")
def page_number_ignored(api: Api) -> None:
    swap(api.pages, "number", lambda query: 1)


@LIST.fault("LIST-3", "LIST-4", says="per_page changes the figures and not the rows")
def page_size_only_in_figures(api: Api) -> None:
    def rows(ordered: Sequence[Any], number: int, size: int) -> Any:
        return original(ordered, number, 15)

    original = swap(api.pages, "rows", rows)


@LIST.fault(
    "LIST-3",
    says="more rows than the maximum are promised than are sent",
    nuisances=("prefilled",),
)
def page_size_promised_beyond_maximum(api: Api) -> None:
    def list_invoices(caller: Caller, request: Request, body: Mapping[str, Any]) -> Reply:
        reply: Reply = original(caller, request, body)
        asked = request.query.get("per_page", "15")
        reply.document["per_page"] = int(asked)
        return reply

    original = swap(api, "list_invoices", list_invoices)


# Figures


@LIST.fault("LIST-3", "LIST-4", says="total counts the rows of the page")
def total_counts_the_page(api: Api) -> None:
    refigure(api, total=lambda page, shown: len(page.rows))


@LIST.fault("LIST-3", says="total is one too many")
def total_is_one_too_many(api: Api) -> None:
    refigure(api, total=lambda page, shown: page.total + 1)


@LIST.fault("LIST-3", says="last_page is one too many when the pages are all full")
def last_page_one_too_many(api: Api) -> None:
    swap(api.pages, "last", lambda page: page.total // page.size + 1)


@LIST.fault("LIST-3", "LIST-4", says="last_page forgets the last page when it is not full")
def last_page_rounded_down(api: Api) -> None:
    swap(api.pages, "last", lambda page: max(1, page.total // page.size))


@LIST.fault("LIST-3", says="last_page is 0 when nothing matches")
def last_page_of_nothing_is_zero(api: Api) -> None:
    swap(api.pages, "last", lambda page: -(-page.total // page.size))


@LIST.fault("LIST-3", "LIST-2", says="current_page is always 1")
def current_page_is_always_one(api: Api) -> None:
    refigure(api, current_page=lambda page, shown: 1)


@LIST.fault("LIST-3", says="to is where a full page would end")
def to_is_that_of_a_full_page(api: Api) -> None:
    refigure(api, to=lambda page, shown: shown["from"] and shown["from"] + page.size - 1)


@LIST.fault("LIST-3", says="from and to are the same on every page")
def from_and_to_of_the_first_page(api: Api) -> None:
    refigure(
        api,
        from_=lambda page, shown: 1 if page.rows else None,
        to=lambda page, shown: len(page.rows) or None,
    )


@LIST.fault("LIST-3", says="per_page is said to be 15 whatever it is")
def size_said_is_the_default(api: Api) -> None:
    refigure(api, per_page=lambda page, shown: 15)


# Going through the pages


@LIST.fault("LIST-4", "LIST-3", says="the last page repeats a row of the page before")
def last_page_repeats_a_row(api: Api) -> None:
    def rows(ordered: Sequence[Any], number: int, size: int) -> Any:
        found = original(ordered, number, size)
        if number > 1 and 0 < len(found) < size:
            return ordered[(number - 1) * size - 1 : (number - 1) * size] + found
        return found

    original = swap(api.pages, "rows", rows)


@LIST.fault("LIST-4", "LIST-3", says="a row is lost between two pages")
def row_lost_between_pages(api: Api) -> None:
    swap(
        api.pages,
        "rows",
        lambda ordered, number, size: ordered[(number - 1) * (size + 1) :][:size],
    )


@LIST.fault("LIST-4", says="the order is another one at each request")
def order_is_random(api: Api) -> None:
    rng = random.Random(3)
    swap(api.pages, "order", lambda rows: rng.sample(rows, len(rows)))


@LIST.fault("LIST-4", says="each page is turned round in itself")
def pages_turned_round(api: Api) -> None:
    def rows(ordered: Sequence[Any], number: int, size: int) -> Any:
        return original(ordered, number, size)[::-1]

    original = swap(api.pages, "rows", rows)


@LIST.fault("LIST-4", says="the order depends on the page: even pages count from the other end")
def even_pages_from_the_other_end(api: Api) -> None:
    def rows(ordered: Sequence[Any], number: int, size: int) -> Any:
        return original(ordered if number % 2 else ordered[::-1], number, size)

    original = swap(api.pages, "rows", rows)


@LIST.fault("LIST-4", "LIST-3", says="past the last page comes the last page again")
def last_page_for_ever(api: Api) -> None:
    def rows(ordered: Sequence[Any], number: int, size: int) -> Any:
        last = max(1, -(-len(ordered) // size))
        return original(ordered, min(number, last), size)

    original = swap(api.pages, "rows", rows)


@LIST.fault("LIST-4", "LIST-3", says="past the last page the request is refused")
def past_the_last_page_refused(api: Api) -> None:
    def cut(query: Mapping[str, str], ordered: Sequence[Any]) -> Page:
        page: Page = original(query, ordered)
        if page.number > 1 and not page.rows:
            raise Refusal(404, "There is no such page.")
        return page

    original = swap(api.pages, "cut", cut)


@LIST.fault("LIST-3", "LIST-4", says="a full last page is one row short")
def full_page_one_row_short(api: Api) -> None:
    def rows(ordered: Sequence[Any], number: int, size: int) -> Any:
        found = original(ordered, number, size)
        return found[:-1] if len(found) == size and number * size == len(ordered) else found

    original = swap(api.pages, "rows", rows)


# What the list knows


def hide(api: Api, hidden: Any) -> None:
    """The list leaves out these invoices, and does not count them."""

    def visible(caller: Caller) -> list[Invoice]:
        return [invoice for invoice in original(caller) if not hidden(invoice)]

    original = swap(api, "visible_invoices", visible)


@LIST.fault("CREATE-7", "GEN-9", says="a new invoice is in the list after two seconds only")
def new_invoices_come_late(api: Api) -> None:
    hide(api, lambda invoice: (api.records.now() - invoice.created_at).total_seconds() < 2)


@LIST.fault("CREATE-7", "GEN-9", "LIST-1", says="drafts are not in the list")
def drafts_not_in_the_list(api: Api) -> None:
    hide(api, lambda invoice: invoice.state == "draft")


@LIST.fault("GEN-9", "LIST-4", "COLLECT-3", "CREATE-7", says="paid invoices leave the list")
def paid_invoices_leave_the_list(api: Api) -> None:
    hide(api, lambda invoice: invoice.state == "paid")


@LIST.fault(
    "GEN-9", "CREATE-7", "LIST-4", says="invoices of nothing are not in the list", choices={"no_charges": "empty_draft"}
)
def empty_invoices_not_in_the_list(api: Api) -> None:
    hide(api, lambda invoice: not invoice.total)


@LIST.fault(
    "GEN-9",
    "FINALIZE-1",
    "FINALIZE-2",
    "COLLECT-2",
    "COLLECT-3",
    says="the list shows each invoice as it was when first listed, for three seconds",
)
def list_is_a_stale_copy(api: Api) -> None:
    seen: dict[int, tuple[float, Invoice]] = {}

    def visible(caller: Caller) -> list[Invoice]:
        now = time.monotonic()
        for invoice in original(caller):
            if invoice.id not in seen or seen[invoice.id][0] < now - 3:
                seen[invoice.id] = now, replace(invoice)
        return [seen[invoice.id][1] for invoice in original(caller)]

    original = swap(api, "visible_invoices", visible)


@LIST.fault("GEN-9", "CREATE-3", "FINALIZE-2", says="looking at the list puts the drafts on it on Stripe")
def looking_puts_drafts_on_stripe(api: Api) -> None:
    def invoice(record: Invoice) -> Any:
        shown = original(record)
        if record.state == "draft":
            api.stripe.create(record)
        return shown

    original = swap(api.view, "invoice", invoice)


@LIST.fault("GEN-9", "CREATE-3", "CREATE-5", "FINALIZE-1", says="the list shows totals without their cents")
def list_shows_whole_totals(api: Api) -> None:
    def round_totals(request: Request, reply: Reply) -> Reply:
        if is_list(request):
            for row in reply.document["data"]:
                row["total"] = int(row["total"])
        return reply

    after(api, round_totals)


@LIST.fault(
    "GEN-9",
    "CREATE-7",
    "LIST-4",
    says="created_at is the moment of the request",
    choices={"created_at_precision": "microseconds"},
)
def created_at_is_now(api: Api) -> None:
    swap(api.view, "moment", lambda when: api.records.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"))


@LIST.fault("LIST-1", "GEN-1", "LIST-3", says="an empty list is answered with 404")
def empty_list_is_404(api: Api) -> None:
    def cut(query: Mapping[str, str], ordered: Sequence[Any]) -> Any:
        if not ordered:
            raise Refusal(404, "There are no invoices.")
        return original(query, ordered)

    original = swap(api.pages, "cut", cut)


@LIST.fault("GEN-9", says="a description is kept cut at 255 letters, and was answered whole")
def long_descriptions_are_cut(api: Api) -> None:
    def create_quick_adjustment(caller: Caller, request: Request, body: Mapping[str, Any]) -> Any:
        reply = original(caller, request, body)
        charge = api.records.charges[reply.document["charge"]["id"]]
        charge.description = charge.description[:255]
        return reply

    original = swap(api, "create_quick_adjustment", create_quick_adjustment)
