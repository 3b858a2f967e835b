"""How records and pages are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from starlette.requests import Request

from tests.mutants.frameworks.choices import Choices
from tests.mutants.frameworks.fastapi_server.refusals import Invalid
from tests.mutants.frameworks.fastapi_server.requests import page_number
from tests.mutants.frameworks.fastapi_server.tables import Charge, Invoice
from tests.mutants.frameworks.parties import PLACES


def shown_invoice(invoice: Invoice, choices: Choices) -> dict[str, Any]:
    """An invoice as the API shows it."""
    label = {"draft": "Draft"}.get(invoice.state, choices.finalized_label)
    if invoice.stripe_invoice_status == "paid" and choices.paid_label:
        label = choices.paid_label
    shown = _common(invoice, choices) | {
        "status": label,
        "stripe_invoice_status": invoice.stripe_invoice_status,
        "stripe_invoice_id": invoice.stripe_invoice_id,
        "description": invoice.description,
        "total": _major(invoice.total, invoice.merchant.currency),
    }
    if choices.answers == "rich":
        shown["charges"] = [shown_charge(charge, choices) for charge in invoice.charges]
        shown["voided_at"] = None
    return shown


def shown_charge(charge: Charge, choices: Choices) -> dict[str, Any]:
    """A charge as the API shows it."""
    amount = _major(charge.amount, charge.merchant.currency)
    shown = _common(charge, choices) | {
        "price": amount,
        "amount": amount,
        "status": "Open" if charge.invoice_number is None else "Invoiced",
        "category": "Adjustment",
        "description": charge.description,
        "stripe_invoice_item_id": None,
    }
    if choices.answers == "rich":
        shown["quantity"] = 1
        shown["tags"] = ["adjustment", charge.merchant.name]
    return shown


def _common(record: Invoice | Charge, choices: Choices) -> dict[str, Any]:
    written: Callable[[int], object] = str if choices.party_id_type == "string" else int
    return {
        "id": record.id,
        "charger_id": written(record.merchant.provider),
        "charger_type": "company",
        "chargee_id": written(record.merchant_id),
        "chargee_type": "team",
        "created_at": _moment(record.created_at, choices),
        "currency": record.merchant.currency,
    }


def _moment(moment: datetime, choices: Choices) -> str:
    if choices.created_at_precision == "microseconds":
        return moment.isoformat(timespec="microseconds") + "Z"
    whole = moment.replace(microsecond=0)
    precise = choices.created_at_precision == "zero_microseconds"
    return whole.isoformat(timespec="microseconds" if precise else "seconds") + "Z"


def _major(minor: int, currency: str) -> float:
    return float(Decimal(minor).scaleb(-PLACES[currency]))


def page(
    request: Request,
    session: Session,
    records: Select[Any],
    order: Any,
    show: Callable[[Any, Choices], object],
    choices: Choices,
) -> dict[str, Any]:
    """The page of the records that a request asks for; past the last one it is empty."""
    query = request.query_params
    number = page_number("page", query.get("page"), 1, choices)
    size = page_number("per_page", query.get("per_page"), 15, choices)
    if choices.per_page_max is not None and size > choices.per_page_max:
        if choices.per_page_above_max == "refuse":
            raise Invalid({"per_page": [f"Input should be less than or equal to {choices.per_page_max}"]})
        size = choices.per_page_max
    with session.begin():
        count = session.scalar(select(func.count()).select_from(records.subquery())) or 0
        offset = (number - 1) * size
        rows: list[Any] = []
        if offset < count:
            ordered = records.order_by(order.desc() if choices.list_order == "newest_first" else order.asc())
            rows = list(session.scalars(ordered.offset(offset).limit(min(size, count))))
        data = [show(row, choices) for row in rows]
    last = max(1, -(-count // size))
    shown: dict[str, Any] = {"current_page": number, "last_page": last, "per_page": size, "total": count}
    shown["from"] = offset + choices.range_base if rows else None
    shown["to"] = offset + len(rows) if rows else None
    shown["data"] = data
    return shown | (_links(request, number, last, choices) if choices.page_links != "absent" else {})


def _links(request: Request, number: int, last: int, choices: Choices) -> dict[str, Any]:
    kept: Mapping[str, str] = request.query_params if choices.page_links == "keep_query" else {}
    path = str(request.url.replace(query="", fragment=""))
    query = {name: value for name, value in kept.items() if name not in ("page", "api_token")}

    def link(wanted: int) -> str | None:
        return f"{path}?{urlencode({**query, 'page': wanted})}" if 1 <= wanted <= last else None

    return {
        "path": path,
        "first_page_url": link(1),
        "prev_page_url": link(number - 1),
        "next_page_url": link(number + 1),
        "last_page_url": link(last),
    }
