"""A breach in few words: its sentence, and the request that it is about."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus, urlsplit

from mockserver.verify.claims.claims import answers_of
from mockserver.verify.events import Breach, RecordedExchange
from mockserver.verify.reports.phrases import shorten, text_of, visible

_RAW = re.compile(r"""(?<![\s:,])[\s:,]*(?:[{\[<]["\w!/{\[<]|Validated against the response schema).*""", re.DOTALL)


def plain(text: str) -> str:
    """A sentence without the JSON or HTML that an answer put at its end: `the answer is 201`."""
    return shorten(_RAW.sub("", text) or text, 160)


def title(breach: Breach) -> str:
    """What is wrong, as one sentence: what must come, and what came instead."""
    told = f"{plain(breach.expected)}, but {plain(breach.actual)}"
    return told[0].upper() + told[1:]


def sent_line(breach: Breach, limit: int) -> str:
    """The request whose answer is wrong, on one line: `POST /billing/invoices {"charge_ids": [57]}`."""
    exchange = judged_exchange(breach)
    if exchange is None:
        return "nothing that was recorded"
    parts = urlsplit(exchange.url)
    path = parts.path[max(parts.path.find("/billing"), 0) :]
    query = f"?{unquote_plus(parts.query)}" if parts.query else ""
    body = f" {' '.join(text_of(exchange.body[: 4 * limit]).split())}" if exchange.body else ""
    return shorten(visible(f"{exchange.method} {path}{query}{body}"), limit)


def judged_exchange(breach: Breach) -> RecordedExchange | None:
    """The request whose answer is wrong: the last that the claim speaks of."""
    if not breach.exchanges:
        return None
    places = answers_of(breach.check) if breach.check is not None else frozenset()
    return breach.exchanges[max((place for place in places if place < len(breach.exchanges)), default=-1)]
