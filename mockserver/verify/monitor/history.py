"""What is known of each record of this run, and what a later answer must not contradict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from mockserver.verify.assertions.expect import Expect
from mockserver.verify.assertions.statements import Subject
from mockserver.verify.claims.claims import Operator
from mockserver.verify.claims.evaluation import compares
from mockserver.verify.claims.values import Row, exact, shown
from mockserver.verify.events import DRAFT_LEFT, PAID_UNASKED, RecordedExchange

MOST_KEPT = 12
"""Exchanges that are kept of one record's history."""


@dataclass(frozen=True, slots=True)
class Inconsistency:
    """Two answers that can't both be true. `kind` names the difference without ids."""

    rule: str
    kind: str
    because: str
    name: str
    """The property of the record that differs."""
    operator: Operator
    right: object
    """What the property should compare with: a value, or a `Subject` of the answer that said it."""

    def tell(
        self,
        expect: Expect,
        what: str,
        seen: Subject,
        trace: Sequence[RecordedExchange],
        told: set[tuple[str, str]],
    ) -> None:
        """Records the breach, if it is not `told` of this record already.

        `what`: an `invoice` or a `charge`; `seen`: the row that differs; `trace`: its past.
        """
        if (self.rule, self.kind) in told:
            return
        told.add((self.rule, self.kind))
        statement = seen.at(self.name).compares(self.operator, self.right)
        expect.breach(self.rule, statement, kind=f"{what}: {self.kind}", because=self.because, using=trace)


