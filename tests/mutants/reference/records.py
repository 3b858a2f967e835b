"""What the server remembers: merchants, charges, invoices and who may see them."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

PROVIDER = 77
"""The company that bills; every charge and invoice is made out by it."""

State = Literal["draft", "finalized", "paid"]


class Refusal(Exception):
    """A request that is answered with a 4xx; `errors` maps the name of a field to what is wrong with it."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: dict[str, list[str]] | None = None,
        more: dict[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.more = more or {}


@dataclass(slots=True)
class Merchant:
    id: int
    currency: str
    card: str


@dataclass(slots=True)
class Charge:
    id: int
    merchant: int
    created_at: datetime
    currency: str
    amount: int
    """Minor units."""
    description: str
    category: str = "Adjustment"
    invoice: int | None = None
    void: bool = False

    @property
    def status(self) -> str:
        if self.void:
            return "Void"
        return "Open" if self.invoice is None else "Invoiced"


@dataclass(slots=True)
class Invoice:
    id: int
    merchant: int
    created_at: datetime
    currency: str
    total: int
    """Minor units."""
    charges: list[Charge]
    description: str | None
    state: State = "draft"
    stripe_id: str | None = None
    stripe_status: str | None = None
    attempts: int = 0
    reported: bool = True
    """Whether the card company has told of the payment, where that is what shows it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the merchants that the token reaches, and the one that the header selects, if any."""

    reach: frozenset[int]
    selected: int | None = None

    @property
    def scope(self) -> frozenset[int]:
        return self.reach if self.selected is None else frozenset((self.selected,))


@dataclass
class Records:
    """All of the server's memory; `lock` guards it."""

    first_id: int = 1
    scattered: bool = False
    """Whether ids are unique numbers in no order, in place of a count."""
    merchants: dict[int, Merchant] = field(default_factory=dict)
    tokens: dict[str, frozenset[int]] = field(default_factory=dict)
    charges: dict[int, Charge] = field(default_factory=dict)
    invoices: dict[int, Invoice] = field(default_factory=dict)
    charges_of: dict[int, list[Charge]] = field(default_factory=dict)
    invoices_of: dict[int, list[Invoice]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    charge_ids: Iterator[int] = field(init=False)
    invoice_ids: Iterator[int] = field(init=False)

    def __post_init__(self) -> None:
        self.charge_ids = self.new_ids()
        self.invoice_ids = self.new_ids()

    def new_ids(self) -> Iterator[int]:
        if not self.scattered:
            return itertools.count(self.first_id)
        # Multiples of a number modulo a prime: each comes once.
        return (self.first_id + count * 7_919_777 % 10_000_019 for count in itertools.count(1))

    def now(self) -> datetime:
        return datetime.now(UTC)

    def add_merchant(self, merchant: Merchant) -> None:
        self.merchants[merchant.id] = merchant
        self.charges_of[merchant.id] = []
        self.invoices_of[merchant.id] = []
        self.tokens[f"merchant{merchant.id}"] = frozenset((merchant.id,))
        self.tokens["provider"] = frozenset(self.merchants)

    def add_charge(self, merchant: Merchant, amount: int, description: str) -> Charge:
        with self.lock:
            number = next(self.charge_ids)
            charge = Charge(number, merchant.id, self.now(), merchant.currency, amount, description)
            self.charges[number] = charge
            self.charges_of[merchant.id].append(charge)
            return charge

    def add_invoice(self, invoice: Invoice) -> Invoice:
        with self.lock:
            self.invoices[invoice.id] = invoice
            self.invoices_of[invoice.merchant].append(invoice)
            return invoice

    def charges_in(self, scope: Iterable[int]) -> list[Charge]:
        """The charges of these merchants, oldest first."""
        with self.lock:
            if frozenset(scope) == frozenset(self.merchants):
                return list(self.charges.values())
            if len(frozenset(scope)) > 1:
                return [charge for charge in self.charges.values() if charge.merchant in scope]
            return [charge for merchant in scope for charge in self.charges_of[merchant]]

    def invoices_in(self, scope: Iterable[int]) -> list[Invoice]:
        """The invoices of these merchants, oldest first."""
        with self.lock:
            if frozenset(scope) == frozenset(self.merchants):
                return list(self.invoices.values())
            if len(frozenset(scope)) > 1:
                return [invoice for invoice in self.invoices.values() if invoice.merchant in scope]
            return [invoice for merchant in scope for invoice in self.invoices_of[merchant]]
