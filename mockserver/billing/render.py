"""Records as the API shows them: one rendering per entity, and the page around a list."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from mockserver.billing.money import to_number
from mockserver.billing.profile import Profile
from mockserver.billing.records import Charge, Invoice, Merchant, Provider
from mockserver.core.clock import render_time, whole_second

JSON = dict[str, Any]
_NOT_REPEATED = ("page", "api_token")
_BESIDE = 3
"""How many page numbers stand on each side of the current one among a page's links."""
_LONGEST_KEPT = 1_000
"""Characters of a list's URL up to which the links of its pages are kept for the next time."""


def party_id(number: int, profile: Profile) -> int | str:
    """The id of a provider or merchant, in the type that the profile chooses."""
    return number if profile.party_id_type == "integer" else str(number)


def moment(at: int, profile: Profile) -> str:
    if profile.created_at_precision == "zero_microseconds":
        return render_time(whole_second(at))
    return render_time(at, microseconds=profile.created_at_precision == "microseconds")


def _header(record: Invoice | Charge, merchant: Merchant, provider: Provider, profile: Profile) -> JSON:
    """What invoices and charges have in common."""
    return {
        "id": record.id,
        "charger_id": party_id(provider.id, profile),
        "charger_type": provider.type,
        "chargee_id": party_id(merchant.id, profile),
        "chargee_type": merchant.type,
        "created_at": moment(record.created_at, profile),
        "currency": record.currency,
    }


def invoice(record: Invoice, merchant: Merchant, provider: Provider, profile: Profile) -> JSON:
    """The invoice with every property of the contract's table."""
    return {
        **_header(record, merchant, provider, profile),
        "status": "Draft" if record.draft else profile.finalized_label,
        "stripe_invoice_status": record.stripe_invoice_status,
        "stripe_invoice_id": record.stripe_invoice_id,
        "description": record.description,
        "total": to_number(record.total, record.currency),
    }


def charge(record: Charge, merchant: Merchant, provider: Provider, profile: Profile) -> JSON:
    """The charge with every property of the contract's list."""
    amount = to_number(record.amount, record.currency)
    return {
        **_header(record, merchant, provider, profile),
        "price": amount,
        "amount": amount,
        "status": record.status,
        "category": record.category,
        "description": record.description,
        "stripe_invoice_item_id": record.stripe_invoice_item_id,
    }


def invoice_in_event(
    record: Invoice, charges: Sequence[Charge], merchant: Merchant, provider: Provider, profile: Profile
) -> JSON:
    """The invoice as the webhook shows it, with more about it than the list does."""

    def when(at: int | None) -> str | None:
        return None if at is None else moment(at, profile)

    return {
        **invoice(record, merchant, provider, profile),
        "voided_at": when(record.voided_at),
        "finalized_at": when(record.finalized_at),
        "is_creating_on_stripe": not record.draft and record.stripe_invoice_id is None,
        "charges": [charge(one, merchant, provider, profile) for one in charges],
    }


def page(
    rows: Sequence[JSON],
    *,
    total: int,
    number: int,
    per_page: int,
    profile: Profile,
    address: str,
    query_string: str,
) -> JSON:
    """The page around its rows (LIST-3); `address` is the list's own URL, `query_string` its query, still encoded."""
    last_page = max(1, -(-total // per_page))
    before = (number - 1) * per_page
    links: JSON = {}
    if profile.page_links != "absent":
        kept = query_string if profile.page_links == "keep_query" else ""
        links = page_links(address, kept, number, last_page)
    return {
        "current_page": number,
        "data": rows,
        "from": before + profile.range_base if rows else None,
        "last_page": last_page,
        "per_page": per_page,
        # Counted from 1 it is the last row; counted from 0 it is one past it. Both come to the same.
        "to": before + len(rows) if rows else None,
        "total": total,
        **links,
    }


def page_links(address: str, query_string: str, number: int, last_page: int) -> JSON:
    """The links that some endpoints of the API add to a page; treat what it returns as read-only."""
    # Links that repeat a long query take a megabyte.
    make = _page_links if len(address) + len(query_string) < _LONGEST_KEPT else _page_links.__wrapped__
    return make(address, query_string, number, last_page)


@lru_cache(maxsize=512)
def _page_links(address: str, query_string: str, number: int, last_page: int) -> JSON:
    kept = [part for part in query_string.split("&") if part and part.partition("=")[0] not in _NOT_REPEATED]

    def url(target: int) -> str | None:
        if not 1 <= target <= last_page:
            return None
        return f"{address}?{'&'.join([*kept, f'page={target}'])}"

    numbers = [
        {"url": url(target) if target else None, "label": str(target or "..."), "active": target == number}
        for target in _shown(number, last_page)
    ]
    before = {"url": url(number - 1), "label": "&laquo; Previous", "active": False}
    after = {"url": url(number + 1), "label": "Next &raquo;", "active": False}
    return {
        "first_page_url": url(1),
        "last_page_url": url(last_page),
        "next_page_url": after["url"],
        "prev_page_url": before["url"],
        "path": address,
        "links": [before, *numbers, after],
    }


def _shown(number: int, last_page: int) -> list[int]:
    """The page numbers worth a link: both ends and those around the current one; 0 stands for a gap."""
    around = range(max(1, number - _BESIDE), min(last_page, number + _BESIDE) + 1)
    shown: list[int] = []
    for target in sorted(one for one in {1, 2, *around, last_page - 1, last_page} if 1 <= one <= last_page):
        if shown and target > shown[-1] + 1:
            shown.append(0)
        shown.append(target)
    return shown
