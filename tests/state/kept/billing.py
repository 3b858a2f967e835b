"""Clients that bill in one world at the same time, and the books of that world, which must agree with their answers."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from random import Random
from typing import Any

import httpx

from mockserver.core.net import API, CONTROL
from tests import plain

JSON = "application/json"
CONTROL_TOKEN = "only-for-tests"


def headers_of(world: str) -> dict[str, str]:
    """What a client of that world sends, which may control it."""
    return {"Authorization": f"Bearer provider@{world}", "X-Mock-Control-Token": CONTROL_TOKEN}


class Client:
    """Somebody who bills in one world, and writes down what was answered. Nothing is ever sent twice."""

    def __init__(self, base: str, world: str, merchant: int, chance: Random) -> None:
        self.world = world
        self.charges: dict[int, float] = {}
        self.invoices: dict[int, list[int]] = {}
        self.finalized: set[int] = set()
        self.paid: set[int] = set()
        self._chance = chance
        self._http = plain.Client(base_url=base, headers=headers_of(world), timeout=60)
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
            assert self._sent(f"{CONTROL}/stripe/next", {"outcome": "lost_answer"}).status_code == 200
        for _ in range(3):
            # The card of the merchant pays, but its answer may be lost.
            if self._sent(f"{API}/billing/invoices/{invoice}/collect", {}).status_code == 200:
                self.paid.add(invoice)
                break

    def _post(self, path: str, body: Any = None) -> Any:
        answer = self._sent(API + path, body or {})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def _sent(self, path: str, body: Any) -> httpx.Response:
        answer = self._http.post(path, json=body, headers=self._merchant)
        if answer.status_code in (502, 503, 504) and not answer.headers.get("content-type", "").startswith(JSON):
            # A load balancer says so of a server that is gone.
            raise httpx.RemoteProtocolError(f"{answer.status_code} from between")
        return answer


class Books:
    """All that a world holds, as its control interface tells."""

    def __init__(self, base: str, world: str) -> None:
        self._http = plain.Client(base_url=base + CONTROL, headers=headers_of(world), timeout=60)
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


@contextmanager
def billing(clients: list[Client]) -> Iterator[None]:
    """Let them all bill meanwhile; whoever finds something wrong fails the test."""
    stop = threading.Event()
    with ThreadPoolExecutor(len(clients)) as pool:
        running = [pool.submit(client.bill, stop) for client in clients]
        try:
            yield
        finally:
            stop.set()
    for one in running:
        one.result()


def queued_work_goes_on(base: str, world: str) -> None:
    while any(one["finalized_at"] and not one["stripe_invoice_id"] for one in Books(base, world).invoices.values()):
        time.sleep(0.05)


def agree(books: Books, known: Books, clients: list[Client]) -> None:
    """Fails unless the books hold all that the clients were answered, and nothing that can't be.

    `known` is what every world began with.
    """
    billed = Counter(charge for one in books.invoices.values() for charge in one["charges"])
    assert max(billed.values()) == 1
    for number, charge in books.charges.items():
        assert (charge["status"] == "Invoiced") == (number in billed)
        assert charge["invoice"] is None or number in books.invoices[charge["invoice"]]["charges"]
    charged = Counter(one["invoice"] for one in books.ledger if one["charged"])
    assert max(charged.values()) == 1
    made = {number: one for number, one in books.invoices.items() if number not in known.invoices}
    for number, invoice in made.items():
        total = sum(Decimal(str(books.charges[one]["amount"])) for one in invoice["charges"])
        assert Decimal(str(invoice["total"])) == total
        assert invoice["stripe_invoice_status"] != "paid" or number in charged
    _holds_what_was_answered(books, clients)
    # One event for each invoice that was made, answered or not, and none for another.
    assert len({one["event"] for one in books.events}) == len(books.events)
    assert len(books.events) + books.lost == len(made)


def _holds_what_was_answered(books: Books, clients: list[Client]) -> None:
    for client in clients:
        assert {number: books.charges[number]["amount"] for number in client.charges} == client.charges
        assert {number: books.invoices[number]["charges"] for number in client.invoices} == client.invoices
        assert all(books.invoices[number]["finalized_at"] for number in client.finalized)
        assert all(books.invoices[number]["stripe_invoice_status"] == "paid" for number in client.paid)
