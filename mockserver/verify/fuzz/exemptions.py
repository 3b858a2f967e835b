"""Which verdicts of the fuzzer are breaches on this API, and why the others say nothing against a server."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote

from mockserver.verify.monitor.canonical import Part, RequestReading, may_be_turned_away, read_request
from mockserver.verify.transport.messages import Outgoing

KNOWN_FILE = "MOCKSERVER_SCHEMATHESIS_KNOWN"
"""The environment variable with the path of what is known, as the verifier wrote it for its fuzzer."""
SAFE_PAGE = 10
"""Largest `per_page` that every server takes."""
FARTHEST_PAGE = 1_000
"""Largest `page` that no server calls absurd."""
FORM_FAILURES = frozenset(
    {
        "UndefinedStatusCode",
        "UndefinedContentType",
        "MissingContentType",
        "MalformedMediaType",
        "ContentDeserializationError",
        "MalformedJson",
        "MissingHeaders",
        "JsonSchemaError",
        "DiscriminatorMismatch",
    }
)
"""What is wrong with the answer in itself, whatever was asked."""
_LOOSE_NUMBER = re.compile(r"\s*[+-]?(0[xob][0-9a-f]+|[\d_]*(\.\d*)?(e[+-]?\d+)?)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the server, and the ids that the fuzzer lives by."""

    token: str = ""
    """The right one, as the fuzzer knows it."""
    merchant: str | None = None
    digits: int = 0
    most: Decimal = Decimal(0)
    """The largest amount that was accepted, in major units; a server may call a larger one too large."""
    least: Decimal = Decimal(0)
    """The smallest one."""
    charges: tuple[int, ...] = ()
    invoices: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A failure of one of the fuzzer's checks, with the request that it is about and the status that came."""

    failure: str
    """The name of its type."""
    operation: str
    outgoing: Outgoing
    status: int
    title: str = ""
    probed: bool = False
    """Whether it is about the same request sent again without its token, or with an invented one."""
    content_type: str = ""
    """Of the answer."""

    @property
    def reading(self) -> RequestReading:
        return read_request(self.operation, self.outgoing)


def open_cause(verdict: Verdict, known: Known) -> str | None:
    """Why the failure says nothing against the server; None when it is a breach."""
    reading = verdict.reading
    match verdict.failure:
        case "ServerError":
            if verdict.operation == "collectInvoice":
                return "what Stripe's own trouble looks like is open"
            undocumented = "method" in reading.odd and verdict.status == 501
            return "a method that is not documented may be called not implemented" if undocumented else None
        case "UnsupportedMethodResponse" | "MissingAllowHeader" | "AllowHeaderMismatch":
            return "what a method does that is not documented, and how it is refused, is open"
        case "MissingHeaderNotRejected" | "MissingRequiredHeader":
            return "a token that reaches one merchant needs no merchant header"
        case "RejectedPositiveData":
            return _refusal(verdict, reading, known)
        case "AcceptedNegativeData":
            return _leniency(verdict, reading, known)
        case "IgnoredAuth":
            return _authorization(verdict, reading, known)
        case "UndefinedContentType" if "json" in verdict.content_type.lower():
            return "JSON goes by several names, such as application/problem+json"
        case failure if failure in FORM_FAILURES:
            turned_away = may_be_turned_away(verdict.outgoing, verdict.status)
            return "a web server in front may have refused it by itself" if turned_away else None
    if not reading.canonical:
        return f"what it asks for is nobody's to say: {'; '.join(reading.odd.values())}"
    return None if reading.merchant == known.merchant else "another merchant was selected"


def _refusal(verdict: Verdict, reading: RequestReading, known: Known) -> str | None:
    """Why the request may be refused; None when it must be accepted."""
    if may_be_turned_away(verdict.outgoing, verdict.status) or verdict.status == 405:
        return "a web server may refuse it, or not know the operation"
    if not reading.canonical:
        return f"what it asks for is nobody's to say: {'; '.join(reading.odd.values())}"
    if reading.merchant != known.merchant or reading.token != known.token:
        return "another merchant was selected, or another token sent"
    if reading.operation in ("createInvoice", "finalizeInvoice", "collectInvoice", "getCharge"):
        return "whether a charge is free or an invoice in the right state is no matter of form"
    if reading.operation == "createQuickAdjustment":
        amount = reading.amount or Decimal(0)
        is_usual = 0 < amount and known.least <= amount <= known.most and amount == round(amount, known.digits)
        short = len(reading.description or "") <= 200
        return None if is_usual and short else "odd amounts and long descriptions are open"
    if "q" in reading.query:
        return "which searches are too much for a server is open"
    if reading.operation == "listCharges" and "per_page" in reading.query:
        return "whether the size of a page of charges can be asked for is open"
    too_many = int(reading.query.get("per_page", 1)) > SAFE_PAGE or int(reading.query.get("page", 1)) > FARTHEST_PAGE
    return "the page may be out of range" if too_many else None


