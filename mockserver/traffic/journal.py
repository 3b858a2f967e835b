"""What was said in one world: every exchange as it happened, the newest kept, the loss of older ones counted."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from dataclasses import dataclass, replace
from itertools import islice

from mockserver.contract.contract import Operation
from mockserver.core.messages import Reply, Request
from mockserver.traffic.faults.delivery import EMPTY, RESET, FaultyDelivery
from mockserver.traffic.journal_budget import JournalBudget

MOST_KEPT_OF_A_BODY = 65_536
"""Bytes that the journal keeps of the body of a request or of an answer."""
_AN_EXCHANGE = 2_000
"""Bytes that an exchange takes beside its texts."""
_A_TEXT = 100
"""Bytes that a text takes beside its characters, with its place in a list or a mapping."""


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """A fault that struck an exchange: `id` is None when the request itself asked for it."""

    kind: str
    id: int | None = None
    when: str | None = None


@dataclass(slots=True)
class Exchange:
    """One request with its reply, and how it was understood on the way."""

    request: Request
    address: str
    """The request's own URL without its query."""
    reply: Reply
    world: str = ""
    operation: Operation | None = None
    """None when no operation of the spec was addressed."""
    accepted: bool = False
    """Whether the request was let in and is as the spec wants it."""
    invoice: int | None = None
    """The invoice in the request's path."""
    warnings: tuple[str, ...] = ()
    objections: list[str] | None = None
    """What the spec has against the request."""
    broken: list[str] | None = None
    """How the reply breaks the spec: through our own fault, unless `corrupted`."""
    corrupted: bool = False
    """Whether the reply was broken on purpose."""
    delivery: FaultyDelivery | None = None
    """How the reply goes out, where it does not go out as ever."""
    injected: tuple[InjectedFault, ...] = ()
    applied: tuple[str, ...] = ()
    """The preferences of the request that were heeded."""
    number: int = 0
    """Its place in its world's journal, counted from 1."""
    at: int = 0
    """When it was answered, in microseconds since 1970 on the world's clock."""
    seconds: float = 0.0
    """How long it took, with the delays that were asked for."""
    data: bytes = b""
    """The body of the reply as bytes, so far as it goes out; of one in the journal the reply itself has no other."""
    size: int = 0
    """Bytes that it takes in the journal."""

    @property
    def answered(self) -> bool:
        """Whether any byte of the reply was to go out."""
        return self.delivery is None or self.delivery.ends not in (RESET, EMPTY)

    def begin_again(self, warnings: tuple[str, ...]) -> None:
        """Forget what was done to the reply, which is to be made anew."""
        self.warnings, self.broken, self.corrupted, self.delivery = warnings, None, False, None
        self.injected, self.applied = (), ()

    def headers(self) -> dict[str, str]:
        """The headers of the reply, save those that the server itself adds to every one."""
        headers = {"X-Mock-Trace": self.reply.because, **self.reply.headers}
        if self.warnings:
            headers["X-Mock-Warning"] = "; ".join(self.warnings)
        if self.applied:
            headers["Preference-Applied"] = ", ".join(self.applied)
        return headers

    def kept(self) -> Exchange:
        """What the journal keeps: bodies cut, and that of the reply as bytes only."""
        request, reply, delivery = self.request, self.reply, self.delivery
        if len(request.body) > MOST_KEPT_OF_A_BODY:
            request = replace(request, body=request.body[:MOST_KEPT_OF_A_BODY])
        if delivery is not None:
            delivery = FaultyDelivery(b"", delivery.length, delivery.ends, delivery.seconds)
        data = self.data[:MOST_KEPT_OF_A_BODY]
        size = _AN_EXCHANGE + len(request.body) + len(data)
        size += len(request.path) + len(self.address) + len(request.query_string)
        for texts in (request.headers, request.headers.values(), self.objections, self.broken, self.warnings):
            if texts:
                size += _A_TEXT * len(texts) + sum(map(len, texts))
        return Exchange(
            request,
            self.address,
            Reply(reply.status, None, reply.headers, reply.because, reply.delay),
            self.world,
            self.operation,
            self.accepted,
            self.invoice if self.invoice is not None else _made(reply.body),
            self.warnings,
            self.objections,
            self.broken,
            self.corrupted,
            delivery,
            self.injected,
            self.applied,
            self.number,
            self.at,
            self.seconds,
            data,
            size,
        )


