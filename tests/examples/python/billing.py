"""A small client of the billing API: bills a merchant, and collects what is owed."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import httpx

_DECLINED = httpx.codes.PAYMENT_REQUIRED


class Declined(Exception):
    """The merchant's card was declined; it can be tried again later."""


class Billing:
    """The billing API at `url`, as `token` sees it."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"})

    def close(self) -> None:
        self._http.close()

    def bill(self, merchant: int, amount: float, description: str) -> int:
        """Charge the merchant, and put that on a finalized invoice; its id."""
        fee = {"amount": amount, "description": description}
        headers = {"X-Selected-Client-Id": str(merchant)}
        charge = self._send("POST", "/billing/charges/quick-adjustment", json=fee, headers=headers)["charge"]
        invoice = self._send("POST", "/billing/invoices", json={"charge_ids": [charge["id"]]})["invoice"]
        self._send("POST", f"/billing/invoices/{invoice['id']}/finalize")
        return int(invoice["id"])

    def collect(self, invoice: int, *, attempts: int = 3) -> None:
        """Collect the invoice; trouble on the way is tried again, a declined card is not."""
        for left in reversed(range(attempts)):
            try:
                self._send("POST", f"/billing/invoices/{invoice}/collect")
            except (httpx.HTTPError, ValueError) as trouble:
                if isinstance(trouble, httpx.HTTPStatusError) and trouble.response.status_code == _DECLINED:
                    raise Declined(trouble.response.json()["message"]) from trouble
                # Whatever came of it, the charge may have gone through.
                if not self.is_paid(invoice) and not left:
                    raise
            if self.is_paid(invoice):
                return

    def is_paid(self, invoice: int) -> bool:
        (found,) = self._send("GET", "/billing/invoices", params={"q": f'id:"{invoice}"'})["data"]
        return bool(found["stripe_invoice_status"] == "paid")

    def _send(self, method: str, path: str, **kwargs: Any) -> Any:
        answer = self._http.request(method, path, **kwargs)
        answer.raise_for_status()
        return answer.json()


def is_genuine(body: bytes, signature: str, secret: str) -> bool:
    """Whether an event that came by webhook was signed by who knows the secret."""
    return hmac.compare_digest(hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(), signature)
