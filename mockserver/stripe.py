"""The fake Stripe: cards and how they end, its invoices, its ledger of attempts, and its own troubles.

Names and codes are Stripe's published test values (docs.stripe.com/testing, docs.stripe.com/declines/codes).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

from mockserver.billing import PAID, STRIPE_OPEN
from mockserver.clock import Identifiers


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

    @property
    def pays(self) -> bool:
        """Whether Stripe has the invoice paid after it."""
        return self.charges or self.name == "nothing_due"

    @property
    def declined(self) -> bool:
        return self.code is not None

    @property
    def reason(self) -> str:
        """The most telling word for a decline: the decline code where there is one."""
        return self.decline_code or self.code or self.name


def _declined(code: str, decline_code: str | None = None) -> Outcome:
    return Outcome(decline_code or code, code=code, decline_code=decline_code)


SUCCEEDS = Outcome("succeeded", charges=True)
NO_CARD = _declined("no_card_on_file")
TOO_SMALL = _declined("amount_too_small")
NOTHING_DUE = Outcome("nothing_due")
LOST_ANSWER = Outcome("lost_answer", charges=True, answered=False)
LATE = Outcome("late", charges=True, late=True)
DOWN = Outcome("stripe_down", answered=False)
THROTTLED = Outcome("stripe_rate_limited", answered=False)

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
    "pm_card_radarBlock": _declined("card_declined", "fraudulent"),
    "pm_card_authenticationRequired": _declined("authentication_required"),
    "none": NO_CARD,
    "stripe_down": DOWN,
    "stripe_rate_limited": THROTTLED,
    "stripe_late": LATE,
    "lost_answer": LOST_ANSWER,
}
"""How a merchant's card on file behaves; the last four are troubles of Stripe itself."""

OUTCOMES: dict[str, Outcome] = {outcome.name: outcome for outcome in CARDS.values()}
"""Every outcome that can be asked for, by its name."""

MINIMUM_CHARGE: dict[str, int] = {
    "AED": 200, "AUD": 50, "BGN": 100, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250, "EUR": 50,
    "GBP": 30, "HKD": 400, "HUF": 17500, "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200, "NOK": 300, "NZD": 50,
    "PLN": 200, "RON": 200, "SEK": 300, "SGD": 50, "THB": 1000, "USD": 50,
}  # fmt: skip
"""Stripe's published smallest charge in Stripe's minor units (docs.stripe.com/currencies, minimum charge amounts)."""

ZERO_DECIMAL = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF".split())
"""Currencies that Stripe charges in whole units (docs.stripe.com/currencies#zero-decimal)."""
THREE_DECIMAL = frozenset("BHD JOD KWD OMR TND".split())
"""Currencies that Stripe charges in thousandths (docs.stripe.com/currencies#three-decimal)."""


def stripe_exponent(currency: str) -> int:
    """How many decimals Stripe counts the currency with; it differs from ISO 4217 for a few, such as MGA."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def stripe_minor(minor: int, currency: str, *, exponent: int) -> int:
    """ISO minor units (of `exponent` decimals) in Stripe's own minor units, rounded half up where they are coarser."""
    shift = stripe_exponent(currency) - exponent
    if shift >= 0:
        return minor * int(10**shift)
    divisor = int(10**-shift)
    return (2 * minor + divisor) // (2 * divisor)


@dataclass(frozen=True, slots=True)
class StripeInvoice:
    """An invoice as Stripe has it; `amount` in Stripe's minor units."""

    id: str
    invoice: int
    amount: int
    currency: str
    status: str = STRIPE_OPEN


@dataclass(frozen=True, slots=True)
class Attempt:
    """One line of the ledger: an attempt to charge, at `at` in microseconds since 1970, amounts in Stripe's minor units."""

    number: int
    at: int
    invoice: int
    stripe_invoice_id: str
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


@dataclass(slots=True)
class Stripe:
    """One world's Stripe account. Records are immutable, so that a copy is cheap and exact."""

    identifiers: Identifiers
    invoices: dict[str, StripeInvoice] = field(default_factory=dict)
    ledger: list[Attempt] = field(default_factory=list)
    settled: dict[str, Outcome] = field(default_factory=dict)
    """Idempotency key to the outcome that Stripe remembers for it."""
    answered: dict[int, int] = field(default_factory=dict)
    """Invoice to the number of its attempts that Stripe's answer came to."""
    forced: deque[Outcome] = field(default_factory=deque)
    """Outcomes of the next attempts, whatever the card says."""

    def copy(self) -> Stripe:
        return Stripe(
            replace(self.identifiers),
            dict(self.invoices),
            list(self.ledger),
            dict(self.settled),
            dict(self.answered),
            deque(self.forced),
        )

    def create_invoice(self, *, invoice: int, amount: int, currency: str) -> StripeInvoice:
        """The invoice on Stripe, new and open (FINALIZE-2, COLLECT-2); `amount` in Stripe's minor units."""
        created = StripeInvoice(self.identifiers.stripe("in_"), invoice, amount, currency)
        self.invoices[created.id] = created
        return created

    def adopt(self, invoice: StripeInvoice) -> None:
        """Know an invoice that was put there before this world began."""
        self.invoices[invoice.id] = invoice

    def idempotency_key(self, invoice: int) -> str:
        """The key of the next attempt: the same one until Stripe's answer to it has come (COLLECT-4)."""
        return f"collect-{invoice}-{self.answered.get(invoice, 0) + 1}"

    def charge(
        self, stripe_invoice_id: str, *, card: str, merchant: int, now: int, forced: Outcome | None = None
    ) -> Outcome:
        """Attempt to charge what the invoice amounts to; every attempt is in the ledger.

        A repeat under a settled key gets the remembered outcome, answered this time, and moves no money (COLLECT-4).
        """
        target = self.invoices[stripe_invoice_id]
        key = self.idempotency_key(target.invoice)
        remembered = self.settled.get(key)
        if remembered is not None:
            outcome, charged = replace(remembered, name="repeated", answered=True, late=False), False
        else:
            outcome = self._outcome(target, card, forced)
            charged = outcome.charges
        if charged:
            self.settled[key] = outcome
        if outcome.answered:
            self.answered[target.invoice] = self.answered.get(target.invoice, 0) + 1
        if outcome.pays:
            self.invoices[target.id] = replace(target, status=PAID)
        self.ledger.append(
            Attempt(
                len(self.ledger) + 1, now, target.invoice, target.id, merchant, target.amount, target.currency,
                card, outcome.name, outcome.code, outcome.decline_code, key, charged,
            )
        )  # fmt: skip
        return outcome

    def _outcome(self, target: StripeInvoice, card: str, forced: Outcome | None) -> Outcome:
        if target.amount <= 0:
            return NOTHING_DUE
        if forced is None and self.forced:
            forced = self.forced.popleft()
        outcome = forced or CARDS[card]
        if outcome.charges and target.amount < MINIMUM_CHARGE.get(target.currency, 1):
            return TOO_SMALL
        return outcome
