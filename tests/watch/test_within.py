"""`serve --check`: a fake that contradicts itself is told of, and one that does what it is told to is not."""

from __future__ import annotations

import json
import logging
import random
import threading
from dataclasses import replace
from urllib.parse import quote

import pytest

from mockserver.billing import records
from mockserver.billing.records import Charge, Invoice
from mockserver.client import Control
from mockserver.core.messages import Request
from mockserver.server.control.interface import ControlInterface
from mockserver.server.pipeline import respond
from mockserver.server.process import running
from mockserver.server.service import Current, Service, open_service
from mockserver.server.settings import Settings
from mockserver.traffic.journal import Exchange
from mockserver.watch.within import begin_watch
from tests.watch.clients import Tap, crowd


class Fake:
    """A fake in this process whose own answers are checked."""

    def __init__(self, **settings: object) -> None:
        service = open_service(Settings(stripe_delay=0.0, **settings), begin_watch=begin_watch)  # type: ignore[arg-type]
        self.current = Current(service)
        self._control = ControlInterface(self.current)

    @property
    def service(self) -> Service:
        return self.current.service

    def ask(self, method: str, target: str, body: object = None, **headers: str) -> Exchange:
        path, _, query = target.partition("?")
        given = {"x-selected-client-id": "1", **headers}
        request = _request(method, path, quote(query, safe="=&%"), body, given)
        return respond(request, self.service, address=f"http://there/api{path}")

    def make(self) -> int:
        """A new charge."""
        asked = {"amount": 12.5, "description": "Relabelling"}
        made = self.ask("POST", "/billing/charges/quick-adjustment", asked)
        return int(made.reply.body["charge"]["id"])

    def bill(self, *charges: int) -> Exchange:
        return self.ask("POST", "/billing/invoices", {"charge_ids": list(charges)})

    def steer(self, method: str, path: str, body: object = None) -> None:
        reply = self._control.respond(_request(method, path, "", body, {"host": "127.0.0.1"}))
        assert reply.status < 300, reply.body


def _request(method: str, path: str, query: str, body: object, headers: dict[str, str]) -> Request:
    given = {"accept": "application/json", "authorization": "Bearer provider@w", **headers}
    if body is None:
        return Request(method, path, query, given, b"")
    return Request(method, path, query, {"content-type": "application/json", **given}, json.dumps(body).encode())


def _twice(charges: list[Charge], **_: object) -> None:
    return None


def _reopened(invoice: Invoice) -> Invoice:
    return replace(invoice, stripe_invoice_status="paid", finalized_at=None)


