"""Faults of the search language."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.mutants.catalogue.making import Catalog, swap
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Reply, Request
from tests.mutants.reference.paging import Page
from tests.mutants.reference.records import Caller, Invoice
from tests.mutants.reference.searching import BadSearch, Clause, Query, read_day

SEARCH = Catalog("search")


def change_clauses(api: Api, change: Any) -> None:
    """Each clause is read as `change` makes it."""

    def clause(*parts: Any) -> Clause:
        result: Clause = change(original(*parts))
        return result

    original = swap(api.search, "clause", clause)


def change_query(api: Api, change: Any) -> None:
    def parse(text: str) -> Query:
        result: Query = change(original(text))
        return result

    original = swap(api.search, "parse", parse)


def other_operator(api: Api, field: str, operators: Mapping[str, str]) -> None:
    """On this field, operators are taken for others."""

    def change(clause: Clause) -> Clause:
        if clause.field != field:
            return clause
        return Clause(field, operators.get(clause.operator, clause.operator), clause.value)

    change_clauses(api, change)


# Clauses together


@SEARCH.fault("SEARCH-2", says="AND binds tighter than OR")
def and_binds_tighter(api: Api) -> None:
    def fold(answers: Sequence[bool], joiners: Iterable[str]) -> bool:
        groups = [[answers[0]]]
        for joiner, answer in zip(joiners, answers[1:], strict=True):
            if joiner == "AND":
                groups[-1].append(answer)
            else:
                groups.append([answer])
        return any(all(group) for group in groups)

    swap(api.search, "fold", fold)


@SEARCH.fault("SEARCH-2", says="OR binds tighter than AND")
def or_binds_tighter(api: Api) -> None:
    def fold(answers: Sequence[bool], joiners: Iterable[str]) -> bool:
        groups = [[answers[0]]]
        for joiner, answer in zip(joiners, answers[1:], strict=True):
            if joiner == "OR":
                groups[-1].append(answer)
            else:
                groups.append([answer])
        return all(any(group) for group in groups)

    swap(api.search, "fold", fold)


@SEARCH.fault("SEARCH-2", says="clauses are evaluated from right to left")
def right_to_left(api: Api) -> None:
    def fold(answers: Sequence[bool], joiners: Iterable[str]) -> Any:
        return original(answers[::-1], list(joiners)[::-1])

    original = swap(api.search, "fold", fold)


@SEARCH.fault("SEARCH-1", "SEARCH-2", says="OR is taken for AND")
def or_means_and(api: Api) -> None:
    swap(api.search, "fold", lambda answers, joiners: all(answers))


@SEARCH.fault("SEARCH-1", "SEARCH-2", says="AND is taken for OR")
def and_means_or(api: Api) -> None:
    swap(api.search, "fold", lambda answers, joiners: any(answers))


@SEARCH.fault("SEARCH-1", "SEARCH-2", says="only the first clause counts")
def only_the_first_clause(api: Api) -> None:
    swap(api.search, "fold", lambda answers, joiners: answers[0])


@SEARCH.fault("SEARCH-2", "SEARCH-1", says="clauses after the third do not count")
def only_three_clauses(api: Api) -> None:
    change_query(api, lambda query: Query(query.clauses[:3], query.joiners[:2]))


@SEARCH.fault("SEARCH-2", "SEARCH-1", says="the last joiner is used for all")
def last_joiner_for_all(api: Api) -> None:
    change_query(api, lambda query: Query(query.clauses, (query.joiners or ("AND",))[-1:] * len(query.joiners)))


@SEARCH.fault("SEARCH-1", "SEARCH-6", "SEARCH-4", says="q is not looked at")
def search_is_ignored(api: Api) -> None:
    swap(api.search, "filter", lambda text, rows: list(rows))


@SEARCH.fault("SEARCH-1", "SEARCH-2", "SEARCH-4", says="of two clauses on one field the later one counts")
def one_clause_for_each_field(api: Api) -> None:
    def keep_last(query: Query) -> Query:
        last = {clause.field: clause for clause in query.clauses}
        return Query(tuple(last.values()), query.joiners[: len(last) - 1])

    change_query(api, keep_last)


@SEARCH.fault("SEARCH-6", "LIST-4", "SEARCH-1", says="with OR, what matches both clauses comes twice")
def or_lists_twice(api: Api) -> None:
    def matches(text: str | None, rows: Sequence[Invoice]) -> list[Invoice]:
        found: list[Invoice] = original(text, rows)
        parts = (text or "").split(" OR ")
        if len(parts) != 2 or " AND " in (text or ""):
            return found
        both = [{row.id for row in original(part, rows)} for part in parts]
        return [row for row in found for _ in range(2 if row.id in both[0] & both[1] else 1)]

    original = swap(api.search, "filter", matches)


# Ids


@SEARCH.fault("SEARCH-4", "SEARCH-3", says="ids are compared as texts")
def ids_compared_as_texts(api: Api) -> None:
    compare: dict[str, Any] = {
        ":": lambda a, b: a == b,
        "!:": lambda a, b: a != b,
        ">": lambda a, b: a > b,
        "<": lambda a, b: a < b,
        ">=": lambda a, b: a >= b,
        "<=": lambda a, b: a <= b,
    }

    def by_id(sign: str, value: str) -> Any:
        original(sign, value)
        return lambda invoice: compare[sign](str(invoice.id), value)

    original = swap(api.search, "by_id", by_id)


@SEARCH.fault("SEARCH-4", "SEARCH-3", says="an id equals every id that begins with it")
def id_equals_its_beginning(api: Api) -> None:
    def by_id(sign: str, value: str) -> Any:
        if sign == ":":
            return lambda invoice: str(invoice.id).startswith(value)
        return original(sign, value)

    original = swap(api.search, "by_id", by_id)


@SEARCH.fault("SEARCH-3", "SEARCH-4", says="on ids, >= excludes the id itself")
def id_at_least_excludes_it(api: Api) -> None:
    other_operator(api, "id", {">=": ">"})


@SEARCH.fault("SEARCH-3", "SEARCH-4", says="on ids, < includes the id itself")
def id_below_includes_it(api: Api) -> None:
    other_operator(api, "id", {"<": "<="})


@SEARCH.fault("SEARCH-3", "SEARCH-4", says="on ids, !: is the same as :")
def id_not_equals_is_equals(api: Api) -> None:
    other_operator(api, "id", {"!:": ":"})


@SEARCH.fault("SEARCH-3", "SEARCH-4", says="on ids, > and < are the other way round")
def id_order_is_reversed(api: Api) -> None:
    other_operator(api, "id", {">": "<", "<": ">"})


@SEARCH.fault("SEARCH-4", "SEARCH-3", "SEARCH-1", says="a search for an id is refused")
def ids_can_not_be_searched(api: Api) -> None:
    change_clauses(api, lambda clause: Clause("id", clause.operator, "none") if clause.field == "id" else clause)


# Stripe's ids


@SEARCH.fault("SEARCH-3", "SEARCH-4", says="Stripe's id equals what it contains")
def stripe_id_equals_a_part(api: Api) -> None:
    swap(
        api.search,
        "stripe_equals",
        lambda stripe_id, value: stripe_id is not None and value in stripe_id,
    )


@SEARCH.fault("SEARCH-3", "SEARCH-4", says="on Stripe's ids, ~ finds beginnings only")
def contains_means_begins_with(api: Api) -> None:
    swap(
        api.search,
        "stripe_contains",
        lambda stripe_id, value: stripe_id is not None and stripe_id.startswith(value),
    )


@SEARCH.fault("SEARCH-3", "SEARCH-4", says="on Stripe's ids, !~ lets everything through")
def not_contains_is_ignored(api: Api) -> None:
    def by_stripe_id(sign: str, value: str) -> Any:
        return (lambda invoice: True) if sign == "!~" else original(sign, value)

    original = swap(api.search, "by_stripe_id", by_stripe_id)


@SEARCH.fault("SEARCH-4", "SEARCH-3", says="no search for a Stripe id ever finds one")
def stripe_ids_are_never_found(api: Api) -> None:
    swap(api.search, "stripe_equals", lambda stripe_id, value: False)


# Days


@SEARCH.fault("SEARCH-5", says="<= on a day excludes what was made after its first moment")
def day_at_most_excludes_the_day(api: Api) -> None:
    other_operator(api, "created_at", {"<=": "<"})


@SEARCH.fault("SEARCH-5", says="> on a day includes what was made after its first moment")
def day_after_includes_the_day(api: Api) -> None:
    other_operator(api, "created_at", {">": ">="})


@SEARCH.fault("SEARCH-5", says=">= on a day is taken for >")
def day_at_least_excludes_the_day(api: Api) -> None:
    other_operator(api, "created_at", {">=": ">"})


@SEARCH.fault("SEARCH-5", says="< on a day includes the day")
def day_before_includes_the_day(api: Api) -> None:
    other_operator(api, "created_at", {"<": "<="})


@SEARCH.fault("SEARCH-5", says=": on a day finds only what was made in its first moment")
def day_equals_its_first_moment(api: Api) -> None:
    def by_day(sign: str, value: str) -> Any:
        if sign != ":":
            return original(sign, value)
        first = datetime.combine(read_day(value), datetime.min.time(), UTC)
        return lambda invoice: invoice.created_at == first

    original = swap(api.search, "by_day", by_day)


@SEARCH.fault("SEARCH-5", says=": on a day is taken for >=")
def day_equals_means_since(api: Api) -> None:
    other_operator(api, "created_at", {":": ">="})


@SEARCH.fault("SEARCH-5", says="days are those of a place far from Greenwich")
def days_are_local(api: Api) -> None:
    # West in the morning and east in the afternoon, so that what is made now is on another day there.
    hours = 12 if datetime.now(UTC).hour >= 12 else -12
    swap(api.search, "day_of", lambda moment: (moment + timedelta(hours=hours)).toordinal())


@SEARCH.fault("SEARCH-5", says="the last second of a day belongs to the next")
def last_second_belongs_to_tomorrow(api: Api) -> None:
    swap(api.search, "day_of", lambda moment: (moment + timedelta(seconds=1)).toordinal())


@SEARCH.fault("SEARCH-5", "SEARCH-1", says="$DATE is refused")
def modifier_is_refused(api: Api) -> None:
    def check(field: str, modifier: str | None) -> None:
        original(field, "$DAY" if modifier == "$DATE" else modifier)

    original = swap(api.search, "check_modifier", check)


# The pages of what matches


@SEARCH.fault("SEARCH-6", "LIST-3", says="total counts all invoices, not the matches")
def total_counts_all(api: Api) -> None:
    def list_invoices(caller: Caller, request: Request, body: Mapping[str, Any]) -> Reply:
        reply: Reply = original(caller, request, body)
        if request.query.get("q"):
            reply.document["total"] = len(api.visible_invoices(caller))
        return reply

    original = swap(api, "list_invoices", list_invoices)


@SEARCH.fault("SEARCH-6", "LIST-3", says="last_page counts the pages of all invoices")
def last_page_of_all(api: Api) -> None:
    def list_invoices(caller: Caller, request: Request, body: Mapping[str, Any]) -> Reply:
        reply: Reply = original(caller, request, body)
        total, size = len(api.visible_invoices(caller)), reply.document["per_page"]
        reply.document["last_page"] = api.pages.last(Page((), 1, size, total))
        return reply

    original = swap(api, "list_invoices", list_invoices)


@SEARCH.fault("SEARCH-6", "LIST-4", says="the search counts on the first page only")
def later_pages_are_not_searched(api: Api) -> None:
    def list_invoices(caller: Caller, request: Request, body: Mapping[str, Any]) -> Any:
        if request.query.get("page", "1") != "1":
            query = {name: value for name, value in request.query.items() if name != "q"}
            request = Request(request.method, request.path, query, request.headers, request.body)
        return original(caller, request, body)

    original = swap(api, "list_invoices", list_invoices)


@SEARCH.fault("SEARCH-6", "LIST-3", "LIST-4", says="a page is cut first and searched then")
def pages_are_cut_first(api: Api) -> None:
    def list_invoices(caller: Caller, request: Request, body: Mapping[str, Any]) -> Reply:
        page = api.pages.cut(request.query, api.pages.order(api.visible_invoices(caller)))
        rows = api.search.filter(request.query.get("q"), page.rows)
        return api.page_reply(request, page, [api.view.invoice(row) for row in rows])

    swap(api, "list_invoices", list_invoices)


@SEARCH.fault("SEARCH-6", "GEN-9", "CREATE-7", says="the search index is two seconds late")
def search_index_is_late(api: Api) -> None:

    def matches(text: str | None, rows: Sequence[Invoice]) -> Any:
        if text:
            now = time.time()
            rows = [row for row in rows if now - row.created_at.timestamp() > 2]
        return original(text, rows)

    original = swap(api.search, "filter", matches)


@SEARCH.fault("SEARCH-6", "LIST-4", says="what a search finds is in the opposite order on the second page")
def search_order_changes(api: Api) -> None:
    def list_invoices(caller: Caller, request: Request, body: Mapping[str, Any]) -> Reply:
        matches = api.pages.order(api.search.filter(request.query.get("q"), api.visible_invoices(caller)))
        if request.query.get("q") and request.query.get("page", "1") != "1":
            matches = matches[::-1]
        page = api.pages.cut(request.query, matches)
        return api.page_reply(request, page, [api.view.invoice(row) for row in page.rows])

    swap(api, "list_invoices", list_invoices)


# Values


@SEARCH.fault("SEARCH-4", says="an id with a zero before it equals none")
def zero_before_an_id_finds_nothing(api: Api) -> None:
    def by_id(sign: str, value: str) -> Any:
        return (lambda invoice: False) if value.startswith("0") else original(sign, value)

    original = swap(api.search, "by_id", by_id)


@SEARCH.fault("SEARCH-3", "SEARCH-4", says="% and _ stand for any characters in a Stripe id")
def values_are_patterns(api: Api) -> None:
    def like(stripe_id: str | None, value: str, ends: str) -> bool:
        pattern = re.escape(value).replace("%", ".*").replace("_", ".")
        return stripe_id is not None and re.fullmatch(ends + pattern + ends, stripe_id) is not None

    swap(api.search, "stripe_equals", lambda stripe_id, value: like(stripe_id, value, ""))
    swap(api.search, "stripe_contains", lambda stripe_id, value: like(stripe_id, value, ".*"))


@SEARCH.fault("SEARCH-1", "GEN-5", says="the text is parted at AND and OR even within a value")
def values_are_parted(api: Api) -> None:
    def parse(text: str) -> Any:
        if any(part.count('"') % 2 for part in re.split(" AND | OR ", text)):
            raise BadSearch("a quote is missing")
        return original(text)

    original = swap(api.search, "parse", parse)


@SEARCH.fault("SEARCH-6", "SEARCH-4", "GEN-9", says="only the latest twenty invoices are searched")
def only_the_latest_are_searched(api: Api) -> None:
    def search(text: str | None, rows: Sequence[Invoice]) -> Any:
        return original(text, rows[-20:] if text else rows)

    original = swap(api.search, "filter", search)


@SEARCH.fault("SEARCH-5", says="the last day of a February in a leap year is taken for none")
def leap_days_are_unknown(api: Api) -> None:
    def by_day(sign: str, value: str) -> Any:
        if value.endswith("-02-29"):
            raise BadSearch("there is no such day")
        return original(sign, value)

    original = swap(api.search, "by_day", by_day)
