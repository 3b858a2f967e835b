"""What the monitor knows after a request whose meaning is nobody's to say, and what the answers prove all the same."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from mockserver.contract.contract import Contract
from mockserver.core.resources import openapi_path
from mockserver.verify.assertions.recorder import Recorder
from mockserver.verify.events import Breach, BreachFound, Event, RecordedExchange
from mockserver.verify.monitor.monitor import Monitor
from mockserver.verify.transport.billing_client import FORM_TYPE, JSON_TYPE
from mockserver.verify.transport.http import Transport
from mockserver.verify.transport.messages import Answer, Outgoing
from mockserver.verify.transport.redaction import Redaction
from mockserver.verify.transport.safety import SafetyGuard

CONTRACT = Contract.load(openapi_path())
INVOICES, CHARGES = "/billing/invoices", "/billing/charges"
ADJUSTMENT = f"{CHARGES}/quick-adjustment"
PARTIES = {"charger_id": "9", "charger_type": "company", "chargee_id": "1", "chargee_type": "merchant"}
COMMON = PARTIES | {"created_at": "2026-01-15T10:00:00.000000Z", "currency": "USD", "description": "x"}


def invoice(number: int, total: int, **changes: Any) -> dict[str, Any]:
    whole = {"id": number, "status": "Draft", "stripe_invoice_id": None, "stripe_invoice_status": None, "total": total}
    return COMMON | whole | changes


def charge(number: int, status: str = "Open") -> dict[str, Any]:
    rest = {"price": 5, "amount": 5, "category": "Adjustment", "stripe_invoice_item_id": None}
    return COMMON | rest | {"id": number, "status": status}


def page(*rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    figures = {"current_page": 1, "from": 1, "to": len(rows), "total": len(rows), "last_page": 1, "per_page": 15}
    return {"data": list(rows)} | figures | changes


class Watched:
    """A monitor that hears of answers made up here, a second apart, and what it says of them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        recorder = Recorder([self.events.append], 1, frozenset(CONTRACT.rules))
        self.answer: tuple[int, Any] = (200, None)
        transport = Transport(
            "http://server/api",
            guard=SafetyGuard(False, True),
            redaction=Redaction({}),
            deadline=1e12,
            connection=httpx.MockTransport(lambda _: httpx.Response(self.answer[0], json=self.answer[1])),
        )
        self.monitor = Monitor(CONTRACT, recorder, transport)
        self.now = 0.0

    @property
    def breaches(self) -> list[Breach]:
        return [event.breach for event in self.events if isinstance(event, BreachFound)]

    def outgoing(self, method: str, target: str, body: bytes | None = None, kind: str = JSON_TYPE) -> Outgoing:
        headers = [("Accept", JSON_TYPE), ("Authorization", "Bearer t"), ("X-Selected-Client-Id", "1")]
        return Outgoing(method, target, (*headers, *([("Content-Type", kind)] if body else [])), body)

    def hears(
        self, method: str, target: str, status: int, content: Any, body: bytes | None = None, kind: str = JSON_TYPE
    ) -> None:
        self.answer = (status, content)
        outgoing = self.outgoing(method, target, body, kind)
        self.now += 1.0
        exchange = RecordedExchange(
            method,
            target,
            outgoing.headers,
            body,
            status,
            (("Content-Type", JSON_TYPE),),
            json.dumps(content).encode(),
            number=int(self.now),
        )
        self.monitor.transport.ledger.note(exchange, content)
        self.monitor.see(
            Answer(outgoing, exchange, status, JSON_TYPE, exchange.answer, self.now, self.now + 0.5, content)
        )

    def charged(self, *numbers: int) -> None:
        for number in numbers:
            body = b'{"amount": 5, "description": "x"}'
            self.hears("POST", ADJUSTMENT, 200, {"message": "", "charge": charge(number), "charge_items": []}, body)

    def created(self, number: int, body: bytes, total: int = 5, kind: str = JSON_TYPE, status: int = 200) -> None:
        content = {"message": "Created.", "invoice": invoice(number, total)} if status == 200 else {"message": "No."}
        self.hears("POST", INVOICES, status, content, body, kind)

    def shows_charge(self, number: int, status: str) -> None:
        self.hears("GET", f"{CHARGES}/{number}", 200, {"charge": charge(number, status), "charge_items": []})

    def lists(self, *rows: dict[str, Any]) -> None:
        self.hears("GET", INVOICES, 200, page(*rows))


@pytest.fixture
def watched() -> Watched:
    watched = Watched()
    watched.charged(383, 384)
    assert watched.breaches == []
    return watched


