"""An exchange of the journal as others read it: as JSON or as a curl command."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote_plus

import orjson

from mockserver.contract.decoding import DEEPEST, FORM, JSON, media_type
from mockserver.core.clock import render_time
from mockserver.core.curl import request as as_curl
from mockserver.core.messages import Request
from mockserver.traffic.journal import Exchange


def entry(exchange: Exchange) -> dict[str, Any]:
    """As JSON: what came, what went, what the spec says of both, and what decided the answer."""
    request, reply, operation = exchange.request, exchange.reply, exchange.operation
    return {
        "number": exchange.number,
        "at": render_time(exchange.at),
        "seconds": round(exchange.seconds, 6),
        "world": exchange.world,
        "operation": None if operation is None else operation.id,
        "request": {
            "method": request.method,
            "url": url(exchange),
            "path": request_path(request),
            "query": request.query_string,
            "headers": dict(request.headers),
            "body": request_body(request),
            "valid": not exchange.objections,
            "problems": exchange.objections or [],
        },
        "response": {
            "status": status(exchange),
            "headers": response_headers(exchange) if exchange.answered else {},
            "body": sent_body(exchange),
            "valid": not exchange.broken,
            "problems": exchange.broken or [],
        },
        "because": reply.because,
        "faults": [{"id": one.id, "kind": one.kind, "when": one.when} for one in exchange.injected],
        "warnings": list(exchange.warnings),
    }


def line(exchange: Exchange) -> dict[str, Any]:
    """As JSON, without headers and bodies: what a list of many exchanges shows."""
    request = exchange.request
    return {
        "number": exchange.number,
        "at": render_time(exchange.at),
        "seconds": round(exchange.seconds, 6),
        "operation": None if exchange.operation is None else exchange.operation.id,
        "method": request.method,
        "path": request_path(request),
        "query": request.query_string,
        "status": status(exchange),
        "valid": not exchange.objections and not exchange.broken,
        "because": exchange.reply.because,
        "faults": [one.kind for one in exchange.injected],
        "warnings": len(exchange.warnings),
        "invoice": exchange.invoice,
    }


def request_path(request: Request) -> str:
    """The path below `/api`, as a text."""
    return request.path.encode("latin-1", "replace").decode("utf-8", "replace")


def url(exchange: Exchange) -> str:
    """The whole address that the request went to."""
    query = exchange.request.query_string
    # Each character of the address is one byte, decoded already.
    address = quote(exchange.address, safe=":/[]@!$&'()*+,;=~", encoding="latin-1")
    return address + (f"?{query}" if query else "")


def status(exchange: Exchange) -> int | None:
    """The status that the client saw; None if it saw none."""
    return exchange.reply.status if exchange.answered else None


def request_body(request: Request) -> Any:
    """A JSON body as its value, a form as an object (a list for a name given twice), anything else as a text.

    What nests deeper than a body may is a text, too.
    """
    if not request.body:
        return None
    kind, _ = media_type(request.headers.get("content-type", ""))
    if kind == JSON:
        return _value(request.body)
    return _form(text_of(request.body)) if kind == FORM else text_of(request.body)


def sent_body(exchange: Exchange) -> Any:
    """The body as it went out: a JSON value, or the text where it is not whole or no JSON."""
    return _value(exchange.data) if exchange.answered and exchange.data else None


def response_headers(exchange: Exchange) -> dict[str, str]:
    """The headers that this package gives the answer."""
    return {"Content-Type": JSON, **exchange.headers()}


def curl(exchange: Exchange) -> str:
    """A command for a POSIX shell that sends the same request again."""
    request = exchange.request
    headers = [(name, [value]) for name, value in request.headers.items()]
    before, options = as_curl(request.method, [url(exchange)], headers, request.body)
    return f"{before}curl -sS {options}"


def query_pairs(query: str) -> list[tuple[str, str]]:
    """The names and values of a query, decoded as far as they can be."""
    split = (part.partition("=") for part in query.split("&") if part)
    return [(unquote_plus(name), unquote_plus(value)) for name, _, value in split]


def _value(data: bytes) -> Any:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return text_of(data)
    # orjson reads deeper nesting than it writes, and what compares values recurses.
    is_suspicious = data.count(b"[") + data.count(b"{") > DEEPEST
    return text_of(data) if is_suspicious and _nests_deeper(value, DEEPEST) else value


def _nests_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, list | dict):
        return False
    return levels == 0 or any(
        _nests_deeper(item, levels - 1) for item in (value.values() if isinstance(value, dict) else value)
    )


def _form(text: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in query_pairs(text):
        if name.endswith("[]"):
            fields.setdefault(name, []).append(value)
        else:
            fields[name] = value
    return fields


def text_of(data: bytes) -> str:
    """The bytes as a text, with a mark for what is none."""
    return data.decode("utf-8", "replace")
