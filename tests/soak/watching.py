"""A judge that hears of traffic for long: ever new records, ever new callers, and the same memory."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil

from tests.watch.traffic import Traffic, charge, finalized, invoice, page

FULL = 150_000
"""After so many exchanges the judge remembers as many records as it ever does."""
OF_ONE_CALLER = 50
"""Invoices that are made under one token."""
_BEGAN = datetime(2020, 1, 1, tzinfo=UTC)


class Attention:
    """Traffic of an API in use, as the judge hears of it."""

    def __init__(self) -> None:
        self._traffic = Traffic()
        self._latest: deque[dict[str, Any]] = deque(maxlen=15)
        self.heard = 0
        self.told: list[str] = []
        """What it said of sound traffic."""

    def hear(self, exchanges: int) -> None:
        """So many exchanges more, about."""
        end = self.heard + exchanges
        while self.heard < end:
            for told in self._life(self.heard // 7 + 1):
                self.heard += 1
                self.told += told

    def memory(self) -> int:
        """Bytes that this process holds."""
        gc.collect()
        return int(psutil.Process().memory_info().rss)

    def notices(self) -> bool:
        """Whether it still sees that an invoice is a draft again that was paid just now."""
        last = self._latest[-1]
        return bool(self._shown({**last, "status": "Draft"}, token=_token(last["id"])))

    def _life(self, number: int) -> Iterator[list[str]]:
        """One invoice, from its charge to its payment."""
        traffic, token = self._traffic, _token(number)
        at = f"{_BEGAN + timedelta(seconds=number):%Y-%m-%dT%H:%M:%S.%fZ}"
        draft = invoice(number, created_at=at)
        done = finalized(number, created_at=at)
        paid = {**done, "stripe_invoice_id": f"in_{number}", "stripe_invoice_status": "paid"}
        yield traffic.charges(charge(number), token=token)
        yield traffic.creates(draft, [number], token=token)
        yield self._shown(draft, token)
        yield traffic.acts("finalize", number, done, token=token)
        yield self._shown(done, token)
        yield traffic.acts("collect", number, paid, token=token)
        yield self._shown(paid, token)
        self._latest.append(paid)

    def _shown(self, first: dict[str, Any], token: str) -> list[str]:
        """The first page, with that invoice as it is now."""
        rows = [first, *(row for row in reversed(self._latest) if row["id"] != first["id"])][:15]
        return self._traffic.say("GET", "/billing/invoices", page(rows, total=first["id"]), token=token)


def _token(number: int) -> str:
    """Whose invoice it is."""
    return f"{number // OF_ONE_CALLER}|secret"