def _made(body: object) -> int | None:
    """The id of the invoice that a reply shows."""
    made = body.get("invoice") if isinstance(body, dict) else None
    number = made.get("id") if isinstance(made, dict) else None
    return number if isinstance(number, int) else None


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far somebody has read: `number` is the last exchange, `epoch` names the journal and what it held then."""

    epoch: str
    number: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.number}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """The cursor that was written so; raises ValueError for any other text."""
        epoch, _, number = text.partition(".")
        if not (number.isascii() and number.isdecimal() and len(number) < 20):
            raise ValueError(f"expected a cursor such as 5f3a91bc.17, got {text[:40]!r}")
        return cls(epoch, int(number))


@dataclass(frozen=True, slots=True)
class Continuation:
    """What follows a cursor."""

    cursor: Cursor
    """How far one has read with it."""
    cleared: bool
    """Whether what was read before is of another journal, or was emptied since."""
    exchanges: list[Exchange]
    lost: int
    """How many that would have followed were dropped to make room."""


class Journal:
    """The newest exchanges of one world, at most `size` of them, and no more than the budget has bytes for."""

    __slots__ = ("__weakref__", "_budget", "_epoch", "_first", "_kept", "_lock", "_number", "_size", "held")

    def __init__(self, size: int, budget: JournalBudget | None = None) -> None:
        self._kept: deque[Exchange] = deque()
        self._size = size
        self._lock = threading.Lock()
        self._number = 0
        self._first = 1
        self._epoch = secrets.token_hex(4)
        self.held = 0
        """Bytes of the exchanges that are kept."""
        self._budget = budget or JournalBudget()
        self._budget.join(self)

    def record(self, exchange: Exchange, *, at: int, seconds: float) -> None:
        """Add an exchange; it is given its number here."""
        exchange.at = at
        exchange.seconds = seconds
        with self._lock:
            self._number = exchange.number = self._number + 1
            kept = exchange.kept()
            self._kept.append(kept)
            before, self.held = self.held, self.held + kept.size
            while len(self._kept) > self._size:
                self._drop()
            more = self.held - before
        self._budget.spend(more)

    def clear(self) -> None:
        """Forget everything. The numbers go on, so that an old cursor stays a good one."""
        with self._lock:
            self._kept.clear()
            self._first = self._number + 1
            self._epoch = secrets.token_hex(4)
            before, self.held = self.held, 0
        self._budget.spend(-before)

    def shrink(self, held: int) -> None:
        """Drop the oldest, though never the newest, until no more than that many bytes are held."""
        with self._lock:
            while self.held > held and len(self._kept) > 1:
                self._drop()

    def _drop(self) -> None:
        self.held -= self._kept.popleft().size

    def read(self) -> tuple[list[Exchange], int]:
        """What is kept, the oldest first, and how many were lost since it was last cleared."""
        with self._lock:
            kept = list(self._kept)
            return kept, self._number + 1 - self._first - len(kept)

    def find(self, number: int) -> Exchange | None:
        """The exchange of that number; None if it is not kept."""
        with self._lock:
            place = number - self._kept[0].number if self._kept else -1
            return self._kept[place] if 0 <= place < len(self._kept) else None

    def after(self, cursor: Cursor | None, *, limit: int) -> Continuation:
        """At most `limit` exchanges after the cursor; all that there are if it is of another journal, or None."""
        with self._lock:
            cleared = cursor is not None and cursor.epoch != self._epoch
            read = self._first - 1 if cursor is None or cleared else min(cursor.number, self._number)
            oldest = self._kept[0].number if self._kept else self._number + 1
            start = max(0, read + 1 - oldest)
            found = list(islice(self._kept, start, start + limit))
            lost = max(0, oldest - read - 1)
            number = found[-1].number if found else max(read, self._number)
            return Continuation(Cursor(self._epoch, number), cleared, found, lost)

    def is_read(self, cursor: Cursor | None) -> bool:
        """Whether nothing follows the cursor."""
        return cursor is not None and cursor.number == self._number and cursor.epoch == self._epoch

    @property
    def epoch(self) -> str:
        """Names this journal and what it holds: another after a restart, and after it was cleared."""
        return self._epoch

    def __len__(self) -> int:
        """How many exchanges are kept."""
        return len(self._kept)

    @property
    def cursor(self) -> int:
        """The number of the newest exchange there ever was; 0 before the first."""
        return self._number
