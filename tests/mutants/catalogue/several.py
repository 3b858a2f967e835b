"""Faults of invoices that hold several charges, or charges as others hold, once they are locked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.mutants.catalogue.making import Catalog, swap
from tests.mutants.config import PROVIDER
from tests.mutants.reference.api import Api
from tests.mutants.reference.records import Charge, Invoice
from tests.mutants.reference.stripe import Decline

SEVERAL = Catalog("finalize")
CREDITS = {"negative_amounts": "accept"}


def adding_up_again(api: Api, add_up: Callable[[Sequence[Charge]], int]) -> None:
    """Finalizing sets the total to what `add_up` makes of the charges."""

    def lock_down(invoice: Invoice) -> None:
        invoice.total = add_up(invoice.charges)
        original(invoice)

    original = swap(api.billing, "lock_down", lock_down)


def free_all_but_the_first(invoice: Invoice) -> None:
    for charge in invoice.charges[1:]:
        charge.invoice = None


def not_queued(api: Api, is_lost: Callable[[Sequence[Charge]], bool]) -> None:
    """Invoices of such charges are finalized, and never get onto Stripe by themselves."""

    def enqueue(invoice: Invoice) -> None:
        if not is_lost(invoice.charges):
            original(invoice)

    original = swap(api.stripe, "enqueue", enqueue)


@SEVERAL.fault("FINALIZE-1", "CREATE-5", says="finalize adds up anew, charges that are alike once")
def finalize_folds(api: Api) -> None:
    def add_up(charges: Sequence[Charge]) -> int:
        return sum({(charge.amount, charge.description): charge.amount for charge in charges}.values())

    adding_up_again(api, add_up)


@SEVERAL.fault("FINALIZE-1", "CREATE-5", says="finalize adds up anew, and rounds several charges to a cent less")
def finalize_rounds_down(api: Api) -> None:
    adding_up_again(api, lambda charges: sum(charge.amount for charge in charges) - (len(charges) > 6))


@SEVERAL.fault("FINALIZE-1", "CREATE-5", says="finalize adds up anew, credits as nothing", choices=CREDITS)
def finalize_drops_credits(api: Api) -> None:
    adding_up_again(api, lambda charges: sum(charge.amount for charge in charges if charge.amount > 0))


@SEVERAL.fault("FINALIZE-2", says="the jobs for Stripe of invoices with several charges fail")
def jobs_of_several_fail(api: Api) -> None:
    not_queued(api, lambda charges: len(charges) > 1)


@SEVERAL.fault("FINALIZE-2", says="the jobs for Stripe of invoices with a credit fail", choices=CREDITS)
def jobs_of_credits_fail(api: Api) -> None:
    not_queued(api, lambda charges: any(charge.amount < 0 for charge in charges))


@SEVERAL.fault("CREATE-4", "FINALIZE-4", says="finalizing again sets all charges but the first free")
def finalize_again_frees_charges(api: Api) -> None:
    def finalize_again(invoice: Invoice) -> None:
        free_all_but_the_first(invoice)
        original(invoice)

    original = swap(api.billing, "finalize_again", finalize_again)


@SEVERAL.fault("CREATE-4", says="a decline sets all charges but the first free", arguments=PROVIDER)
def decline_frees_charges(api: Api) -> None:
    def declined(invoice: Invoice, decline: Decline) -> None:
        free_all_but_the_first(invoice)
        original(invoice, decline)

    original = swap(api.billing, "declined", declined)


@SEVERAL.fault("COLLECT-4", says="collecting a paid invoice of several charges again makes another Stripe invoice")
def collect_again_of_several(api: Api) -> None:
    def collect_again(invoice: Invoice) -> None:
        if len(invoice.charges) > 1:
            invoice.stripe_id = api.stripe.new_id()
        original(invoice)

    original = swap(api.billing, "collect_again", collect_again)


@SEVERAL.fault("FINALIZE-2", "COLLECT-2", says="invoices of the same amounts and descriptions are one on Stripe")
def stripe_key_of_content(api: Api) -> None:
    kept: dict[object, str] = {}

    def create(invoice: Invoice) -> None:
        if invoice.stripe_id is None:
            key = invoice.merchant, *((charge.amount, charge.description) for charge in invoice.charges)
            known = kept.get(key)
            original(invoice)
            invoice.stripe_id = kept.setdefault(key, known or str(invoice.stripe_id))

    original = swap(api.stripe, "create", create)
