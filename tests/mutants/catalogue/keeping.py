"""Faults of caches and paginators: what is answered is what was, or what was asked by somebody else."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.mutants.catalogue.making import Catalog, is_create, swap
from tests.mutants.config import PROVIDER
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Reply, Request
from tests.mutants.reference.paging import Page
from tests.mutants.reference.records import Caller, Charge

KEEPING = Catalog("list")
KEPT = 3.0
"""Seconds."""
Of = Callable[[Request], bool]


def cache(api: Api, of: Of, key: Callable[[Request], object], *, emptied_by: Of = lambda request: False) -> None:
    """A good answer to such a GET is given again for some seconds to whatever has the same key."""
    kept: dict[object, tuple[float, Reply]] = {}

    def route(request: Request) -> Reply:
        if emptied_by(request):
            kept.clear()
        if request.method != "GET" or not of(request):
            return original(request)  # type: ignore[no-any-return]
        until, reply = kept.get(key(request), (0.0, None))
        if reply is not None and time.monotonic() < until:
            return copy.deepcopy(reply)
        fresh: Reply = original(request)
        if fresh.status == 200:
            kept[key(request)] = (time.monotonic() + KEPT, copy.deepcopy(fresh))
        return fresh

    original = swap(api, "route", route)


def whole_key(request: Request) -> object:
    """The address and who asks."""
    return (
        request.path,
        request.raw_query,
        request.headers.get("authorization"),
        request.headers.get("x-selected-client-id"),
    )


def address(request: Request) -> object:
    return request.path, request.raw_query


def is_charge(request: Request) -> bool:
    return "/billing/charges/" in request.path


def is_charges(request: Request) -> bool:
    return request.path.endswith("/billing/charges")


def is_invoices(request: Request) -> bool:
    return request.path.endswith("/billing/invoices")


# Caches


@KEEPING.fault("CREATE-4", "GEN-9", says="a charge is shown as it was when it was first read, for three seconds")
def charges_are_cached(api: Api) -> None:
    cache(api, is_charge, whole_key)


@KEEPING.fault("GEN-9", "CREATE-4", says="a page of charges is shown as it was, for three seconds")
def pages_of_charges_are_cached(api: Api) -> None:
    cache(api, is_charges, whole_key)


@KEEPING.fault("GEN-9", "CREATE-4", says="a page of charges is kept until the next adjustment")
def adjustments_alone_empty_the_cache(api: Api) -> None:
    cache(api, is_charges, whole_key, emptied_by=lambda request: request.path.endswith("/quick-adjustment"))


@KEEPING.fault(
    "CREATE-7", "GEN-9", says="a page of invoices that is asked for without a search is kept for three seconds"
)
def plain_pages_are_cached(api: Api) -> None:
    cache(api, lambda request: is_invoices(request) and "q" not in request.query, whole_key)


@KEEPING.fault("GEN-9", "FINALIZE-1", says="a page of invoices is kept until the next create")
def creates_alone_empty_the_cache(api: Api) -> None:
    cache(api, is_invoices, whole_key, emptied_by=is_create)


@KEEPING.fault("COLLECT-3", "COLLECT-4", "GEN-9", says="a page of invoices is kept until the next create or finalize")
def payments_do_not_empty_the_cache(api: Api) -> None:
    def changes(request: Request) -> bool:
        return is_create(request) or request.path.endswith("/finalize")

    cache(api, lambda request: is_invoices(request) and "q" not in request.query, whole_key, emptied_by=changes)


@KEEPING.fault("LIST-3", "GEN-9", says="how many invoices there are is counted every three seconds alone")
def counts_are_cached(api: Api) -> None:
    counts: dict[str, tuple[float, int]] = {}

    def lists(caller: Caller, request: Request, body: Mapping[str, Any]) -> Any:
        reply = original(caller, request, body)
        if "q" in request.query:
            return reply
        key = f"{sorted(caller.scope)}"
        until, count = counts.get(key, (0.0, 0))
        if time.monotonic() >= until:
            until, count = counts[key] = (time.monotonic() + KEPT, reply.document["total"])
        shown = reply.document
        shown["total"], shown["last_page"] = count, max(1, -(-count // shown["per_page"]))
        return reply

    original = swap(api, "list_invoices", lists)


@KEEPING.fault("GEN-8", "GEN-7", says="a charge that one merchant has read is in a cache that all merchants read")
def charges_cache_is_shared(api: Api) -> None:
    cache_behind_the_token(api, is_charge)


@KEEPING.fault("GEN-8", "GEN-7", says="a search that one merchant has made is in a cache that all merchants read")
def search_cache_is_shared(api: Api) -> None:
    cache_behind_the_token(api, lambda request: is_invoices(request) and "q" in request.query)


@KEEPING.fault("GEN-8", "GEN-7", says="a page that one merchant has read is in a cache that all merchants read")
def page_cache_is_shared(api: Api) -> None:
    cache_behind_the_token(api, is_invoices)


@KEEPING.fault("GEN-4", "GEN-8", "GEN-7", says="a page that anybody has read is in a cache before the tokens")
def page_cache_is_public(api: Api) -> None:
    cache(api, is_invoices, address)


@KEEPING.fault("GEN-4", "GEN-8", "GEN-7", says="a charge that anybody has read is in a cache before the tokens")
def charges_cache_is_public(api: Api) -> None:
    cache(api, is_charge, address)


@KEEPING.fault("GEN-7", "GEN-8", says="the cache of pages knows the token, and not the header", arguments=PROVIDER)
def page_cache_forgets_the_header(api: Api) -> None:
    cache(api, is_invoices, lambda request: (address(request), request.headers.get("authorization")))


def cache_behind_the_token(api: Api, of: Of) -> None:
    """Shared by all who have a token."""

    def known(request: Request) -> bool:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return of(request) and token in api.records.tokens

    cache(api, known, address)


@KEEPING.fault("GEN-9", says="a new charge can be read after half a second")
def new_charges_come_late(api: Api) -> None:
    made: dict[int, float] = {}

    def adjust(caller: Caller, request: Request, body: Mapping[str, Any]) -> Any:
        reply = original(caller, request, body)
        made[reply.document["charge"]["id"]] = time.monotonic()
        return reply

    def visible(caller: Caller) -> Any:
        return [charge for charge in shown(caller) if time.monotonic() - made.get(charge.id, 0.0) > 0.5]

    original = swap(api, "create_quick_adjustment", adjust)
    shown = swap(api, "visible_charges", visible)


# Paginators


def wrap_offsets(api: Api, bits: int) -> None:
    def rows(ordered: Sequence[Any], number: int, size: int) -> Any:
        start = (number - 1) * size % 2**bits
        return ordered[start : start + size]

    swap(api.pages, "rows", rows)


@KEEPING.fault("LIST-4", says="the place of a page's first row has 32 bits, and begins again")
def offsets_have_32_bits(api: Api) -> None:
    wrap_offsets(api, 32)


@KEEPING.fault("LIST-4", says="the place of a page's first row has 64 bits, and begins again")
def offsets_have_64_bits(api: Api) -> None:
    wrap_offsets(api, 64)


@KEEPING.fault("LIST-4", says="a page whose first row is beyond 63 bits is the first page")
def negative_offsets_are_nothing(api: Api) -> None:
    def rows(ordered: Sequence[Any], number: int, size: int) -> Any:
        return original(ordered, 1 if (number - 1) * size >= 2**63 else number, size)

    original = swap(api.pages, "rows", rows)


@KEEPING.fault("LIST-4", says="a charge is lost between two pages")
def charge_lost_between_pages(api: Api) -> None:
    def cut(query: Mapping[str, str], ordered: Sequence[Any]) -> Page:
        page: Page = original(query, ordered)
        if page.number > 1 and ordered and isinstance(ordered[0], Charge):
            start = (page.number - 1) * page.size + 1
            return Page(ordered[start : start + page.size], page.number, page.size, page.total)
        return page

    original = swap(api.pages, "cut", cut)


@KEEPING.fault("LIST-4", says="past the last page of charges comes the last page again")
def last_page_of_charges_for_ever(api: Api) -> None:
    def cut(query: Mapping[str, str], ordered: Sequence[Any]) -> Page:
        page: Page = original(query, ordered)
        if not page.rows and ordered and isinstance(ordered[0], Charge):
            return Page(ordered[-page.size :], page.number, page.size, page.total)
        return page

    original = swap(api.pages, "cut", cut)


@KEEPING.fault("LIST-4", "LIST-3", says="later pages of charges leave out those that are invoiced")
def later_pages_leave_out_the_invoiced(api: Api) -> None:
    def cut(query: Mapping[str, str], ordered: Sequence[Any]) -> Page:
        page: Page = original(query, ordered)
        if page.number > 1 and ordered and isinstance(ordered[0], Charge):
            rows = [charge for charge in page.rows if charge.status != "Invoiced"]
            return Page(rows, page.number, page.size, page.total)
        return page

    original = swap(api.pages, "cut", cut)


@KEEPING.fault("LIST-4", says="pages of charges from the third one on are in the order of their amounts")
def later_pages_are_sorted_otherwise(api: Api) -> None:
    def rows(ordered: Sequence[Any], number: int, size: int) -> Any:
        if number > 2 and ordered and isinstance(ordered[0], Charge):
            ordered = sorted(ordered, key=lambda charge: (charge.amount, charge.id))
        return original(ordered, number, size)

    original = swap(api.pages, "rows", rows)
