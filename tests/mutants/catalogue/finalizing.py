"""Faults of finalizing: what is locked, what changes, what becomes of it on Stripe."""

from __future__ import annotations

from typing import Any

from tests.mutants.catalogue.making import Catalog, swap
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Reply
from tests.mutants.reference.records import Caller, Invoice, Refusal

FINALIZE = Catalog("finalize")
ACCEPT = {"refinalize": "accept"}


def after_lock(api: Api, change: Any) -> None:
    """Something more happens when a draft is locked."""

    def lock_down(invoice: Invoice) -> None:
        original(invoice)
        change(invoice)

    original = swap(api.billing, "lock_down", lock_down)


def again(api: Api, change: Any) -> None:
    """Something happens when an invoice is finalized again, be it accepted or refused."""

    def finalize_again(invoice: Invoice) -> None:
        change(invoice)
        original(invoice)

    original = swap(api.billing, "finalize_again", finalize_again)


# Locking


@FINALIZE.fault("FINALIZE-1", "GEN-9", "COLLECT-2", "FINALIZE-2", says="a finalized invoice stays a draft")
def stays_a_draft(api: Api) -> None:
    swap(api.billing, "lock_down", lambda invoice: None)


@FINALIZE.fault("FINALIZE-1", "GEN-9", says="a finalized invoice is still called `Draft`")
def keeps_the_label_draft(api: Api) -> None:
    swap(api.view, "status", lambda invoice: "Paid" if invoice.state == "paid" else "Draft")


@FINALIZE.fault(
    "GEN-9", "FINALIZE-1", "FINALIZE-2", "COLLECT-2", says="finalize answers that it is done, and does nothing"
)
def only_says_so(api: Api) -> None:
    def finalize(caller: Caller, number: int) -> Reply:
        invoice = api.billing.find(caller, number)
        if invoice.state != "draft":
            reply: Reply = original(caller, number)
            return reply
        shown = api.view.acted("The invoice was finalized.", invoice)
        if "invoice" in shown:
            shown["invoice"] |= {"status": api.choices.finalized_label}
        return Reply(api.choices.finalize_status, shown)

    original = swap(api, "finalize_invoice", finalize)


@FINALIZE.fault("FINALIZE-1", "CREATE-5", "GEN-9", says="finalizing adds a fee to the total")
def adds_a_fee(api: Api) -> None:
    def fee(invoice: Invoice) -> None:
        invoice.total += 100

    after_lock(api, fee)


@FINALIZE.fault("GEN-9", "FINALIZE-1", says="a finalized invoice counts as created at that moment")
def finalizing_makes_it_new(api: Api) -> None:
    def lock_down(invoice: Invoice) -> None:
        original(invoice)
        invoice.created_at = api.records.now()

    original = swap(api.billing, "lock_down", lock_down)


@FINALIZE.fault("FINALIZE-1", "CREATE-5", "GEN-9", says="finalizing rounds the total")
def rounds_the_total(api: Api) -> None:
    def whole(invoice: Invoice) -> None:
        invoice.total = (invoice.total + 50) // 100 * 100

    after_lock(api, whole)


@FINALIZE.fault("FINALIZE-1", "CREATE-4", "CREATE-6", says="finalizing sets the charges free")
def frees_the_charges(api: Api) -> None:
    def free(invoice: Invoice) -> None:
        for charge in invoice.charges:
            charge.invoice = None

    after_lock(api, free)


@FINALIZE.fault("FINALIZE-1", "CREATE-1", "CREATE-5", "GEN-9", says="finalizing takes in what has become open since")
def takes_in_new_charges(api: Api) -> None:
    def take_in(invoice: Invoice) -> None:
        for charge in api.records.charges_in((invoice.merchant,)):
            if charge.status == "Open":
                charge.invoice = invoice.id
                invoice.charges.append(charge)
                invoice.total += charge.amount

    after_lock(api, take_in)