def test_a_charge_that_is_billed_twice_is_a_fault_of_ours(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(records, "billable", _twice)
    fake = Fake()
    charge = fake.make()
    assert not fake.bill(charge).broken
    with caplog.at_level(logging.ERROR, "mockserver"):
        again = fake.bill(charge)
    assert again.broken is not None and again.broken[0].startswith("CREATE-4: a charge is on at most one invoice")
    assert again.reply.status == 200 and again.reply.headers["X-Mock-Broken"] == "createInvoice"
    [kept] = [one for one in fake.service.worlds.enter("w").journal.read()[0] if one.broken]
    assert kept.broken == again.broken
    assert "please report it: CREATE-4" in caplog.text


def test_an_invoice_that_is_a_draft_again_is_a_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake()
    number = fake.bill(fake.make()).reply.body["invoice"]["id"]
    assert not fake.ask("POST", f"/billing/invoices/{number}/finalize").broken
    monkeypatch.setattr(records, "pay", _reopened)
    assert fake.ask("POST", f"/billing/invoices/{number}/collect").broken


def test_what_a_world_is_set_back_to_contradicts_nothing() -> None:
    fake = Fake()

    def live() -> None:
        for _ in range(3):
            number = fake.bill(fake.make()).reply.body["invoice"]["id"]
            for action in ("finalize", "collect"):
                assert not fake.ask("POST", f"/billing/invoices/{number}/{action}").broken
            assert not fake.ask("GET", "/billing/invoices").broken

    fake.steer("PUT", "/snapshots/first")
    for way, path in (("POST", "/reset"), ("POST", "/snapshots/first/restore"), ("DELETE", "/worlds/w")):
        live()
        fake.steer(way, path)
        live()


def test_an_invoice_of_a_clock_that_was_set_back_is_on_the_last_page() -> None:
    fake = Fake()
    for _ in range(20):
        fake.bill(fake.make())
    assert not fake.ask("GET", "/billing/invoices").broken
    fake.steer("POST", "/clock/freeze", {"at": "2020-01-01"})
    for _ in range(4):
        fake.bill(fake.make())
        for page in (1, 2, 3, 1):
            assert not fake.ask("GET", f"/billing/invoices?page={page}").broken


def test_another_profile_shows_what_there_is_in_another_way() -> None:
    fake = Fake()
    number = fake.bill(fake.make()).reply.body["invoice"]["id"]
    assert not fake.ask("POST", f"/billing/invoices/{number}/finalize").broken
    assert not fake.ask("GET", "/billing/invoices").broken
    profile = replace(fake.service.profile, finalized_label="Open", created_at_precision="seconds")
    fake.current.service = replace(fake.service, profile=profile)
    assert not fake.ask("GET", "/billing/invoices").broken


@pytest.mark.parametrize("profile", ["default", "alternative", "laravel", "strict", "lenient"])
def test_what_a_fake_is_told_to_do_wrong_is_no_fault_of_ours(profile: str) -> None:
    """Clients, and somebody who steers at the same time; nothing that comes of it is blamed on the fake."""
    fake = Fake(profile=profile)
    found: list[str] = []
    chance = random.Random(1)
    ended = threading.Event()

    def work(place: int) -> None:
        own = random.Random(place)
        charges, invoices = [1], [1]
        for _ in range(150):
            number, some = own.choice(invoices[-5:]), own.choice(charges[-5:])
            prefer = own.choice([{}, {}, {}, {"prefer": own.choice(PREFERENCES)}])
            exchange = fake.ask(
                *own.choice(
                    [
                        ("POST", "/billing/charges/quick-adjustment", {"amount": 12.5, "description": "Relabelling"}),
                        ("POST", "/billing/invoices", {"charge_ids": [some]}),
                        ("POST", "/billing/invoices", None),
                        ("POST", f"/billing/invoices/{number}/finalize", None),
                        ("POST", f"/billing/invoices/{number}/collect", None),
                        ("GET", "/billing/invoices", None),
                        ("GET", f"/billing/invoices?page={own.randrange(1, 4)}&per_page=5", None),
                        ("GET", f'/billing/invoices?q=id>"{number}"', None),
                        ("GET", "/billing/charges", None),
                    ]
                ),
                **prefer,
            )
            if exchange.broken and not exchange.injected:
                found.extend(exchange.broken)
            body = exchange.reply.body
            if isinstance(body, dict) and isinstance(body.get("charge"), dict):
                charges.append(body["charge"].get("id", 1))
            if isinstance(body, dict) and isinstance(body.get("invoice"), dict):
                invoices.append(body["invoice"].get("id", 1))

    def steer() -> None:
        fake.steer("PUT", "/snapshots/first")
        while not ended.wait(0.005):
            fake.steer(*chance.choice(STEERING))

    threads = [threading.Thread(target=work, args=(place,)) for place in range(4)]
    steering = threading.Thread(target=steer)
    for thread in (steering, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    ended.set()
    steering.join()
    assert found == []


PREFERENCES = ("outcome=lost_answer", "outcome=insufficient_funds", "fault=schema", "fault=reset", "code=500")
STEERING: tuple[tuple[str, str, object], ...] = (
    ("POST", "/reset", None),
    ("PUT", "/snapshots/first", None),
    ("POST", "/snapshots/first/restore", None),
    ("DELETE", "/journal", None),
    ("POST", "/clock/freeze", {"at": "2021-05-05"}),
    ("POST", "/clock/advance", {"by": "P3D"}),
    ("POST", "/clock/run", None),
    ("POST", "/stripe/next", {"outcome": "lost_answer", "count": 2}),
    ("POST", "/stripe/next", {"outcome": "stripe_down", "count": 1}),
    ("PUT", "/merchants/1/card", {"card": "pm_card_chargeDeclinedExpiredCard"}),
    ("POST", "/faults", {"kind": "status", "status": 429, "count": 1}),
    ("POST", "/faults", {"kind": "schema", "count": 1}),
    ("POST", "/faults", {"kind": "truncated", "count": 1}),
    ("POST", "/faults", {"kind": "lost_answer", "count": 1}),
)


def test_clients_at_the_same_time_find_no_fault_in_a_server() -> None:
    with running("--check", "--stripe-delay", "0.1") as server:
        callers = [("merchant1", "1"), ("merchant1", "1"), ("provider", "1"), ("provider", None)]
        crowd(Tap(server.api, lambda _: None), callers, length=15)
        control = Control(server.base)
        wrong = [entry for entry in control.journal(invalid=True) if not entry["response"]["valid"]]
        control.close()
    assert wrong == []