def rules(watched: Watched) -> list[str]:
    return [breach.rule for breach in watched.breaches]


@pytest.mark.parametrize("taken", [(383, 384), (383,), (384,), ()])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"charge_ids[]=383&charge_ids=384", FORM_TYPE),
        (b'{"charge_ids": [383], "charge_ids": [384]}', JSON_TYPE),
        (b'{"charge_ids": ["383", "+384"]}', JSON_TYPE),
        (b'{"charge_ids": [383, 384', JSON_TYPE),
    ],
)
def test_whichever_charges_an_odd_create_takes_is_no_breach(
    watched: Watched, taken: tuple[int, ...], body: bytes, kind: str
) -> None:
    watched.created(1, body, 5 * len(taken), kind)
    for number in (383, 384):
        watched.shows_charge(number, "Invoiced" if number in taken else "Open")
    left = sorted({383, 384} - set(taken))
    watched.created(2, json.dumps({"charge_ids": left}).encode() if left else b"{}", 5 * len(left))
    assert watched.breaches == []


def test_a_create_of_a_charge_that_an_odd_one_was_seen_to_have_taken_is_a_breach(watched: Watched) -> None:
    watched.created(1, b"charge_ids[]=383&charge_ids=384", 5, FORM_TYPE)
    watched.shows_charge(384, "Invoiced")
    watched.created(2, b'{"charge_ids": [384]}')
    assert rules(watched) == ["CREATE-4"]


def test_a_charge_on_two_invoices_is_a_breach(watched: Watched) -> None:
    watched.created(1, b'{"charge_ids": [384]}')
    watched.created(2, b"charge_ids[]=384", kind=FORM_TYPE)
    assert rules(watched) == ["CREATE-4"]


def test_a_charge_that_is_open_again_is_a_breach(watched: Watched) -> None:
    watched.shows_charge(384, "Invoiced")
    watched.shows_charge(384, "Open")
    assert rules(watched) == ["CREATE-4"]


def test_the_total_is_judged_where_the_charges_are_named_plainly(watched: Watched) -> None:
    watched.created(1, b'{"charge_ids": ["383"]}', 7)
    assert watched.breaches == []
    watched.created(2, b'{"charge_ids": [384]}', 7)
    assert rules(watched) == ["CREATE-5"]


def test_how_a_total_is_rounded_is_open(watched: Watched) -> None:
    fine = charge(385) | {"amount": 3.3333, "price": 3.3333}
    asked = b'{"amount": 3.3333, "description": "x"}'
    watched.hears("POST", ADJUSTMENT, 200, {"message": "", "charge": fine, "charge_items": []}, asked)
    content = {"message": "Created.", "invoice": invoice(1, 5) | {"total": 8.33}}
    watched.hears("POST", INVOICES, 200, content, b'{"charge_ids": [383, 385]}')
    assert watched.breaches == []


@pytest.mark.parametrize("body", [b'{"charge_ids": [383], "status": "Paid"}', b'{"charge_ids": [383]}'])
def test_an_invoice_that_is_no_draft_is_a_breach_whatever_was_asked(watched: Watched, body: bytes) -> None:
    watched.hears("POST", INVOICES, 200, {"message": "", "invoice": invoice(1, 5, status="Paid")}, body)
    assert rules(watched) == ["CREATE-3"]


@pytest.fixture
def drafted(watched: Watched) -> Watched:
    watched.created(1, b'{"charge_ids": [383]}')
    watched.created(2, b'{"charge_ids": [384]}')
    return watched


def test_a_draft_that_nobody_finalized_stays_one(drafted: Watched) -> None:
    drafted.lists(invoice(1, 5, status="Finalized"), invoice(2, 5))
    assert rules(drafted) == ["GEN-9"]


@pytest.mark.parametrize("spelling", ["02", "%32", "2.0", "%202"])
def test_an_odd_finalize_that_was_accepted_may_have_meant_any_draft(drafted: Watched, spelling: str) -> None:
    drafted.hears("POST", f"{INVOICES}/{spelling}/finalize", 200, {"message": "Finalized."})
    drafted.lists(invoice(1, 5), invoice(2, 5, status="Finalized"))
    assert drafted.breaches == []


def test_an_odd_finalize_that_was_refused_has_finalized_nothing(drafted: Watched) -> None:
    drafted.hears("POST", f"{INVOICES}/2abc/finalize", 404, {"message": "Not found."})
    drafted.lists(invoice(1, 5), invoice(2, 5, status="Finalized"))
    assert len(drafted.breaches) == 1


