"""Exchanges of the journal as a HAR file, which browsers and proxies read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

import orjson

from mockserver.contract.decoding import JSON
from mockserver.core.clock import render_time
from mockserver.traffic.formats import query_pairs, response_headers, status, text_of, url
from mockserver.traffic.journal import Exchange

CREATOR = "prepbusiness-mockserver"


def har(exchanges: Iterable[Exchange], *, version: str) -> Iterator[bytes]:
    """A HAR 1.2 file, piece by piece; what HAR has no place for stands under names with an underscore."""
    creator = {"name": CREATOR, "version": version}
    yield b'{"log":{"version":"1.2","creator":%b,"entries":[' % orjson.dumps(creator)
    before = b""
    for one in exchanges:
        yield before + orjson.dumps(_entry(one))
        before = b","
    yield b"]}}"


def _entry(exchange: Exchange) -> dict[str, Any]:
    request = exchange.request
    milliseconds = round(exchange.seconds * 1000, 3)
    asked: dict[str, Any] = {
        "method": request.method,
        "url": url(exchange),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(request.headers.items()),
        "queryString": _pairs(query_pairs(request.query_string)),
        "headersSize": -1,
        "bodySize": len(request.body),
    }
    if request.body:
        asked["postData"] = {
            "mimeType": request.headers.get("content-type", ""),
            "params": [],
            "text": text_of(request.body),
        }
    return {
        "startedDateTime": render_time(exchange.at),
        "time": milliseconds,
        "request": asked,
        "response": _response(exchange),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "_number": exchange.number,
        "_world": exchange.world,
        "_operation": None if exchange.operation is None else exchange.operation.id,
        "_because": exchange.reply.because,
        "_requestProblems": exchange.objections or [],
        "_responseProblems": exchange.broken or [],
        "_warnings": list(exchange.warnings),
    }


def _response(exchange: Exchange) -> dict[str, Any]:
    """Without an answer the status is 0, as browsers write it."""
    code = status(exchange) or 0
    data = exchange.data if exchange.answered else b""
    return {
        "status": code,
        "statusText": HTTPStatus(code).phrase if code in _STATUSES else "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(response_headers(exchange).items()) if exchange.answered else [],
        "content": {"size": len(data), "mimeType": JSON if data else "x-unknown", "text": text_of(data)},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": len(data) if exchange.answered else -1,
    }


_STATUSES = frozenset(HTTPStatus)


def _pairs(items: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in items]
