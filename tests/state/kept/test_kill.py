"""A server that keeps its worlds in a database may be killed at any moment: what was answered is there, and no half."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from random import Random

import httpx
import pytest

from mockserver.core.net import API, CONTROL
from tests.state.kept.killed import Books, Client, Killed, killable

WORLDS = ("mine", "yours")
USUAL_KILLS = 2
"""`--kills 300` does it more often."""


def test_a_server_killed_at_random_forgets_nothing_halves_nothing_and_bills_nobody_twice(
    address: str, pytestconfig: pytest.Config
) -> None:
    kills = pytestconfig.getoption("--kills")
    chance = Random(None if kills else 1)
    with killable("--state", address, "--stripe-delay", "0.2") as server:
        known = Books(server, "untouched")
        clients = [Client(server, world, merchant, Random(merchant)) for world in WORLDS for merchant in (1, 2)]
        with billing(clients):
            for _ in range(kills or USUAL_KILLS):
                time.sleep(chance.uniform(0.1, 1.5))
                server.kill()
                server.start()
            patience = time.monotonic() + 60
            while not all(client.paid for client in clients):
                assert time.monotonic() < patience
                time.sleep(0.05)
        server.kill()
        server.start()
        for world in WORLDS:
            _queued_work_goes_on(server, world)
            _agree(Books(server, world), known, [client for client in clients if client.world == world])


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


def _queued_work_goes_on(server: Killed, world: str) -> None:
    while any(one["finalized_at"] and not one["stripe_invoice_id"] for one in Books(server, world).invoices.values()):
        time.sleep(0.05)


def _agree(books: Books, known: Books, clients: list[Client]) -> None:
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


def test_events_go_out_after_a_restart_though_nobody_asks_for_their_world(address: str) -> None:
    with killable("--state", address) as server, receiver() as (url, received):
        headers = {"Authorization": "Bearer provider@mine"}
        with httpx.Client(base_url=server.base, headers=headers, timeout=60) as http:
            assert http.put(CONTROL + "/webhooks", json={"url": url, "delay": 2}).status_code == 200
            assert http.post(API + "/billing/invoices", headers={"X-Selected-Client-Id": "1"}).status_code == 200
        server.kill()
        server.start()
        assert b"invoice.created" in received.get(timeout=60)


@contextmanager
def receiver() -> Iterator[tuple[str, Queue[bytes]]]:
    """Takes events: where to, and those that came."""
    received: Queue[bytes] = Queue()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_address[1]}/hook", received
        http.shutdown()
