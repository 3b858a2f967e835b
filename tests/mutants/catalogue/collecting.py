"""Faults of collecting: drafts, Stripe, declined cards, and paying again."""

from __future__ import annotations

from typing import Any

from tests.mutants.catalogue.making import Catalog, swap
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Reply
from tests.mutants.reference.records import Caller, Invoice, Refusal
from tests.mutants.reference.stripe import Decline

COLLECT = Catalog("collect")
ACCEPT = {"recollect": "accept"}
DECLINES = {1: "pm_card_visa_chargeDeclinedInsufficientFunds"}


def pay_draft(api: Api, *steps: str) -> None:
    """Collecting a draft does these steps of billing in place of refusing."""

    def collect_draft(invoice: Invoice) -> None:
        for step in steps:
            getattr(api.billing, step)(invoice)

    swap(api.billing, "collect_draft", collect_draft)


def when_declined(api: Api, change: Any) -> None:
    """Something more happens to an invoice when the card is declined."""

    def declined(invoice: Invoice, decline: Decline) -> None:
        change(invoice)
        original(invoice, decline)

    original = swap(api.billing, "declined", declined)


def again(api: Api, change: Any) -> None:
    """Something happens when a paid invoice is collected again, be it accepted or refused."""

    def collect_again(invoice: Invoice) -> None:
        change(invoice)
        original(invoice)

    original = swap(api.billing, "collect_again", collect_again)


# Drafts


@COLLECT.fault("COLLECT-1", says="collecting a draft finalizes and pays it")
def draft_is_paid(api: Api) -> None:
    pay_draft(api, "lock_down", "put_on_stripe", "pay")


@COLLECT.fault("COLLECT-1", "COLLECT-3", "GEN-9", says="collecting a draft is accepted, and does nothing")
def draft_is_accepted(api: Api) -> None:
    pay_draft(api)


@COLLECT.fault("COLLECT-1", "COLLECT-3", says="collecting a draft finalizes it")
def draft_is_finalized(api: Api) -> None:
    pay_draft(api, "lock_down")


@COLLECT.fault("COLLECT-1", "GEN-6", says="collecting a draft is refused, and finalizes it")
def refused_draft_is_finalized(api: Api) -> None:
    def collect_draft(invoice: Invoice) -> None:
        api.billing.lock_down(invoice)
        original(invoice)

    original = swap(api.billing, "collect_draft", collect_draft)


@COLLECT.fault("COLLECT-1", "GEN-6", "CREATE-3", says="collecting a draft is refused, and puts it on Stripe")
def refused_draft_is_on_stripe(api: Api) -> None:
    def collect_draft(invoice: Invoice) -> None:
        api.stripe.create(invoice)
        original(invoice)

    original = swap(api.billing, "collect_draft", collect_draft)


@COLLECT.fault("COLLECT-1", "GEN-5", says="collecting a draft is a crash")
def draft_is_a_crash(api: Api) -> None:
    def collect_draft(invoice: Invoice) -> None:
        raise Refusal(500, "No such Stripe invoice")

    swap(api.billing, "collect_draft", collect_draft)


# Stripe


@COLLECT.fault(
    "COLLECT-2",
    "FINALIZE-2",
    "COLLECT-3",
    "LIST-1",
    "GEN-1",
    says="an invoice collected before it is on Stripe is paid without ever being there",
    stripe_delay=20.0,
)
def paid_without_stripe(api: Api) -> None:
    def put_on_stripe(invoice: Invoice) -> None:
        if invoice.stripe_id is not None:
            original(invoice)

    original = swap(api.billing, "put_on_stripe", put_on_stripe)


@COLLECT.fault(
    "COLLECT-2", "COLLECT-3", says="collect is refused until the queue has put the invoice on Stripe", stripe_delay=2.0
)
def must_wait_for_the_queue(api: Api) -> None:
    def put_on_stripe(invoice: Invoice) -> None:
        if invoice.stripe_id is None:
            raise api.billing.illegal("The invoice is not on Stripe yet.")
        original(invoice)

    original = swap(api.billing, "put_on_stripe", put_on_stripe)


