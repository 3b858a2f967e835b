"""What frameworks, gateways and integrations do by habit, on correct servers: each takes a liberty nobody forbids."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Reply, Request
from tests.mutants.reference.records import Caller, Charge, Invoice, Refusal

LARGEST_TOTAL = 99_999_999
"""In minor units: what Stripe takes at most in USD, and what a column of eight digits and two decimals holds."""
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
        old_credit,
        no_card_no_attempt,
        declines_in_the_queue,
        deployed,
    )
}
"""By name; each changes a server."""
