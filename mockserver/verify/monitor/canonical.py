"""Which requests are in the documented form, part by part: of those alone does the contract say what they mean."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import unquote_plus, unquote_to_bytes

from mockserver.verify.transport.billing_client import MERCHANT_HEADER
from mockserver.verify.transport.messages import Outgoing

Headers = tuple[tuple[str, str], ...]
"""Names and values, as they are sent."""
Part = Literal["method", "headers", "caller", "path", "query", "body"]
LARGEST_ID = 2**63 - 1
"""A larger id is beyond what databases keep."""
LONGEST = 2_000
"""Letters of an address or a header from which on a web server may find it too long."""
TOO_LARGE = frozenset({413, 414, 431})
"""Statuses that a web server answers before the API is reached."""
FIREWALL = frozenset({403, 406})
"""How a firewall answers what it takes for an attack."""

_MERCHANT = MERCHANT_HEADER.lower()
_PLAIN_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "authorization",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "x-schemathesis-testcaseid",
        _MERCHANT,
    }
)
_INTEGER = re.compile(r"[1-9][0-9]{0,18}")
_PAGE = re.compile(r"[1-9][0-9]{0,8}")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,6})?")
_TOKEN = re.compile(r"[!-~]+")
_TOKEN_NAME = re.compile(r"(?:^|&)api_token=")
_CLAUSE = (
    r'(?:id(?:!?:|[<>]=?)"[1-9][0-9]{0,18}"'
    r'|stripe_invoice_id!?[:~]"[A-Za-z0-9_]+"'
    r'|created_at\$DATE(?::|[<>]=?)"(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}")'
)
_SEARCH = re.compile(rf"{_CLAUSE}(?: (?:AND|OR) {_CLAUSE})*")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_JSON = re.compile(r"application/json(; ?charset=utf-8)?", re.IGNORECASE)
_FORM = re.compile(r"application/x-www-form-urlencoded(; ?charset=utf-8)?", re.IGNORECASE)
_ATTACK = re.compile(r"""'|--|\$[a-z]+\b|<[A-Za-z!/]|\{\{|;|\\|\.\./|\bor\b|[\x00-\x1f\x7f-\x9f\ufffd]""")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


MOST_ARGUMENTS = 1000
"""From so many values in one body on firewalls and servers commonly take no more, as PHP of a form."""


class _Odd(ValueError):
    """A part is not in the documented form; the text says why."""


@dataclass(frozen=True, slots=True)
class RequestReading:
    """What a request says. What stands in an odd part is not read: its values are those of a request without it."""

    operation: str
    token: str | None = None
    merchant: str | None = None
    record: int | None = None
    """The invoice or the charge in the path."""
    query: Mapping[str, str] = field(default_factory=dict)
    """Without the token."""
    charges: tuple[int, ...] | None = None
    """The charges that a create names; None when it asks for all that are open."""
    amount: Decimal | None = None
    description: str | None = None
    odd: Mapping[Part, str] = field(default_factory=dict)
    """The parts that are not in the documented form, with the reason."""

    @property
    def canonical(self) -> bool:
        """Whether the whole request is in the documented form, so that behaviour can be judged by it."""
        return not self.odd


@dataclass(frozen=True, slots=True)
class _Form:
    """The documented form of one operation."""

    method: str
    path: re.Pattern[str]
    query: frozenset[str] = frozenset()
    body: Callable[[Outgoing], dict[str, Any]] | None = None


def read_request(operation: str, outgoing: Outgoing) -> RequestReading:
    """What a request to this operation of the spec says, and which of its parts say nothing for sure."""
    form = _FORMS.get(operation)
    if form is None:
        return RequestReading(operation, odd={"method": "the operation is not one of the API's"})
    found: dict[str, Any] = {}
    odd: dict[Part, str] = {}
    parts: tuple[tuple[Part, Callable[[_Form, Outgoing], dict[str, Any]]], ...] = (
        ("method", _method),
        ("headers", _headers),
        ("caller", _caller),
        ("path", _path),
        ("query", _query),
        ("body", _body),
    )
    for part, read in parts:
        try:
            found |= read(form, outgoing)
        except _Odd as reason:
            odd[part] = str(reason)
    return RequestReading(operation, **found, odd=odd)


