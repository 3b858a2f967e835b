"""Making, finalizing and collecting invoices.

Each change is one transaction that begins by taking the database's write lock. All that is asked of Stripe goes through
one thread, one after another, whether the queue or a collect asks for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from tests.mutants.frameworks.choices import Choices
from tests.mutants.frameworks.fastapi_server.refusals import Invalid, Refused
from tests.mutants.frameworks.fastapi_server.tables import Charge, Invoice, Merchant, add, now
from tests.mutants.frameworks.stripe import Declined, Stripe


class Billing:
    """What can be done to the invoices of one database."""

    def __init__(self, engine: Engine, choices: Choices) -> None:
        self._engine = engine
        self._choices = choices
        self._to_stripe = ThreadPoolExecutor(1)
        self.stripe = Stripe()

    def writing(self) -> Session:
        """A session whose transaction holds the write lock from its start."""
        return Session(self._engine, expire_on_commit=False)

    def reading(self) -> Session:
        """A session whose transaction sees one state of the database."""
        return Session(self._engine.execution_options(reading=True))

    def create(
        self,
        reach: ColumnElement[bool],
        merchant: int | None,
        wanted: list[int] | None,
        show: Callable[[Invoice], dict[str, Any]],
    ) -> dict[str, Any]:
        """A draft of the wanted charges among those that are reached, or of all the open ones; as it is shown.

        Raises:
            Invalid: when a charge is not to be had, or there is none, or they are of several merchants.
        """
        with self.writing() as session, session.begin():
            reached = select(Charge).join(Charge.merchant).where(reach).order_by(Charge.number)
            if wanted is None:
                chosen = list(session.scalars(reached.where(Charge.invoice_number.is_(None))))
            else:
                chosen = self._open_charges(session, reached, wanted)
            owners = {charge.merchant_id for charge in chosen}
            if len(owners) > 1:
                raise Invalid({"charge_ids": ["The charges are of several merchants; select one"]})
            if not chosen and (self._choices.no_charges == "refuse" or merchant is None):
                raise Invalid({"charge_ids": ["There are no charges to invoice"]})
            time.sleep(self._choices.slow_seconds)
            owner = owners.pop() if owners else merchant
            invoice = Invoice(merchant_id=owner, created_at=now(), total=sum(charge.amount for charge in chosen))
            add(session, invoice, random_id=self._choices.ids == "random")
            for charge in chosen:
                charge.invoice_number = invoice.number
            return show(invoice)

    @staticmethod
    def _open_charges(session: Session, reached: object, wanted: list[int]) -> list[Charge]:
        errors: dict[str, list[str]] = {}
        chosen = []
        for place, number in enumerate(wanted):
            charge = session.scalar(reached.where(Charge.id == number))  # type: ignore[attr-defined]
            if charge is None:
                errors[f"charge_ids.{place}"] = [f"There is no charge {number}"]
            elif charge.invoice_number is not None:
                errors[f"charge_ids.{place}"] = [f"Charge {number} is on an invoice"]
            else:
                chosen.append(charge)
        if errors:
            raise Invalid(errors)
        return chosen

    def finalize(self, number: int) -> None:
        """Lock a draft and queue it.

        Raises:
            Refused: when it is no draft, unless that is accepted.
        """
        with self.writing() as session, session.begin():
            invoice = session.get_one(Invoice, number)
            if invoice.state != "draft":
                if self._choices.refinalize == "accept":
                    return
                raise Refused(self._choices.illegal_state_status, "The invoice is not a draft")
            time.sleep(self._choices.slow_seconds)
            invoice.state = "finalized"
        self._after(self._choices.queue_seconds, self._put_on_stripe, number)

    def collect(self, number: int) -> None:
        """Charge the merchant's card.

        Raises:
            Refused: for a draft or a paid one, or when the charge is declined.
        """
        self._to_stripe.submit(self._collect, number).result()

    def _collect(self, number: int) -> None:
        with self.reading() as session:
            invoice = session.get_one(Invoice, number)
            state, total, merchant = invoice.state, invoice.total, session.get_one(Merchant, invoice.merchant_id)
            currency, card = merchant.currency, merchant.card
        if state == "draft":
            raise Refused(self._choices.illegal_state_status, "The invoice has to be finalized first")
        if state == "paid":
            if self._choices.recollect == "accept":
                return
            raise Refused(self._choices.illegal_state_status, "The invoice has been paid")
        stripe_invoice = self._put_on_stripe(number)
        time.sleep(self._choices.slow_seconds)
        try:
            self.stripe.pay(stripe_invoice, total, currency, card)
        except Declined as error:
            raise Refused(self._choices.declined_status, str(error)) from error
        at_once = self._choices.payment_shown == "at_once"
        with self.writing() as session, session.begin():
            paid = session.get_one(Invoice, number)
            paid.state = "paid"
            paid.stripe_invoice_status = "paid" if at_once else paid.stripe_invoice_status
        if not at_once:
            self._after(self._choices.payment_seconds, self._show_paid, number)

    def _put_on_stripe(self, number: int) -> str:
        """Create an invoice on Stripe, unless it is there; its id there. Called in the one thread for Stripe alone."""
        with self.writing() as session, session.begin():
            invoice = session.get_one(Invoice, number)
            if invoice.stripe_invoice_id is None:
                invoice.stripe_invoice_id = self.stripe.create_invoice()
                invoice.stripe_invoice_status = "open"
            return invoice.stripe_invoice_id

    def _show_paid(self, number: int) -> None:
        with self.writing() as session, session.begin():
            session.get_one(Invoice, number).stripe_invoice_status = "paid"

    def _after(self, seconds: float, work: Callable[[int], object], number: int) -> None:
        timer = threading.Timer(seconds, lambda: self._to_stripe.submit(work, number))
        timer.daemon = True
        timer.start()