@pytest.mark.parametrize("status", ["Draft", "Finalized"])
def test_what_a_finalize_with_an_undocumented_body_does_is_open(drafted: Watched, status: str) -> None:
    drafted.hears("POST", f"{INVOICES}/2/finalize", 200, {"message": "Well."}, b'{"dry_run": true}')
    drafted.lists(invoice(1, 5), invoice(2, 5, status=status))
    assert drafted.breaches == []


def test_a_plain_finalize_that_was_accepted_has_happened(drafted: Watched) -> None:
    drafted.hears("POST", f"{INVOICES}/2/finalize", 200, {"message": "Finalized."})
    drafted.lists(invoice(1, 5), invoice(2, 5))
    assert rules(drafted) == ["FINALIZE-1"]


def test_an_invoice_that_goes_back_to_draft_is_a_breach_whatever_was_asked(drafted: Watched) -> None:
    drafted.hears("POST", f"{INVOICES}/2/finalize?now=1", 200, {"message": "Well."})
    drafted.lists(invoice(1, 5), invoice(2, 5, status="Finalized"))
    drafted.lists(invoice(1, 5), invoice(2, 5))
    assert rules(drafted) == ["FINALIZE-1"]


def test_a_finalize_without_an_answer_may_have_happened(drafted: Watched) -> None:
    drafted.monitor.not_answered(drafted.outgoing("POST", f"{INVOICES}/2/finalize"))
    drafted.lists(invoice(1, 5), invoice(2, 5, status="Finalized"))
    assert drafted.breaches == []
    drafted.lists(invoice(1, 5, status="Finalized"), invoice(2, 5, status="Finalized"))
    assert rules(drafted) == ["GEN-9"]


@pytest.mark.parametrize(("status", "content"), [(500, {"message": "Server Error"}), (302, None)])
def test_a_finalize_whose_answer_is_no_answer_may_have_happened(drafted: Watched, status: int, content: Any) -> None:
    drafted.hears("POST", f"{INVOICES}/2/finalize", status, content)
    told = len(drafted.breaches)
    drafted.lists(invoice(1, 5), invoice(2, 5, status="Finalized"))
    assert len(drafted.breaches) == told


@pytest.mark.parametrize(("method", "known"), [("PUT", False), ("DELETE", False), ("HEAD", True), ("OPTIONS", True)])
def test_an_undocumented_method_that_was_accepted_may_have_done_anything(
    drafted: Watched, method: str, known: bool
) -> None:
    drafted.hears(method, f"{INVOICES}/2/finalize", 200, None)
    drafted.lists(invoice(1, 7), invoice(2, 5, status="Void"))
    assert bool(drafted.breaches) is known


def test_an_undocumented_method_that_was_refused_has_done_nothing(drafted: Watched) -> None:
    drafted.hears("PUT", f"{INVOICES}/2/finalize", 405, {"message": "No."})
    drafted.lists(invoice(1, 7), invoice(2, 5))
    assert rules(drafted) == ["GEN-9"]


@pytest.mark.parametrize(
    ("query", "breach"), [("?page=2", True), ("?page=2&page=1", False), ("?page=02", False), ("?page=2&x=1", False)]
)
def test_the_page_that_was_asked_for_is_known_of_a_plain_query_alone(
    watched: Watched, query: str, breach: bool
) -> None:
    watched.hears("GET", INVOICES + query, 200, page(invoice(1, 5)))
    assert rules(watched) == (["LIST-3"] if breach else [])


@pytest.mark.parametrize("query", ["?page=2", "?page=2&page=1"])
def test_a_page_that_contradicts_itself_is_a_breach_whatever_was_asked(watched: Watched, query: str) -> None:
    watched.hears("GET", INVOICES + query, 200, page(invoice(1, 5), current_page=2, last_page=7))
    assert set(rules(watched)) == {"LIST-3"}


@pytest.mark.parametrize(
    ("target", "status", "content", "broken"),
    [
        ("/billing/charges/%00?x=1", 500, {"message": "Server Error"}, ["GEN-5"]),
        ("/billing/charges/7?x=1", 200, {"charge": {"id": 7}}, ["GEN-9"]),
        ("/billing/charges/abc", 404, {"error": "?"}, ["GEN-5"]),
        ("/billing/charges/%00", 404, {"error": "?"}, []),
        ("/billing/charges/7", 414, {"error": "?"}, []),
    ],
)
def test_the_form_of_answers_is_judged_whatever_was_asked(
    watched: Watched, target: str, status: int, content: Any, broken: list[str]
) -> None:
    watched.hears("GET", target, status, content)
    assert sorted(set(rules(watched))) == broken