def may_be_turned_away(outgoing: Outgoing, status: int) -> bool:
    """Whether a web server in front of the API may have given this answer by itself, in whatever form it likes (GEN-5).

    A refusal of what is too long, of what its parser takes for malformed, or of what a firewall takes for an attack;
    and the way to a plainer path.
    """
    path = outgoing.target.partition("?")[0]
    if 300 <= status < 400:
        return path.endswith("/") or "//" in path or "/." in path
    if not 400 <= status < 500:
        return False
    sizes = [len(outgoing.target), *(len(value) for _, value in outgoing.headers)]
    malformed = any(not value.isascii() or _CONTROL.search(value) for pair in outgoing.headers for value in pair)
    if status in FIREWALL and _may_seem_an_attack(outgoing):
        return True
    body = outgoing.body or b""
    numerous = max(body.count(b","), body.count(b"&")) >= MOST_ARGUMENTS - 1
    return status in TOO_LARGE or max(sizes) > LONGEST or malformed or numerous or _is_unroutable(path)


def _may_seem_an_attack(outgoing: Outgoing) -> bool:
    body = (outgoing.body or b"").decode("utf-8", "replace")
    return any(_ATTACK.search(unquote_plus(text)) for text in (outgoing.target, body))


def ids_in_path(outgoing: Outgoing) -> frozenset[int]:
    """Every id that some server may read out of the path."""
    return _integers(unquote_to_bytes(outgoing.target.partition("?")[0]).decode("utf-8", "replace"))


def charges_within(outgoing: Outgoing) -> frozenset[int]:
    """Every id of a charge that some server may read out of a create, however odd it is."""
    body = (outgoing.body or b"").decode("utf-8", "replace")
    texts = _near_charges(outgoing.target.partition("?")[2])
    try:
        texts += _named_items(json.loads(body, object_pairs_hook=tuple))
    except (ValueError, RecursionError):
        texts += _near_charges(body) if "=" in body else [body]
    return _integers(*texts)


# --- parts ----------------------------------------------------------------------------------------------------


def _method(form: _Form, outgoing: Outgoing) -> dict[str, Any]:
    if outgoing.method != form.method:
        raise _Odd(f"the method is {outgoing.method}")
    return {}


def _headers(form: _Form, outgoing: Outgoing) -> dict[str, Any]:
    _are_plain(outgoing.headers)
    return {}


@lru_cache(maxsize=64)
def _are_plain(headers: Headers) -> None:
    given = _by_name(headers)
    if unknown := given.keys() - _PLAIN_HEADERS:
        raise _Odd(f"the header {min(unknown)} is not documented")
    if len(given) < len(headers):
        raise _Odd("a header is given twice")
    if given.get("accept") != ("application/json",):
        raise _Odd("JSON is not asked for")


def _caller(form: _Form, outgoing: Outgoing) -> dict[str, Any]:
    """One token, in one of the two ways, or none; and one merchant, or none."""
    query = outgoing.target.partition("?")[2]
    if b"api_token" in (outgoing.body or b"") or _header(outgoing, "cookie"):
        raise _Odd("whether a token is read from a body or a cookie is open")
    tokens: list[str] = []
    named = unquote_plus(query).lower().count("api_token") if query else 0
    if named:
        tokens = [_decoded(value) for name, value in _split(query) if "api_token" in unquote_plus(name).lower()]
        if named != len(_TOKEN_NAME.findall(query)):
            raise _Odd("the token is not plainly spelled")
    return {**_who_calls(outgoing.headers, tuple(tokens))}


@lru_cache(maxsize=64)
def _who_calls(headers: Headers, in_query: tuple[str, ...]) -> Mapping[str, str | None]:
    """The caller that the headers name, and the tokens of the query."""
    given = _by_name(headers)
    in_header, merchants = given.get("authorization", ()), given.get(_MERCHANT, ())
    tokens = [*(value.removeprefix("Bearer ") for value in in_header), *in_query]
    if len(tokens) > 1:
        raise _Odd("which of two tokens counts is open")
    if not all(value.startswith("Bearer ") for value in in_header) or not all(map(_TOKEN.fullmatch, tokens)):
        raise _Odd("the token is not plainly spelled")
    if len(merchants) > 1 or not all(map(_is_id, merchants)):
        raise _Odd("the merchant is not plainly spelled")
    return {"token": tokens[0] if tokens else None, "merchant": merchants[0] if merchants else None}