@FINALIZE.fault("FINALIZE-1", "GEN-9", "CREATE-3", says="finalizing one draft finalizes all of the merchant's")
def finalizes_all(api: Api) -> None:
    def others(invoice: Invoice) -> None:
        for other in api.records.invoices_in((invoice.merchant,)):
            if other.state == "draft":
                original(other)

    original = api.billing.lock_down
    after_lock(api, others)


@FINALIZE.fault("FINALIZE-1", "COLLECT-3", "FINALIZE-2", "COLLECT-2", "COLLECT-4", says="finalizing pays at once")
def pays_at_once(api: Api) -> None:
    def pay(invoice: Invoice) -> None:
        api.stripe.create(invoice)
        api.billing.pay(invoice)

    after_lock(api, pay)


@FINALIZE.fault("FINALIZE-1", "GEN-9", "CREATE-7", says="a finalized invoice gets a new id")
def gets_a_new_id(api: Api) -> None:
    def renumber(invoice: Invoice) -> None:
        del api.records.invoices[invoice.id]
        invoice.id = next(api.records.invoice_ids)
        api.records.invoices[invoice.id] = invoice

    after_lock(api, renumber)


@FINALIZE.fault(
    "FINALIZE-1", "COLLECT-1", "COLLECT-2", says="a finalized invoice can't be collected, being taken for a draft"
)
def never_collectable(api: Api) -> None:
    def collect(caller: Caller, number: int) -> Any:
        invoice = api.billing.find(caller, number)
        if invoice.state == "finalized":
            api.billing.collect_draft(invoice)
        return original(caller, number)

    original = swap(api.billing, "collect", collect)


# The queue


@FINALIZE.fault("FINALIZE-2", says="the queue for Stripe is never worked off")
def never_on_stripe(api: Api) -> None:
    swap(api.stripe, "settle", lambda: None)


@FINALIZE.fault(
    "FINALIZE-2", says="what is finalized while another invoice waits in the queue is lost", stripe_delay=0.4
)
def queue_holds_one(api: Api) -> None:
    def enqueue(invoice: Invoice) -> None:
        if not api.stripe.queue:
            original(invoice)

    original = swap(api.stripe, "enqueue", enqueue)


@FINALIZE.fault("FINALIZE-2", says="only a further finalize sends the invoice to Stripe", choices=ACCEPT)
def on_stripe_when_asked_again(api: Api) -> None:
    swap(api.stripe, "enqueue", lambda invoice: None)
    again(api, lambda invoice: api.stripe.create(invoice))


@FINALIZE.fault("FINALIZE-2", "LIST-1", "COLLECT-2", "GEN-1", says="on Stripe the invoice has a status and no id")
def on_stripe_without_an_id(api: Api) -> None:
    def create(invoice: Invoice) -> None:
        invoice.stripe_status = invoice.stripe_status or "open"

    swap(api.stripe, "create", create)


@FINALIZE.fault("FINALIZE-2", "COLLECT-2", "COLLECT-4", "GEN-1", says="all invoices have the same id on Stripe")
def one_stripe_id_for_all(api: Api) -> None:
    swap(api.stripe, "new_id", lambda: "in_000000000000000000000001")


@FINALIZE.fault(
    "COLLECT-4",
    "FINALIZE-4",
    "COLLECT-2",
    "FINALIZE-2",
    says="the queue makes a second Stripe invoice of what collect has made already",
    stripe_delay=1.0,
)
def queue_creates_again(api: Api) -> None:
    def settle() -> None:
        due = [entry[2] for entry in api.stripe.queue]
        original()
        waiting = [entry[2] for entry in api.stripe.queue]
        for invoice in due:
            if invoice.state == "paid" and not any(invoice is other for other in waiting):
                invoice.stripe_id = api.stripe.new_id()

    original = swap(api.stripe, "settle", settle)


@FINALIZE.fault(
    "COLLECT-3",
    "FINALIZE-4",
    "COLLECT-4",
    "GEN-9",
    says="the queue reopens what was paid before its turn",
    stripe_delay=1.0,
)
def queue_reopens(api: Api) -> None:
    def settle() -> None:
        due = [entry[2] for entry in api.stripe.queue]
        original()
        waiting = [entry[2] for entry in api.stripe.queue]
        for invoice in due:
            if invoice.state == "paid" and not any(invoice is other for other in waiting):
                invoice.state, invoice.stripe_status = "finalized", "open"

    original = swap(api.stripe, "settle", settle)


