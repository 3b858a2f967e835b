"""Entries of a HAR file as exchanges: those of Chromium, Firefox, mitmproxy, Playwright and our own journal."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import orjson

from mockserver.watch.loading.addresses import Addresses, set_back
from mockserver.watch.loading.clocks import RecordedClock
from mockserver.watch.passing import Pairs, Passing

_NOT_SENT = ("_fromCache", "_fetchedViaServiceWorker", "_wasFulfilled")
"""What Chromium, and Playwright for answers that a test made itself, mark entries with that no server answered."""

_WHOLE = "COMPLETE"
"""What Charles says of an exchange that did not break off."""


class NoEntry(Exception):
    """An entry is none."""


def har_entry(entry: object, number: int, addresses: Addresses, clock: RecordedClock) -> Passing | str:
    """An entry as an exchange, or why it is none that can be judged, by a key of `NOT_JUDGED`. Raises `NoEntry`."""
    if not isinstance(entry, dict):
        raise NoEntry
    request, response = _part(entry, "request"), _part(entry, "response")
    content = _part(response, "content") if "content" in response else {}
    headers, answer_headers = _pairs(request.get("headers")), _pairs(response.get("headers"))
    kind = _first(answer_headers, "content-type") or str(content.get("mimeType", ""))
    if not kind and not answer_headers and _is_json(str(content.get("text")).encode("utf-8", "replace")):
        # Where no headers at all were recorded, the server may have sent that one too.
        kind = "application/json"
    asks_html = "text/html" in _first(headers, "accept")
    url = _text(request, "url")
    address = addresses.split(url, json="json" in kind and not asks_html) or set_back(url)
    if address is None:
        return "elsewhere"
    if _is_marked(entry) or _is_marked(response) or _is_cached(entry, response):
        return "stale"
    status = response.get("status")
    if response.get("_error") or response.get("_charlesStatus", _WHOLE) != _WHOLE:
        return "unread"
    if not isinstance(status, int) or status <= 0:
        return "unread"
    ours = "_because" in entry
    # Our own journal notes when the answer was ready.
    began, ended = clock.interval(
        entry.get("startedDateTime"),
        entry.get("time") if ours else _took(entry),
        at_end=ours,
        date=_first(answer_headers, "date"),
    )
    return Passing(
        number=number,
        method=_text(request, "method").upper(),
        target=address.target,
        headers=headers,
        status=status,
        body=_request_body(request),
        answer_headers=answer_headers if _first(answer_headers, "content-type") else (*answer_headers, _kind(kind)),
        answer=_answer(content, status, answer_headers),
        started=began,
        ended=ended,
        base=address.base,
        at=str(entry.get("startedDateTime", "")),
        world=str(entry.get("_world") or address.world),
        whole=ours,
    )


def _is_marked(part: Mapping[str, Any]) -> bool:
    """Whether it is said of an entry, or of its answer, that no server sent it."""
    return any(map(part.get, _NOT_SENT))


def _took(entry: Mapping[str, Any]) -> object:
    """Milliseconds; None where nobody measured them: Firefox then writes 0, and Playwright that nothing was waited."""
    took, timings = entry.get("time"), entry.get("timings")
    wait = timings.get("wait") if isinstance(timings, dict) else None
    return None if took == 0 or (isinstance(wait, int | float) and wait < 0) else took


def _is_cached(entry: Mapping[str, Any], response: Mapping[str, Any]) -> bool:
    """As Firefox marks it, which tells of the cache alone, and as Safari does."""
    cache, fetched = entry.get("cache"), entry.get("_fetchType") or response.get("_fetchType")
    if fetched is not None:
        return str(fetched) != "Network Load"
    return isinstance(cache, dict) and "afterRequest" in cache and response.get("status") != 304


def _kind(kind: str) -> tuple[str, str]:
    return ("Content-Type", kind)


def _part(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = of.get(name)
    if not isinstance(value, dict):
        raise NoEntry
    return value


def _text(of: Mapping[str, Any], name: str) -> str:
    value = of.get(name)
    if not isinstance(value, str):
        raise NoEntry
    return value


def _pairs(items: object) -> Pairs:
    """Names and values, without HTTP/2's pseudo-headers."""
    if not isinstance(items, list):
        return ()
    return tuple(
        [
            (name, value)
            for item in items
            if isinstance(item, dict)
            and isinstance(name := item.get("name"), str)
            and isinstance(value := item.get("value"), str)
            and name[:1] != ":"
        ]
    )


def _first(pairs: Pairs, name: str) -> str:
    return next((value for given, value in pairs if given.lower() == name), "")


def _request_body(request: Mapping[str, Any]) -> bytes:
    posted = request.get("postData")
    if not isinstance(posted, dict):
        return b""
    text = posted.get("text")
    if isinstance(text, str) and text:
        return _octets(text, posted.get("encoding")) or b""
    return urlencode(_pairs(posted.get("params"))).encode()


def _answer(content: Mapping[str, Any], status: int, headers: Pairs) -> bytes | None:
    """The body; None where it was left out, or can't be what the server sent."""
    text = content.get("text")
    if not text or not isinstance(text, str):
        # Browsers write an empty body for a request that was given up, too.
        return b"" if status in (204, 304) or _first(headers, "content-length") == "0" else None
    octets = _octets(text, content.get("encoding"))
    if octets is None or not (_is_json(octets) or _is_whole(octets, content, headers)):
        return None
    return octets


def _is_whole(octets: bytes, content: Mapping[str, Any], headers: Pairs) -> bool:
    """Whether what is no JSON may be what was sent: not cut off, not replaced, and not in a coding still."""
    size, length = content.get("size"), _first(headers, "content-length")
    if isinstance(size, int | float) and size > 0 and size != len(octets):
        return False
    if _first(headers, "content-encoding").lower() not in ("", "identity"):
        return content.get("encoding") != "base64"
    return not length.isdecimal() or int(length) <= len(octets)


def _octets(text: str, encoding: object) -> bytes | None:
    if encoding != "base64":
        return text.encode("utf-8", "replace")
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return None


def _is_json(octets: bytes) -> bool:
    try:
        orjson.loads(octets)
    except orjson.JSONDecodeError:
        return False
    return True
