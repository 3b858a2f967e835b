"""The billing API as a caller sees it: one method for each operation, for one token and one merchant."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from mockserver.verify.transport.http import Transport
from mockserver.verify.transport.messages import Answer, Outgoing

MERCHANT_HEADER = "X-Selected-Client-Id"
JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"
USER_AGENT = "mockserver-verify"


@dataclass(frozen=True, slots=True)
class Billing:
    """A caller. Without a token none is sent; without a merchant no merchant header is."""

    transport: Transport
    token: str | None = None
    merchant: str | None = None
    token_in: str = "header"
    """`header`, or `query` for the parameter `api_token`."""

    def acting(self, **changes: Any) -> Billing:
        """The same caller with another token, merchant or way of giving the token."""
        return replace(self, **changes)

    def invoices(
        self,
        q: str | None = None,
        *,
        page: object = None,
        per_page: object = None,
    ) -> Answer:
        """`GET /billing/invoices`."""
        return self.get("/billing/invoices", q=q, page=page, per_page=per_page)

    def charges(self, *, page: object = None, per_page: object = None) -> Answer:
        """`GET /billing/charges`."""
        return self.get("/billing/charges", page=page, per_page=per_page)

    def charge(self, charge: object) -> Answer:
        """`GET /billing/charges/{charge}`."""
        return self.get(f"/billing/charges/{quote(str(charge), safe='')}")

    def adjust(self, amount: object, description: object) -> Answer:
        """`POST /billing/charges/quick-adjustment`."""
        return self.post("/billing/charges/quick-adjustment", {"amount": amount, "description": description})

    def create(self, charge_ids: Sequence[object] | None = None) -> Answer:
        """`POST /billing/invoices`; with None the body has no `charge_ids`."""
        return self.post("/billing/invoices", {} if charge_ids is None else {"charge_ids": list(charge_ids)})

    def create_by_form(self, charge_ids: Sequence[object]) -> Answer:
        """`POST /billing/invoices` with a form for a body."""
        body = urlencode([("charge_ids[]", str(one)) for one in charge_ids]).encode()
        return self.send("POST", "/billing/invoices", body=body, content_type=FORM_TYPE)

    def finalize(self, invoice: object) -> Answer:
        """`POST /billing/invoices/{invoice}/finalize`."""
        return self.send("POST", f"/billing/invoices/{quote(str(invoice), safe='')}/finalize")

    def collect(self, invoice: object) -> Answer:
        """`POST /billing/invoices/{invoice}/collect`: charges a card."""
        return self.send("POST", f"/billing/invoices/{quote(str(invoice), safe='')}/collect")

    def get(self, path: str, **query: object) -> Answer:
        """A GET; a query parameter that is None is left out."""
        return self.send("GET", path, query=[(k, str(v)) for k, v in query.items() if v is not None])

    def post(self, path: str, content: object) -> Answer:
        """A POST of `content` as JSON."""
        return self.send("POST", path, body=to_json(content), content_type=JSON_TYPE)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        content_type: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> Answer:
        """Any request, as this caller. Raises what the transport raises."""
        pairs = list(query)
        if self.token is not None and self.token_in == "query":
            pairs.append(("api_token", self.token))
        sent = [("Accept", JSON_TYPE), ("User-Agent", USER_AGENT)]
        if self.token is not None and self.token_in == "header":
            sent.append(("Authorization", f"Bearer {self.token}".strip()))
        if self.merchant is not None:
            sent.append((MERCHANT_HEADER, self.merchant))
        if content_type is not None:
            sent.append(("Content-Type", content_type))
        target = path + ("?" + urlencode(pairs) if pairs else "")
        return self.transport.send(Outgoing(method, target, (*sent, *headers), body))


class _ExactEncoder(json.JSONEncoder):
    """Writes decimals as the numbers that they are."""

    def default(self, value: object) -> object:
        if isinstance(value, Decimal):
            return int(value) if value == value.to_integral_value() else float(value)
        return super().default(value)


def to_json(content: object) -> bytes:
    """The bytes of `content`; decimals become numbers."""
    return json.dumps(content, cls=_ExactEncoder).encode()