@COLLECT.fault("COLLECT-2", "COLLECT-4", "FINALIZE-4", says="collect always makes a new invoice on Stripe")
def always_a_new_stripe_invoice(api: Api) -> None:
    def put_on_stripe(invoice: Invoice) -> None:
        invoice.stripe_id = None
        original(invoice)

    original = swap(api.billing, "put_on_stripe", put_on_stripe)


# The payment


@COLLECT.fault("COLLECT-3", "GEN-9", "COLLECT-2", says="collect answers success, and the invoice stays open")
def never_paid(api: Api) -> None:
    swap(api.billing, "pay", lambda invoice: None)


@COLLECT.fault("GEN-9", "COLLECT-3", says="collect answers a paid invoice, the list shows an open one")
def paid_only_in_the_answer(api: Api) -> None:
    def visible(caller: Caller) -> Any:
        for invoice in original(caller):
            if invoice.state == "paid":
                invoice.stripe_status = "open"
        return original(caller)

    original = swap(api, "visible_invoices", visible)


@COLLECT.fault("COLLECT-3", "GEN-9", says="after a payment only the label says so")
def paid_only_by_label(api: Api) -> None:
    def pay(invoice: Invoice) -> None:
        original(invoice)
        invoice.stripe_status = "open"

    original = swap(api.billing, "pay", pay)


@COLLECT.fault("COLLECT-3", "FINALIZE-1", says="what is paid is called a draft again", choices={"paid_label": "same"})
def paid_is_called_a_draft(api: Api) -> None:
    def status(invoice: Invoice) -> Any:
        return "Draft" if invoice.state == "paid" else original(invoice)

    original = swap(api.view, "status", status)


@COLLECT.fault("FINALIZE-1", "COLLECT-3", "GEN-9", says="collecting adds a fee to the total")
def adds_a_fee_when_paid(api: Api) -> None:
    def pay(invoice: Invoice) -> None:
        invoice.total += 30
        original(invoice)

    original = swap(api.billing, "pay", pay)


@COLLECT.fault("COLLECT-2", "GEN-9", "COLLECT-3", says="collecting one invoice pays all finalized ones of the merchant")
def pays_the_others_too(api: Api) -> None:
    def pay(invoice: Invoice) -> None:
        original(invoice)
        for other in api.records.invoices_in((invoice.merchant,)):
            if other.state == "finalized":
                api.billing.put_on_stripe(other)
                original(other)

    original = swap(api.billing, "pay", pay)


@COLLECT.fault("FINALIZE-1", "CREATE-4", "CREATE-6", "GEN-9", says="a payment sets the charges free")
def payment_frees_the_charges(api: Api) -> None:
    def pay(invoice: Invoice) -> None:
        original(invoice)
        for charge in invoice.charges:
            charge.invoice = None

    original = swap(api.billing, "pay", pay)


# Declined cards


@COLLECT.fault("COLLECT-3", "GEN-6", says="a declined card pays all the same", cards=DECLINES)
def declined_is_paid(api: Api) -> None:
    def pay(invoice: Invoice) -> None:
        invoice.state, invoice.stripe_status = "paid", "paid"

    when_declined(api, pay)


@COLLECT.fault("COLLECT-3", "GEN-9", "COLLECT-2", says="a declined card is answered with success", cards=DECLINES)
def declined_is_success(api: Api) -> None:
    swap(api.billing, "declined", lambda invoice, decline: None)


@COLLECT.fault(
    "COLLECT-3",
    "COLLECT-4",
    "GEN-6",
    says="a declined card voids the invoice, which can't be collected again",
    cards=DECLINES,
)
def declined_is_void(api: Api) -> None:
    def void(invoice: Invoice) -> None:
        invoice.state, invoice.stripe_status = "paid", "void"

    when_declined(api, void)


@COLLECT.fault(
    "COLLECT-3",
    "FINALIZE-1",
    "COLLECT-1",
    "GEN-6",
    says="a declined card takes the invoice back to a draft",
    cards=DECLINES,
)
def declined_is_a_draft(api: Api) -> None:
    def back(invoice: Invoice) -> None:
        invoice.state = "draft"

    when_declined(api, back)


@COLLECT.fault("COLLECT-3", says="after a decline no further attempt is taken", cards=DECLINES)
def declined_for_ever(api: Api) -> None:
    def pay(invoice: Invoice) -> None:
        if invoice.attempts:
            raise api.billing.illegal("The invoice can't be collected any more.")
        original(invoice)

    original = swap(api.billing, "pay", pay)


