"""The card company behind the server: the queue of invoices to be made there, and charges on cards."""

from __future__ import annotations

import heapq
import itertools
import secrets
import time
from dataclasses import dataclass, field

from tests.mutants.reference.choices import Choices
from tests.mutants.reference.money import stripe_minimum
from tests.mutants.reference.records import Invoice

DECLINES: dict[str, tuple[str, str | None]] = {
    "pm_card_visa_chargeDeclined": ("card_declined", "generic_decline"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedLostCard": ("card_declined", "lost_card"),
    "pm_card_visa_chargeDeclinedStolenCard": ("card_declined", "stolen_card"),
    "pm_card_chargeDeclinedExpiredCard": ("expired_card", None),
    "pm_card_chargeDeclinedIncorrectCvc": ("incorrect_cvc", None),
    "pm_card_chargeDeclinedProcessingError": ("processing_error", None),
    "pm_card_visa_chargeDeclinedVelocityLimitExceeded": ("card_declined", "card_velocity_exceeded"),
    "pm_card_radarBlock": ("card_declined", "fraudulent"),
    "pm_card_authenticationRequired": ("authentication_required", "authentication_required"),
    "none": ("payment_method_missing", None),
}
"""Card on file to `code` and `decline_code`."""

REPORT_DELAY = 0.7
"""Seconds."""
PAYS = "pm_card_visa"
PAYS_LATER = "pays_at_second_attempt"
"""Not one of Stripe's names: short of funds at the first attempt on an invoice, good at the next one."""
ANSWER_LOST = "answer_lost_at_first_attempt"
"""Not one either: the first attempt on an invoice charges the card, and Stripe's answer never comes."""


class UnknownCard(ValueError):
    """A card that is none of the names above."""


@dataclass(frozen=True, slots=True)
class Decline:
    code: str
    decline_code: str | None


def check_card(name: str) -> str:
    """The name itself; raises UnknownCard."""
    if name not in DECLINES and name not in (PAYS, PAYS_LATER, ANSWER_LOST):
        raise UnknownCard(f"no card is called {name!r}")
    return name


@dataclass
class Stripe:
    """Invoices are created `delay` seconds after they were queued; the queue moves whenever it is looked at."""

    choices: Choices
    delay: float = 0.0
    queue: list[tuple[float, int, Invoice]] = field(default_factory=list)
    charged: list[tuple[int, int]] = field(default_factory=list)
    """Every charge that succeeded: invoice id and minor units."""
    order: itertools.count[int] = field(default_factory=itertools.count)
    reports: list[tuple[float, int, Invoice]] = field(default_factory=list)
    """Payments that are still to be told of."""

    def enqueue(self, invoice: Invoice) -> None:
        heapq.heappush(self.queue, (time.monotonic() + self.delay, next(self.order), invoice))

    def settle(self) -> None:
        """Creates what is due; the caller holds the records' lock."""
        while self.queue and self.queue[0][0] <= time.monotonic():
            self.create(heapq.heappop(self.queue)[2])
        while self.reports and self.reports[0][0] <= time.monotonic():
            invoice = heapq.heappop(self.reports)[2]
            invoice.stripe_status, invoice.reported = "paid", True

    def report_later(self, invoice: Invoice) -> None:
        """The invoice, which is paid, shows so after a while, or as soon as this answer is sent."""
        invoice.reported = False
        delay = 0.0 if self.choices.payment_reported == "next" else REPORT_DELAY
        heapq.heappush(self.reports, (time.monotonic() + delay, next(self.order), invoice))

    def create(self, invoice: Invoice) -> None:
        """Makes the invoice on Stripe, unless it is there already."""
        if invoice.stripe_id is None:
            invoice.stripe_id = self.new_id()
            invoice.stripe_status = self.choices.queued_stripe_status

    def new_id(self) -> str:
        return "in_" + secrets.token_hex(12)

    def attempt(self, invoice: Invoice, card: str) -> Decline | None:
        """One attempt to charge the invoice's total; None when it is paid."""
        invoice.attempts += 1
        if invoice.total <= 0:
            return None
        if invoice.total < stripe_minimum(invoice.currency):
            return Decline("amount_too_small", None)
        if card == PAYS_LATER and invoice.attempts == 1:
            return Decline("card_declined", "insufficient_funds")
        if card in DECLINES:
            return Decline(*DECLINES[card])
        self.charged.append((invoice.id, invoice.total))
        return None
