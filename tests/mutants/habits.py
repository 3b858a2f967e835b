"""What frameworks, gateways and integrations do by habit, on correct servers: each takes a liberty nobody forbids."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Reply, Request
from tests.mutants.reference.money import BadAmount
from tests.mutants.reference.paging import Page, Pages
from tests.mutants.reference.records import Caller, Charge, Invoice, Refusal

LARGEST_TOTAL = 99_999_999
"""In minor units: what Stripe takes at most in USD, and what a column of eight digits and two decimals holds."""
LOW_TOTAL, MOST_IDS, LEAST = 1_000_000, 20, 50
"""Limits that a careful server has: minor units of a total, charges of one create, minor units of an adjustment."""
SEVERAL = 4
"""Invoices that are worth a job's while."""
LARGEST_PAGE = 10_000
"""Beyond it a server would have to pass over too many rows."""


def charges_of_fixed_size(api: Api) -> None:
    """a page of charges has as many rows as the server likes, whatever is asked for"""
    listed = api.list_charges

    def list_charges(caller: Caller, request: Request, body: Mapping[str, Any]) -> Reply:
        query = {name: value for name, value in request.query.items() if name != "per_page"}
        return listed(caller, replace(request, query=query), body)

    api.list_charges = list_charges  # type: ignore[method-assign]


def labels_by_the_queue(api: Api) -> None:
    """a finalized invoice has one label until the queue has put it on Stripe, and another after that"""
    told = api.view.status

    def status(invoice: Invoice) -> str:
        return "Finalizing" if invoice.state == "finalized" and invoice.stripe_id is None else told(invoice)

    api.view.status = status  # type: ignore[method-assign]


def problem_details(api: Api) -> None:
    """refusals are of the type application/problem+json, as ASP.NET Core and Spring send them (RFC 9457)"""
    refused = api.refused

    def problem(refusal: Refusal) -> Reply:
        reply = refused(refusal)
        reply.headers["Content-Type"] = "application/problem+json"
        return reply

    api.refused = problem  # type: ignore[method-assign]


def near_pages_only(api: Api) -> None:
    """pages beyond the ten thousandth are refused"""
    number = api.pages.number

    def near(query: Mapping[str, str]) -> int:
        found = number(query)
        if found > LARGEST_PAGE:
            raise api.pages.refuse("page", f"must be at most {LARGEST_PAGE}")
        return found

    api.pages.number = near  # type: ignore[method-assign]


def times_of_two_kinds(api: Api) -> None:
    """the time of a charge is as ISO 8601 has it where it is alone, and as a database writes it in a list"""
    listed = api.list_charges

    def list_charges(caller: Caller, request: Request, body: Mapping[str, Any]) -> Reply:
        reply = listed(caller, request, body)
        if isinstance(reply.document, dict):
            for row in reply.document["data"]:
                row["created_at"] = row["created_at"][:19].replace("T", " ")
        return reply

    api.list_charges = list_charges  # type: ignore[method-assign]


def null_is_nothing(api: Api) -> None:
    """among the charge ids null is 0, as Go reads it, and no charge has that id"""
    ids = api.charge_ids

    def charge_ids(request: Request, body: Mapping[str, Any]) -> list[int] | None:
        given = body.get("charge_ids")
        if isinstance(given, list) and None in given:
            raise Refusal(404, "Charge 0 does not exist.")
        return ids(request, body)

    api.charge_ids = charge_ids  # type: ignore[method-assign]


def totals_have_a_limit(api: Api) -> None:
    """invoices of a million and more are refused"""
    limit_totals(api, lambda total: total > LARGEST_TOTAL)


def totals_have_a_low_limit(api: Api) -> None:
    """invoices of more than ten thousand are refused"""
    limit_totals(api, lambda total: total > LOW_TOTAL)


def twenty_ids_at_most(api: Api) -> None:
    """a create that names more than twenty charges is refused"""
    ids = api.charge_ids

    def charge_ids(request: Request, body: Mapping[str, Any]) -> list[int] | None:
        found = ids(request, body)
        if found is not None and len(found) > MOST_IDS:
            raise api.billing.invalid("Too many charges.", {"charge_ids": [f"At most {MOST_IDS} charges."]})
        return found

    api.charge_ids = charge_ids  # type: ignore[method-assign]


def least_adjustment(api: Api) -> None:
    """an adjustment of less than Stripe charges is refused"""
    to_minor = api.to_minor

    def enough(amount: Decimal, currency: str) -> int:
        minor = to_minor(amount, currency)
        if minor < LEAST:
            raise BadAmount("is less than can be charged")
        return minor

    api.to_minor = enough  # type: ignore[method-assign]


def firewall_of_operators(api: Api) -> None:
    """a firewall before the application refuses, in HTML, the operators of a database and a thousand arguments"""

    def turned_away(request: Request) -> Reply | None:
        for status, is_met in ((403, b'"$ne"' in request.body), (400, request.body.count(b",") > 998)):
            if is_met:
                return Reply(status, headers={"Content-Type": "text/html"}, raw=b"<h1>Forbidden</h1>")
        return None

    api.before.append(turned_away)