@COLLECT.fault(
    "COLLECT-3", "CREATE-4", "FINALIZE-1", "GEN-6", says="a declined card sets the charges free", cards=DECLINES
)
def declined_frees_the_charges(api: Api) -> None:
    def free(invoice: Invoice) -> None:
        for charge in invoice.charges:
            charge.invoice = None

    when_declined(api, free)


# Unknown invoices


@COLLECT.fault("COLLECT-5", "GEN-5", says="collecting an unknown invoice is a crash")
def unknown_collect_is_a_crash(api: Api) -> None:
    unknown(api, Refusal(500, "Attempt to read a property of null"))


@COLLECT.fault("COLLECT-5", "GEN-5", says="collecting an unknown invoice is answered with 200 and null")
def unknown_collect_is_nothing(api: Api) -> None:
    unknown(api, Reply(200, {"message": "The payment was collected.", "invoice": None}))


@COLLECT.fault("COLLECT-5", "GEN-9", says="collecting an unknown invoice is answered with success")
def unknown_collect_is_success(api: Api) -> None:
    unknown(api, Reply(api.choices.collect_status, {"message": "The payment was collected."}))


def unknown(api: Api, outcome: Reply | Refusal) -> None:
    def collect(caller: Caller, number: int) -> Reply:
        if number in api.records.invoices:
            reply: Reply = original(caller, number)
            return reply
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    original = swap(api, "collect_invoice", collect)


# Again


@COLLECT.fault("COLLECT-4", says="collecting a paid invoice charges again, by a second Stripe invoice", choices=ACCEPT)
def recollect_charges_again(api: Api) -> None:
    def charge(invoice: Invoice) -> None:
        invoice.stripe_id = api.stripe.new_id()
        api.billing.pay(invoice)

    again(api, charge)


@COLLECT.fault("COLLECT-4", "GEN-6", says="collecting a paid invoice is refused, and charges again")
def refused_recollect_charges_again(api: Api) -> None:
    recollect_charges_again(api)


@COLLECT.fault("COLLECT-4", "COLLECT-3", says="collecting a paid invoice opens it again", choices=ACCEPT)
def recollect_reopens(api: Api) -> None:
    again(api, reopen)


@COLLECT.fault("COLLECT-4", "GEN-6", "COLLECT-3", says="collecting a paid invoice is refused, and opens it again")
def refused_recollect_reopens(api: Api) -> None:
    again(api, reopen)


def reopen(invoice: Invoice) -> None:
    invoice.state, invoice.stripe_status = "finalized", "open"


@COLLECT.fault("COLLECT-4", "GEN-5", says="collecting a paid invoice is a crash")
def recollect_is_a_crash(api: Api) -> None:
    def crash(invoice: Invoice) -> None:
        raise Refusal(500, "The invoice is already paid")

    again(api, crash)


@COLLECT.fault("COLLECT-4", "FINALIZE-1", says="collecting a paid invoice adds its total once more", choices=ACCEPT)
def recollect_doubles_the_total(api: Api) -> None:
    def double(invoice: Invoice) -> None:
        invoice.total *= 2

    again(api, double)


@COLLECT.fault("COLLECT-4", "COLLECT-3", "FINALIZE-4", says="collecting a paid invoice voids it", choices=ACCEPT)
def recollect_voids(api: Api) -> None:
    def void(invoice: Invoice) -> None:
        invoice.stripe_status = "void"

    again(api, void)


@COLLECT.fault(
    "COLLECT-4",
    "FINALIZE-2",
    "COLLECT-2",
    "FINALIZE-4",
    says="the queue makes a second Stripe invoice of what was tried before its turn",
    cards=DECLINES,
    stripe_delay=1.5,
)
def queue_replaces_what_was_tried(api: Api) -> None:
    def create(invoice: Invoice) -> None:
        if invoice.attempts and invoice.state != "paid":
            invoice.stripe_id = None
        original(invoice)

    def put_on_stripe(invoice: Invoice) -> None:
        original(invoice)
        invoice.stripe_status = "open"

    original = swap(api.stripe, "create", create)
    swap(api.billing, "put_on_stripe", put_on_stripe)
