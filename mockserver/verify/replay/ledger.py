"""What made each record of a run, and what was done with it since: what a sequence needs to be run from nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from mockserver.verify.events import RecordedExchange
from mockserver.verify.replay.id_tracing import Key, named_in, parsed

_ACTIONS = ("/finalize", "/collect")
MOST_READS = 4
"""Equal requests to read that are kept."""
MOST_KEPT = 16
"""Requests that are kept of what was done with one record."""


class Ledger:
    """Hears of every exchange. Safe to use from several threads."""

    def __init__(self) -> None:
        self._makers: dict[Key, RecordedExchange] = {}
        self._takers: dict[Key, RecordedExchange] = {}
        self._actions: dict[Key, list[RecordedExchange]] = {}
        self._races: dict[int, list[RecordedExchange]] = {}
        self._charges: list[RecordedExchange] = []
        self._reads: dict[tuple[object, ...], list[RecordedExchange]] = {}
        self._lock = threading.Lock()

    def note(self, exchange: RecordedExchange, content: Any) -> None:
        """Remembers what the exchange made or did; `content` is the answer's JSON."""
        with self._lock:
            for key in _made(exchange, content):
                self._makers.setdefault(key, exchange)
                if key[0] == "charge" and (not self._charges or self._charges[-1] is not exchange):
                    self._charges.append(exchange)
            if exchange.method == "GET" and named_in(exchange):
                reads = self._reads.setdefault((exchange.url, exchange.headers), [])
                reads.append(exchange)
                del reads[:-MOST_READS]
            if exchange.race:
                self._races.setdefault(exchange.race, []).append(exchange)
            for key in named_in(exchange) if _is_create(exchange) and exchange.status in range(200, 300) else ():
                self._takers.setdefault(key, exchange)
            for key in named_in(exchange) if _may_have_changed(exchange) else ():
                actions = self._actions.setdefault(key, [])
                actions.append(exchange)
                del actions[:-MOST_KEPT]

    def complete(self, exchanges: Iterable[RecordedExchange], keys: Iterable[Key] = ()) -> list[RecordedExchange]:
        """The exchanges, and what made and changed the records that they, and `keys`, name; in the order of time.

        With one of a race come all that it raced with, and before a create that bills whatever is open a charge.
        """
        found: dict[int, RecordedExchange] = {}
        waiting: list[RecordedExchange] = list(exchanges)
        given = {exchange.number for exchange in waiting}
        last = max(given, default=0)
        known: set[Key] = set()
        with self._lock:
            waiting += self._about(keys, last, known)
            for exchange in waiting:
                if exchange.number in found:
                    continue
                found[exchange.number] = exchange
                waiting += self._races.get(exchange.race, [])
                waiting += self._about(named_in(exchange), exchange.number, known)
                if exchange.number not in given:
                    # A create was refused, it may be, for what another one had taken.
                    waiting += [self._takers[key] for key in named_in(exchange) if self._took(key, exchange)]
                if clears(exchange) and exchange.status in range(200, 300) and not _is_of_nothing(exchange):
                    waiting += [charge for charge in self._charges if charge.number < exchange.number][-1:]
                if exchange.number in given:
                    # A server may remember what it answered to the same question before.
                    same = self._reads.get((exchange.url, exchange.headers), [])
                    waiting += [one for one in same if one.number < exchange.number][-1:]
        return [found[number] for number in sorted(found)]

    def _took(self, key: Key, exchange: RecordedExchange) -> bool:
        return key in self._takers and self._takers[key].number < exchange.number

    def _about(self, keys: Iterable[Key], before: int, known: set[Key]) -> Iterator[RecordedExchange]:
        """What made those records, and what was done with them up to that request."""
        for key in keys:
            if key in known:
                continue
            known.add(key)
            if key[0] == "part":
                key = next((one for one in self._makers if one[0] == "stripe" and key[1] in one[1]), key)
            maker = self._makers.get(key)
            # Without one it is nobody's record, and whoever names it means that.
            ways = [] if maker is None else [maker, *self._actions.get(key, [])]
            yield from (one for one in ways if one.number <= before)


def _may_have_changed(exchange: RecordedExchange) -> bool:
    """Whether it did something with what it names, or, being a refused create, may have done so all the same."""
    if exchange.method != "POST":
        return False
    return exchange.url.partition("?")[0].endswith(_ACTIONS) or exchange.status in range(400, 500)


def clears(exchange: RecordedExchange) -> bool:
    """Whether it is a create that bills whatever is open, which may be nothing."""
    return _is_create(exchange) and not any(kind == "charge" for kind, _ in named_in(exchange))


def _is_of_nothing(exchange: RecordedExchange) -> bool:
    """Whether the invoice that was made holds no charge."""
    content = parsed(exchange.answer)
    made = content.get("invoice") if isinstance(content, dict) else None
    return isinstance(made, dict) and made.get("total") == 0


def _is_create(exchange: RecordedExchange) -> bool:
    return exchange.method == "POST" and urlsplit(exchange.url).path.endswith("/billing/invoices")


def _made(exchange: RecordedExchange, content: Any) -> Iterator[Key]:
    """The records that the answer shows for the first time: what a create made, or a Stripe invoice in a list."""
    if not isinstance(content, Mapping) or exchange.status not in range(200, 300):
        return
    if exchange.method == "POST":
        for kind in ("invoice", "charge"):
            made = content.get(kind)
            if isinstance(made, Mapping) and "id" in made and not exchange.url.partition("?")[0].endswith(_ACTIONS):
                yield kind, str(made["id"])
    rows = content.get("data")
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, Mapping) and isinstance(row.get("stripe_invoice_id"), str):
            yield "stripe", row["stripe_invoice_id"]