@dataclass(slots=True)
class InvoiceHistory:
    """One invoice that this run made; times are of the monotonic clock."""

    id: int
    first_seen: Row
    told_by: Subject
    """The row in the answer that made it."""
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
    stripe_told_by: Subject | None = None
    stripe_since: float = 0.0
    paid_since: float | None = None
    declined: bool = False
    """Whether a collect was refused after it was finalized."""
    in_doubt: bool = False
    """Whether something that nobody can tell was done, so that no answer about it contradicts another any more."""
    told: set[tuple[str, str]] = field(default_factory=set)
    """Rule and kind of what was told of it: a later answer that shows it again is no further sighting."""
    trace: list[RecordedExchange] = field(default_factory=list)

    def append(self, exchange: RecordedExchange) -> None:
        """Adds what happened to it; the beginning and the latest are kept."""
        self.trace.append(exchange)
        if len(self.trace) > MOST_KEPT:
            del self.trace[MOST_KEPT // 2]

    def inconsistencies(self, row: Row, asked: float) -> list[Inconsistency]:
        """What `row`, from a request sent at `asked`, says against what was known before."""
        if asked < self.since or self.in_doubt:
            return []
        return [*self._constants(row), *self._state(row, asked), *self._stripe(row, asked)]

    def state(self, at: float) -> str:
        """`Draft`, `finalized`, `declined` or `paid`, as far as it was known at that time."""
        if self.paid_since is not None and self.paid_since <= at:
            return "paid"
        if self.finalized_since is None or self.finalized_since > at:
            return "Draft"
        return "declined" if self.declined else "finalized"

    def learn(self, row: Row, at: float, told_by: Subject) -> None:
        """Takes over what an answer that came at `at` says, `told_by` of the row in it."""
        if row.get("status") not in (None, "Draft") and self.finalized_since is None:
            self.finalized_since = at
        if isinstance(row.get("stripe_invoice_id"), str) and self.stripe_id is None:
            self.stripe_id, self.stripe_since, self.stripe_told_by = row["stripe_invoice_id"], at, told_by
        if row.get("stripe_invoice_status") == "paid" and self.paid_since is None:
            self.paid_since = at

    def _constants(self, row: Row) -> Iterator[Inconsistency]:
        locked = self.finalized_since is not None
        for name in ("total", "currency", "charger_id", "chargee_id", "charger_type", "chargee_type", "created_at"):
            if not _kept(name, self.first_seen, row):
                yield Inconsistency(
                    "FINALIZE-1" if locked and name in ("total", "currency") else "GEN-9",
                    f"{name} changed" + (" after finalize" if locked else ""),
                    f"the invoice keeps its {name}, {shown(self.first_seen[name])}",
                    name,
                    "agrees",
                    self.told_by.at(name),
                )

    def _state(self, row: Row, asked: float) -> Iterator[Inconsistency]:
        status = row.get("status")
        if self.finalized_since is not None and asked >= self.finalized_since:
            if not compares(status, "is not", "Draft"):
                yield Inconsistency(
                    "FINALIZE-1", "draft again", "a finalized invoice is a draft no more", "status", "is not", "Draft"
                )
        if not self.finalize_tried and isinstance(status, str) and not compares(status, "is", "Draft"):
            yield Inconsistency(
                "COLLECT-1" if self.refused == "collect" else "GEN-6" if self.refused else "GEN-9",
                DRAFT_LEFT,
                "a draft that nobody finalized stays one",
                "status",
                "is",
                "Draft",
            )

    def _stripe(self, row: Row, asked: float) -> Iterator[Inconsistency]:
        rule = "COLLECT-4" if self.last_action == "collect" else "FINALIZE-4"
        stripe_id, stripe_status = row.get("stripe_invoice_id"), row.get("stripe_invoice_status")
        if self.stripe_id is not None and asked >= self.stripe_since and not compares(stripe_id, "is", self.stripe_id):
            yield Inconsistency(
                rule,
                "another stripe invoice",
                f"the invoice keeps its one Stripe invoice, {self.stripe_id}",
                "stripe_invoice_id",
                "is",
                self.stripe_id if self.stripe_told_by is None else self.stripe_told_by.at("stripe_invoice_id"),
            )
        if self.paid_since is not None and asked >= self.paid_since and not compares(stripe_status, "is", "paid"):
            yield Inconsistency(
                rule, "paid no more", "a paid invoice stays paid", "stripe_invoice_status", "is", "paid"
            )
        if not self.finalize_tried and row.get("status") == "Draft":
            for name in ("stripe_invoice_id", "stripe_invoice_status"):
                if not compares(row.get(name) or None, "is", None):
                    yield Inconsistency(
                        "CREATE-3", "draft on stripe", f"a draft is not on Stripe: its {name} is null", name, "is", None
                    )
                    break
        if not self.collect_tried and exact(self.first_seen.get("total")) != 0:
            if not compares(stripe_status, "is not", "paid"):
                yield Inconsistency(
                    "FINALIZE-2",
                    PAID_UNASKED,
                    "an invoice that nobody collected is not paid",
                    "stripe_invoice_status",
                    "is not",
                    "paid",
                )


@dataclass(slots=True)
class ChargeHistory:
    """One charge that this run made or was given."""

    id: int
    first_seen: Row
    told_by: Subject
    """The row in the answer that showed it first."""
    since: float
    invoice: InvoiceHistory | None = None
    """The invoice that took it, once a create that named it was accepted."""
    invoiced_since: float | None = None
    in_doubt: bool = False
    """Whether something that nobody can tell was done, so that no answer about it contradicts another any more."""
    told: set[tuple[str, str]] = field(default_factory=set)
    """Rule and kind of what was told of it: a later answer that shows it again is no further sighting."""
    trace: list[RecordedExchange] = field(default_factory=list)

    @property
    def amount(self) -> Decimal:
        return exact(self.first_seen.get("amount")) or Decimal(0)

    def inconsistencies(self, row: Row, asked: float) -> list[Inconsistency]:
        """What `row`, from a request sent at `asked`, says against what was known before."""
        if asked < self.since or self.in_doubt:
            return []
        return [*self._constants(row), *self._state(row, asked)]

    def _constants(self, row: Row) -> Iterator[Inconsistency]:
        names = ["amount", "price", "currency", "chargee_id", "charger_id", "created_at", "category"]
        if _is_plain(self.first_seen.get("description")):
            names.append("description")
        for name in names:
            if not _kept(name, self.first_seen, row):
                yield Inconsistency(
                    "FINALIZE-1" if self.invoice is not None and name in ("amount", "price") else "GEN-9",
                    f"charge {name} changed",
                    f"the charge keeps its {name}, {shown(self.first_seen[name])}",
                    name,
                    "agrees",
                    self.told_by.at(name),
                )

    def _state(self, row: Row, asked: float) -> Iterator[Inconsistency]:
        if self.was_invoiced(asked):
            if not compares(row.get("status"), "is", "Invoiced"):
                yield Inconsistency(
                    "CREATE-4",
                    "charge not Invoiced",
                    "a charge on an invoice is Invoiced from then on",
                    "status",
                    "is",
                    "Invoiced",
                )

    def was_invoiced(self, at: float) -> bool:
        """Whether it was known at that time to be on an invoice."""
        return self.invoiced_since is not None and self.invoiced_since <= at

    def learn(self, row: Row, answer: RecordedExchange, at: float) -> None:
        """Takes over what an answer that came at `at` says: once on an invoice, on an invoice for good."""
        if row.get("status") == "Invoiced" and self.invoiced_since is None:
            self.invoiced_since = at
            self.trace.append(answer)


def _kept(name: str, first: Row, row: Row) -> bool:
    """Whether the two readings agree, where both show the property."""
    return name not in first or name not in row or compares(row[name], "agrees", first[name])


def _is_plain(text: object) -> bool:
    """Whether a server that takes the text must keep it as it answered it: no control characters, and not too long."""
    return isinstance(text, str) and text.isprintable() and text == text.strip() and len(text) <= 80
