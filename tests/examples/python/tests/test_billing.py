"""The client against the fake: every test in a world of its own, which it can spoil as it likes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from billing import Billing, Declined, is_genuine

from mockserver.client.payloads import FaultKind
from mockserver.pytest_plugin import MockWorld

ACME = 1


@pytest.fixture
def billing(mock_world: MockWorld) -> Iterator[Billing]:
    billing = Billing(mock_world.url, mock_world.token)
    yield billing
    billing.close()


def test_a_declined_card_is_collected_three_days_later(mock_world: MockWorld, billing: Billing) -> None:
    control = mock_world.control
    invoice = billing.bill(ACME, 12.5, "Relabelling")
    with control.declines("expired_card"), pytest.raises(Declined, match="expired_card"):
        billing.collect(invoice)
    control.clock.advance("P3D")
    billing.collect(invoice)
    assert billing.is_paid(invoice)
    control.verify(
        {"operation": "collectInvoice", "status": 402, "at_most": 1},
        {"operation": "collectInvoice", "status": 200},
        in_order=True,
    )


def test_a_lost_answer_charges_nobody_twice(mock_world: MockWorld, billing: Billing) -> None:
    invoice = billing.bill(ACME, 12.5, "Relabelling")
    with mock_world.control.fault("lost_answer", count=1):
        billing.collect(invoice)
    attempts = mock_world.control.ledger(invoice=invoice)
    assert [attempt["charged"] for attempt in attempts].count(True) == 1


@pytest.mark.parametrize("trouble", ["stripe_down", "status", "reset", "truncated", "malformed"])
def test_trouble_that_passes_goes_unnoticed(mock_world: MockWorld, billing: Billing, trouble: FaultKind) -> None:
    invoice = billing.bill(ACME, 12.5, "Relabelling")
    with mock_world.control.fault(trouble, operation="collectInvoice", count=1) as fault:
        billing.collect(invoice)
        assert fault.struck == 1
    assert billing.is_paid(invoice)


def test_the_event_of_a_new_invoice_is_genuine(mock_world: MockWorld, billing: Billing) -> None:
    mock_world.control.webhooks.set(secret="whsec")
    billing.bill(ACME, 12.5, "Relabelling")
    (event,) = mock_world.control.webhooks.deliveries()
    assert is_genuine(event["body"].encode(), event["signature"], "whsec")
    assert not is_genuine(event["body"].encode() + b" ", event["signature"], "whsec")


@pytest.mark.mockserver(allow_invalid=True)
def test_an_amount_that_is_no_number_is_refused(billing: Billing) -> None:
    """Without the marker the test would fail, since its client sends what the spec forbids."""
    with pytest.raises(Exception, match="422"):
        billing.bill(ACME, "many", "Relabelling")  # type: ignore[arg-type]