def _path(form: _Form, outgoing: Outgoing) -> dict[str, Any]:
    matched = form.path.fullmatch(outgoing.target.partition("?")[0])
    if matched is None:
        raise _Odd("the path is not as documented")
    number = matched.groupdict().get("number")
    if number is not None and not _is_id(number):
        raise _Odd("the id in the path is not a plain integer")
    return {} if number is None else {"record": int(number)}


def _query(form: _Form, outgoing: Outgoing) -> dict[str, Any]:
    pairs = _pairs(outgoing.target.partition("?")[2], form.query | {"api_token"})
    query = {name: value for name, value in pairs if name != "api_token"}
    if len({name for name, _ in pairs}) < len(pairs):
        raise _Odd("a parameter is given twice")
    for name in ("page", "per_page"):
        if name in query and not _PAGE.fullmatch(query[name]):
            raise _Odd(f"{name} is not a plain number")
    if "q" in query and not _is_search(query["q"]):
        raise _Odd("the search is not in the documented grammar")
    return {"query": query}


def _body(form: _Form, outgoing: Outgoing) -> dict[str, Any]:
    if form.body is not None:
        return form.body(outgoing)
    if outgoing.body or _header(outgoing, "content-type"):
        raise _Odd("no body is documented")
    return {}


def _new_invoice(outgoing: Outgoing) -> dict[str, Any]:
    kind = "".join(_header(outgoing, "content-type"))
    if not outgoing.body and not kind:
        return {}
    if _FORM.fullmatch(kind):
        values = [value for _, value in _pairs(_text(outgoing), frozenset({"charge_ids[]"}))]
        if not values or not all(map(_is_id, values)):
            raise _Odd("charge_ids[] are not plain integers")
        return {"charges": _each_once([int(value) for value in values])}
    content = _object(kind, outgoing)
    if not content.keys() <= {"charge_ids"}:
        raise _Odd("a property is not documented")
    ids = content.get("charge_ids", [])
    if not isinstance(ids, list) or not all(type(one) is int and 0 < one <= LARGEST_ID for one in ids):
        raise _Odd("charge_ids is no list of ids")
    return {"charges": _each_once(ids) if ids else None}


def _new_adjustment(outgoing: Outgoing) -> dict[str, Any]:
    kind = "".join(_header(outgoing, "content-type"))
    if _FORM.fullmatch(kind):
        pairs = _pairs(_text(outgoing), frozenset({"amount", "description"}))
        content: dict[str, Any] = dict(pairs)
        if len(content) < len(pairs) or not _NUMBER.fullmatch(content.get("amount", "")):
            raise _Odd("the amount is not a plain number, or something is given twice")
        content["amount"] = Decimal(content["amount"])
    else:
        content = _object(kind, outgoing)
    amount, description = content.get("amount"), content.get("description")
    is_number = isinstance(amount, int | Decimal) and not isinstance(amount, bool)
    if content.keys() != {"amount", "description"} or not is_number:
        raise _Odd("an adjustment is an amount and a description")
    if not isinstance(description, str) or not re.fullmatch(r"[!-~]+( [!-~]+)*", description):
        raise _Odd("the description is no plain text")
    return {"amount": Decimal(str(amount)), "description": description}


_FORMS: Mapping[str, _Form] = {
    "listInvoices": _Form("GET", re.compile("/billing/invoices"), frozenset({"q", "page", "per_page"})),
    "createInvoice": _Form("POST", re.compile("/billing/invoices"), body=_new_invoice),
    "finalizeInvoice": _Form("POST", re.compile("/billing/invoices/(?P<number>[^/]+)/finalize")),
    "collectInvoice": _Form("POST", re.compile("/billing/invoices/(?P<number>[^/]+)/collect")),
    "listCharges": _Form("GET", re.compile("/billing/charges"), frozenset({"page", "per_page"})),
    "getCharge": _Form("GET", re.compile("/billing/charges/(?P<number>[^/]+)")),
    "createQuickAdjustment": _Form("POST", re.compile("/billing/charges/quick-adjustment"), body=_new_adjustment),
}


# --- spellings ------------------------------------------------------------------------------------------------


