"""A server that is killed, and started again on the same port, and clients that make do with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import httpx

from mockserver.core.health import is_ready
from mockserver.core.net import API, CONTROL, free_port


class Killed:
    """`mockserver serve` with these options, in a process group of its own."""

    def __init__(self, *options: str) -> None:
        self.base = f"http://127.0.0.1:{free_port('127.0.0.1', 0)}"
        self._options = options
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        port = self.base.rpartition(":")[2]
        command = [sys.executable, "-P", "-m", "mockserver", "serve", "--port", port, *self._options]
        self._child = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
        while not is_ready(self.base + CONTROL):
            assert self._child.poll() is None, "the server ended"
            time.sleep(0.02)

    def kill(self) -> None:
        """As `kill -9` does to it and to all that it has started."""
        if self._child is not None:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()
            self._child = None


@contextmanager
def killable(*options: str) -> Iterator[Killed]:
    """A server that runs, until it is killed."""
    server = Killed(*options)
    try:
        server.start()
        yield server
    finally:
        server.kill()


class Client:
    """Somebody who bills in one world, and writes down what was answered. Nothing is ever sent twice."""

    def __init__(self, server: Killed, world: str, merchant: int, chance: Random) -> None:
        self.world = world
        self.charges: dict[int, float] = {}
        self.invoices: dict[int, list[int]] = {}
        self.finalized: set[int] = set()
        self.paid: set[int] = set()
        self._chance = chance
        self._http = httpx.Client(base_url=server.base, headers={"Authorization": f"Bearer provider@{world}"})
        self._merchant = {"X-Selected-Client-Id": str(merchant)}
        self._open: list[int] = []

    def bill(self, stop: threading.Event) -> None:
        """Go on until told to stop."""
        with self._http:
            while not stop.is_set():
                try:
                    self._once()
                except httpx.TransportError:
                    # Killed: whether it was done is not known.
                    time.sleep(0.02)

    def _once(self) -> None:
        for _ in range(self._chance.randrange(1, 4)):
            amount = self._chance.randrange(100, 10_000) / 100
            body = {"amount": amount, "description": "Relabelling"}
            charge = self._post("/billing/charges/quick-adjustment", body)["charge"]
            assert charge["id"] not in self.charges
            self.charges[charge["id"]] = amount
            self._open.append(charge["id"])
        taken, self._open = self._open, []
        invoice = self._post("/billing/invoices", {"charge_ids": taken})["invoice"]["id"]
        assert invoice not in self.invoices
        self.invoices[invoice] = taken
        self._post(f"/billing/invoices/{invoice}/finalize")
        self.finalized.add(invoice)
        if self._chance.random() < 0.3:
            self._http.post(f"{CONTROL}/stripe/next", json={"outcome": "lost_answer"}).raise_for_status()
        for _ in range(3):
            # The card of the merchant pays, but its answer may be lost.
            if self._http.post(f"{API}/billing/invoices/{invoice}/collect").status_code == 200:
                self.paid.add(invoice)
                break

    def _post(self, path: str, body: Any = None) -> Any:
        answer = self._http.post(API + path, json=body or {}, headers=self._merchant)
        assert answer.status_code == 200, answer.text
        return answer.json()


class Books:
    """All that a world holds, as its control interface tells."""

    def __init__(self, server: Killed, world: str) -> None:
        self._http = httpx.Client(
            base_url=server.base + CONTROL, headers={"Authorization": f"Bearer provider@{world}"}, timeout=60
        )
        with self._http:
            self.charges = {one["id"]: one for one in self._pages("/charges")}
            self.invoices = {one["id"]: one for one in self._pages("/invoices")}
            self.ledger = self._http.get("/stripe/ledger").json()["data"]
            told = self._http.get("/webhooks/deliveries", params={"limit": 1000}).json()
            self.events, self.lost = told["data"], told["lost"]

    def _pages(self, path: str) -> Iterator[Any]:
        last, page = 1, 1
        while page <= last:
            answer = self._http.get(path, params={"page": page, "per_page": 1000}).json()
            last, page = answer["last_page"], page + 1
            yield from answer["data"]
