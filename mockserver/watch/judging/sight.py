"""An exchange as the judge looks at it: the operation, what the request plainly says, the answer's JSON, who called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import orjson

from mockserver.contract.contract import Operation
from mockserver.verify.claims.values import Row
from mockserver.verify.events import RecordedExchange
from mockserver.verify.monitor.canonical import RequestReading, read_request
from mockserver.verify.transport.billing_client import MERCHANT_HEADER
from mockserver.verify.transport.messages import NOT_JSON, Answer, Outgoing
from mockserver.watch.judging.evidence import answer_of, recorded
from mockserver.watch.passing import Credentials, Pairs, Passing, credentials

_READ = frozenset({"authorization", "content-type", "cookie", MERCHANT_HEADER.lower()})
"""Headers that say something of what is asked; browsers send many others."""
_ACCEPT = ("Accept", "application/json")
"""What is asked for is not judged by the way that a browser lists what it takes."""
_MEANS_ELSE = frozenset(
    {
        "idempotency-key",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "prefer",
        "range",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
    }
)
"""Headers by which a request may mean something else than it says."""


@dataclass(slots=True, eq=False)
class Sight:
    """One exchange, read."""

    passing: Passing
    operation: Operation
    reading: RequestReading
    content: Any
    """The answer's JSON, or `NOT_JSON`."""
    credentials: Credentials
    caller: str
    """Equal for requests of one caller under one merchant header; empty where nothing says who called."""
    asks_json: bool
    held: set[str] = field(default_factory=set)
    """The rules that it put to the test and that held."""
    told: list[str] = field(default_factory=list)
    """The breaches that it showed, a sentence each that begins with the rule."""
    mapping: Mapping[str, Any] = field(init=False)
    """The answer's JSON where it is an object; else an empty one."""
    rows: list[Row] = field(init=False)
    """Those of a page."""
    _answer: Answer | None = None

    def __post_init__(self) -> None:
        self.mapping = self.content if isinstance(self.content, dict) else {}
        data = self.mapping.get("data")
        self.rows = [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []

    @property
    def ok(self) -> bool:
        return 200 <= self.passing.status < 300

    @property
    def refused(self) -> bool:
        return 400 <= self.passing.status < 500

    @property
    def started(self) -> float:
        return self.passing.started

    @property
    def ended(self) -> float:
        return self.passing.ended

    @property
    def world(self) -> str:
        return self.passing.world

    @property
    def plain(self) -> bool:
        """Whether the contract says what the request means."""
        return not self.reading.odd

    @property
    def acts_plainly(self) -> bool:
        """Whether it plainly finalizes or collects the invoice in its path; a body says nothing there."""
        return self.reading.odd.keys() <= {"body", "caller"}

    def part(self, name: str) -> Row:
        value = self.mapping.get(name)
        return value if isinstance(value, dict) else {}

    def figure(self, name: str) -> int | None:
        value = self.mapping.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    @property
    def answer(self) -> Answer:
        """As statements are made of it; made late, because it takes long."""
        if self._answer is None:
            self._answer = answer_of(self.passing, recorded(self.passing))
        return self._answer

    @property
    def exchange(self) -> RecordedExchange:
        return self.answer.exchange


def look(passing: Passing, operation: Operation) -> Sight:
    """Reads an exchange with an operation of the API."""
    given = credentials(passing)
    asks_json = "json" in passing.header("accept").lower()
    headers, strange = _that_count(passing.headers)
    reading = _read(operation.id, passing.method, passing.target, headers, passing.body)
    if strange:
        reading = _odd(reading, f"{strange} may change what is meant")
    caller = _caller(given, passing) if given.any else ""
    return Sight(passing, operation, reading, _content(passing.answer), given, caller, asks_json)


@lru_cache(maxsize=64)
def _that_count(headers: Pairs) -> tuple[Pairs, str]:
    """The headers that are read, and the name of one by which the request may mean something else, or an empty one."""
    # A client sends the same headers again and again.
    kept = tuple((name, value) for name, value in headers if name.lower() in _READ)
    return (_ACCEPT, *kept), min((name.lower() for name, _ in headers if name.lower() in _MEANS_ELSE), default="")


@lru_cache(maxsize=2048)
def _read(operation: str, method: str, target: str, headers: Pairs, body: bytes) -> RequestReading:
    return read_request(operation, Outgoing(method, target, headers, body or None))


def _odd(reading: RequestReading, why: str) -> RequestReading:
    return RequestReading(reading.operation, record=reading.record, odd={**reading.odd, "headers": why})


def _caller(given: Credentials, passing: Passing) -> str:
    return _digest("\0".join((*given.tokens, given.cookie, passing.merchant, passing.base)))


@lru_cache(maxsize=512)
def _digest(key: str) -> str:
    return blake2b(key.encode("utf-8", "replace"), digest_size=12).hexdigest()


def _content(answer: bytes | None) -> Any:
    if not answer:
        return NOT_JSON
    try:
        return orjson.loads(answer)
    except orjson.JSONDecodeError:
        return NOT_JSON
