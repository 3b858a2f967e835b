"""The one place where requests leave the program: guard, secrets, pace, waiting, and the record of every exchange."""

from __future__ import annotations

import email.utils
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpx

from mockserver.core.errors import Unusable
from mockserver.verify.errors import NoAnswer, OutOfTime, classify
from mockserver.verify.events import RecordedExchange
from mockserver.verify.replay.ledger import Ledger
from mockserver.verify.transport.redaction import Redaction
from mockserver.verify.transport.safety import SafetyGuard

MAX_ANSWER = 32_000_000
"""Bytes of one answer that are read; a longer one is a failure of its own."""
NOT_JSON = object()
"""Stands for the content of an answer that is no JSON."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request before it is sent. `target` is relative to the base address: path, and query if there is one."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    operation: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What came back, with the request that it answers; times are of the monotonic clock, in seconds."""

    outgoing: Outgoing
    exchange: RecordedExchange
    status: int
    content_type: str
    body: bytes = field(repr=False)
    started: float
    ended: float
    content: Any = field(default=None, repr=False)
    """The parsed JSON with numbers as int and Decimal, or `NOT_JSON`."""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        return 400 <= self.status < 500

    @property
    def mapping(self) -> Mapping[str, Any]:
        """The content if it is an object, else an empty one."""
        return self.content if isinstance(self.content, dict) else {}

    def part(self, name: str) -> Mapping[str, Any]:
        """The object under `name`, else an empty one."""
        value = self.mapping.get(name)
        return value if isinstance(value, dict) else {}

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        """The objects under `data`."""
        data = self.mapping.get("data")
        return [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []

    def brief(self) -> str:
        """Status and the beginning of the body, for a sentence."""
        return self.exchange.brief()


class Transport:
    """Sends requests to one base address. Safe to use from several threads."""

    def __init__(
        self,
        base_url: str,
        *,
        guard: SafetyGuard,
        redaction: Redaction,
        deadline: float,
        timeout: float = 10.0,
        rate_limit: float | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        tls_verify: bool | str = True,
        connection: httpx.BaseTransport | None = None,
    ) -> None:
        """`deadline` is a time of the monotonic clock; `connection` replaces the network in tests.

        `tls_verify` may be a file of certificates to trust. Raises `Unusable` for one that holds none.
        """
        self.base_url = base_url
        self.guard = guard
        self.redaction = redaction
        self.deadline = deadline
        self.sent = 0
        self.waited = 0.0
        self.latency = 0.0
        self.asked_too_much: float | None = None
        """Seconds that the server asked to wait where less was left."""
        self._timeout = timeout
        self._interval = 1.0 / rate_limit if rate_limit else 0.0
        self._next_slot = 0.0
        self._extra = headers
        self._lock = threading.Lock()
        self._trails: list[list[RecordedExchange]] = []
        self.ledger = Ledger()
        self._race = threading.local()
        self.on_answer: Callable[[Answer], None] | None = None
        self.on_wait: Callable[[float], None] | None = None
        self._client = httpx.Client(
            trust_env=False,
            verify=_trust(tls_verify),
            timeout=timeout,
            follow_redirects=False,
            transport=connection,
            proxy=None if connection else _proxy(base_url),
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=32, keepalive_expiry=1.0),
        )

    def close(self) -> None:
        self._client.close()

    def send(self, outgoing: Outgoing) -> Answer:
        """The answer, once the server no longer asks to wait. Raises `Withheld`, `OutOfTime`, `NoAnswer`."""
        self.guard.check(outgoing.method, outgoing.target, outgoing.headers)
        attempt = 0
        while True:
            answer = self._send_surely(outgoing)
            if answer.status != 429:
                break
            self._hold_back(answer, attempt)
            attempt += 1
        if self.on_answer is not None:
            self.on_answer(answer)
        return answer

    @contextmanager
    def trail(self) -> Iterator[list[RecordedExchange]]:
        """Collects the exchanges that happen inside, in the order of their answers."""
        trail: list[RecordedExchange] = []
        with self._lock:
            self._trails.append(trail)
        try:
            yield trail
        finally:
            with self._lock:
                self._trails = [other for other in self._trails if other is not trail]

    @contextmanager
    def racing(self, race: int) -> Iterator[None]:
        """Marks what this thread sends inside as a part of that race."""
        self._race.number = race
        try:
            yield
        finally:
            self._race.number = 0

    @property
    def left(self) -> float:
        """Seconds until the run must end."""
        return self.deadline - time.monotonic()

    def pause(self, seconds: float) -> None:
        """Waits; raises `OutOfTime` instead when the run would be over by then."""
        if seconds > self.left:
            raise OutOfTime
        time.sleep(seconds)

    def _send_surely(self, outgoing: Outgoing) -> Answer:
        """A read is tried twice: a connection that the server closed while idle is nobody's fault."""
        try:
            return self._send_once(outgoing)
        except NoAnswer as failure:
            if outgoing.method != "GET" or failure.kind not in ("reset", "disconnected"):
                raise
            return self._send_once(outgoing)

    def _send_once(self, outgoing: Outgoing) -> Answer:
        number = self._take_slot()
        started = time.monotonic()
        try:
            status, headers, body = self._exchange(outgoing)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError, ValueError) as error:
            failure = classify(error, self._timeout)
            self._record(self._as_exchange(outgoing, number, started, failure=failure.words))
            raise failure from error
        exchange = self._as_exchange(outgoing, number, started, status=status, headers=headers, body=body)
        self._record(exchange)
        content = parse_json(body)
        self.ledger.note(exchange, content)
        content_type = next((value for name, value in headers if name.lower() == "content-type"), "")
        ended = time.monotonic()
        return Answer(outgoing, exchange, status, content_type, body, started, ended, content)

    def _exchange(self, outgoing: Outgoing) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        request = httpx.Request(
            outgoing.method,
            self.base_url + outgoing.target,
            headers=[
                (name.encode("latin-1"), value.encode("latin-1", "replace"))
                for name, value in (*outgoing.headers, *self._extra)
            ],
            content=outgoing.body,
        )
        response = self._client.send(request, stream=True)
        try:
            chunks, size = [], 0
            for chunk in response.iter_bytes():
                chunks.append(chunk)
                size += len(chunk)
                if size > MAX_ANSWER:
                    raise httpx.ReadError(f"the answer is longer than {MAX_ANSWER} bytes")
        finally:
            response.close()
        return response.status_code, tuple(response.headers.multi_items()), b"".join(chunks)

    def _take_slot(self) -> int:
        """Waits for a turn; returns the request's number."""
        if self.left <= 0:
            raise OutOfTime
        with self._lock:
            self.sent += 1
            number = self.sent
            now = time.monotonic()
            slot = max(now, self._next_slot)
            self._next_slot = slot + self._interval
        if slot > now:
            self.pause(slot - now)
        return number

    def _hold_back(self, answer: Answer, attempt: int) -> None:
        """Waits as long as `Retry-After` says, for every thread alike."""
        seconds = _retry_after(answer)
        if seconds is None:
            seconds = min(0.25 * 2**attempt, 8.0)
        with self._lock:
            self.waited += seconds
            self._next_slot = max(self._next_slot, time.monotonic() + seconds)
        if self.on_wait is not None:
            self.on_wait(seconds)
        if seconds > self.left:
            self.asked_too_much = seconds
        self.pause(seconds)

    def _as_exchange(
        self,
        outgoing: Outgoing,
        number: int,
        started: float,
        *,
        status: int | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        failure: str | None = None,
    ) -> RecordedExchange:
        elapsed = time.monotonic() - started
        text = self.redaction.text
        extra = tuple((name, f"${variable_name(name)}") for name, _ in self._extra)
        return RecordedExchange(
            method=outgoing.method,
            url=text(self.base_url + outgoing.target),
            headers=tuple((name, text(value)) for name, value in outgoing.headers) + extra,
            body=None if outgoing.body is None else self.redaction.octets(outgoing.body),
            status=status,
            answer_headers=tuple((name, text(value)) for name, value in headers),
            answer=self.redaction.octets(body),
            failure=None if failure is None else text(failure),
            elapsed=elapsed,
            number=number,
            race=getattr(self._race, "number", 0),
        )

    def _record(self, exchange: RecordedExchange) -> None:
        with self._lock:
            self.latency = exchange.elapsed if not self.latency else 0.9 * self.latency + 0.1 * exchange.elapsed
            for trail in self._trails:
                trail.append(exchange)


def parse_json(body: bytes) -> Any:
    """The JSON value with exact numbers, or `NOT_JSON`."""
    try:
        return json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        return NOT_JSON


def variable_name(header: str) -> str:
    """The shell variable that stands for an extra header's value in what is shown."""
    return "HEADER_" + "".join(letter if letter.isalnum() else "_" for letter in header.upper())


def _trust(tls_verify: bool | str) -> bool | ssl.SSLContext:
    if isinstance(tls_verify, bool):
        return tls_verify
    try:
        return ssl.create_default_context(cafile=tls_verify)
    except OSError as error:
        raise Unusable(f"--tls-verify {tls_verify}: expected a file of certificates (PEM): {error}") from error


def _proxy(base_url: str) -> str | None:
    url = httpx.URL(base_url)
    proxies = getproxies()
    if url.host in ("localhost", "127.0.0.1", "::1") or proxy_bypass(url.host):
        return None
    return proxies.get(url.scheme)


def _retry_after(answer: Answer) -> float | None:
    value = next((v for n, v in answer.exchange.answer_headers if n.lower() == "retry-after"), "").strip()
    if value.replace(".", "", 1).isdigit():
        return float(value)
    try:
        when = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, when.timestamp() - time.time())