# Unknown invoices


@FINALIZE.fault("FINALIZE-3", "GEN-5", says="finalizing an unknown invoice is a crash")
def unknown_finalize_is_a_crash(api: Api) -> None:
    unknown(api, Refusal(500, "Attempt to read a property of null"))


@FINALIZE.fault("FINALIZE-3", "GEN-5", says="finalizing an unknown invoice is answered with 200 and null")
def unknown_finalize_is_nothing(api: Api) -> None:
    unknown(api, Reply(200, {"message": "The invoice was finalized.", "invoice": None}))


@FINALIZE.fault("FINALIZE-3", "GEN-9", says="finalizing an unknown invoice is accepted with 202")
def unknown_finalize_is_queued(api: Api) -> None:
    unknown(api, Reply(202, {"message": "The invoice will be finalized."}))


def unknown(api: Api, outcome: Reply | Refusal) -> None:
    def finalize(caller: Caller, number: int) -> Reply:
        if number in api.records.invoices:
            reply: Reply = original(caller, number)
            return reply
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    original = swap(api, "finalize_invoice", finalize)


# Again


@FINALIZE.fault("FINALIZE-4", "COLLECT-4", says="finalizing again makes a second Stripe invoice", choices=ACCEPT)
def refinalize_makes_a_second(api: Api) -> None:
    def renew(invoice: Invoice) -> None:
        invoice.stripe_id = api.stripe.new_id()

    again(api, renew)


@FINALIZE.fault(
    "FINALIZE-4", "GEN-6", "COLLECT-4", says="finalizing again is refused, and makes a second Stripe invoice"
)
def refused_refinalize_makes_a_second(api: Api) -> None:
    refinalize_makes_a_second(api)


@FINALIZE.fault("FINALIZE-4", "COLLECT-3", "COLLECT-4", says="finalizing a paid invoice opens it again", choices=ACCEPT)
def refinalize_reopens(api: Api) -> None:
    again(api, reopen)


@FINALIZE.fault(
    "FINALIZE-4", "GEN-6", "COLLECT-3", "COLLECT-4", says="finalizing a paid invoice is refused, and opens it again"
)
def refused_refinalize_reopens(api: Api) -> None:
    again(api, reopen)


def reopen(invoice: Invoice) -> None:
    if invoice.state == "paid":
        invoice.state, invoice.stripe_status = "finalized", "open"


@FINALIZE.fault("FINALIZE-4", "FINALIZE-1", says="finalizing again doubles the total", choices=ACCEPT)
def refinalize_doubles_the_total(api: Api) -> None:
    def double(invoice: Invoice) -> None:
        invoice.total *= 2

    again(api, double)


@FINALIZE.fault(
    "FINALIZE-4",
    "FINALIZE-1",
    "GEN-6",
    "COLLECT-1",
    says="finalizing again takes the invoice back to a draft",
    choices=ACCEPT,
)
def refinalize_makes_a_draft(api: Api) -> None:
    def back(invoice: Invoice) -> None:
        invoice.state = "draft"
        invoice.stripe_id = invoice.stripe_status = None

    again(api, back)


@FINALIZE.fault("FINALIZE-4", "GEN-5", says="finalizing again is a crash")
def refinalize_is_a_crash(api: Api) -> None:
    def crash(invoice: Invoice) -> None:
        raise Refusal(500, "Server Error")

    again(api, crash)


@FINALIZE.fault(
    "FINALIZE-4",
    "FINALIZE-2",
    "GEN-6",
    says="finalizing again forgets Stripe's id until the queue sets a new one",
    choices=ACCEPT,
    stripe_delay=0.5,
)
def refinalize_queues_anew(api: Api) -> None:
    def anew(invoice: Invoice) -> None:
        if invoice.state == "finalized":
            invoice.stripe_id = invoice.stripe_status = None
            api.stripe.enqueue(invoice)

    again(api, anew)
