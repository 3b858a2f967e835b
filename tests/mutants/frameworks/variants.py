"""Correct servers that are far from each other: each a framework, and choices that the contract leaves open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.mutants.frameworks import parties
from tests.mutants.frameworks.starting import Running, missing, running

_EXERCISED = frozenset((0,))
_HARDLY_EXERCISED = frozenset((0, 3))


@dataclass(frozen=True, slots=True)
class Variant:
    """A correct server by name; `merchant_view` has the other token be that of a merchant, not of a provider."""

    name: str
    server: str
    choices: Mapping[str, str] = field(default_factory=dict)
    merchant_view: bool = False

    @property
    def says(self) -> str:
        """What it is, for people."""
        return " ".join([self.server, *(f"{name}={value}" for name, value in self.choices.items())])

    @property
    def arguments(self) -> tuple[str, ...]:
        """How the verifier is called on it; where no charges can be made it is told some that there are."""
        other = parties.TOKENS[2 if self.merchant_view else 1].value
        said: tuple[str, ...] = ("--token", parties.TOKENS[0].value, "--merchant", str(parties.PAYING))
        said += ("--other-token", other, "--other-merchant", str(parties.OTHER))
        said += ("--declining-merchant", str(parties.DECLINING))
        if self._has_companions:
            return said
        first = int(self.choices.get("invoices", "0")) + 1
        charges = range(first, first + int(self.choices["charges"]))
        return (*said, "--charge-ids", ",".join(map(str, charges)))

    @property
    def exits(self) -> frozenset[int]:
        """The verifier's right exit codes: without companions a rule may be out of its reach."""
        return _EXERCISED if self._has_companions else _HARDLY_EXERCISED

    @property
    def _has_companions(self) -> bool:
        return self.choices.get("companions", "present") == "present"


def _variant(name: str, server: str, choices: str = "", *, merchant_view: bool = False) -> Variant:
    pairs = dict(choice.split("=") for choice in choices.split())
    return Variant(name, server, pairs, merchant_view)


_DJANGO, _FASTAPI, _LARAVEL, _EXPRESS = "django_server", "fastapi_server", "laravel_like", "express_like"