def _header(outgoing: Outgoing, name: str) -> tuple[str, ...]:
    """The values of the header of that name, which is in lower case."""
    return _by_name(outgoing.headers).get(name, ())


@lru_cache(maxsize=64)
def _by_name(headers: Headers) -> dict[str, tuple[str, ...]]:
    # A client sends the same headers again and again.
    found: dict[str, tuple[str, ...]] = {}
    for name, value in headers:
        found[name.lower()] = (*found.get(name.lower(), ()), value)
    return found


def _is_id(text: str) -> bool:
    return bool(_INTEGER.fullmatch(text)) and int(text) <= LARGEST_ID


def _is_search(text: str) -> bool:
    if not _SEARCH.fullmatch(text):
        return False
    try:
        return all(date.fromisoformat(day) for day in _DAY.findall(text))
    except ValueError:
        return False


def _each_once(ids: Sequence[int]) -> tuple[int, ...]:
    if len(set(ids)) < len(ids):
        raise _Odd("whether a charge may be named twice is open")
    return tuple(ids)


def _split(text: str) -> list[tuple[str, str]]:
    """Names and values as they are spelled."""
    return [(piece.partition("=")[0], piece.partition("=")[2]) for piece in text.split("&") if piece]


def _pairs(text: str, names: frozenset[str]) -> list[tuple[str, str]]:
    """Names and values of a query or a form, if all of them are plainly spelled, and none is another than `names`."""
    pairs = [(_decoded(name), _decoded(value)) for name, value in _split(text)]
    if text and not all("=" in piece for piece in text.split("&")):
        raise _Odd("a name or a value is missing")
    if unknown := {name for name, _ in pairs} - names:
        raise _Odd(f"{min(unknown)!r} is not documented")
    return pairs


def _decoded(text: str) -> str:
    try:
        decoded = unquote_plus(text, errors="strict")
    except UnicodeDecodeError as error:
        raise _Odd("what is percent-encoded is no UTF-8") from error
    if not text.isascii() or ";" in text or re.search(r"%(?![0-9A-Fa-f]{2})", text) or _CONTROL.search(decoded):
        raise _Odd("the percent-encoding is not plain")
    return decoded


def _text(outgoing: Outgoing) -> str:
    try:
        return (outgoing.body or b"").decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Odd("the body is no UTF-8") from error


def _object(kind: str, outgoing: Outgoing) -> dict[str, Any]:
    """The JSON object of a body that no two parsers read differently."""
    if not _JSON.fullmatch(kind):
        raise _Odd(f"the content type is {kind or 'missing'}")
    text = _text(outgoing)
    if "\\" in text:
        raise _Odd("the body has escapes")
    try:
        content = json.loads(
            text, object_pairs_hook=_without_doubles, parse_float=_number, parse_int=_number, parse_constant=_number
        )
    except _Odd:
        raise
    except (ValueError, RecursionError) as error:
        raise _Odd("the body is no JSON") from error
    if not isinstance(content, dict):
        raise _Odd("the body is no object")
    return content


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise _Odd("a property is given twice")
    return dict(pairs)


def _number(text: str) -> int | Decimal:
    if not _NUMBER.fullmatch(text) or text == "-0":
        raise _Odd(f"the number {text} is not plainly spelled")
    return Decimal(text) if "." in text else int(text)


def _is_unroutable(path: str) -> bool:
    octets = unquote_to_bytes(path)
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        return True
    # Encoded slashes, and steps up and down the path, are resolved or refused before an application sees them.
    return bool(_CONTROL.search(text)) or "\\" in text or "%2f" in path.lower() or "//" in text or "/." in text


def _near_charges(text: str) -> list[str]:
    return [unquote_plus(value) for name, value in _split(text) if "charge" in unquote_plus(name).lower()]


def _named_items(value: object, *, near: bool = False) -> Iterator[str]:
    """Everything in a list, or below a name that speaks of charges; an object is a tuple of its pairs."""
    if isinstance(value, tuple):
        for name, item in value:
            yield from _named_items(item, near=near or "charge" in name.lower())
    elif isinstance(value, list):
        for item in value:
            yield from _named_items(item, near=True)
    elif near:
        yield str(value)


def _integers(*texts: str) -> frozenset[int]:
    return frozenset(int(digits[:40]) for text in texts for digits in re.findall(r"\d+", text))