def _leniency(verdict: Verdict, reading: RequestReading, known: Known) -> str | None:
    """Why the request may be accepted; None when every reading of it must be refused."""
    if verdict.status >= 400:
        return "it was refused: which status refuses is open"
    wrong: Part | None = next(iter(reading.odd)) if len(reading.odd) == 1 else None
    if wrong not in ("path", "body") or reading.merchant != known.merchant:
        return "what is not documented may be ignored, or be read in some lenient way"
    if wrong == "path":
        number = (unquote(verdict.outgoing.target.partition("?")[0]) + "///").split("/")[3]
        return None if _is_no_number(number) else "other spellings of an integer are open"
    if reading.operation == "createInvoice":
        clear = any(_is_no_number(one) for one in _charge_ids(verdict.outgoing))
    else:
        clear = reading.operation == "createQuickAdjustment" and _is_no_adjustment(verdict.outgoing)
    return None if clear else "the body may be read in some lenient way"


def _authorization(verdict: Verdict, reading: RequestReading, known: Known) -> str | None:
    """Why the answer to a request without the right token is in order; None when it lets a stranger in."""
    if verdict.probed:
        elsewhere = reading.odd.keys() - {"caller"}
        accepted = "accepts" in verdict.title
        return f"what comes first, {min(elsewhere)} or token, is open" if elsewhere and not accepted else None
    if "caller" in reading.odd:
        return f"whose request it is is nobody's to say: {reading.odd['caller']}"
    return "the token is right" if reading.token == known.token else None


# --- what no reading makes sound ------------------------------------------------------------------------------


def _is_no_number(value: object) -> bool:
    """Whether no lenient reading makes an integer of it: a word, a fraction, a list. `1.0` and `true` may pass."""
    if isinstance(value, str):
        return not _LOOSE_NUMBER.fullmatch(value)
    if isinstance(value, Decimal):
        return value.is_finite() and value != value.to_integral_value()
    return isinstance(value, list | dict)


def _charge_ids(outgoing: Outgoing) -> list[Any]:
    """The items of `charge_ids`, or what stands in its place where that is a text."""
    content = _content(outgoing)
    ids = content.get("charge_ids") if isinstance(content, Mapping) else None
    return ids if isinstance(ids, list) else [ids] if isinstance(ids, str) else []


def _is_no_adjustment(outgoing: Outgoing) -> bool:
    """Whether the amount or the description is not there, or is nothing that could pass for one."""
    if not outgoing.body:
        return True
    content = _content(outgoing)
    if not isinstance(content, Mapping):
        return False
    amount, description = content.get("amount"), content.get("description")
    word = isinstance(amount, str) and not _LOOSE_NUMBER.fullmatch(amount)
    return word or any(value is None or isinstance(value, list | dict) for value in (amount, description))


def _content(outgoing: Outgoing) -> Any:
    """The body as JSON, or as a form whose every name stands for itself; None when it is neither for sure."""
    text = (outgoing.body or b"").decode("utf-8", "replace")
    kind = next((value for name, value in outgoing.headers if name.lower() == "content-type"), "")
    if kind.startswith("application/json"):
        try:
            return json.loads(text, parse_float=Decimal, object_pairs_hook=_each_once)
        except (ValueError, RecursionError):
            return None
    pairs = parse_qsl(text, keep_blank_values=True)
    if not kind.startswith("application/x-www-form-urlencoded"):
        return None
    if pairs and {name for name, _ in pairs} == {"charge_ids[]"}:
        return {"charge_ids": [value for _, value in pairs]}
    return _each_once(pairs) if {name for name, _ in pairs} <= {"amount", "description"} else None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any] | None:
    """None where a name comes twice: which of its values counts is open."""
    return dict(pairs) if len(dict(pairs)) == len(pairs) else None