VARIANTS = (
    _variant("django", _DJANGO),
    _variant(
        "django-strict",
        _DJANGO,
        "numeric_strings=refuse loose_integers=refuse empty_charge_ids=refuse extra_properties=refuse",
    ),
    _variant(
        "django-loose",
        _DJANGO,
        "numeric_strings=accept loose_integers=accept empty_charge_ids=as_omitted page_not_a_number=default",
    ),
    _variant(
        "django-header-required",
        _DJANGO,
        "merchant_header=required missing_merchant_status=422 unknown_merchant_status=404",
    ),
    _variant(
        "django-header-last", _DJANGO, "merchant_check=last foreign_invoice_status=403 unknown_merchant_status=422"
    ),
    _variant("django-webhook", _DJANGO, "payment_shown=later payment_seconds=2 recollect=accept paid_label=Paid"),
    _variant("django-slow-queue", _DJANGO, "queue_seconds=2.5 refinalize=accept finalize_status=202"),
    _variant("django-vendor-range", _DJANGO, "range_base=0 party_id_type=string page_links=keep_query"),
    _variant("django-ignores-fields", _DJANGO, "unknown_search_field=ignore date_without_modifier=accept"),
    _variant("django-random-ids", _DJANGO, "ids=random list_order=oldest_first answers=rich"),
    _variant(
        "django-four-hundred",
        _DJANGO,
        "invalid_request_status=400 illegal_state_status=400 declined_status=400 create_status=200",
    ),
    _variant("django-no-companions", _DJANGO, "companions=absent_404 charges=120 invoices=7"),
    _variant("django-races", _DJANGO, "slow_seconds=0.05 queue_seconds=0"),
    _variant("django-dinars", _DJANGO, "currency=KWD created_at_precision=seconds"),
    _variant("fastapi", _FASTAPI),
    _variant(
        "fastapi-strict",
        _FASTAPI,
        "numeric_strings=refuse loose_integers=refuse empty_charge_ids=refuse extra_properties=refuse",
    ),
    _variant(
        "fastapi-header-required", _FASTAPI, "merchant_header=required missing_merchant_status=403", merchant_view=True
    ),
    _variant(
        "fastapi-webhook", _FASTAPI, "payment_shown=later payment_seconds=1.2 collect_status=202 action_body=message"
    ),
    _variant(
        "fastapi-endless-pages", _FASTAPI, "per_page_max=null page_below_one=first_page page_not_a_number=default"
    ),
    _variant("fastapi-small-pages", _FASTAPI, "per_page_max=20 per_page_above_max=clamp invoices=30 range_base=0"),
    _variant("fastapi-ignores-values", _FASTAPI, "bad_search_value=ignore created_at_precision=seconds"),
    _variant("fastapi-ignores-syntax", _FASTAPI, "bad_search_syntax=ignore unreadable_body=as_empty"),
    _variant("fastapi-random-ids", _FASTAPI, "ids=random page_links=drop_query party_id_type=string"),
    _variant("fastapi-no-companions", _FASTAPI, "companions=absent_405 charges=120"),
    _variant("fastapi-yen", _FASTAPI, "currency=JPY invoices=4"),
    _variant(
        "fastapi-four-hundred",
        _FASTAPI,
        "invalid_request_status=400 illegal_state_status=403 declined_status=422 foreign_invoice_status=403",
    ),
    _variant(
        "fastapi-empty-drafts",
        _FASTAPI,
        "no_charges=empty_draft duplicate_charge_ids=collapse refinalize=accept recollect=accept",
    ),
    _variant("fastapi-races", _FASTAPI, "slow_seconds=0.03 queue_seconds=2 answers=rich merchant_check=last"),
    _variant(
        "fastapi-no-credits",
        _FASTAPI,
        "credits=refuse finalized_label=Issued paid_label=Settled list_order=oldest_first",
    ),
    _variant("laravel-defaults", _LARAVEL),
    _variant(
        "laravel-header-optional",
        _LARAVEL,
        "merchant_header=optional page_links=keep_query payment_shown=at_once per_page_not_a_number=refuse",
    ),
    _variant(
        "laravel-careful",
        _LARAVEL,
        "unreadable_body=refuse page_not_a_number=refuse page_below_one=refuse per_page_above_max=refuse",
    ),
    _variant(
        "laravel-strict",
        _LARAVEL,
        "loose_integers=refuse numeric_strings=refuse empty_charge_ids=refuse page_links=absent",
    ),
    _variant(
        "laravel-ignores-searches",
        _LARAVEL,
        "unknown_search_field=ignore bad_search_value=ignore bad_search_syntax=ignore",
    ),
    _variant(
        "laravel-slow-queue", _LARAVEL, "queue_seconds=2 payment_seconds=2 illegal_state_status=409", merchant_view=True
    ),
    _variant(
        "laravel-accepting",
        _LARAVEL,
        "refinalize=accept recollect=accept duplicate_charge_ids=collapse action_body=message",
    ),
    _variant(
        "laravel-vendor-range",
        _LARAVEL,
        "range_base=0 list_order=oldest_first created_at_precision=seconds answers=rich",
    ),
    _variant("laravel-no-companions", _LARAVEL, "companions=absent_404 charges=150 payment_shown=at_once"),
    _variant("laravel-random-ids", _LARAVEL, "ids=random invoices=40 merchant_header=optional merchant_check=last"),
    _variant(
        "laravel-euro",
        _LARAVEL,
        "currency=EUR no_charges=empty_draft created_at_precision=microseconds party_id_type=string",
    ),
    _variant("express", _EXPRESS),
    _variant(
        "express-loose",
        _EXPRESS,
        "loose_integers=accept empty_charge_ids=as_omitted unreadable_body=as_empty page_not_a_number=default",
    ),
    _variant(
        "express-webhook",
        _EXPRESS,
        "payment_shown=later payment_seconds=2 merchant_header=required recollect=refuse page_links=drop_query",
    ),
    _variant(
        "express-slow-queue",
        _EXPRESS,
        "queue_seconds=2 slow_seconds=0.05 refinalize=accept action_body=message range_base=0",
    ),
    _variant(
        "express-random-ids",
        _EXPRESS,
        "ids=random invoices=20 per_page_max=null list_order=oldest_first created_at_precision=seconds",
    ),
)


def startable() -> dict[str, Variant]:
    """Those whose servers are installed here, by name."""
    return {variant.name: variant for variant in VARIANTS if missing(variant.server) is None}


@contextmanager
def started(variant: Variant) -> Iterator[Running]:
    """The server of a variant."""
    with running(variant.server, variant.choices, merchant_view=variant.merchant_view) as server:
        yield server
