"""The choices that the contract leaves to an implementation, and the value each takes in one server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LISTED: dict[str, tuple[Any, ...]] = {
    "create_status": (200, 201),
    "finalize_status": (200, 202),
    "collect_status": (200, 202),
    "invalid_request_status": (422, 400),
    "illegal_state_status": (422, 409, 400, 403),
    "declined_status": (402, 422, 400),
    "foreign_invoice_status": (404, 403),
    "unknown_merchant_status": (403, 404, 422),
    "merchant_header": ("optional", "required"),
    "refinalize": ("refuse", "accept"),
    "recollect": ("refuse", "accept"),
    "payment_shown": ("at_once", "later"),
    "finalized_label": ("Finalized", "Open"),
    "action_body": ("message_and_invoice", "message"),
    "list_order": ("newest_first", "oldest_first"),
    "per_page_max": (100, 50, 25, 1000, None),
    "per_page_above_max": ("clamp", "refuse"),
    "page_below_one": ("refuse", "first_page"),
    "page_not_a_number": ("refuse", "default"),
    "range_base": (1, 0),
    "page_links": ("keep_query", "drop_query", "absent"),
    "no_charges": ("refuse", "empty_draft"),
    "duplicate_charge_ids": ("refuse", "collapse"),
    "empty_charge_ids": ("refuse", "as_omitted"),
    "numeric_strings": ("refuse", "accept"),
    "loose_integers": ("refuse", "accept"),
    "unreadable_body": ("refuse", "as_empty"),
    "unknown_search_field": ("refuse", "ignore"),
    "bad_search_value": ("refuse", "ignore"),
    "bad_search_syntax": ("refuse", "ignore"),
    "date_without_modifier": ("refuse", "accept"),
    "party_id_type": ("string", "integer"),
    "created_at_precision": ("microseconds", "seconds", "zero_microseconds"),
}
"""The contract's last table: key to its values, the first one being the default. `per_page_max` takes any number."""

UNLISTED: dict[str, tuple[Any, ...]] = {
    "adjustment_status": (200, 201),
    "empty_range": ("null", "arithmetic"),
    "queued_stripe_status": ("open", "draft"),
    "paid_label": ("Paid", "same"),
    "chargee_type": ("merchant", "team"),
    "negative_amounts": ("refuse", "accept"),
    "fine_amounts": ("refuse", "round"),
    "zero_amounts": ("accept", "refuse"),
    "empty_search": ("ignore", "refuse"),
    "charge_moment": ("iso", "plain"),
    "charges_per_page": (15, 10),
    "unselected_create": ("refuse", "first_merchant"),
    "missing_header_adjustment": ("refuse", "own_merchant"),
    "invoice_description": ("text", "null"),
    "first_id": (1, 900_000_000, 1_882_594_211_553_346_396),
    "per_page_below_one": ("refuse", "default"),
    "ids": ("counted", "scattered"),
    "whole_numbers": ("float", "integer"),
    "charset": ("unnamed", "named"),
    "foreign_charge_status": (404, 403),
    "most_clauses": (None, 3),
    "ignored_search": ("clause", "whole"),
    "charges_order": ("newest_first", "oldest_first"),
    "most_charge_ids": (None, 50),
    "beyond_64_bits": ("too_large", "no_number"),
    "stripe_id_case": ("told_apart", "alike"),
    "payment_reported": ("seconds_later", "next"),
}
"""What the contract says nothing about, or says in passing; each value is as legal as the other."""


class UnknownChoice(ValueError):
    """A key or a value that is not in the tables above."""


@dataclass(frozen=True, slots=True)
class Choices:
    """One value for each key; the types are those of the tables."""

    create_status: int = 200
    finalize_status: int = 200
    collect_status: int = 200
    invalid_request_status: int = 422
    illegal_state_status: int = 422
    declined_status: int = 402
    foreign_invoice_status: int = 404
    unknown_merchant_status: int = 403
    merchant_header: str = "optional"
    refinalize: str = "refuse"
    recollect: str = "refuse"
    payment_shown: str = "at_once"
    finalized_label: str = "Finalized"
    action_body: str = "message_and_invoice"
    list_order: str = "newest_first"
    per_page_max: int | None = 100
    per_page_above_max: str = "clamp"
    page_below_one: str = "refuse"
    page_not_a_number: str = "refuse"
    range_base: int = 1
    page_links: str = "keep_query"
    no_charges: str = "refuse"
    duplicate_charge_ids: str = "refuse"
    empty_charge_ids: str = "refuse"
    numeric_strings: str = "refuse"
    loose_integers: str = "refuse"
    unreadable_body: str = "refuse"
    unknown_search_field: str = "refuse"
    bad_search_value: str = "refuse"
    bad_search_syntax: str = "refuse"
    date_without_modifier: str = "refuse"
    party_id_type: str = "string"
    created_at_precision: str = "microseconds"
    adjustment_status: int = 200
    empty_range: str = "null"
    queued_stripe_status: str = "open"
    paid_label: str = "Paid"
    chargee_type: str = "merchant"
    negative_amounts: str = "refuse"
    fine_amounts: str = "refuse"
    zero_amounts: str = "accept"
    empty_search: str = "ignore"
    charge_moment: str = "iso"
    charges_per_page: int = 15
    unselected_create: str = "refuse"
    missing_header_adjustment: str = "refuse"
    invoice_description: str = "text"
    first_id: int = 1
    per_page_below_one: str = "refuse"
    ids: str = "counted"
    whole_numbers: str = "float"
    charset: str = "unnamed"
    foreign_charge_status: int = 404
    most_clauses: int | None = None
    ignored_search: str = "clause"
    charges_order: str = "newest_first"
    most_charge_ids: int | None = None
    beyond_64_bits: str = "too_large"
    stripe_id_case: str = "told_apart"
    payment_reported: str = "seconds_later"


def choose(values: Mapping[str, Any]) -> Choices:
    """The choices with `values` in place of the defaults; raises UnknownChoice."""
    legal = LISTED | UNLISTED
    for key, value in values.items():
        if key not in legal:
            raise UnknownChoice(f"no choice is called {key!r}; there are {', '.join(legal)}")
        any_number = key in ("per_page_max", "first_id") and type(value) is int and value > 0
        if value not in legal[key] and not any_number:
            raise UnknownChoice(f"{key} can't be {value!r}; it is one of {legal[key]}")
    return Choices(**values)


def read_choice(text: str) -> tuple[str, Any]:
    """`KEY=VALUE` of a command line as key and typed value; raises UnknownChoice."""
    key, _, value = text.partition("=")
    if value.lower() in ("null", "none") and None in (LISTED | UNLISTED).get(key, ()):
        return key, None
    return key, int(value) if value.isdigit() else value
