"""Why a verdict of the fuzzer would be a false alarm on this API: what the contract leaves open, case by case."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mockserver.verify.fuzz.leniencies import let_pass

MOST_AMOUNT = 100_000
"""From here up, in major units, a server may call an amount too large."""
SAFE_PAGE = 10
"""Largest `per_page` that every server takes."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the server, and the ids that it lives by."""

    merchant: str | None = None
    digits: int = 0
    profile: Mapping[str, Any] = field(default_factory=dict)
    charges: tuple[int, ...] = ()
    invoices: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """A request of the fuzzer as it went over the wire, and the status that came."""

    operation: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    status: int

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), None)

    @property
    def is_form(self) -> bool:
        return (self.header("Content-Type") or "").startswith("application/x-www-form-urlencoded")


def open_cause(failure: str, message: str, sent: Sent, known: Known, body: object) -> str | None:
    """Why the failure of this type says nothing against the server; None when it does say something.

    `body` is the value that the request carries, as it was generated.
    """
    if (
        failure in ("UnsupportedMethodResponse", "MissingAllowHeader", "AllowHeaderMismatch")
        and 400 <= sent.status < 500
    ):
        return "which 4xx refuses a method, and with what headers, is open"
    if failure == "RejectedPositiveData" and 400 <= sent.status < 500:
        return _rejection(sent, known, body)
    if failure == "AcceptedNegativeData":
        return _acceptance(message, sent, known, body)
    if failure in ("MissingHeaderNotRejected", "MissingRequiredHeader"):
        return "a token that reaches one merchant needs no merchant header"
    if failure == "ServerError" and sent.operation == "collectInvoice":
        return "what Stripe's own trouble looks like is open"
    if failure in ("EnsureResourceAvailability", "UseAfterFree") and not _is_ours(sent, known):
        return "another merchant was selected"
    return None


def _rejection(sent: Sent, known: Known, body: object) -> str | None:
    if not _is_ours(sent, known):
        return "another merchant was selected"
    if not sent.query.keys() <= {"q", "page", "per_page"}:
        return "a token that is none, or what the API does not know, may be more than a server can read"
    if sent.operation in ("createInvoice", "finalizeInvoice", "collectInvoice", "getCharge"):
        return "whether a charge is free or an invoice in the right state is no matter of form"
    if sent.operation == "createQuickAdjustment":
        return _odd_adjustment(sent, known, body)
    if sent.operation == "listInvoices" and "q" in sent.query:
        return "a search may be unreadable though it is a string"
    for name in ("page", "per_page"):
        value = sent.query.get(name)
        most = 1_000_000 if name == "page" else SAFE_PAGE
        if value is not None and not (value.isascii() and value.isdigit() and 1 <= int(value) <= most):
            return f"a {name} of {value} may be out of range"
    return None


def _odd_adjustment(sent: Sent, known: Known, body: object) -> str | None:
    if isinstance(body, Mapping) and not body.keys() <= {"amount", "description"}:
        return "what stands beside the properties that the API knows may be more than a server can read"
    content = dict(parse_qsl(sent.body.decode("utf-8", "replace"))) if sent.is_form else None
    if content is None:
        match = re.search(rb'"amount"\s*:\s*(-?[0-9.eE+-]+)', sent.body)
        amount, description = match[1].decode() if match else "", sent.body.decode("utf-8", "replace")
    else:
        amount, description = content.get("amount", ""), content.get("description", "")
    try:
        value = Decimal(amount)
    except InvalidOperation:
        return "the amount can't be read from the wire"
    if not 0 < value < MOST_AMOUNT or value != round(value, known.digits):
        return "amounts that are 0, negative, huge or finer than the currency are open"
    if sent.is_form or not description.isascii() or not re.search(r'"description"\s*:\s*"[^"\\]{1,200}"', description):
        return "an empty, long or odd description is open"
    return None


def _acceptance(message: str, sent: Sent, known: Known, body: object) -> str | None:
    text = message.lower()
    if "unexpected propert" in text or "additional propert" in text:
        return "what the API does not know it may ignore"
    if "in header" in text and _is_ours(sent, known):
        return "a header carries text alone, and as text this is the merchant"
    if not _is_ours(sent, known) and known.merchant is not None:
        return "whether a token that reaches one merchant needs the merchant header is open"
    if any(value.strip() == "" for name, value in sent.query.items() if name in ("page", "per_page")):
        return "an empty parameter may count as none"
    if sent.is_form and _form_is_sound(sent):
        return "a form carries text alone, and as text this is sound"
    if sent.operation == "createInvoice" and known.profile.get("numeric_strings") != "refuse" and _numeric(body):
        return "numbers as strings in charge_ids are open"
    if sent.operation in ("finalizeInvoice", "collectInvoice") and "body" in text:
        return "these operations take no body"
    return let_pass(sent.operation, sent.query, sent.body if sent.is_form else None, body, known.profile)


def _form_is_sound(sent: Sent) -> bool:
    pairs = parse_qsl(sent.body.decode("utf-8", "replace"), keep_blank_values=True)
    if sent.operation == "createQuickAdjustment":
        content = dict(pairs)
        return _is_number(content.get("amount", "")) and bool(content.get("description"))
    ids = [value for name, value in pairs if name.startswith("charge_ids")]
    named = {name for name, _ in pairs}
    return all(re.fullmatch(r"\s*\d*\s*", one) for one in ids) and named <= {"charge_ids[]"} | (
        named - {name for name in named if name.startswith("charge_ids")}
    )


def _numeric(body: object) -> bool:
    ids = body.get("charge_ids") if isinstance(body, Mapping) else None
    return isinstance(ids, list) and all(
        (isinstance(one, int) and not isinstance(one, bool)) or (isinstance(one, str) and one.strip().isdigit())
        for one in ids
    )


def _is_number(text: str) -> bool:
    try:
        return Decimal(text.strip()).is_finite()
    except InvalidOperation:
        return False


def _is_ours(sent: Sent, known: Known) -> bool:
    return sent.header("X-Selected-Client-Id") == known.merchant
