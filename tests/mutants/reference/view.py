"""How charges, invoices and pages look in an answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.mutants.reference.choices import Choices
from tests.mutants.reference.money import to_number
from tests.mutants.reference.records import PROVIDER, Charge, Invoice


class View:
    """Renders records; `extra` adds properties that nobody has documented."""

    def __init__(self, choices: Choices, *, extra: bool = False) -> None:
        self.choices = choices
        self.extra = extra

    def moment(self, when: datetime) -> str:
        written = {"microseconds": "%Y-%m-%dT%H:%M:%S.%fZ", "zero_microseconds": "%Y-%m-%dT%H:%M:%S.000000Z"}
        return when.strftime(written.get(self.choices.created_at_precision, "%Y-%m-%dT%H:%M:%SZ"))

    def charge_moment(self, when: datetime) -> str:
        return self.moment(when) if self.choices.charge_moment == "iso" else when.strftime("%Y-%m-%d %H:%M:%S")

    def party(self, number: int) -> str | int:
        return str(number) if self.choices.party_id_type == "string" else number

    def total(self, invoice: Invoice) -> Any:
        return self.number(invoice.total, invoice.currency)

    def number(self, minor: int, currency: str) -> int | float:
        shown = to_number(minor, currency)
        return int(shown) if self.choices.whole_numbers == "integer" and shown == int(shown) else shown

    def status(self, invoice: Invoice) -> str:
        if invoice.state == "draft":
            return "Draft"
        if invoice.state == "paid" and invoice.reported and self.choices.paid_label != "same":
            return self.choices.paid_label
        return self.choices.finalized_label

    def invoice(self, invoice: Invoice) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": invoice.id,
            "charger_id": self.party(PROVIDER),
            "charger_type": "company",
            "chargee_id": self.party(invoice.merchant),
            "chargee_type": self.choices.chargee_type,
            "created_at": self.moment(invoice.created_at),
            "currency": invoice.currency,
            "status": self.status(invoice),
            "stripe_invoice_status": invoice.stripe_status,
            "stripe_invoice_id": invoice.stripe_id,
            "description": invoice.description,
            "total": self.total(invoice),
        }
        if self.extra:
            shown |= {"updated_at": shown["created_at"], "number": f"INV-{invoice.id}", "meta": {"tags": []}}
        return shown

    def charge(self, charge: Charge) -> dict[str, Any]:
        amount = self.amount(charge)
        shown: dict[str, Any] = {
            "id": charge.id,
            "charger_id": self.party(PROVIDER),
            "charger_type": "company",
            "chargee_id": self.party(charge.merchant),
            "chargee_type": self.choices.chargee_type,
            "created_at": self.charge_moment(charge.created_at),
            "currency": charge.currency,
            "price": amount,
            "amount": amount,
            "status": charge.status,
            "category": charge.category,
            "description": charge.description,
            "stripe_invoice_item_id": None,
        }
        if self.extra:
            shown |= {"updated_at": shown["created_at"], "quantity": 1, "notes": None}
        return shown

    def amount(self, charge: Charge) -> Any:
        return self.number(charge.amount, charge.currency)

    def charge_answer(self, charge: Charge) -> dict[str, Any]:
        """What reading and making one charge answer."""
        item = {"id": charge.id, "description": charge.description, "amount": self.amount(charge)}
        return {"charge": self.charge(charge), "charge_items": [item]}

    def created(self, invoice: Invoice) -> dict[str, Any]:
        return self.answer("The invoice was created.", invoice)

    def acted(self, message: str, invoice: Invoice) -> dict[str, Any]:
        """What finalize and collect answer."""
        if self.choices.action_body == "message":
            return self.answer(message, None)
        return self.answer(message, invoice)

    def answer(self, message: str, invoice: Invoice | None) -> dict[str, Any]:
        shown: dict[str, Any] = {"message": message}
        if invoice is not None:
            shown["invoice"] = self.invoice(invoice)
        if self.extra:
            shown["request_id"] = f"req-{id(shown):x}"
        return shown
