"""Finalizing and collecting (FINALIZE-1 to 4, COLLECT-1 to 5), with every outcome of the fake Stripe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from mockserver.billing.stripe import CARDS
from mockserver.billing.stripe_currencies import MINIMUM_CHARGE
from mockserver.core.clock import Identifiers
from mockserver.server.run import Running, running
from tests import plain
from tests.conftest import Api


def test_finalizing_locks_a_draft(api: Api) -> None:
    draft = api.draft(12.5)
    answer = api.finalize(draft["id"])
    invoice = answer.json()["invoice"]
    assert answer.status_code == 200
    assert invoice["status"] == "Finalized"
    assert invoice["total"] == draft["total"]
    assert invoice == api.invoice(draft["id"])


def test_a_finalized_invoice_is_created_on_stripe_when_its_time_has_come(api: Api) -> None:
    invoice = api.finalized()
    assert invoice["stripe_invoice_id"] is None
    api.control("POST", "/clock/advance", json={"by": 59})
    assert api.invoice(invoice["id"])["stripe_invoice_id"] is None
    api.control("POST", "/clock/advance", json={"by": "PT2S"})
    later = api.invoice(invoice["id"])
    assert later["stripe_invoice_id"].startswith("in_")
    assert later["stripe_invoice_status"] == "open"


@pytest.mark.parametrize("action", ["finalize", "collect"])
def test_an_unknown_invoice_is_refused(api: Api, action: str) -> None:
    assert api.post(f"/billing/invoices/987654321/{action}").status_code == 404


def test_finalizing_again_changes_nothing(api: Api) -> None:
    invoice = api.finalized()
    api.collect(invoice["id"])
    before = api.everything()
    assert api.finalize(invoice["id"]).status_code == 422
    assert api.everything() == before


def test_collecting_a_draft_is_refused(api: Api) -> None:
    draft = api.draft()
    before = api.everything()
    answer = api.collect(draft["id"])
    assert answer.status_code == 422
    assert "finalize" in answer.json()["message"]
    assert api.everything() == before


def test_collecting_creates_on_stripe_first_and_pays(api: Api) -> None:
    invoice = api.finalized(12.5)
    answer = api.collect(invoice["id"])
    paid = answer.json()["invoice"]
    assert answer.status_code == 200
    assert paid["stripe_invoice_id"].startswith("in_")
    assert paid["stripe_invoice_status"] == "paid"
    api.control("POST", "/clock/advance", json={"by": 3600})
    assert api.invoice(invoice["id"]) == paid
    [attempt] = _ledger(api, invoice["id"])
    assert attempt["amount"] == 1250
    assert attempt["outcome"] == "succeeded"
    assert attempt["charged"] is True


def test_a_paid_invoice_is_not_charged_again(api: Api) -> None:
    invoice = api.finalized()
    api.collect(invoice["id"])
    before = api.everything()
    assert api.collect(invoice["id"]).status_code == 422
    assert api.everything() == before


def test_an_invoice_of_nothing_is_paid_without_a_charge(api: Api) -> None:
    charges = [api.charge(amount)["id"] for amount in (5, -5)]
    invoice = api.create(*charges).json()["invoice"]
    api.finalize(invoice["id"])
    assert api.collect(invoice["id"]).json()["invoice"]["stripe_invoice_status"] == "paid"
    [attempt] = _ledger(api, invoice["id"])
    assert (attempt["outcome"], attempt["charged"]) == ("nothing_due", False)


def test_less_than_stripes_minimum_is_declined(api: Api) -> None:
    least = MINIMUM_CHARGE["USD"] / 100
    assert api.collect(api.finalized(least)["id"]).status_code == 200
    answer = api.collect(api.finalized(least - 0.01)["id"])
    assert answer.status_code == 402
    assert "amount_too_small" in answer.json()["message"]


WRITTEN = f"""\
merchants:
  - {{id: 1, name: Ariary, currency: MGA}}
  - {{id: 2, name: Unidad, currency: CLF}}
  - {{id: 3, name: Dollar, currency: USD}}
charges:
  - {{id: 1, merchant: 3, created_at: 2026-01-01, amount: 7}}
invoices:
  - id: 1
    merchant: 3
    created_at: 2026-01-02
    charges: [1]
    finalized_at: 2026-01-03
    stripe_invoice_id: {Identifiers(0).stripe("in_")}
    stripe_invoice_status: open
stripe:
  seed: 0
  ledger:
    - {{invoice: 1, at: 2026-01-04, amount: 700, outcome: lost_answer}}
"""
"""An invoice under the id that this seed gives first, charged, though nobody was told."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    file = tmp_path_factory.mktemp("written") / "world.yaml"
    file.write_text(WRITTEN)
    with running("--fixture", str(file), "--check") as live:
        yield live


@pytest.fixture
def writer(written: Running, request: pytest.FixtureRequest) -> Iterator[Api]:
    with plain.Client(timeout=60) as http:
        yield Api(written, request.node.name, "provider", http)


