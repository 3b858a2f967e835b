"""What passed by as reports show it: without secrets, and with no more bytes than there is room for."""

from __future__ import annotations

import re
from collections import deque
from functools import lru_cache

from mockserver.verify.events import RecordedExchange
from mockserver.verify.transport.billing_client import MERCHANT_HEADER
from mockserver.verify.transport.messages import Answer, Outgoing, parse_json
from mockserver.verify.transport.redaction import Redaction, escaped
from mockserver.watch.passing import Pairs, Passing, credentials

MOST_BYTES = 32_000_000
"""Bytes of answers that are kept as evidence."""
BESIDE = 2_000
"""Bytes that an exchange takes beside its answer's body, about."""
KEPT_OF_ONE = 256_000
"""Bytes that are kept of one."""
_SHOWN = frozenset({"accept", "content-type", "user-agent", MERCHANT_HEADER.lower()})
"""Headers of requests that are shown; any other may hold a secret."""
_SHOWN_OF_ANSWERS = frozenset(
    {"content-type", "date", "location", "retry-after", "x-mock-broken", "x-mock-trace", "x-mock-warning"}
)
_NAMES = ("TOKEN", "OTHER_TOKEN")


class Evidence:
    """Keeps the bodies of the latest answers and lets go of older ones."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._bytes = 0
        self._kept: deque[Passing] = deque()

    def keep(self, passing: Passing) -> None:
        self._kept.append(passing)
        self._bytes += BESIDE + len(passing.answer or b"")
        while self._bytes > self._most and len(self._kept) > 1:
            old = self._kept.popleft()
            self._bytes -= BESIDE + len(old.answer or b"")
            old.answer = None


@lru_cache(maxsize=64)
def _redaction(secrets: tuple[str, ...]) -> Redaction:
    names = (_NAMES[place] if place < len(_NAMES) else f"HEADER_SECRET_{place}" for place in range(len(secrets)))
    return Redaction(dict(zip(names, secrets, strict=False)))


def _secrets(passing: Passing) -> tuple[str, ...]:
    found = credentials(passing)
    parts = [piece.partition("=")[2] for piece in found.cookie.split(";")]
    raw = re.findall(r"api_token=([^&#]+)", passing.target)
    tokens = [token for token in found.tokens if "api_token" not in token]
    return tuple(dict.fromkeys(secret for secret in (*tokens, *raw, *parts) if secret.strip()))


def recorded(passing: Passing) -> RecordedExchange:
    """The exchange without its secrets. A body that holds a token is left out altogether."""
    redaction = _redaction(_secrets(passing))
    body = passing.body
    if b"api_token" in body:
        body = b"(a body with a token)"
    answer = passing.answer or b""
    return RecordedExchange(
        method=passing.method,
        url=redaction.text(passing.base + passing.target),
        headers=_shown(passing.headers, _SHOWN, redaction) + _authorization(passing, redaction),
        body=redaction.octets(body) or None,
        status=passing.status,
        answer_headers=_shown(passing.answer_headers, _SHOWN_OF_ANSWERS, redaction),
        answer=redaction.octets(answer[:KEPT_OF_ONE]),
        cut=max(0, len(answer) - KEPT_OF_ONE),
        elapsed=_elapsed(passing),
        number=passing.number,
    )


def answer_of(passing: Passing, exchange: RecordedExchange) -> Answer:
    """The answer as statements are made of it."""
    body = passing.answer or b""
    named = {name.lower(): value for name, value in passing.answer_headers}
    return Answer(
        Outgoing(passing.method, passing.target, passing.headers, passing.body or None),
        exchange,
        passing.status,
        named.get("content-type", ""),
        body,
        passing.started,
        passing.ended,
        parse_json(body),
        named,
    )


def _shown(headers: Pairs, names: frozenset[str], redaction: Redaction) -> Pairs:
    return tuple((name, redaction.text(value)) for name, value in headers if name.lower() in names)


def _authorization(passing: Passing, redaction: Redaction) -> Pairs:
    """How the caller proved who it is, with the secret's name in its place."""
    value = passing.header("authorization")
    shown = redaction.text(value)
    return (("Authorization", shown if shown != escaped(value) else "$TOKEN"),) if value else ()


def _elapsed(passing: Passing) -> float:
    elapsed = passing.ended - passing.started
    return elapsed if 0 <= elapsed < 1e9 else 0.0
