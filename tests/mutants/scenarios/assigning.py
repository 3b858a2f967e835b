"""What scenarios send beyond the documented properties, and that none of it is kept."""

from __future__ import annotations

from typing import Any

from tests.mutants.client import Answer
from tests.mutants.scenarios.bed import TestBed, succeeded

STRIPE_ID = "in_givenByTheCaller"


def more(bed: TestBed) -> dict[str, Any]:
    """Properties that only the server sets."""
    return {
        "status": "Paid",
        "stripe_invoice_status": "paid",
        "stripe_invoice_id": STRIPE_ID,
        "total": 1,
        "currency": "EUR" if bed.currency != "EUR" else "USD",
        "chargee_id": "2",
        "charger_id": "2",
        "merchant_id": 2,
        "auto_advance": True,
    }


def drafts_keep_nothing(bed: TestBed) -> None:
    """Neither of a body, of a form, of a query nor of what is wrapped."""
    old, given = bed.draft(700), more(bed)
    amounts = {"amount": 1}
    for way in ("body", "form", "query", "wrapped"):
        charge = bed.charge(900)
        body: dict[str, Any] = {"charge_ids": [charge]}
        if way == "body":
            body |= {**given, "id": old, "charges": [{"id": charge, **amounts}]}
        if way == "wrapped":
            body |= {"invoice": given}
        form = [("charge_ids[]", str(charge)), *((name, str(value)) for name, value in given.items())]
        answer = bed.mine.send(
            "POST",
            "/billing/invoices",
            query=given if way == "query" else None,
            json_body=body if way != "form" else None,
            form=form if way == "form" else None,
        )
        made = succeeded(answer, bed.choices.create_status).invoice
        assert made["id"] != old, made
        for invoice in (made, bed.mine.look(made["id"])):
            is_as_billed(bed, invoice, 900)
        assert bed.mine.get_charge(charge).charge["amount"] == bed.exact(900)
    assert bed.mine.look(old)["total"] == bed.exact(700)


def is_as_billed(bed: TestBed, invoice: dict[str, Any], minor: int) -> None:
    assert invoice["status"] == "Draft", invoice
    assert invoice["stripe_invoice_id"] is None and invoice["stripe_invoice_status"] is None, invoice
    assert invoice["total"] == bed.exact(minor) and invoice["currency"] == bed.currency, invoice
    assert str(invoice["chargee_id"]) == "1" and str(invoice["charger_id"]) == "77", invoice


def charges_keep_nothing(bed: TestBed) -> None:
    """What an adjustment holds beside the amount and the description is not kept."""
    locked = bed.locked(700)
    given = {"status": "Invoiced", "price": 1, "chargee_id": "2", "merchant_id": 2, "invoice_id": locked}
    body = {"amount": bed.money(800), "description": "more than that", **given}
    made = bed.mine.send("POST", "/billing/charges/quick-adjustment", json_body=body)
    charge = succeeded(made, bed.choices.adjustment_status).charge
    assert charge["status"] == "Open" and charge["price"] == charge["amount"] == bed.exact(800), charge
    assert str(charge["chargee_id"]) == "1", charge
    assert bed.mine.look(locked)["total"] == bed.exact(700)
    succeeded(bed.mine.create(charge["id"]), bed.choices.create_status)


def actions_keep_nothing(bed: TestBed) -> None:
    """Nor does a finalize or a collect write what it is given."""
    number = bed.draft(600)
    given = {"status": "Draft", "total": 1, "stripe_invoice_status": "paid", "stripe_invoice_id": STRIPE_ID}
    succeeded(act(bed, number, "finalize", given), bed.choices.finalize_status)
    row = bed.mine.look(number)
    assert row["status"] != "Draft" and row["total"] == bed.exact(600), row
    assert row["stripe_invoice_status"] != "paid" and row["stripe_invoice_id"] != STRIPE_ID, row
    act(bed, number, "collect", given)
    assert bed.mine.look(number)["total"] == bed.exact(600)


def act(bed: TestBed, number: object, action: str, given: dict[str, Any]) -> Answer:
    return bed.mine.send("POST", f"/billing/invoices/{number}/{action}", json_body=given)
