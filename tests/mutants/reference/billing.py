"""The moves of billing: charges become a draft, a draft is locked, a locked invoice is paid."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from tests.mutants.reference.choices import Choices
from tests.mutants.reference.records import Caller, Charge, Invoice, Merchant, Records, Refusal
from tests.mutants.reference.stripe import ANSWER_LOST, Decline, Stripe


class Billing:
    """Create, finalize and collect; each takes its turn, so that none sees another half done."""

    def __init__(self, choices: Choices, records: Records, stripe: Stripe) -> None:
        self.choices = choices
        self.records = records
        self.stripe = stripe

    def turn(self) -> AbstractContextManager[object]:
        """Held during a whole operation."""
        return self.records.lock

    def pause(self) -> None:
        """Between looking and acting: nothing happens here while the turn is held."""

    def create(self, caller: Caller, charge_ids: Sequence[int] | None) -> Invoice:
        """A draft of these charges, or of all that are open when there are none; raises Refusal."""
        with self.turn():
            charges = self.named(caller, charge_ids) if charge_ids else self.everything_open(caller)
            merchant = self.billed_merchant(caller, charges)
            self.one_currency(charges)
            self.pause()
            return self.book(merchant, charges)

    def named(self, caller: Caller, charge_ids: Sequence[int]) -> list[Charge]:
        """The charges with these ids, if every one of them can be billed by the caller."""
        ids = list(dict.fromkeys(charge_ids))
        errors: dict[str, list[str]] = {}
        if len(ids) < len(charge_ids) and self.choices.duplicate_charge_ids == "refuse":
            errors["charge_ids"] = ["The charge ids must differ from each other."]
        charges = []
        for place, number in enumerate(charge_ids):
            charge = self.records.charges.get(number)
            wrong = self.why_not(caller, charge)
            if wrong:
                errors[f"charge_ids.{place}"] = [wrong]
            elif charge is not None and charge not in charges:
                charges.append(charge)
        if errors:
            raise self.invalid("The charges can't be invoiced.", errors)
        return charges

    def why_not(self, caller: Caller, charge: Charge | None) -> str | None:
        """What keeps this charge from being billed, or None."""
        if charge is None or charge.merchant not in caller.scope:
            return "The charge does not exist."
        if charge.status != "Open":
            return f"The charge is {charge.status}."
        return None

    def everything_open(self, caller: Caller) -> list[Charge]:
        """All open charges of one merchant; raises Refusal where it isn't clear which merchant, or there are none."""
        charges = [charge for charge in self.open_charges(caller) if charge.status == "Open"]
        merchants = {charge.merchant for charge in charges}
        if len(merchants) > 1 and self.choices.unselected_create == "first_merchant":
            first = min(merchants)
            charges = [charge for charge in charges if charge.merchant == first]
        if not charges and (self.choices.no_charges == "refuse" or len(caller.scope) != 1):
            raise self.invalid("There are no charges to invoice.", {"charge_ids": ["Nothing is uninvoiced."]})
        return charges

    def open_charges(self, caller: Caller) -> list[Charge]:
        return self.records.charges_in(caller.scope)

    def billed_merchant(self, caller: Caller, charges: Sequence[Charge]) -> Merchant:
        merchants = {charge.merchant for charge in charges} or caller.scope
        if len(merchants) > 1:
            raise self.invalid(
                "The charges belong to several merchants: name one in X-Selected-Client-Id.",
                {"charge_ids": ["The charges belong to several merchants."]},
            )
        return self.records.merchants[next(iter(merchants))]

    def one_currency(self, charges: Sequence[Charge]) -> None:
        if len({charge.currency for charge in charges}) > 1:
            raise self.invalid(
                "The charges are in several currencies.",
                {"charge_ids": ["The charges are in several currencies."]},
            )

    def book(self, merchant: Merchant, charges: Sequence[Charge]) -> Invoice:
        """Writes the draft and marks its charges."""
        with self.records.lock:
            invoice = Invoice(
                id=self.new_invoice_id(merchant),
                merchant=merchant.id,
                created_at=self.records.now(),
                currency=charges[0].currency if charges else merchant.currency,
                total=self.add_up(charges),
                charges=list(charges),
                description=None if self.choices.invoice_description == "null" else "Services rendered",
            )
            for charge in charges:
                self.take(charge, invoice)
            return self.records.add_invoice(invoice)

    def new_invoice_id(self, merchant: Merchant) -> int:
        return next(self.records.invoice_ids)

    def add_up(self, charges: Sequence[Charge]) -> int:
        return sum(charge.amount for charge in charges)

    def take(self, charge: Charge, invoice: Invoice) -> None:
        charge.invoice = invoice.id

    def find(self, caller: Caller, number: int) -> Invoice:
        """The caller's invoice of this number; raises Refusal."""
        invoice = self.records.invoices.get(number)
        if invoice is None:
            raise Refusal(404, "The invoice does not exist.")
        if invoice.merchant not in caller.scope:
            raise Refusal(self.choices.foreign_invoice_status, "The invoice is not one of yours.")
        return invoice

    def finalize(self, caller: Caller, number: int) -> Invoice:
        """Locks a draft and queues it for Stripe; raises Refusal."""
        with self.turn():
            invoice = self.find(caller, number)
            if invoice.state != "draft":
                self.finalize_again(invoice)
                return invoice
            self.pause()
            self.lock_down(invoice)
            return invoice

    def finalize_again(self, invoice: Invoice) -> None:
        if self.choices.refinalize == "refuse":
            raise self.illegal("The invoice is finalized already.")

    def lock_down(self, invoice: Invoice) -> None:
        with self.records.lock:
            invoice.state = "finalized"
            self.stripe.enqueue(invoice)
            self.stripe.settle()

    def collect(self, caller: Caller, number: int) -> Invoice:
        """Charges the merchant's card for a locked invoice; raises Refusal."""
        with self.turn():
            invoice = self.find(caller, number)
            if invoice.state == "draft":
                self.collect_draft(invoice)
                return invoice
            if invoice.state == "paid":
                self.collect_again(invoice)
                return invoice
            self.pause()
            self.put_on_stripe(invoice)
            self.pay(invoice)
            return invoice

    def collect_draft(self, invoice: Invoice) -> None:
        raise self.illegal("The invoice is a draft: finalize it first.")

    def collect_again(self, invoice: Invoice) -> None:
        if self.choices.recollect == "refuse":
            raise self.illegal("The invoice is paid already.")

    def put_on_stripe(self, invoice: Invoice) -> None:
        self.stripe.create(invoice)
        invoice.stripe_status = "open"

    def pay(self, invoice: Invoice) -> None:
        card = self.records.merchants[invoice.merchant].card
        decline = self.stripe.attempt(invoice, card)
        if decline is not None:
            self.declined(invoice, decline)
            return
        invoice.state = "paid"
        if self.choices.payment_shown == "later":
            self.stripe.report_later(invoice)
        else:
            invoice.stripe_status = "paid"
        if card == ANSWER_LOST and invoice.attempts == 1:
            raise Refusal(502, "Stripe did not answer.")

    def declined(self, invoice: Invoice, decline: Decline) -> None:
        """Tells the caller; the invoice stays as it is, to be collected another time."""
        raise Refusal(
            self.choices.declined_status,
            f"The card was declined: {decline.code}.",
            more={"code": decline.code, "decline_code": decline.decline_code},
        )

    def invalid(self, message: str, errors: dict[str, list[str]]) -> Refusal:
        return Refusal(self.choices.invalid_request_status, message, errors=errors)

    def illegal(self, message: str) -> Refusal:
        return Refusal(self.choices.illegal_state_status, message)
