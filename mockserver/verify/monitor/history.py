"""What is known of each record of this run, and what a later answer must not contradict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from mockserver.verify.events import RecordedExchange

Row = Mapping[str, Any]
MOST_KEPT = 12
"""Exchanges that are kept of one record's history."""


@dataclass(frozen=True, slots=True)
class Inconsistency:
    """Two answers that can't both be true. `kind` names the difference without ids."""

    rule: str
    kind: str
    expected: str
    actual: str


@dataclass(slots=True)
class InvoiceHistory:
    """One invoice that this run made; times are of the monotonic clock."""

    id: int
    first_seen: Row
    since: float
    charges: tuple[int, ...] | None = None
    """None when the request named none."""
    finalized_since: float | None = None
    finalize_tried: bool = False
    collect_tried: bool = False
    last_action: str = "create"
    refused: str | None = None
    """The last refused action on it while it was a draft."""
    stripe_id: str | None = None
    stripe_since: float = 0.0
    paid_since: float | None = None
    declined: bool = False
    """Whether a collect was refused after it was finalized."""
    trace: list[RecordedExchange] = field(default_factory=list)

    def append(self, exchange: RecordedExchange) -> None:
        """Adds what happened to it; the beginning and the latest are kept."""
        self.trace.append(exchange)
        if len(self.trace) > MOST_KEPT:
            del self.trace[MOST_KEPT // 2]

    def inconsistencies(self, row: Row, asked: float) -> list[Inconsistency]:
        """What `row`, from a request sent at `asked`, says against what was known before."""
        if asked < self.since:
            return []
        found = [*self._constants(row), *self._state(row, asked), *self._stripe(row, asked)]
        return found

    def learn(self, row: Row, at: float) -> None:
        """Takes over what an answer that came at `at` says."""
        if row.get("status") not in (None, "Draft") and self.finalized_since is None:
            self.finalized_since = at
        if isinstance(row.get("stripe_invoice_id"), str) and self.stripe_id is None:
            self.stripe_id, self.stripe_since = row["stripe_invoice_id"], at
        if row.get("stripe_invoice_status") == "paid" and self.paid_since is None:
            self.paid_since = at

    def _constants(self, row: Row) -> list[Inconsistency]:
        found = []
        locked = self.finalized_since is not None
        for name in ("total", "currency", "charger_id", "chargee_id", "charger_type", "chargee_type", "created_at"):
            if name in self.first_seen and name in row and not same(name, self.first_seen[name], row[name]):
                rule = "FINALIZE-1" if locked and name in ("total", "currency") else "GEN-9"
                found.append(
                    Inconsistency(
                        rule,
                        f"{name} changed" + (" after finalize" if locked else ""),
                        f"the invoice keeps its {name}, {shown(self.first_seen[name])}",
                        f"it is now {shown(row[name])}",
                    )
                )
        return found

    def _state(self, row: Row, asked: float) -> list[Inconsistency]:
        status = row.get("status")
        if self.finalized_since is not None and asked >= self.finalized_since and status == "Draft":
            return [
                Inconsistency(
                    "FINALIZE-1", "draft again", "a finalized invoice is a draft no more", "its status is Draft"
                )
            ]
        if not self.finalize_tried and isinstance(status, str) and status != "Draft":
            rule = "COLLECT-1" if self.refused == "collect" else "GEN-6" if self.refused else "GEN-9"
            return [
                Inconsistency(
                    rule,
                    "draft left unasked",
                    "a draft that nobody finalized stays one",
                    f"its status is {shown(status)}",
                )
            ]
        return []

    def _stripe(self, row: Row, asked: float) -> list[Inconsistency]:
        found = []
        rule = "COLLECT-4" if self.last_action == "collect" else "FINALIZE-4"
        stripe_id, stripe_status = row.get("stripe_invoice_id"), row.get("stripe_invoice_status")
        if self.stripe_id is not None and asked >= self.stripe_since and stripe_id != self.stripe_id:
            found.append(
                Inconsistency(
                    rule,
                    "another stripe invoice",
                    f"the invoice keeps its one Stripe invoice, {self.stripe_id}",
                    f"stripe_invoice_id is {shown(stripe_id)}",
                )
            )
        if self.paid_since is not None and asked >= self.paid_since and stripe_status != "paid":
            found.append(
                Inconsistency(
                    rule,
                    "paid no more",
                    "a paid invoice stays paid",
                    f"stripe_invoice_status is {shown(stripe_status)}",
                )
            )
        if not self.finalize_tried and row.get("status") == "Draft" and (stripe_id or stripe_status):
            found.append(
                Inconsistency(
                    "CREATE-3",
                    "draft on stripe",
                    "a draft is not on Stripe: stripe_invoice_id and stripe_invoice_status are null",
                    f"they are {shown(stripe_id)} and {shown(stripe_status)}",
                )
            )
        if not self.collect_tried and stripe_status == "paid" and exact(self.first_seen.get("total")) != 0:
            found.append(
                Inconsistency(
                    "FINALIZE-2",
                    "paid unasked",
                    "an invoice that nobody collected is not paid",
                    "stripe_invoice_status is paid",
                )
            )
        return found


@dataclass(slots=True)
class ChargeHistory:
    """One charge that this run made or was given."""

    id: int
    first_seen: Row
    since: float
    invoice: int | None = None
    """The invoice that took it, once a create that named it was accepted."""
    invoiced_since: float | None = None
    trace: list[RecordedExchange] = field(default_factory=list)

    @property
    def amount(self) -> Decimal:
        return exact(self.first_seen.get("amount")) or Decimal(0)

    def inconsistencies(self, row: Row, asked: float) -> list[Inconsistency]:
        """What `row`, from a request sent at `asked`, says against what was known before."""
        if asked < self.since:
            return []
        found = []
        names = ["amount", "price", "currency", "chargee_id", "charger_id", "created_at", "category"]
        if _is_kept(self.first_seen.get("description")):
            names.append("description")
        for name in names:
            if name in self.first_seen and name in row and not same(name, self.first_seen[name], row[name]):
                rule = "FINALIZE-1" if self.invoice is not None and name in ("amount", "price") else "GEN-9"
                found.append(
                    Inconsistency(
                        rule,
                        f"charge {name} changed",
                        f"the charge keeps its {name}, {shown(self.first_seen[name])}",
                        f"it is now {shown(row[name])}",
                    )
                )
        if self.invoiced_since is not None and asked >= self.invoiced_since and row.get("status") != "Invoiced":
            found.append(
                Inconsistency(
                    "CREATE-4",
                    "charge not Invoiced",
                    "a charge on an invoice is Invoiced from then on",
                    f"its status is {shown(row.get('status'))}",
                )
            )
        return found


def exact(value: object) -> Decimal | None:
    """A JSON number as an exact decimal; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)


def when(value: object) -> datetime | None:
    """A JSON date-time as a time in UTC; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def not_utc(row: Row) -> str | None:
    """The row's `created_at` if it is given in another zone than UTC."""
    value = row.get("created_at")
    if not isinstance(value, str):
        return None
    try:
        offset = datetime.fromisoformat(value).utcoffset()
    except ValueError:
        return None
    return value if offset else None


def same(name: str, one: object, other: object) -> bool:
    """Whether two readings of a property agree; times may be rounded to what the coarser of them can tell."""
    if name == "created_at":
        first, second = when(one), when(other)
        if first is None or second is None:
            return True
        return abs(first - second) <= max(_precision(first), _precision(second))
    if name in ("charger_id", "chargee_id"):
        return str(one) == str(other)
    if name in ("total", "amount", "price"):
        return exact(one) == exact(other)
    return one == other


def _is_kept(text: object) -> bool:
    """Whether a server that takes the text must keep it as it answered it: no control characters, and not too long."""
    return isinstance(text, str) and text.isprintable() and text == text.strip() and len(text) <= 80


def _precision(moment: datetime) -> timedelta:
    if moment.microsecond == 0:
        return timedelta(seconds=1)
    return timedelta(milliseconds=1)


def shown(value: object) -> str:
    """A JSON value in a sentence."""
    if value is None:
        return "null"
    return f'"{value}"' if isinstance(value, str) else str(value)
