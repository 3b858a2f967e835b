"""Makes the charges and invoices of a run, each fresh, and reads them back."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from mockserver.billing.money import exponent
from mockserver.billing.profile import Value
from mockserver.billing.stripe_currencies import MINIMUM_CHARGE, stripe_exponent
from mockserver.verify.assertions.expect import Expect
from mockserver.verify.assertions.statements import id_of, of, succeeds
from mockserver.verify.claims.values import Row, exact
from mockserver.verify.context.own_records import OwnCharge, OwnInvoice, newest_charges
from mockserver.verify.errors import NotPossible, OutOfTime, Stop
from mockserver.verify.monitor.monitor import Monitor
from mockserver.verify.options import Options
from mockserver.verify.transport.billing_client import Billing
from mockserver.verify.transport.http import Transport
from mockserver.verify.transport.messages import Answer

Result = TypeVar("Result")
UNKNOWN_ID = 2_147_483_646
"""An id that no server has: the last but one that fits 32 bits."""
MARK = "mockserver verify"
"""How the descriptions of all charges that a run makes begin."""
QUEUE = 20.0
"""Seconds that the queue for Stripe is waited for, unless it is said how long it takes."""
REPORT = 0.4
"""How much of the time that the queue for Stripe may take a payment may take to show (COLLECT-3)."""


@dataclass(slots=True)
class Records:
    """The records of one caller; each call makes new ones."""

    options: Options
    transport: Transport
    monitor: Monitor
    expect: Expect
    me: Billing
    profile: dict[str, Value]
    """The open choices that were measured so far, or were given."""
    digits: int | None = None
    """Decimal places of the merchant's currency."""
    pool: list[int] = field(default_factory=list)
    """Charges that were given for the run and are not used yet."""
    elders: list[Row] = field(default_factory=list)
    """Some of the invoices that were there before the run."""
    waiting: list[OwnInvoice] = field(default_factory=list)
    """Invoices that were finalized early, so that the queue for Stripe works while other checks run."""
    patience: float = field(init=False)
    """Seconds that the queue for Stripe may take."""
    report_patience: float = field(init=False)
    """Seconds that a payment may take to show."""
    others_stay_open: bool = False
    """Whether the merchant has charges of others that no create of everything can bill."""
    has_seen_payment: bool = False
    """Whether a collected invoice of the merchant showed that it is paid."""
    _slowest_report: float = 0.0
    _least: Decimal = Decimal(0)
    """Stripe's smallest charge in the merchant's currency, in major units."""
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.patience = self.queue_wait
        self.report_patience = self.report_wait

    @property
    def queue_wait(self) -> float:
        """Seconds that the queue for Stripe is waited for."""
        return QUEUE if self.options.stripe_wait is None else self.options.stripe_wait

    @property
    def report_wait(self) -> float:
        """Seconds in which an invoice that was collected shows that it is paid."""
        return self.queue_wait * REPORT

    @property
    def spare_amount(self) -> Decimal:
        """An amount that any currency takes: whole."""
        return Decimal(700 + next(self._numbers))

    def at_most(self, size: int) -> int:
        """That page size, or the largest that the server takes."""
        largest = self.profile.get("per_page_max")
        return min(size, largest) if isinstance(largest, int) else size

    def on_one_page(self, count: int) -> int:
        """That many records, where they fit one page; raises `NotPossible` where they don't."""
        if self.at_most(count) < count:
            raise NotPossible(f"the server's pages hold {self.at_most(count)} rows at most", matters=False)
        return count

    def mark(self) -> str:
        """A description that no other charge of this run has."""
        return f"{MARK} {next(self._numbers)}"

    # --- making records ---------------------------------------------------------------------------------------

    def amount(self) -> Decimal:
        """The next amount: small, chargeable, in the currency's precision, unlike its neighbours."""
        number = next(self._numbers)
        digits = 0 if self.digits is None else self.digits
        if digits == 0:
            return Decimal(500 + 7 * number)
        small = Decimal(100 + 37 * (number % 20)).scaleb(-2) + Decimal(number % 10**digits).scaleb(-digits)
        return self.chargeable(small)

    def chargeable(self, amount: Decimal) -> Decimal:
        """That amount, in major units, above the smallest that Stripe charges: it settles what is below by itself."""
        return self._least + amount

    def charge(
        self, amount: Decimal | None = None, *, description: str | None = None, by: Billing | None = None
    ) -> OwnCharge:
        """A fresh charge; raises `NotPossible` when none can be had."""
        caller = by or self.me
        if self.pool and by is None and amount is None:
            return self._given(self.pool.pop(0))
        if self.options.charge_ids and by is None:
            raise NotPossible("the charges given by --charge-ids are used up")
        if "createQuickAdjustment" in self.monitor.absent:
            raise NotPossible("the server has no quick-adjustment to make charges by (--charge-ids)")
        if caller.merchant is None:
            raise NotPossible("a charge can't be made without a merchant (--merchant)")
        due = amount if amount is not None else self.amount() if by is None else self.spare_amount
        answer = caller.adjust(due, description or self.mark())
        if not answer.ok:
            raise NotPossible(f"charges can't be made: quick-adjustment answers {answer.brief()}")
        self.amount_as_asked(answer, due)
        party = of(answer).at("charge.chargee_id")
        if party.value() is not None and not self.expect(
            "GEN-7",
            party.agrees(caller.merchant),
            kind="charge for another merchant",
            because=f"the charge is the selected merchant's, {caller.merchant}",
        ):
            raise Stop
        return self._shown(answer)

    def amount_as_asked(self, answer: Answer, due: Decimal) -> None:
        """GEN-9: an amount in the currency's precision is the one that is charged."""
        charged = of(answer).at("charge.amount")
        if exact(answer.part("charge").get("amount")) is not None:
            self.expect(
                "GEN-9",
                charged.equals(due),
                kind="another amount charged",
                because=f"the charge is of the amount that was asked for, {due}",
            )

    def set_aside_spent(self) -> list[int]:
        """Takes those of the charges given for the run out of its pool that are no longer uninvoiced, and returns them.

        A run uses the charges up that it is given, so that they are so in the next one.
        """
        if "getCharge" in self.monitor.absent:
            statuses = {row.get("id"): row.get("status") for row in self.newest_charges(400)}
        else:
            statuses = {number: self.charge_status(number)[0] for number in self.pool}
        spent = [number for number in self.pool if statuses.get(number) not in (None, "Open")]
        self.pool = [number for number in self.pool if number not in spent]
        return spent

    def charges(self, count: int) -> tuple[OwnCharge, ...]:
        return tuple(self.charge() for _ in range(count))

    def draft(self, charges: Sequence[OwnCharge] = (), *, by: Billing | None = None) -> OwnInvoice:
        """A fresh draft of `charges`, or of one new charge; a refusal breaks CREATE-1 and stops the check."""
        taken = tuple(charges) or (self.charge(by=by),)
        answer = (by or self.me).create([charge.id for charge in taken])
        return self.made(answer, taken)

    def made(self, answer: Answer, charges: Sequence[OwnCharge], rule: str = "CREATE-1") -> OwnInvoice:
        """The invoice that a create has made; a refusal breaks `rule` and stops the check."""
        number = answer.part("invoice").get("id")
        if not answer.ok or not isinstance(number, int):
            self.expect.breach(
                rule,
                succeeds(answer) if not answer.ok else of(answer).at("invoice.id").is_a("integer"),
                kind="valid create refused",
                because="uninvoiced charges of one merchant become an invoice",
                actual=f"the create answers {answer.brief()}",
                using=[charge.made_by for charge in charges],
            )
            raise Stop
        return OwnInvoice(number, tuple(charges), answer)

    def finalized(self, invoice: OwnInvoice | None = None, *, by: Billing | None = None) -> OwnInvoice:
        """A finalized invoice; a refusal breaks FINALIZE-1 and stops the check."""
        invoice = invoice or self.draft(by=by)
        answer = (by or self.me).finalize(invoice.id)
        if not self.expect(
            "FINALIZE-1",
            succeeds(answer),
            kind="valid finalize refused",
            because="a draft can be finalized",
            actual=f"the finalize answers {answer.brief()}",
            using=[invoice.made_by],
        ):
            raise Stop
        return invoice

    def queued(self) -> OwnInvoice:
        """A finalized invoice that has been waiting for the queue for longest."""
        return self.waiting.pop(0) if self.waiting else self.finalized()

    def paid(self, invoice: OwnInvoice | None = None) -> OwnInvoice:
        """A paid invoice that shows as one; raises `NotPossible` where it does not, or not yet."""
        self.needs_charges()
        invoice = self.finalized(invoice)
        for _ in range(3):
            answer = self.me.collect(invoice.id)
            # Where the answer of Stripe was lost, the charge may have succeeded.
            if answer.ok or self.must_row(invoice.id)[0].get("stripe_invoice_status") == "paid":
                if self.shown_paid(invoice.id) is None:
                    raise NotPossible("what was collected does not show as paid yet")
                return invoice
        raise NotPossible(f"the merchant's card does not pay: collect answers {answer.brief()}")

    def shown_paid(
        self, invoice: int, *, by: Billing | None = None, succeeded: bool = True
    ) -> tuple[Row, Answer] | None:
        """The row of an invoice that was collected, once it shows the payment; None when that takes too long.

        Where a collect that has `succeeded`, or any before the first payment, was waited for in vain, there is no long
        wait again. Raises `OutOfTime` where the run ends before that can be told.
        """
        began, cut = time.monotonic(), self.transport.left - 1.0 < self.report_patience

        def ready() -> tuple[Row, Answer] | None:
            row, answer = self.row(invoice, by=by)
            return (row, answer) if row is not None and row.get("stripe_invoice_status") == "paid" else None

        found = self.until(ready, self.report_patience)
        if found is not None:
            self.has_seen_payment |= by is None
            self._slowest_report = max(self._slowest_report, time.monotonic() - began)
        elif cut:
            raise OutOfTime
        elif succeeded or not self.has_seen_payment:
            self.report_patience = min(self.report_patience, max(1.0, 3 * self._slowest_report))
        return found

    def may_show_later(self, collected: Answer) -> str:
        """Why a payment that was waited for in vain is still to be expected; empty where it is overdue."""
        if collected.status == 202 and not self.has_seen_payment:
            return "what a queued collect comes to was not seen: the merchant's card does not pay"
        if self.options.stripe_wait is None:
            waited = f"no payment showed within {self.report_wait:.0f} s of its collect"
            return f"{waited}, and how long that may take was not said"
        return ""

    def needs_charges(self) -> None:
        if not self.options.charges_allowed:
            raise NotPossible(
                "this run is read-only"
                if self.options.read_only
                else "no charge is made on a host that is no loopback address (--allow-charges)"
            )

    # --- reading records --------------------------------------------------------------------------------------

    def row(self, invoice: int, *, by: Billing | None = None) -> tuple[Row | None, Answer]:
        """The invoice as the list shows it, by its id; None when the list does not."""
        caller = by or self.me
        answer = caller.invoices(f'id:"{invoice}"')
        found = next((row for row in answer.rows if row.get("id") == invoice), None)
        if found is not None or by is not None:
            return found, answer
        return self._searched(invoice, answer)

    def rows_there(self, count: int) -> list[Row]:
        """Invoices that were there before, for a run that may make none; raises `NotPossible` for want of them."""
        rows = {row["id"]: row for row in self.elders if isinstance(row.get("id"), int)}
        if len(rows) < 3:
            raise NotPossible("this run is read-only, and the list holds too few invoices")
        return list(rows.values())[:count]

    def must_row(self, invoice: int) -> tuple[Row, Answer]:
        """Like `row`; stops the check, with GEN-9 broken, when the list does not show it."""
        row, answer = self.row(invoice)
        if row is None:
            self.expect.breach(
                "GEN-9",
                of(answer).each("id").includes(id_of("invoice", invoice)),
                kind="invoice not listed",
                because="the list shows an invoice that was made",
                actual="it does not",
                using=self.monitor.invoices[invoice].trace if invoice in self.monitor.invoices else (),
            )
            raise Stop
        return row, answer

    def charge_status(self, charge: int) -> tuple[object, Answer]:
        """The charge's status, None when it can't be read."""
        row, answer = self._charge_row(charge)
        return row.get("status"), answer

    def newest_charges(self, count: int) -> Iterator[Row]:
        """Some `count` of the merchant's newest charges, whoever made them, from four pages at most."""
        return newest_charges(self.me, count)

    def open_currencies(self) -> set[str]:
        """The currencies of the merchant's uninvoiced charges, as far as the newest ones show."""
        found: set[str] = set()
        for row in self.newest_charges(400):
            if row.get("status") == "Open":
                found.add(str(row.get("currency")))
            if len(found) > 1:
                break
        return found

    def others_are_open(self) -> bool:
        """Whether the merchant has uninvoiced charges that this run did not make, as far as the newest ones show."""
        rows = self.newest_charges(400)
        return any(row.get("status") == "Open" and row.get("id") not in self.monitor.charges for row in rows)

    def not_refused_for_others(self, answer: Answer) -> None:
        """Raises `NotPossible` where a create of everything was refused that had to take charges of others, too."""
        if answer.refused and len(self.open_currencies()) > 1:
            raise NotPossible("the merchant has open charges in several currencies", matters=False)
        if answer.refused and (self.others_stay_open or self.others_are_open()):
            # Credits, or one that makes the sum too large. They stay, and get ever older.
            self.others_stay_open = True
            raise NotPossible("the merchant has open charges of others, and all together are refused", matters=False)

    def until_queued(self, ready: Callable[[], Result | None]) -> Result | None:
        """Waits for the queue for Stripe; once it was waited for in vain, not for long again."""
        result = self.until(ready, self.patience)
        if result is None:
            self.patience = min(self.patience, 1.0)
        return result

    def until(self, ready: Callable[[], Result | None], seconds: float) -> Result | None:
        """What `ready` returns as soon as it is not None, asked again with growing pauses; None in the end."""
        end = time.monotonic() + min(seconds, max(0.0, self.transport.left - 1.0))
        pause = 0.02
        while (result := ready()) is None:
            if (left := end - time.monotonic()) <= 0:
                return None
            self.transport.pause(min(pause, left))
            pause = min(pause * 1.7, 0.5)
        return result

    def learn_currency(self, currency: object) -> None:
        if self.digits is None and isinstance(currency, str):
            try:
                self.digits = exponent(currency)
                # Stripe settles an invoice below it by itself.
                self._least = Decimal(MINIMUM_CHARGE.get(currency, 0)).scaleb(-stripe_exponent(currency))
            except ValueError:
                # Not of ISO 4217; its amounts are taken to be whole.
                self.digits = 0

    def _charge_row(self, charge: int) -> tuple[Row, Answer]:
        """The charge as it is shown, alone or in the list; empty when it is not."""
        answer = self.me.charge(charge)
        if "getCharge" in self.monitor.absent and "listCharges" not in self.monitor.absent:
            row = next((row for row in self.newest_charges(400) if row.get("id") == charge), {})
            return row, answer
        return answer.part("charge"), answer

    def _given(self, number: int) -> OwnCharge:
        """A charge of those given by their ids."""
        row, answer = self._charge_row(number)
        if "getCharge" not in self.monitor.absent:
            return self._shown(answer)
        self.learn_currency(row.get("currency"))
        return OwnCharge(number, exact(row.get("amount")), str(row.get("currency")), answer)

    def _shown(self, answer: Answer) -> OwnCharge:
        row = answer.part("charge")
        number, amount = row.get("id"), exact(row.get("amount"))
        if not answer.ok or not isinstance(number, int) or amount is None:
            raise NotPossible(f"a charge can't be read: {answer.brief()}")
        self.learn_currency(row.get("currency"))
        self.monitor.know_charge(answer)
        return OwnCharge(number, amount, str(row.get("currency")), answer)

    def _searched(self, invoice: int, searched: Answer) -> tuple[Row | None, Answer]:
        """The row by walking the newest pages: the search may be what is broken."""
        answer = searched
        for page in (1, 2, "last"):
            if page == "last":
                page = answer.mapping.get("last_page", 1)
            answer = self.me.invoices(page=page, per_page=self.at_most(25))
            found = next((row for row in answer.rows if row.get("id") == invoice), None)
            if found is not None:
                return found, answer
        return None, searched
