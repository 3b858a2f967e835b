"""What the tests of the contract ask it, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.contract.contract import Contract
from mockserver.contract.leniency import STRICT, Leniency
from mockserver.core import resources
from mockserver.core.errors import (
    Refused,
)
from mockserver.core.messages import Call, Request

SPEC = resources.openapi_path().read_text(encoding="utf-8")
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
INVOICE: dict[str, Any] = {
    "id": 1,
    "charger_id": "1",
    "charger_type": "company",
    "chargee_id": 2,
    "chargee_type": "merchant",
    "created_at": "2026-02-03T10:00:16.000000Z",
    "currency": "USD",
    "status": "Draft",
    "stripe_invoice_status": None,
    "stripe_invoice_id": None,
    "description": None,
    "total": 12.5,
}


def accept(
    contract: Contract,
    target: str,
    body: bytes = b"",
    kind: str | None = None,
    *,
    merchant: str | None = None,
    leniency: Leniency = STRICT,
) -> Call:
    """`accept(contract, "GET /billing/invoices?page=1")`."""
    method, _, url = target.partition(" ")
    path, _, query = url.partition("?")
    given = {} if merchant is None else {"x-selected-client-id": merchant}
    if kind is not None:
        given["content-type"] = kind
    operation, params = contract.route(method, path)
    return contract.accept(operation, params, Request(method, path, query, given, body), leniency=leniency)


def refusal(
    contract: Contract, target: str, body: bytes = b"", kind: str | None = None, *, merchant: str | None = None
) -> Refused:
    with pytest.raises(Refused) as caught:
        accept(contract, target, body, kind, merchant=merchant)
    return caught.value


LIST, CREATE, ADJUST = "GET /billing/invoices", "POST /billing/invoices", "POST /billing/charges/quick-adjustment"
