"""Invoices from charges (CREATE-1 to CREATE-8)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Api
from tests.properties import examples


def test_a_draft_is_made_of_exactly_the_charges_named(api: Api) -> None:
    charges = [api.charge(amount)["id"] for amount in (1.25, 2.5)]
    bystander = api.charge(100)["id"]
    answer = api.create(*charges)
    invoice = answer.json()["invoice"]
    assert answer.status_code == 200
    assert isinstance(answer.json()["message"], str)
    assert invoice["status"] == "Draft"
    assert invoice["stripe_invoice_id"] is None
    assert invoice["stripe_invoice_status"] is None
    assert invoice["total"] == 3.75
    assert [_status(api, one) for one in charges] == ["Invoiced", "Invoiced"]
    assert _status(api, bystander) == "Open"


def test_a_form_means_the_same_as_json(api: Api) -> None:
    charges = [api.charge(5)["id"], api.charge(6)["id"]]
    answer = api.post("/billing/invoices", data={"charge_ids[]": [str(one) for one in charges]})
    assert answer.json()["invoice"]["total"] == 11


def test_without_charge_ids_all_open_charges_of_the_merchant_are_taken(api: Api) -> None:
    bodies: list[dict[str, list[int]]] = [{}, {"charge_ids": []}]
    for body in bodies:
        api.charge(3)
        answer = api.post("/billing/invoices", token="merchant1", json=body)
        assert answer.status_code == 200
        assert _open(api, "merchant1") == []
    assert answer.json()["invoice"]["total"] == 3
    assert _open(api, "merchant2")


def test_without_any_body_all_open_charges_are_taken_too(api: Api) -> None:
    api.charge(3)
    assert api.post("/billing/invoices", token="merchant1").status_code == 200
    assert _open(api, "merchant1") == []


def test_without_charge_ids_and_header_a_provider_is_told_to_send_the_header(api: Api) -> None:
    before = api.everything()
    answer = api.post("/billing/invoices")
    assert answer.status_code == 422
    assert "X-Selected-Client-Id" in answer.json()["message"]
    assert api.everything() == before


def test_ten_times_ten_cents_are_one(api: Api) -> None:
    charges = [api.charge(0.10)["id"] for _ in range(10)]
    assert api.create(*charges).json()["invoice"]["total"] == 1


@examples(25)
@given(st.lists(st.decimals("-9999.99", "9999.99", places=2), min_size=1, max_size=8))
def test_the_total_is_the_exact_sum(api: Api, amounts: list[Decimal]) -> None:
    charges = [api.charge(float(amount))["id"] for amount in amounts]
    total = api.create(*charges).json()["invoice"]["total"]
    assert Decimal(str(total)) == sum(amounts)


def test_a_charge_is_on_one_invoice_only(api: Api) -> None:
    first, second = api.charge()["id"], api.charge()["id"]
    api.create(first)
    before = api.everything()
    answer = api.create(second, first)
    assert answer.status_code == 422
    assert str(first) in answer.json()["errors"]["charge_ids"][0]
    assert api.everything() == before


def test_an_unknown_charge_takes_none_of_the_others(api: Api) -> None:
    charge = api.charge()["id"]
    before = api.everything()
    assert api.create(charge, 10**9).status_code == 422
    assert api.everything() == before


def test_charges_of_several_merchants_are_refused(api: Api) -> None:
    charges = [api.charge(merchant=merchant)["id"] for merchant in (10, 2)]
    before = api.everything()
    answer = api.create(*charges)
    assert answer.status_code == 422
    assert "several merchants (2, 10)" in answer.json()["message"]
    assert api.everything() == before


def test_a_new_invoice_is_listed_at_once_under_a_new_id(api: Api) -> None:
    known = {row["id"] for row in api.get("/billing/invoices", params={"per_page": 100}).json()["data"]}
    invoice = api.draft()
    assert invoice["id"] not in known
    assert api.get("/billing/invoices").json()["data"][0] == invoice


def test_an_amount_finer_than_the_currency_is_refused(api: Api) -> None:
    answer = api.post(
        "/billing/charges/quick-adjustment",
        json={"amount": 1.005, "description": "too fine"},
        headers={"X-Selected-Client-Id": "1"},
    )
    assert answer.status_code == 422
    assert answer.json()["errors"]["amount"] == ["amount must have at most 2 decimals in USD, got 1.005"]


def test_an_adjustment_needs_the_merchant_header(api: Api) -> None:
    answer = api.post("/billing/charges/quick-adjustment", json={"amount": 1, "description": "whose?"})
    assert answer.status_code == 422
    assert "X-Selected-Client-Id" in str(answer.json()["errors"])


def _status(api: Api, charge_id: int) -> Any:
    return api.get(f"/billing/charges/{charge_id}").json()["charge"]["status"]


def _open(api: Api, token: str) -> list[Any]:
    rows = api.get("/billing/charges", token=token, params={"per_page": 100}).json()["data"]
    return [row["id"] for row in rows if row["status"] == "Open"]
