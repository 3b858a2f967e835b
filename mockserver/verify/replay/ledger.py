"""What made each record of a run, and what was done with it since: what a sequence needs to be run from nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mockserver.verify.events import RecordedExchange
from mockserver.verify.replay.id_tracing import Key, named_in

_ACTIONS = ("/finalize", "/collect")


class Ledger:
    """Hears of every exchange. Safe to use from several threads."""

    def __init__(self) -> None:
        self._makers: dict[Key, RecordedExchange] = {}
        self._actions: dict[Key, list[RecordedExchange]] = {}
        self._lock = threading.Lock()

    def note(self, exchange: RecordedExchange, content: Any) -> None:
        """Remembers what the exchange made or did; `content` is the answer's JSON."""
        path = exchange.url.partition("?")[0]
        with self._lock:
            for key in _made(exchange, content):
                self._makers.setdefault(key, exchange)
            if exchange.method == "POST" and path.endswith(_ACTIONS) and exchange.status not in range(400, 500):
                for key in named_in(exchange):
                    self._actions.setdefault(key, []).append(exchange)

    def complete(self, exchanges: Iterable[RecordedExchange], keys: Iterable[Key] = ()) -> list[RecordedExchange]:
        """The exchanges and what made and changed the records that they, and `keys`, name; in the order of time."""
        found = {exchange.number: exchange for exchange in exchanges}
        last = max(found, default=0)
        waiting: list[tuple[Key, int]] = [(key, last) for key in keys]
        waiting += [(key, exchange.number) for exchange in found.values() for key in named_in(exchange)]
        known: set[Key] = set()
        with self._lock:
            for key, before in waiting:
                if key in known:
                    continue
                known.add(key)
                maker = self._makers.get(key)
                for exchange in ([maker] if maker else []) + self._actions.get(key, []):
                    if exchange.number <= before and exchange.number not in found:
                        found[exchange.number] = exchange
                        waiting += [(name, exchange.number) for name in named_in(exchange)]
        return [found[number] for number in sorted(found)]


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
