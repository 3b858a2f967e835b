"""What invoices, charges and pages must look like."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.mutants.client import Answer

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
STRIPE = (None, "draft", "open", "paid", "void", "uncollectible")


def is_number(value: object) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def is_invoice(row: dict[str, Any]) -> None:
    assert type(row["id"]) is int, row
    assert isinstance(row["charger_id"], int | str) and isinstance(row["chargee_id"], int | str), row
    assert row["charger_type"] == "company" and row["chargee_type"] in ("merchant", "team"), row
    assert MOMENT.fullmatch(row["created_at"]), row
    assert re.fullmatch("[A-Z]{3}", row["currency"]), row
    assert isinstance(row["status"], str), row
    assert row["stripe_invoice_status"] in STRIPE, row
    assert (row["stripe_invoice_id"] is None) is (row["stripe_invoice_status"] is None), row
    assert row["stripe_invoice_id"] is None or row["stripe_invoice_id"].startswith("in_"), row
    assert row["description"] is None or isinstance(row["description"], str), row
    assert is_number(row["total"]), row


def is_charge(row: dict[str, Any]) -> None:
    assert type(row["id"]) is int, row
    assert is_number(row["amount"]) and row["amount"] == row["price"], row
    assert isinstance(row["created_at"], str) and isinstance(row["category"], str), row
    assert re.fullmatch("[A-Z]{3}", row["currency"]), row
    assert row["status"] in ("Open", "Invoiced", "Void"), row
    assert row["description"] is None or isinstance(row["description"], str), row
    assert row["stripe_invoice_item_id"] is None, row


def is_page(answer: Answer, is_row: Callable[[dict[str, Any]], None]) -> None:
    page = answer.document
    assert isinstance(page["data"], list), page
    for name in ("current_page", "total", "last_page", "per_page"):
        assert type(page[name]) is int, page
    for name in ("from", "to"):
        assert page[name] is None or type(page[name]) is int, page
    for row in page["data"]:
        is_row(row)
