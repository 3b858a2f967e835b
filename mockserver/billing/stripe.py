"""The fake Stripe: cards and how they end, its invoices, its ledger of attempts, and its own troubles.

Names and codes are Stripe's published test values (docs.stripe.com/testing, docs.stripe.com/declines/codes).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

from mockserver.billing.stripe_currencies import MINIMUM_CHARGE
from mockserver.core.clock import Identifiers


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt to charge ends."""

    name: str
    code: str | None = None
    """Stripe's error code; None when the attempt succeeds or Stripe itself is the trouble."""
    decline_code: str | None = None
    charges: bool = False
    """Whether money moves."""
    answered: bool = True
    """Whether Stripe's answer reaches the caller."""
    late: bool = False
    """Whether the answer comes only after a while."""
    paid: bool = False
    """Whether the invoice is paid, and the caller knows it."""

    @property
    def declined(self) -> bool:
        return self.code is not None

    @property
    def reason(self) -> str:
        """The most telling word for a decline: the decline code where there is one."""
        return self.decline_code or self.code or self.name


def _declined(code: str, decline_code: str | None = None) -> Outcome:
    return Outcome(decline_code or code, code=code, decline_code=decline_code)


SUCCEEDS = Outcome("succeeded", charges=True, paid=True)
NO_CARD = _declined("no_card_on_file")
TOO_SMALL = _declined("amount_too_small")
NOTHING_DUE = Outcome("nothing_due", paid=True)
REPEATED = Outcome("repeated", paid=True)
LOST_ANSWER = Outcome("lost_answer", charges=True, answered=False)
LATE = Outcome("late", charges=True, paid=True, late=True)
DOWN = Outcome("stripe_down", answered=False)
THROTTLED = Outcome("stripe_rate_limited", answered=False)
UNREACHABLE = (DOWN, THROTTLED)
"""Nothing reaches Stripe, neither the charge nor the invoice."""

CARDS: dict[str, Outcome] = {
    "pm_card_visa": SUCCEEDS,
    "pm_card_visa_chargeDeclined": _declined("card_declined", "generic_decline"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": _declined("card_declined", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedLostCard": _declined("card_declined", "lost_card"),
    "pm_card_visa_chargeDeclinedStolenCard": _declined("card_declined", "stolen_card"),
    "pm_card_chargeDeclinedExpiredCard": _declined("expired_card"),
    "pm_card_chargeDeclinedIncorrectCvc": _declined("incorrect_cvc"),
    "pm_card_chargeDeclinedProcessingError": _declined("processing_error"),
    "pm_card_visa_chargeDeclinedVelocityLimitExceeded": _declined("card_declined", "card_velocity_exceeded"),
    # Some lists of Stripe's test cards give it without the brand.
    "pm_card_chargeDeclinedVelocityLimitExceeded": _declined("card_declined", "card_velocity_exceeded"),
    "pm_card_radarBlock": _declined("card_declined", "fraudulent"),
    "pm_card_authenticationRequired": _declined("authentication_required"),
    "none": NO_CARD,
    "stripe_down": DOWN,
    "stripe_rate_limited": THROTTLED,
    "stripe_late": LATE,
    "lost_answer": LOST_ANSWER,
}
"""How a merchant's card on file behaves; `stripe_…` and `lost_answer` are troubles of Stripe itself."""

OUTCOMES: dict[str, Outcome] = {outcome.name: outcome for outcome in CARDS.values()}
"""Every outcome that can be asked for, by its name."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One line of the ledger: `at` in microseconds since 1970, `amount` in Stripe's minor units."""

    number: int
    at: int
    invoice: int
    stripe_invoice_id: str | None
    merchant: int
    amount: int
    currency: str
    card: str
    outcome: str
    code: str | None
    decline_code: str | None
    idempotency_key: str
    charged: bool
    """Whether this attempt moved money; false for a repeat under a key that is settled already."""


@dataclass(frozen=True, slots=True)
class Due:
    """What an attempt is to charge: `amount` in Stripe's minor units."""

    invoice: int
    stripe_invoice_id: str | None
    merchant: int
    amount: int
    currency: str
    card: str
    nothing: bool
    """Whether the invoice's total is nothing; an `amount` of 0 may be one that Stripe counts more coarsely."""


@dataclass(slots=True)
class Stripe:
    """One world's Stripe account. Records are immutable, so that a copy is cheap and exact."""

    identifiers: Identifiers
    ledger: list[Attempt] = field(default_factory=list)
    settled: set[str] = field(default_factory=set)
    """Idempotency keys under which money has moved."""
    answered: dict[int, int] = field(default_factory=dict)
    """Invoice to the number of its attempts that Stripe's answer came to."""
    forced: deque[Outcome] = field(default_factory=deque)
    """Outcomes of the next attempts, whatever the card says."""

    def copy(self) -> Stripe:
        return Stripe(
            replace(self.identifiers),
            list(self.ledger),
            set(self.settled),
            dict(self.answered),
            deque(self.forced),
        )

    def create_invoice(self) -> str:
        """The identifier of a new invoice on Stripe (FINALIZE-2, COLLECT-2)."""
        return self.identifiers.stripe("in_")

    def choose(self, card: str, *, forced: Outcome | None = None) -> Outcome:
        """How the next attempt is to end: as forced for it, as forced for the next ones, or as the card behaves."""
        if forced is None and self.forced:
            return self.forced.popleft()
        return forced or CARDS[card]

    def attempt(self, due: Due, outcome: Outcome, *, now: int) -> Outcome:
        """Try to charge, and enter it into the ledger; the outcome is as chosen, unless Stripe knows better.

        A repeat under a settled key gets the remembered outcome, answered this time, and moves no money (COLLECT-4).
        Nothing due is paid without a charge; less than Stripe's minimum is declined.
        """
        key = idempotency_key(due.invoice, self.answered.get(due.invoice, 0))
        if outcome not in UNREACHABLE:
            if key in self.settled:
                outcome = REPEATED
            elif due.nothing:
                outcome = NOTHING_DUE
            elif outcome.charges and due.amount < MINIMUM_CHARGE.get(due.currency, 1):
                outcome = TOO_SMALL
        if outcome.charges:
            self.settled.add(key)
        if outcome.answered:
            self.answered[due.invoice] = self.answered.get(due.invoice, 0) + 1
        self.ledger.append(_entry(len(self.ledger) + 1, due, outcome, key, now))
        return outcome


def idempotency_key(invoice: int, answered: int) -> str:
    """The key of an attempt after so many that Stripe's answer came to: a new one only once the last is known."""
    return f"collect-{invoice}-{answered + 1}"


def _entry(number: int, due: Due, outcome: Outcome, key: str, now: int) -> Attempt:
    return Attempt(
        number=number,
        at=now,
        invoice=due.invoice,
        stripe_invoice_id=due.stripe_invoice_id,
        merchant=due.merchant,
        amount=due.amount,
        currency=due.currency,
        card=due.card,
        outcome=outcome.name,
        code=outcome.code,
        decline_code=outcome.decline_code,
        idempotency_key=key,
        charged=outcome.charges,
    )
