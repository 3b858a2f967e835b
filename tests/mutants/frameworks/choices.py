"""What a correct server may do one way or another, as switches that every server of this folder is started with.

The first part holds the open choices of the contract, by their names there. The second part holds what the contract
leaves open without giving it a name. A server's own defaults are what its framework does by itself.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

Leniency = Literal["refuse", "ignore"]
Taken = Literal["refuse", "accept"]

NATIVE = "native"
"""The value of a choice that says: whatever the framework's own validation makes of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """One way to be correct."""

    create_status: Literal[200, 201] = 200
    finalize_status: Literal[200, 202] = 200
    collect_status: Literal[200, 202] = 200
    invalid_request_status: Literal[422, 400] = 422
    illegal_state_status: Literal[422, 409, 400, 403] = 422
    declined_status: Literal[402, 422, 400] = 402
    foreign_invoice_status: Literal[404, 403] = 404
    unknown_merchant_status: Literal[403, 404, 422] = 403
    refinalize: Taken = "refuse"
    recollect: Taken = "refuse"
    finalized_label: str = "Finalized"
    action_body: Literal["message_and_invoice", "message"] = "message_and_invoice"
    merchant_header: Literal["optional", "required"] = "optional"
    empty_charge_ids: Literal["refuse", "as_omitted", "native"] = "native"
    unreadable_body: Literal["refuse", "as_empty", "native"] = "refuse"
    page_not_a_number: Literal["refuse", "default", "native"] = "native"
    loose_integers: Literal["refuse", "accept", "native"] = "native"
    numeric_strings: Literal["refuse", "accept", "native"] = "native"
    unknown_search_field: Leniency = "refuse"
    bad_search_value: Leniency = "refuse"
    bad_search_syntax: Leniency = "refuse"
    date_without_modifier: Taken = "refuse"
    page_links: Literal["keep_query", "drop_query", "absent"] = "absent"
    list_order: Literal["newest_first", "oldest_first"] = "newest_first"
    per_page_max: int | None = 100
    per_page_above_max: Literal["clamp", "refuse"] = "clamp"
    page_below_one: Literal["refuse", "first_page"] = "refuse"
    range_base: Literal[1, 0] = 1
    no_charges: Literal["refuse", "empty_draft"] = "refuse"
    duplicate_charge_ids: Literal["refuse", "collapse"] = "refuse"
    party_id_type: Literal["string", "integer"] = "string"
    created_at_precision: Literal["microseconds", "seconds", "zero_microseconds", "native"] = "microseconds"
    payment_shown: Literal["at_once", "later"] = "at_once"

    companions: Literal["present", "absent_404", "absent_405"] = "present"
    """Whether charges can be listed, shown and made; without that each merchant starts with some open ones."""
    companion_status: Literal[200, 201] = 200
    charges: int = 0
    """How many open charges each merchant has at the start."""
    invoices: int = 0
    """How many invoices, of all kinds, each merchant has at the start."""
    ids: Literal["sequential", "random"] = "sequential"
    """Random ones are up to 2^53 and tell nothing about the order of things."""
    merchant_check: Literal["first", "last"] = "first"
    """Whether the merchant header is judged before the rest of a request or after it."""
    missing_merchant_status: Literal[400, 403, 422] = 400
    per_page_not_a_number: Literal["as_page", "refuse"] = "as_page"
    """Whether a `per_page` that is no number goes the way of `page_not_a_number`, or is refused all the same."""
    extra_properties: Literal["ignore", "refuse"] = "ignore"
    """What becomes of properties of a body that the operation does not know."""
    answers: Literal["plain", "rich"] = "plain"
    """Rich answers carry further properties, nested ones among them."""
    paid_label: str = ""
    """The `status` of a paid invoice; empty: it keeps the label of a finalized one."""
    credits: Taken = "accept"
    """Whether a quick adjustment may be negative."""
    currency: Literal["USD", "JPY", "KWD", "EUR"] = "USD"
    """The currency of the merchants that are worked with."""
    queue_seconds: float = 0.1
    """How long the queue takes to create a finalized invoice on Stripe."""
    payment_seconds: float = 1.5
    """How long it takes Stripe to report a payment, where `payment_shown` is later."""
    slow_seconds: float = 0.0
    """How long each change of a record takes more than it must, to widen races."""

    def changed(self, changes: Mapping[str, str]) -> Choices:
        """These choices with some set otherwise, by the text of a command line.

        Raises:
            ValueError: for a choice that does not exist, or a value that it does not have.
        """
        hints = get_type_hints(Choices)
        unknown = sorted(set(changes) - set(hints))
        if unknown:
            raise ValueError(f"there is no choice {', '.join(unknown)}; there are {', '.join(sorted(hints))}")
        values: dict[str, Any] = {name: _read(name, text, hints[name]) for name, text in changes.items()}
        return dataclasses.replace(self, **values)

    def to_json(self) -> str:
        """All choices in one line, for a program that takes them from its environment."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Choices:
        """What `to_json` wrote."""
        return cls(**json.loads(text))


def _read(name: str, text: str, hint: Any) -> object:
    if hint is str:
        return text
    if hint in (int, float):
        return hint(text)
    if hint == int | None:
        return None if text == "null" else int(text)
    for value in get_args(hint):
        if str(value) == text:
            return value
    raise ValueError(f"{name} is one of {', '.join(map(str, get_args(hint)))}, not {text!r}")


@dataclass(frozen=True, slots=True)
class Arguments:
    """How a server of this folder is started."""

    port: int
    directory: Path
    choices: Choices


def arguments(defaults: Choices, argv: Sequence[str] | None = None) -> Arguments:
    """The command line `--port N --directory PATH --set choice=value …`; port 0 takes any free one."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--directory", type=Path, required=True, help="where the database goes")
    parser.add_argument("--set", action="append", default=[], metavar="CHOICE=VALUE", dest="changes")
    given = parser.parse_args(argv)
    pairs = [change.partition("=") for change in given.changes]
    try:
        choices = defaults.changed({name: value for name, _, value in pairs})
    except ValueError as error:
        parser.error(str(error))
    return Arguments(given.port, given.directory, choices)