def pages_of_ten(api: Api) -> None:
    """15 rows where no size is asked for, and ten at most where one is"""
    unlimited = Pages(replace(api.choices, per_page_max=None))
    cut = api.pages.cut

    def cut_so(query: Mapping[str, str], ordered: Sequence[Any]) -> Page:
        return cut(query, ordered) if "per_page" in query else unlimited.cut(query, ordered)

    api.pages.cut = cut_so  # type: ignore[method-assign]


def sorted_by_total(api: Api) -> None:
    """invoices stand by their totals, and those of the same by their ids"""
    order = api.pages.order

    def ordered(rows: Sequence[Any]) -> Sequence[Any]:
        found = order(rows)
        return sorted(found, key=lambda row: (-row.total, row.id)) if found and isinstance(found[0], Invoice) else found

    api.pages.order = ordered  # type: ignore[method-assign]


def nodes_in_upper_bits(api: Api) -> None:
    """two nodes give out ids, with their own number in the upper 32 bits"""

    def ids(start: int) -> Iterator[int]:
        for number in itertools.count(start):
            yield from (number, number + 2**32)

    api.records.charge_ids = ids(10_000)
    api.records.invoice_ids = ids(10_000)


def colleague(api: Api) -> None:
    """twice in all a colleague bills whatever is open: while charges are made, and just before a create"""
    meetings = iter(("charging", "billing"))
    waits_for = next(meetings)
    charged = 0
    others = Caller(frozenset({1}), 1)

    def bills_all(request: Request) -> None:
        nonlocal waits_for, charged
        charged = charged + 1 if request.path.endswith("/quick-adjustment") else 0
        meets = charged == 10 if waits_for == "charging" else "auto_advance" in request.raw_query
        if waits_for and meets:
            waits_for = next(meetings, "")
            with suppress(Refusal):
                api.billing.create(others, None)

    api.before.append(bills_all)


def collector(api: Api) -> None:
    """twice in all a job collects whatever is open on Stripe, once several invoices are"""
    jobs = iter(range(2))
    others = Caller(frozenset({1}), 1)

    def collects_all(request: Request) -> None:
        on_stripe = [one for one in api.records.invoices.values() if one.merchant == 1 and one.stripe_status == "open"]
        if len(on_stripe) < SEVERAL or next(jobs, None) is None:
            return
        for invoice in on_stripe:
            with suppress(Refusal):
                api.billing.collect(others, invoice.id)

    api.before.append(collects_all)


def old_credit(api: Api) -> None:
    """the merchant has an open credit that is more than what it owes, and invoices below zero are refused"""
    api.records.add_charge(api.records.merchants[1], -5_000_00, "refund of last month")
    limit_totals(api, lambda total: total < 0)


def limit_totals(api: Api, is_refused: Callable[[int], bool]) -> None:
    add_up = api.billing.add_up

    def limited(charges: Sequence[Charge]) -> int:
        total = add_up(charges)
        if is_refused(total):
            raise api.billing.invalid("No invoice may have such a total.", {"charge_ids": ["The total is refused."]})
        return total

    api.billing.add_up = limited  # type: ignore[method-assign]


def no_card_no_attempt(api: Api) -> None:
    """a collect is refused before Stripe is asked where the merchant has no card on file"""
    collect = api.billing.collect

    def collected(caller: Caller, number: int) -> Invoice:
        invoice = api.records.invoices.get(number)
        if (
            invoice is not None
            and invoice.state == "finalized"
            and api.records.merchants[invoice.merchant].card == "none"
        ):
            raise Refusal(422, "There is no payment method on file.")
        return collect(caller, number)

    api.billing.collect = collected  # type: ignore[method-assign]


def declines_in_the_queue(api: Api) -> None:
    """a collect is queued and accepted, and its card may be declined afterwards"""
    collect = api.billing.collect

    def collected(caller: Caller, number: int) -> Invoice:
        try:
            return collect(caller, number)
        except Refusal as refusal:
            if "decline_code" not in refusal.more:
                raise
            return api.records.invoices[number]

    api.billing.collect = collected  # type: ignore[method-assign]


def deployed(api: Api) -> None:
    """now and then a load balancer answers a change by itself, with 503, twice in a row"""
    count = itertools.count(1)

    def turned_away(request: Request) -> Reply | None:
        if request.method != "POST" or next(count) % 300 not in (7, 8):
            return None
        return Reply(503, headers={"Content-Type": "text/html"}, raw=b"<h1>503 Service Temporarily Unavailable</h1>")

    api.before.append(turned_away)


HABITS: dict[str, Callable[[Api], None]] = {
    habit.__name__: habit
    for habit in (
        charges_of_fixed_size,
        labels_by_the_queue,
        problem_details,
        near_pages_only,
        times_of_two_kinds,
        null_is_nothing,
        totals_have_a_limit,
        totals_have_a_low_limit,
        twenty_ids_at_most,
        least_adjustment,
        firewall_of_operators,
        pages_of_ten,
        sorted_by_total,
        nodes_in_upper_bits,
        colleague,
        collector,
        old_credit,
        no_card_no_attempt,
        declines_in_the_queue,
        deployed,
    )
}
"""By name; each changes a server."""
