"""Entries of a fake's journal, as `GET /_mock/journal` gives them, as exchanges."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from mockserver.watch.loading.addresses import Addresses
from mockserver.watch.loading.clocks import RecordedClock
from mockserver.watch.loading.har import NoEntry
from mockserver.watch.passing import Passing


def journal_entry(entry: object, number: int, addresses: Addresses, clock: RecordedClock) -> Passing | str:
    """An entry as an exchange, or why it is none that can be judged, by a key of `NOT_JUDGED`. Raises `NoEntry`."""
    if not isinstance(entry, dict):
        raise NoEntry
    request, response = entry.get("request"), entry.get("response")
    if not isinstance(request, dict) or not isinstance(response, dict):
        raise NoEntry
    url, method, headers = request.get("url"), request.get("method"), _headers(request)
    if not isinstance(url, str) or not isinstance(method, str):
        raise NoEntry
    address = addresses.split(url, json=True)
    if address is None:
        return "elsewhere"
    status = response.get("status")
    if not isinstance(status, int):
        return "unread"
    seconds = entry.get("seconds")
    took = seconds * 1000 if isinstance(seconds, int | float) else None
    began, ended = clock.interval(entry.get("at"), took, at_end=True)
    body = response.get("body")
    return Passing(
        number=number,
        method=method,
        target=address.target,
        headers=tuple(headers.items()),
        status=status,
        body=_body(request.get("body"), headers.get("content-type", "")),
        answer_headers=tuple(_headers(response).items()),
        answer=b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode(),
        started=began,
        ended=ended,
        base=address.base,
        at=str(entry.get("at", "")),
        world=str(entry.get("world") or ""),
        whole=True,
    )


def _headers(of: Mapping[str, Any]) -> dict[str, str]:
    headers = of.get("headers")
    if not isinstance(headers, dict):
        return {}
    return {str(name): value for name, value in headers.items() if isinstance(value, str)}


def _body(body: object, kind: str) -> bytes:
    """The bytes of a body that the journal shows as its value."""
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, dict) and "form" in kind:
        return urlencode({str(name): value for name, value in body.items()}, doseq=True).encode()
    return json.dumps(body).encode()
