"""Making, finalizing and collecting invoices: each in one transaction that nothing else can write beside."""

from __future__ import annotations

import logging
import threading
import time
from decimal import Decimal

from django.conf import settings
from django.db import connections, transaction
from django.db.models import QuerySet
from django.utils import timezone

from tests.mutants.frameworks.django_server.models import Charge, Invoice
from tests.mutants.frameworks.django_server.replies import Refused, invalid
from tests.mutants.frameworks.stripe import Declined, Stripe, minor_units

STRIPE = Stripe()


def create(reachable: QuerySet, charge_ids: list[int] | None) -> Invoice:
    """A draft of these charges, or of all that are open.

    Raises:
        Refused: when a charge is not to be had, or there is none, or they are of several merchants.
    """
    with transaction.atomic():
        charges = reachable.select_for_update().select_related("merchant")
        if charge_ids is None:
            chosen = list(charges.filter(invoice=None))
        else:
            chosen = [_open_charge(charges, pk, place) for place, pk in enumerate(charge_ids)]
        if not chosen:
            raise invalid({"charge_ids": ["There is nothing to invoice."]})
        if len({charge.merchant_id for charge in chosen}) > 1:
            raise invalid({"charge_ids": ["The charges are of several merchants; select one by the header."]})
        _dawdle()
        invoice = Invoice(merchant=chosen[0].merchant, total=sum((charge.amount for charge in chosen), Decimal(0)))
        invoice.save()
        for charge in chosen:
            charge.invoice = invoice
        Charge.objects.bulk_update(chosen, ["invoice"])
    return invoice


def empty_draft(reachable: QuerySet, merchant: object) -> Invoice:
    """A draft of nothing, unless there is something after all."""
    with transaction.atomic():
        if reachable.select_for_update().filter(invoice=None).exists():
            return create(reachable, None)
        invoice = Invoice(merchant=merchant, total=Decimal(0))
        invoice.save()
    return invoice


def _open_charge(charges: QuerySet, pk: int, place: int) -> Charge:
    charge: Charge | None = charges.filter(pk=pk).first()
    if charge is None:
        raise invalid({f"charge_ids.{place}": [f"There is no charge {pk}."]})
    if charge.invoice_id is not None:
        raise invalid({f"charge_ids.{place}": [f"The charge {pk} is on an invoice already."]})
    return charge


def finalize(pk: int) -> Invoice:
    """Lock a draft, and leave it to the queue to create it on Stripe.

    Raises:
        Refused: when it is no draft, unless that is accepted.
    """
    with transaction.atomic():
        invoice: Invoice = Invoice.objects.select_for_update().get(pk=pk)
        if invoice.finalized_at is not None:
            if settings.CHOICES.refinalize == "accept":
                return invoice
            raise Refused(settings.CHOICES.illegal_state_status, "The invoice is finalized already.")
        _dawdle()
        invoice.finalized_at = timezone.now()
        invoice.save()
        transaction.on_commit(lambda: _later(settings.CHOICES.queue_seconds, pk, _put_on_stripe))
    return invoice


def collect(pk: int) -> Invoice:
    """Charge the merchant's card for a finalized invoice.

    Raises:
        Refused: for a draft or a paid one, or when the charge is declined.
    """
    choices = settings.CHOICES
    declined: Declined | None = None
    with transaction.atomic():
        invoice: Invoice = Invoice.objects.select_for_update().select_related("merchant").get(pk=pk)
        if invoice.finalized_at is None:
            raise Refused(choices.illegal_state_status, "The invoice has to be finalized first.")
        if invoice.paid_at is not None:
            if choices.recollect == "accept":
                return invoice
            raise Refused(choices.illegal_state_status, "The invoice is paid already.")
        _put_on_stripe(invoice)
        _dawdle()
        currency = invoice.merchant.currency
        try:
            STRIPE.pay(invoice.stripe_invoice_id, minor_units(invoice.total, currency), currency, invoice.merchant.card)
        except Declined as error:
            declined = error
        else:
            invoice.paid_at = timezone.now()
            if choices.payment_shown == "at_once":
                invoice.stripe_invoice_status = "paid"
            invoice.save()
    if declined is not None:
        raise Refused(choices.declined_status, str(declined))
    if choices.payment_shown == "later":
        _later(choices.payment_seconds, pk, _show_paid)
    return invoice


def _put_on_stripe(invoice: Invoice) -> None:
    if invoice.stripe_invoice_id is None:
        invoice.stripe_invoice_id = STRIPE.create_invoice()
        invoice.stripe_invoice_status = "open"
        invoice.save()


def _show_paid(invoice: Invoice) -> None:
    invoice.stripe_invoice_status = "paid"
    invoice.save()


def _dawdle() -> None:
    time.sleep(settings.CHOICES.slow_seconds)


def _later(seconds: float, pk: int, change: object) -> None:
    """Make a change of an invoice after a while, in a thread and a transaction of its own."""

    def run() -> None:
        time.sleep(seconds)
        try:
            with transaction.atomic():
                change(Invoice.objects.select_for_update().get(pk=pk))  # type: ignore[operator]
        finally:
            connections.close_all()

    threading.Thread(target=run, daemon=True).start()
    logging.getLogger(__name__).debug("invoice %s is queued", pk)
