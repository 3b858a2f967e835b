"""How records and pages are written."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.core.paginator import EmptyPage, PageNotAnInteger, Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from tests.mutants.frameworks.choices import NATIVE
from tests.mutants.frameworks.django_server.models import Charge, Invoice
from tests.mutants.frameworks.django_server.replies import invalid


def shown_invoice(invoice: Invoice) -> dict[str, object]:
    """An invoice as the API shows it."""
    choices = settings.CHOICES
    label = "Draft" if invoice.finalized_at is None else choices.finalized_label
    if invoice.paid_at is not None and invoice.stripe_invoice_status == "paid" and choices.paid_label:
        label = choices.paid_label
    shown: dict[str, object] = {
        "id": invoice.pk,
        **_parties(invoice),
        "created_at": _moment(invoice.created_at),
        "currency": invoice.merchant.currency,
        "status": label,
        "stripe_invoice_status": invoice.stripe_invoice_status,
        "stripe_invoice_id": invoice.stripe_invoice_id,
        "description": invoice.description,
        "total": float(invoice.total),
    }
    if choices.answers == "rich":
        charges = [charge.pk for charge in invoice.charges.all()]
        shown["charge_ids"] = charges
        shown["client"] = {"id": invoice.merchant_id, "name": invoice.merchant.name}
        shown["finalized_at"] = invoice.finalized_at and _moment(invoice.finalized_at)
    return shown


def shown_charge(charge: Charge) -> dict[str, object]:
    """A charge as the API shows it."""
    shown: dict[str, object] = {
        "id": charge.pk,
        **_parties(charge),
        "created_at": _moment(charge.created_at),
        "currency": charge.merchant.currency,
        "price": float(charge.amount),
        "amount": float(charge.amount),
        "status": "Open" if charge.invoice_id is None else "Invoiced",
        "category": charge.category,
        "description": charge.description,
        "stripe_invoice_item_id": None,
    }
    if settings.CHOICES.answers == "rich":
        shown["invoice"] = charge.invoice_id and {"id": charge.invoice_id}
    return shown


def _parties(record: Invoice | Charge) -> dict[str, object]:
    written = str if settings.CHOICES.party_id_type == "string" else int
    return {
        "charger_id": written(record.merchant.provider),
        "charger_type": "company",
        "chargee_id": written(record.merchant_id),
        "chargee_type": "merchant",
    }


def _moment(moment: datetime) -> str:
    precision = settings.CHOICES.created_at_precision
    if precision == "microseconds":
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return moment.strftime("%Y-%m-%dT%H:%M:%S" + ("Z" if precision == "seconds" else ".000000Z"))


def page(request: HttpRequest, records: QuerySet, show: object) -> dict[str, object]:
    """The page of the records that a request asks for; past the last one it is empty."""
    choices = settings.CHOICES
    if choices.list_order == "oldest_first":
        records = records.reverse()
    size = _number(request, "per_page", 15)
    if choices.per_page_max is not None and size > choices.per_page_max:
        if choices.per_page_above_max == "refuse":
            raise invalid({"per_page": [f"Ensure this value is at most {choices.per_page_max}."]})
        size = choices.per_page_max
    number = _number(request, "page", 1)
    with transaction.atomic():
        paginator = Paginator(records.select_related("merchant"), min(size, 2**31))
        try:
            rows = list(paginator.page(number).object_list)
        except EmptyPage:
            rows = []
        count, last = paginator.count, paginator.num_pages
    start = (number - 1) * size + choices.range_base
    shown = {
        "data": [show(row) for row in rows],  # type: ignore[operator]
        "current_page": number,
        "from": start if rows else None,
        "to": start + len(rows) - choices.range_base if rows else None,
        "per_page": size,
        "last_page": last,
        "total": count,
    }
    if choices.page_links != "absent":
        shown |= _links(request, number, last)
    return shown


def _number(request: HttpRequest, name: str, default: int) -> int:
    """A page or a size, by the rules of Django's paginator."""
    choices = settings.CHOICES
    given = request.GET.get(name)
    if given is None:
        return default
    try:
        if choices.page_not_a_number != NATIVE and not re.fullmatch(r"-?[0-9]{1,30}", given):
            raise PageNotAnInteger("That is not an integer.")
        number = Paginator([None] * 2, 1, allow_empty_first_page=True).validate_number(given)
    except PageNotAnInteger as error:
        refused = name == "per_page" and choices.per_page_not_a_number == "refuse"
        if choices.page_not_a_number == "default" and not refused:
            return default
        raise invalid({name: [str(error)]}) from error
    except EmptyPage as error:
        if not re.fullmatch(r"\s*[0-9_+]*[1-9][0-9_]*\s*", given):
            if choices.page_below_one == "first_page":
                return default if name == "per_page" else 1
            raise invalid({name: [str(error)]}) from error
        number = int(given)
    return int(number)


def _links(request: HttpRequest, number: int, last: int) -> dict[str, object]:
    kept = request.GET.copy() if settings.CHOICES.page_links == "keep_query" else {}
    address = request.build_absolute_uri(request.path)

    def link(wanted: int) -> str | None:
        if not 1 <= wanted <= last:
            return None
        query = {name: value for name, value in kept.items() if name not in ("page", "api_token")}
        return f"{address}?{urlencode({**query, 'page': wanted})}"

    return {
        "path": address,
        "first_page_url": link(1),
        "last_page_url": link(last),
        "next_page_url": link(number + 1),
        "prev_page_url": link(number - 1),
    }
