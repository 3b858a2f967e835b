"""Faults of leniency: what is invalid is neither refused nor ignored, but read as something else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from tests.mutants.catalogue.making import Catalog, swap
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Request
from tests.mutants.reference.paging import Page
from tests.mutants.reference.records import Caller, Invoice
from tests.mutants.reference.searching import BadSearch, Clause

READING = Catalog("form")
AS_EMPTY = {"unreadable_body": "as_empty", "empty_charge_ids": "as_omitted"}
IGNORING = {"unknown_search_field": "ignore", "bad_search_value": "ignore", "bad_search_syntax": "ignore"}


# Pages


@READING.fault("GEN-5", says="a page that is no number is the second one")
def odd_pages_are_the_second(api: Api) -> None:
    def number(query: Mapping[str, str]) -> Any:
        return 2 if re.search("[a-z]", query.get("page", "")) else original(query)

    original = swap(api.pages, "number", number)


@READING.fault("LIST-2", says="a page below one is counted from the end", choices={"page_below_one": "first_page"})
def pages_below_one_are_the_last(api: Api) -> None:
    def cut(query: Mapping[str, str], ordered: Sequence[Any]) -> Any:
        given = query.get("page", "")
        if not re.fullmatch("0|-[0-9]{1,3}", given):
            return original(query, ordered)
        last = api.pages.last(original({**query, "page": "1"}, ordered))
        return original({**query, "page": str(max(1, int(given) + last))}, ordered)

    original = swap(api.pages, "cut", cut)


@READING.fault("GEN-5", says="a page size that is no number is one row")
def odd_sizes_are_one(api: Api) -> None:
    def size(query: Mapping[str, str]) -> Any:
        return 1 if re.search("[a-z]", query.get("per_page", "")) else original(query)

    original = swap(api.pages, "size", size)


@READING.fault("LIST-3", says="rows are counted from 0, and to is the last row", choices={"range_base": 0})
def counted_from_nought_to_the_last(api: Api) -> None:
    def figures(page: Page) -> Any:
        shown = original(page)
        return shown | {"to": None if shown["to"] is None else shown["to"] - 1}

    original = swap(api.pages, "figures", figures)


@READING.fault("LIST-4", "LIST-3", says="every page of charges is the first one, whatever it says")
def charges_have_one_page(api: Api) -> None:
    def charges(caller: Caller, request: Request, body: Mapping[str, Any]) -> Any:
        first = original(caller, replace(request, query={**request.query, "page": "1"}), body)
        page = request.query.get("page", "1")
        if page.isdigit() and int(page) > 1:
            shown = original(caller, request, body).document
            first.document = shown | {"data": first.document["data"][: len(shown["data"])]}
        return first

    original = swap(api, "list_charges", charges)


@READING.fault("LIST-3", says="the total of charges is that of the page")
def charges_count_the_page(api: Api) -> None:
    def charges(caller: Caller, request: Request, body: Mapping[str, Any]) -> Any:
        reply = original(caller, request, body)
        reply.document["total"] = len(reply.document["data"])
        return reply

    original = swap(api, "list_charges", charges)


# Bodies


def empty_draft_when(api: Api, odd: Callable[[Request, Any], bool]) -> None:
    """Such a create makes a draft of nothing, whatever is open."""

    def create(caller: Caller, request: Request, body: Mapping[str, Any]) -> Any:
        if not odd(request, body.get("charge_ids", ...)):
            return original(caller, request, body)
        api.billing.named = lambda caller, charge_ids: []  # type: ignore[method-assign]
        try:
            return original(caller, request, {"charge_ids": [1]})
        finally:
            del api.billing.named

    original = swap(api, "create_invoice", create)


@READING.fault(
    "GEN-5", says="a body that can't be read makes a draft of nothing", choices={"unreadable_body": "as_empty"}
)
def unreadable_bodies_are_empty_drafts(api: Api) -> None:
    empty_draft_when(api, lambda request, ids: ids is ... and request.body not in (b"", b"{}"))


@READING.fault("GEN-5", says="charge_ids of null make a draft of nothing", choices=AS_EMPTY)
def null_ids_are_empty_drafts(api: Api) -> None:
    empty_draft_when(api, lambda request, ids: ids is None)


@READING.fault("GEN-5", "CREATE-6", says="true among the ids is left out", choices={"loose_integers": "accept"})
def true_is_left_out(api: Api) -> None:
    def charge_ids(request: Request, body: Mapping[str, Any]) -> Any:
        given = body.get("charge_ids")
        if isinstance(given, list):
            body = {**body, "charge_ids": [item for item in given if item is not True]}
        return original(request, body)

    original = swap(api, "charge_ids", charge_ids)


@READING.fault("GEN-5", "CREATE-1", says="an object in place of the ids is nothing: everything open is billed")
def objects_are_everything(api: Api) -> None:
    def charge_ids(request: Request, body: Mapping[str, Any]) -> Any:
        return None if isinstance(body.get("charge_ids"), dict) else original(request, body)

    original = swap(api, "charge_ids", charge_ids)


# Searches


@READING.fault("GEN-5", says="a clause on an unknown field matches nothing", choices=IGNORING)
def unknown_fields_match_nothing(api: Api) -> None:
    def clause(field: str, modifier: str | None, sign: str, value: str) -> Any:
        try:
            return original(field, modifier, sign, value)
        except BadSearch:
            return Clause("id", ":", "0")

    original = swap(api.search, "clause", clause)


@READING.fault("GEN-5", says="a clause on a day that no calendar has matches nothing", choices=IGNORING)
def impossible_days_match_nothing(api: Api) -> None:
    def by_day(sign: str, value: str) -> Any:
        try:
            return original(sign, value)
        except BadSearch:
            return lambda invoice: False

    original = swap(api.search, "by_day", by_day)


@READING.fault("GEN-5", says="a day beyond the end of its month is one of the next", choices=IGNORING)
def days_roll_over(api: Api) -> None:
    def by_day(sign: str, value: str) -> Any:
        parts = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])-(\d\d)", value)
        if parts:
            value = str(date(int(parts[1]), int(parts[2]), 1) + timedelta(days=int(parts[3]) - 1))
        return original(sign, value)

    original = swap(api.search, "by_day", by_day)


@READING.fault("GEN-5", "SEARCH-4", says="of an id in a search the leading digits count", choices=IGNORING)
def searched_ids_are_cast(api: Api) -> None:
    def by_id(sign: str, value: str) -> Any:
        digits = re.match(r"[0-9]+", value)
        return original(sign, digits[0] if digits else value)

    original = swap(api.search, "by_id", by_id)


# Paths


def cast_paths(api: Api, action: str) -> None:
    """The leading digits of what stands for an id count, as a cast in a database has it."""

    def handlers(path: str) -> Any:
        before, _, last = path.rpartition("/")
        head, _, number = before.rpartition("/")
        digits = re.match(r"[0-9]+", number)
        return original(f"{head}/{digits[0]}/{last}" if digits and last == action else path)

    original = swap(api, "handlers", handlers)


@READING.fault("FINALIZE-3", says="2abc finalizes invoice 2")
def finalize_casts_ids(api: Api) -> None:
    cast_paths(api, "finalize")


@READING.fault("COLLECT-5", "FINALIZE-3", says="2abc collects invoice 2")
def collect_casts_ids(api: Api) -> None:
    cast_paths(api, "collect")


# Payments


@READING.fault(
    "COLLECT-3", says="the report of a payment is lost, so that it never shows", choices={"payment_shown": "later"}
)
def reports_are_lost(api: Api) -> None:
    def report_later(invoice: Invoice) -> None:
        invoice.reported = False

    swap(api.stripe, "report_later", report_later)


# Searches that are easily misread


@READING.fault("SEARCH-4", "SEARCH-3", says="a clause whose value is 0 is taken for absent: it finds everything")
def nought_is_no_value(api: Api) -> None:
    def test(clause: Clause) -> Any:
        return (lambda row: True) if clause.value == "0" else original(clause)

    original = swap(api.search, "test", test)


@READING.fault("SEARCH-1", says="%20 in an address is no space: a search of two clauses is refused")
def encoded_spaces_are_none(api: Api) -> None:
    def list_invoices(caller: Any, request: Request, body: Any) -> Any:
        q = request.query.get("q")
        if q is not None and "%20" in request.raw_query:
            request = replace(request, query=dict(request.query) | {"q": q.replace(" ", "%20")})
        return listed(caller, request, body)

    listed = swap(api, "list_invoices", list_invoices)
