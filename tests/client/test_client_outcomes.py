"""Cards, outcomes and faults by the Python client, for a while and no longer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import timedelta
from typing import get_type_hints

import pytest

from mockserver.client import Control, ControlRefused, payloads
from tests.conftest import Api


def test_a_merchant_has_another_card_within_a_block(control: Control, api: Api) -> None:
    with control.card(1, "pm_card_radarBlock") as given:
        assert given.info["outcome"] == "fraudulent"
        assert api.collect(api.finalized()["id"]).status_code == 402
    assert api.collect(api.finalized()["id"]).status_code == 200
    control.card(1, "none")
    assert api.collect(api.finalized()["id"]).status_code == 402
    with pytest.raises(ControlRefused, match="pm_card_visa"):
        control.card(1, "pm_card_vsia")


def test_collecting_is_declined_within_a_block(control: Control, api: Api) -> None:
    invoice = api.finalized()["id"]
    with control.declines("expired_card"):
        assert "expired_card" in api.collect(invoice).json()["message"]
    assert api.collect(invoice).status_code == 200
    assert control.faults() == []


def test_one_invoice_is_declined_and_no_other(control: Control, api: Api) -> None:
    unlucky, lucky = api.finalized()["id"], api.finalized()["id"]
    with control.declines(invoice=unlucky):
        assert (api.collect(unlucky).status_code, api.collect(lucky).status_code) == (402, 200)


def test_the_next_outcomes_come_in_their_order(control: Control, api: Api) -> None:
    assert control.next_collect("expired_card", "lost_card") == ["expired_card", "lost_card"]
    invoice = api.finalized()["id"]
    assert "expired_card" in api.collect(invoice).json()["message"]
    assert control.next_collect() == ["lost_card"]
    control.clear_next_collect()
    assert control.next_collect() == []
    assert api.collect(invoice).status_code == 200


def test_a_fault_is_gone_after_its_block(control: Control, api: Api) -> None:
    with control.fault("status", status=429, operation="listInvoices", retry_after=7) as fault:
        answer = api.get("/billing/invoices")
        assert (answer.status_code, answer.headers["Retry-After"], fault.struck) == (429, "7", 1)
        assert api.get("/billing/charges").status_code == 200
    assert fault.struck == 0
    assert api.get("/billing/invoices").status_code == 200


def test_a_fault_takes_all_that_it_can_have(control: Control) -> None:
    assert set(inspect.signature(control.fault).parameters) == set(get_type_hints(payloads.GivenFault))
    control.fault("latency", operation=("listInvoices", "listCharges"), delay=timedelta(seconds=2), duration="PT1M")
    (fault,) = control.faults()
    assert (fault["operation"], fault["delay"], fault["duration"]) == (["listInvoices", "listCharges"], 2, 60)
    assert set(fault) <= set(get_type_hints(payloads.Fault))
    control.clear_faults()
    assert control.faults() == []


def test_a_fault_that_a_reset_took_away_is_no_trouble(control: Control) -> None:
    with control.fault("reset"):
        control.reset()


@pytest.mark.parametrize("end", [Control.clear_faults, Control.reset])
def test_the_end_of_a_block_takes_no_later_fault_away(control: Control, end: Callable[[Control], None]) -> None:
    with control.fault("reset"):
        end(control)
        control.fault("status", status=429)
    assert [one["kind"] for one in control.faults()] == ["status"]