@pytest.mark.parametrize(("merchant", "amount"), [(1, 0.4), (2, 0.0049)])
def test_what_stripe_counts_as_nothing_is_too_small_and_not_paid(writer: Api, merchant: int, amount: float) -> None:
    """Stripe has ariary in whole ones and unidades in hundredths, where ISO 4217 has more decimals."""
    invoice = writer.finalized(amount, merchant=merchant)
    answer = writer.collect(invoice["id"])
    assert answer.status_code == 402
    assert "amount_too_small" in answer.json()["message"]
    assert writer.invoice(invoice["id"])["stripe_invoice_status"] == "open"
    [attempt] = _ledger(writer, invoice["id"])
    assert (attempt["outcome"], attempt["charged"]) == ("amount_too_small", False)


def test_an_id_on_stripe_that_the_fixture_has_is_given_to_no_other_invoice(writer: Api) -> None:
    taken = writer.invoice(1)["stripe_invoice_id"]
    invoice = writer.finalized(merchant=3)["id"]
    writer.collect(invoice)
    given = writer.invoice(invoice)["stripe_invoice_id"]
    assert given.startswith("in_")
    assert given != taken
    found = writer.get("/billing/invoices", params={"q": f'stripe_invoice_id:"{taken}"'}).json()["data"]
    assert [one["id"] for one in found] == [1]


def test_what_a_fixtures_ledger_has_charged_is_not_charged_again(writer: Api) -> None:
    assert writer.collect(1).json()["invoice"]["stripe_invoice_status"] == "paid"
    first, second = _ledger(writer, 1)
    assert (first["outcome"], first["charged"]) == ("lost_answer", True)
    assert (second["outcome"], second["charged"]) == ("repeated", False)
    assert first["idempotency_key"] == second["idempotency_key"]


def _ledger(api: Api, invoice_id: int) -> Any:
    return api.control("GET", "/stripe/ledger", params={"invoice": invoice_id}).json()["data"]


@pytest.fixture(scope="module")
def declining() -> Any:
    with running("--fixture", "declines", "--set", "party_id_type=integer") as live:
        yield live


@pytest.fixture
def decliner(declining: Running, request: pytest.FixtureRequest) -> Any:
    with plain.Client(timeout=60) as http:
        yield Api(declining, request.node.name, "provider", http)


def _ready(api: Api, card: str) -> Any:
    """A finalized invoice of the merchant of the fixture `declines` whose card that is."""
    merchants = yaml.safe_load(api.everything())["merchants"]
    return api.finalized(20, merchant=next(one["id"] for one in merchants if one["card"] == card))


@pytest.mark.parametrize("card", [name for name, outcome in CARDS.items() if outcome.declined])
def test_a_decline_leaves_the_invoice_unpaid_and_collectable(decliner: Api, card: str) -> None:
    invoice = _ready(decliner, card)
    for attempts in (1, 2):
        answer = decliner.collect(invoice["id"])
        assert answer.status_code == 402
        assert CARDS[card].reason in answer.json()["message"]
        assert CARDS[card].name in answer.headers["X-Mock-Trace"]
        now = decliner.invoice(invoice["id"])
        assert now["stripe_invoice_status"] == "open"
        ledger = _ledger(decliner, invoice["id"])
        assert len(ledger) == attempts
        assert {(one["code"], one["decline_code"], one["charged"]) for one in ledger} == {
            (CARDS[card].code, CARDS[card].decline_code, False)
        }
        assert len({one["idempotency_key"] for one in ledger}) == attempts


def test_a_lost_answer_charges_once_and_the_retry_does_not_charge_again(decliner: Api) -> None:
    invoice = _ready(decliner, "lost_answer")
    assert decliner.collect(invoice["id"]).status_code >= 500
    assert decliner.invoice(invoice["id"])["stripe_invoice_status"] == "open"
    again = decliner.collect(invoice["id"])
    assert again.status_code == 200
    assert again.json()["invoice"]["stripe_invoice_status"] == "paid"
    first, second = _ledger(decliner, invoice["id"])
    assert (first["charged"], second["charged"]) == (True, False)
    assert first["idempotency_key"] == second["idempotency_key"]


@pytest.mark.parametrize("card", ["stripe_down", "stripe_rate_limited"])
def test_when_stripe_is_in_trouble_nothing_is_charged(decliner: Api, card: str) -> None:
    invoice = _ready(decliner, card)
    answer = decliner.collect(invoice["id"])
    assert answer.status_code >= 500
    assert ("Retry-After" in answer.headers) == (card == "stripe_rate_limited")
    assert [one["charged"] for one in _ledger(decliner, invoice["id"])] == [False]


def test_a_late_answer_pays_in_the_end(decliner: Api) -> None:
    invoice = _ready(decliner, "stripe_late")
    answer = decliner.collect(invoice["id"])
    assert answer.elapsed.total_seconds() > 1
    assert answer.json()["invoice"]["stripe_invoice_status"] == "paid"
