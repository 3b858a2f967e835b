"""The servers that keep every rule: each other value of each choice, each nuisance, and some of both at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.mutants.config import GIVEN, MERCHANT, MIXED, PROVIDER, ServerConfig
from tests.mutants.dialects import DIALECTS
from tests.mutants.habits import HABITS
from tests.mutants.noise import NUISANCES
from tests.mutants.reference.choices import LISTED, UNLISTED
from tests.mutants.reference.stripe import ANSWER_LOST, PAYS_LATER

CORRECT = ServerConfig(name="correct", says="every choice at its default, nothing in the way")
DECLINING = "pm_card_visa_chargeDeclinedInsufficientFunds"
LARAVEL: dict[str, Any] = {
    "page_below_one": "first_page",
    "page_not_a_number": "default",
    "beyond_64_bits": "no_number",
    "stripe_id_case": "alike",
    "page_links": "drop_query",
    "empty_charge_ids": "as_omitted",
    "numeric_strings": "accept",
    "loose_integers": "accept",
    "unreadable_body": "as_empty",
    "finalize_status": 202,
    "illegal_state_status": 409,
    "list_order": "oldest_first",
    "party_id_type": "integer",
    "created_at_precision": "zero_microseconds",
    "refinalize": "accept",
    "recollect": "accept",
    "action_body": "message",
    "per_page_above_max": "refuse",
    "per_page_max": 50,
}
LENIENT: dict[str, Any] = {
    "page_below_one": "first_page",
    "no_charges": "empty_draft",
    "duplicate_charge_ids": "collapse",
    "numeric_strings": "accept",
    "page_not_a_number": "default",
    "empty_charge_ids": "as_omitted",
    "loose_integers": "accept",
    "unreadable_body": "as_empty",
    "unknown_search_field": "ignore",
    "bad_search_value": "ignore",
    "bad_search_syntax": "ignore",
    "date_without_modifier": "accept",
    "refinalize": "accept",
    "recollect": "accept",
    "negative_amounts": "accept",
    "fine_amounts": "round",
    "unselected_create": "first_merchant",
    "missing_header_adjustment": "own_merchant",
}
TERSE: dict[str, Any] = {
    "create_status": 201,
    "collect_status": 202,
    "invalid_request_status": 400,
    "illegal_state_status": 400,
    "declined_status": 400,
    "foreign_invoice_status": 403,
    "unknown_merchant_status": 404,
    "action_body": "message",
    "range_base": 0,
    "page_links": "absent",
    "per_page_max": None,
    "finalized_label": "Open",
    "paid_label": "same",
    "invoice_description": "null",
}


NEEDS: dict[str, dict[str, Any]] = {
    "per_page_above_max": {"per_page_max": 25},
    "beyond_64_bits": {"page_not_a_number": "default"},
    "payment_reported": {"payment_shown": "later"},
    "ignored_search": {
        "unknown_search_field": "ignore",
        "bad_search_value": "ignore",
        "bad_search_syntax": "ignore",
    },
}
"""What else must be chosen for a choice to show."""


def other_values() -> Iterator[ServerConfig]:
    """One configuration for each value that is not a default."""
    for key, values in (LISTED | UNLISTED).items():
        for value in values[1:]:
            needs = NEEDS.get(key, {})
            yield ServerConfig(
                name=f"{key}={'null' if value is None else value}",
                says=f"the choice {key} is {value!r}",
                choices={**needs, key: value},
                arguments=PROVIDER if key == "merchant_header" else MERCHANT,
            )


def combinations() -> Iterator[ServerConfig]:
    """Choices and nuisances that may act on each other."""
    yield ServerConfig(name="laravel", says="as a Laravel application might choose", choices=LARAVEL)
    yield ServerConfig(name="lenient", says="accepts whatever it may", choices=LENIENT)
    yield ServerConfig(name="terse", says="says as little as it may", choices=TERSE, nuisances=("empty",))
    yield ServerConfig(
        name="staging",
        says="a shared staging server",
        choices=LARAVEL,
        nuisances=("prefilled", "busy", "extra"),
        stripe_delay=1.0,
    )
    yield ServerConfig(
        name="far_away",
        says="slow, with a late queue, others at work",
        nuisances=("slow", "late_queue", "busy"),
    )
    yield ServerConfig(
        name="late_accepting",
        says="a late queue, and whatever is repeated is accepted",
        choices={"refinalize": "accept", "recollect": "accept", "queued_stripe_status": "draft"},
        nuisances=("late_queue",),
    )
    yield ServerConfig(name="provider", says="asked with the provider's token", arguments=PROVIDER)
    yield ServerConfig(
        name="provider_busy", says="the provider's token, others at work", nuisances=("busy",), arguments=PROVIDER
    )
    yield ServerConfig(name="no_minor_unit", says="the merchant is billed in BIF", currencies={1: "BIF", 2: "BIF"})
    yield ServerConfig(name="three_decimals", says="the merchant is billed in KWD", currencies={1: "KWD", 2: "JPY"})
    yield ServerConfig(name="two_currencies", says="the merchants are billed in two currencies", currencies={2: "EUR"})
    yield ServerConfig(
        name="mixed_currencies",
        says="the charges to be billed are in two currencies",
        nuisances=("empty", "mixed_currencies"),
        arguments=MIXED,
        exits=frozenset((0, 3)),
    )
    yield ServerConfig(
        name="four_operations",
        says="has the operations on invoices alone, and takes charges that were made elsewhere",
        nuisances=("four_operations", "charges_given", "empty"),
        arguments=GIVEN,
        exits=frozenset((0, 3)),
    )
    yield ServerConfig(
        name="webhook_integration",
        says="learns of payments from Stripe seconds later, of lost answers too; a provider must select a merchant",
        choices={"payment_shown": "later", "merchant_header": "required", "recollect": "accept"},
        cards={2: ANSWER_LOST},
        arguments=PROVIDER,
    )
    yield ServerConfig(
        name="queue_of_collects",
        says="collects are queued, and the first job that charges the card ends the others",
        choices={"collect_status": 202, "payment_shown": "later"},
        nuisances=("queued_collects",),
    )
    yield ServerConfig(
        name="habits",
        says="pages, labels, types, times and limits are as frameworks have them by habit",
        nuisances=(
            "charges_of_fixed_size",
            "labels_by_the_queue",
            "problem_details",
            "near_pages_only",
            "times_of_two_kinds",
            "null_is_nothing",
            "totals_have_a_limit",
            "deployed",
        ),
        stripe_delay=0.01,
    )
    yield ServerConfig(
        name="limits",
        says="ids, amounts and totals have limits, and a firewall stands before it",
        currencies={1: "JPY", 2: "JPY"},
        nuisances=("totals_have_a_low_limit", "twenty_ids_at_most", "least_adjustment", "firewall_of_operators"),
    )
    yield ServerConfig(
        name="pages_of_ten",
        says=f"{HABITS['pages_of_ten'].__doc__}; {HABITS['sorted_by_total'].__doc__}",
        choices={"per_page_max": 10},
        nuisances=("pages_of_ten", "sorted_by_total"),
    )
    yield ServerConfig(
        name="nodes", says=str(HABITS["nodes_in_upper_bits"].__doc__), nuisances=("nodes_in_upper_bits",)
    )
    yield ServerConfig(name="colleague", says=str(HABITS["colleague"].__doc__), nuisances=("colleague",))
    yield ServerConfig(
        name="collector", says=str(HABITS["collector"].__doc__), nuisances=("collector",), stripe_delay=0.5
    )
    yield ServerConfig(
        name="old_credit",
        says=str(HABITS["old_credit"].__doc__),
        choices={"negative_amounts": "accept"},
        nuisances=("old_credit",),
    )
    yield ServerConfig(
        name="no_card",
        says=str(HABITS["no_card_no_attempt"].__doc__),
        cards={1: "none"},
        nuisances=("no_card_no_attempt",),
        stripe_delay=3.0,
        exits=frozenset((0, 3)),
    )
    yield ServerConfig(
        name="queue_of_declines",
        says=str(HABITS["declines_in_the_queue"].__doc__),
        choices={"collect_status": 202},
        cards={1: DECLINING},
        nuisances=("declines_in_the_queue",),
        exits=frozenset((0, 3)),
    )
    yield ServerConfig(
        name="declining",
        says="the merchant's card always declines, so that no payment can be seen",
        cards={1: DECLINING},
        exits=frozenset((0, 3)),
    )
    yield ServerConfig(name="other_declines", says="the other merchant's card always declines", cards={2: DECLINING})
    yield ServerConfig(
        name="pays_later",
        says="each invoice is declined at the first attempt and paid at the second",
        cards={1: PAYS_LATER},
    )
    yield ServerConfig(
        name="answers_lost",
        says="the first collect of each invoice pays it, and fails for want of Stripe's answer",
        cards={1: ANSWER_LOST},
        exits=frozenset((0, 3)),
    )


def all_legal() -> dict[str, ServerConfig]:
    # What queues collects answers 202, which is above, as are the habits.
    alone = {name: says for name, says in NUISANCES.items() if name != "queued_collects" and name not in HABITS}
    nuisances = (ServerConfig(name=name, says=says, nuisances=(name,)) for name, says in alone.items())
    dialects = (ServerConfig(name=name, says=kind.__doc__ or "", dialect=name) for name, kind in DIALECTS.items())
    configs = [CORRECT, *other_values(), *nuisances, *dialects, *combinations()]
    return {config.name: config for config in configs}


LEGAL: dict[str, ServerConfig] = all_legal()
