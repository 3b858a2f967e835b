"""The one place where requests leave the program: guard, secrets, pace, waiting, and the record of every exchange."""

from __future__ import annotations

import itertools
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from urllib.request import getproxies, proxy_bypass

import httpx

from mockserver.core.errors import Unusable
from mockserver.core.loopback import is_loopback
from mockserver.verify.errors import NoAnswer, OutOfTime, TooLong, classify
from mockserver.verify.events import GATEWAY, RecordedExchange
from mockserver.verify.replay.ledger import Ledger
from mockserver.verify.transport.messages import Answer, Outgoing, parse_json
from mockserver.verify.transport.network import Bounds, Network
from mockserver.verify.transport.pace import Pace, retry_after
from mockserver.verify.transport.redaction import Redaction, placeholders
from mockserver.verify.transport.safety import SafetyGuard
from mockserver.verify.transport.signals import Interrupted, Signals

LONGEST_LIST = 8_000_000
"""Bytes of an answer to a GET that are read; pages of some thousand rows have less."""
LONGEST_ANSWER = 1_000_000
"""Bytes of any other answer that are read."""
KEPT = 256_000
"""Bytes of an answer that are kept as evidence."""
RESTART = 0.5
"""Seconds until a read that was answered by a load balancer alone is tried once more."""
TRAIL = 4
"""Exchanges that a trail ends with."""


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
        signals: Signals | None = None,
    ) -> None:
        """`deadline` is a time of the monotonic clock; `connection` replaces the network in tests.

        `timeout` is for an answer as a whole. `tls_verify` may be a file of certificates to trust. Raises `Unusable`
        for one that holds none.
        """
        self.base_url = base_url
        self.guard = guard
        self.redaction = redaction
        self.deadline = deadline
        self.pace = Pace(rate_limit)
        self.signals = signals or Signals()
        self.sent = 0
        self.waited = 0.0
        self.latency = 0.0
        self.asked_too_much: float | None = None
        """Seconds that the server asked to wait where less was left."""
        self.shown_headers = tuple(zip((n for n, _ in headers), placeholders(headers), strict=True))
        """The extra headers as they are shown: each value by its placeholder."""
        self._timeout = timeout
        self._extra = headers
        self._lock = threading.Lock()
        self._trails: list[deque[RecordedExchange]] = []
        self._reserved = threading.local()
        self.ledger = Ledger()
        self._races = itertools.count(1)
        self._race = threading.local()
        self.on_answer: Callable[[Answer], None] | None = None
        self.on_wait: Callable[[float], None] | None = None
        self.on_lost: Callable[[Outgoing], None] | None = None
        """Told of each request that may have been done though no answer came."""
        self._bounds = Bounds()
        trust = _trust(tls_verify) if base_url.startswith("https:") else None
        self._network = (
            None if connection else Network(self._bounds, self.signals.waiting, trust=trust, proxy=_proxy(base_url))
        )
        self._client = httpx.Client(
            trust_env=False,
            timeout=timeout,
            follow_redirects=False,
            # Of any other coding a few bytes could become gigabytes at a blow.
            headers={"Accept-Encoding": "gzip, deflate"},
            transport=self._network or connection,
        )

    def close(self) -> None:
        self.hang_up()
        self._client.close()

    def hang_up(self) -> None:
        """Whoever waits for an answer, in whichever thread, gets none."""
        if self._network is not None:
            self._network.hang_up()

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
    def trail(self) -> Iterator[Sequence[RecordedExchange]]:
        """Collects the last few of the exchanges that happen inside, in the order of their answers."""
        trail: deque[RecordedExchange] = deque(maxlen=TRAIL)
        with self._lock:
            self._trails.append(trail)
        try:
            yield trail
        finally:
            with self._lock:
                self._trails = [other for other in self._trails if other is not trail]

    def new_race(self) -> int:
        """The number of a race that has not been run: what is sent once more is another race."""
        return next(self._races)

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

    @contextmanager
    def share(self, seconds: float) -> Iterator[None]:
        """What is sent inside raises `OutOfTime` after so many seconds, though the run is not over."""
        whole, self.deadline = self.deadline, min(self.deadline, time.monotonic() + seconds)
        try:
            yield
        finally:
            self.deadline, self.asked_too_much = whole, None

    def pause(self, seconds: float) -> None:
        """Waits; raises `OutOfTime` instead when the run would be over by then."""
        if seconds > self.left:
            raise OutOfTime
        with self.signals.waiting():
            time.sleep(seconds)

    def reserve(self, count: int) -> bool:
        """Waits until so many requests may leave at once; False where the run's own limit forbids it.

        Each thread that sends one of them says so by `reserved`. Raises `OutOfTime`.
        """
        now = time.monotonic()
        moment = self.pace.slots(count, now)
        if moment is not None and moment > now:
            self.pause(moment - now)
        return moment is not None

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """The first request that this thread sends inside has its moment already."""
        self._reserved.now = True
        try:
            yield
        finally:
            self._reserved.now = False

    def _send_surely(self, outgoing: Outgoing) -> Answer:
        """A read is tried twice: a connection that was closed while idle, or a restart, is nobody's fault."""
        try:
            answer = self._send_once(outgoing)
        except NoAnswer as failure:
            if outgoing.method != "GET" or failure.kind not in ("reset", "disconnected"):
                raise
            return self._send_once(outgoing)
        if outgoing.method != "GET" or answer.status not in GATEWAY:
            return answer
        self.pause(RESTART)
        return self._send_once(outgoing)

    def _send_once(self, outgoing: Outgoing) -> Answer:
        number = self._take_slot()
        started = time.monotonic()
        most = LONGEST_LIST if outgoing.method == "GET" else LONGEST_ANSWER
        self._bounds.until, self._bounds.room = min(started + self._timeout, self.deadline), most
        try:
            status, headers, body = self._exchange(outgoing, most)
        except Interrupted:
            self._lost(outgoing)
            raise
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError, ValueError, TooLong) as error:
            failure = classify(error, self._timeout, most)
            self._record(self._as_exchange(outgoing, number, started, failure=failure.words))
            if failure.kind not in ("unsendable", "unreachable"):
                self._lost(outgoing)
            self.signals.check()
            if failure.kind == "timeout" and self.left <= 0:
                raise OutOfTime from error
            raise failure from error
        # A thread may have been answered while the run was told to end.
        self.signals.check()
        exchange = self._as_exchange(outgoing, number, started, status=status, headers=headers, body=body)
        self._record(exchange)
        content = parse_json(body)
        self.ledger.note(exchange, content)
        named = {name.lower(): value for name, value in headers}
        ended = time.monotonic()
        self.pace.learn(named, ended)
        return Answer(outgoing, exchange, status, named.get("content-type", ""), body, started, ended, content, named)

    def _lost(self, outgoing: Outgoing) -> None:
        if self.on_lost is not None:
            self.on_lost(outgoing)

    def _exchange(self, outgoing: Outgoing, most: int) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        content: bytes | Iterator[bytes] | None = outgoing.body
        extra = self._extra
        if outgoing.is_chunked:
            content = iter([outgoing.body or b""])
            # A server that leaves the chunks unread would take them for the next request.
            extra = (*extra, ("Connection", "close"))
        request = self._client.build_request(
            outgoing.method,
            self.base_url + outgoing.target,
            headers=[
                (name.encode("latin-1"), value.encode("latin-1", "replace"))
                for name, value in (*outgoing.headers, *extra)
            ],
            content=content,
        )
        response = self._client.send(request, stream=True)
        try:
            chunks, size = [], 0
            for chunk in response.iter_bytes():
                chunks.append(chunk)
                size += len(chunk)
                if size > most:
                    raise TooLong
        finally:
            response.close()
        return response.status_code, tuple(response.headers.multi_items()), b"".join(chunks)

    def _take_slot(self) -> int:
        """Waits for a turn; returns the request's number."""
        self.signals.check()
        if self.left <= 0:
            raise OutOfTime
        with self._lock:
            self.sent += 1
            number = self.sent
        if getattr(self._reserved, "now", False):
            self._reserved.now = False
            return number
        now = time.monotonic()
        moment = self.pace.slot(now)
        if moment > now:
            self.pause(moment - now)
        return number

    def _hold_back(self, answer: Answer, attempt: int) -> None:
        """Waits as long as `Retry-After` says, for every thread alike; ever longer where that does not help."""
        patience = min(0.25 * 2 ** min(attempt, 5), 8.0)
        asked = retry_after(answer.headers)
        seconds = patience if asked is None else max(asked, patience if attempt > 2 else 0.0)
        with self._lock:
            self.waited += seconds
        self.pace.hold_back(seconds, time.monotonic())
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
        return RecordedExchange(
            method=outgoing.method,
            url=text(self.base_url + outgoing.target),
            headers=tuple((name, text(value)) for name, value in outgoing.headers) + self.shown_headers,
            body=None if outgoing.body is None else self.redaction.octets(outgoing.body),
            status=status,
            answer_headers=tuple((name, text(value)) for name, value in headers),
            answer=self.redaction.octets(body[:KEPT]),
            cut=max(0, len(body) - KEPT),
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


def _trust(tls_verify: bool | str) -> ssl.SSLContext:
    if isinstance(tls_verify, bool):
        return httpx.create_ssl_context(verify=tls_verify, trust_env=False)
    try:
        return ssl.create_default_context(cafile=tls_verify)
    except OSError as error:
        raise Unusable(f"--tls-verify {tls_verify}: expected a file of certificates (PEM): {error}") from error


def _proxy(base_url: str) -> str | None:
    """The proxy of the environment; none for this machine, where a collect is allowed because it is this machine."""
    url = httpx.URL(base_url)
    proxies = getproxies()
    if is_loopback(url.host) or proxy_bypass(url.host):
        return None
    return proxies.get(url.scheme) or proxies.get("all")
