"""What a check works with: the callers, fresh charges and invoices, reading them back, and saying what was found."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from mockserver.billing.money import exponent
from mockserver.billing.profile import Value
from mockserver.verify.errors import NotPossible, Stop
from mockserver.verify.events import RecordedExchange
from mockserver.verify.monitor.history import Row, exact
from mockserver.verify.monitor.monitor import Monitor
from mockserver.verify.options import Options
from mockserver.verify.own_records import OwnCharge, OwnInvoice, newest_charges
from mockserver.verify.recorder import Recorder
from mockserver.verify.spec import Spec
from mockserver.verify.transport.billing_client import Billing
from mockserver.verify.transport.http import Answer, Transport

Result = TypeVar("Result")
Evidence = Answer | RecordedExchange
UNKNOWN_ID = 2_147_483_646
"""An id that no server has: the last but one that fits 32 bits."""
LEAN = 0.3
"""On a server that is no quicker than this each rule has its turn before anything is looked at twice."""
MARK = "mockserver verify"
"""How the descriptions of all charges that a run makes begin."""


REPORT = 0.4
"""How much of the time that the queue for Stripe may take a payment may take to show (COLLECT-3)."""


@dataclass(slots=True)
class Context:
    """The state of one run that checks share; each check makes its own records."""

    options: Options
    spec: Spec
    transport: Transport
    recorder: Recorder
    monitor: Monitor
    me: Billing
    profile: dict[str, Value]
    """The open choices that were measured so far, or were given."""
    other: Billing | None = None
    """The caller with the second token, and its own merchant where that is known."""
    reaches_both: bool = False
    """Whether the first token reaches the second's merchant too, as a provider's does."""
    digits: int | None = None
    """Decimal places of the merchant's currency."""
    declining: str | None = None
    """A merchant whose card declines, once one is found."""
    declined: bool = False
    """Whether the merchant's card was seen to decline."""
    draft_refusal: bytes = b""
    """How collecting a draft is refused."""
    pays: bool | None = None
    """Whether the merchant's card pays; None until it was tried."""
    pool: list[int] = field(default_factory=list)
    operators: dict[str, frozenset[str]] = field(default_factory=dict)
    """The search operators that the server takes, by field."""
    elders: list[Row] = field(default_factory=list)
    """Some of the invoices that were there before the run."""
    waiting: list[OwnInvoice] = field(default_factory=list)
    """Invoices that were finalized early, so that the queue for Stripe works while other checks run."""
    patience: float = field(init=False)
    """Seconds that the queue for Stripe may take."""
    report_patience: float = field(init=False)
    """Seconds that a payment may take to show."""
    late: list[tuple[OwnInvoice, float]] = field(default_factory=list)
    """Invoices that were not on Stripe when the wait for them ended, and when the wait began."""
    started: float = field(default_factory=time.monotonic)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.patience = self.options.stripe_wait
        self.report_patience = self.options.stripe_wait * REPORT

    # --- the callers ------------------------------------------------------------------------------------------

    @property
    def anyone(self) -> Billing:
        """The first token without a merchant header."""
        return self.me.acting(merchant=None)

    def second(self) -> Billing:
        """The other caller; raises `NotPossible` when there is none."""
        if self.other is None:
            raise NotPossible("no second token given (--other-token)")
        return self.other

    @property
    def spare_amount(self) -> Decimal:
        """An amount that any currency takes: whole."""
        return Decimal(700 + next(self._numbers))

    def at_most(self, size: int) -> int:
        """That page size, or the largest that the server takes."""
        largest = self.profile.get("per_page_max")
        return min(size, largest) if isinstance(largest, int) else size

    @property
    def absent(self) -> frozenset[str]:
        """The companions that the server does not have."""
        return self.monitor.absent

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
        return Decimal(100 + 37 * (number % 20)).scaleb(-2) + Decimal(number % 10**digits).scaleb(-digits)

    def charge(self, amount: Decimal | None = None, *, by: Billing | None = None) -> OwnCharge:
        """A fresh charge; raises `NotPossible` when none can be had."""
        caller = by or self.me
        if self.pool and by is None and amount is None:
            return self._given(self.pool.pop(0))
        if self.options.charge_ids and by is None:
            raise NotPossible("the charges given by --charge-ids are used up")
        if "createQuickAdjustment" in self.absent:
            raise NotPossible("the server has no quick-adjustment to make charges by (--charge-ids)")
        if caller.merchant is None:
            raise NotPossible("a charge can't be made without a merchant (--merchant)")
        due = amount if amount is not None else self.amount() if by is None else self.spare_amount
        answer = caller.adjust(due, self.mark())
        if not answer.ok:
            raise NotPossible(f"charges can't be made: quick-adjustment answers {answer.brief()}")
        self.amount_as_asked(answer, due)
        party = answer.part("charge").get("chargee_id")
        if party is not None and not self.expect(
            "GEN-7",
            str(party) == caller.merchant,
            kind="charge for another merchant",
            expected=f"the charge is the selected merchant's, {caller.merchant}",
            actual=f"its chargee_id is {party}",
            using=[answer],
            check=f"str(answers[-1].json['charge']['chargee_id']) == {caller.merchant!r}",
        ):
            raise Stop
        return self._shown(answer)

    def amount_as_asked(self, answer: Answer, due: Decimal) -> None:
        """GEN-9: an amount in the currency's precision is the one that is charged."""
        charged = exact(answer.part("charge").get("amount"))
        if charged is not None:
            self.expect(
                "GEN-9",
                charged == due,
                kind="another amount charged",
                expected=f"the charge is of the amount that was asked for, {due}",
                actual=f"it is of {charged}",
                using=[answer],
                check=f"answers[-1].json['charge']['amount'] == Decimal('{due}')",
            )

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
            self.expect(
                rule,
                False,
                kind="valid create refused",
                expected="uninvoiced charges of one merchant become an invoice",
                actual=f"the create answers {answer.brief()}",
                using=[*(charge.made_by for charge in charges), answer],
                check="200 <= answers[-1].status < 300",
            )
            raise Stop
        return OwnInvoice(number, tuple(charges), answer)

    def finalized(self, invoice: OwnInvoice | None = None, *, by: Billing | None = None) -> OwnInvoice:
        """A finalized invoice; a refusal breaks FINALIZE-1 and stops the check."""
        invoice = invoice or self.draft(by=by)
        answer = (by or self.me).finalize(invoice.id)
        if not self.expect(
            "FINALIZE-1",
            answer.ok,
            kind="valid finalize refused",
            expected="a draft can be finalized",
            actual=f"the finalize answers {answer.brief()}",
            using=[invoice.made_by, answer],
            check="200 <= answers[-1].status < 300",
        ):
            raise Stop
        return invoice

    def queued(self) -> OwnInvoice:
        """A finalized invoice that has been waiting for the queue for longest."""
        return self.waiting.pop(0) if self.waiting else self.finalized()

    def paid(self, invoice: OwnInvoice | None = None) -> OwnInvoice:
        """A paid invoice that shows as one; raises `NotPossible` when the card does not pay."""
        self.needs_charges()
        invoice = self.finalized(invoice)
        for _ in range(3):
            answer = self.me.collect(invoice.id)
            # Where the answer of Stripe was lost, the charge may have succeeded.
            if answer.ok or self.must_row(invoice.id)[0].get("stripe_invoice_status") == "paid":
                self.shown_paid(invoice.id)
                return invoice
        raise NotPossible(f"the merchant's card does not pay: collect answers {answer.brief()}")

    def shown_paid(self, invoice: int, *, by: Billing | None = None, succeeded: bool = True) -> Row | None:
        """The row of an invoice that was collected, once it shows the payment; None when that takes too long.

        Where a collect that has `succeeded` was waited for in vain, there is no long wait again.
        """

        def ready() -> Row | None:
            row, _ = self.row(invoice, by=by)
            return row if row is not None and row.get("stripe_invoice_status") == "paid" else None

        row = self.until(ready, self.report_patience)
        if row is None and succeeded:
            self.report_patience = min(self.report_patience, 1.0)
        return row

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
            self.expect(
                "GEN-9",
                False,
                kind="invoice not listed",
                expected="the list shows an invoice that was made",
                actual="it does not",
                using=[*self.monitor.invoices[invoice].trace, answer] if invoice in self.monitor.invoices else [answer],
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
            if time.monotonic() + pause > end:
                return None
            self.transport.pause(pause)
            pause = min(pause * 1.7, 0.5)
        return result

    # --- saying -----------------------------------------------------------------------------------------------

    def expect(
        self,
        rule: str,
        holds: bool,
        *,
        kind: str,
        expected: str,
        actual: str,
        using: Iterable[Evidence],
        check: str = "",
    ) -> bool:
        """Counts the rule as put to the test; records a breach unless it holds. Returns `holds`.

        What the last of `using` shows is not judged where that is the answer of an operation that the server lacks.
        """
        evidence = list(using)
        if evidence and self._lacks(evidence[-1]):
            return True
        if holds:
            self.recorder.held(rule)
        else:
            exchanges = [one.exchange if isinstance(one, Answer) else one for one in evidence]
            self.recorder.breach(rule, kind=kind, expected=expected, actual=actual, exchanges=exchanges, check=check)
        return holds

    def refused(self, rule: str, answer: Answer, what: str, using: Iterable[Evidence] = ()) -> bool:
        """Expects a 4xx; `what` names the request in a few words, without ids."""
        return self.expect(
            rule,
            answer.refused,
            kind=f"{what} not refused",
            expected=f"{what} is refused with a 4xx",
            actual=f"the answer is {answer.brief()}",
            using=[*using, answer],
            check="400 <= answers[-1].status < 500",
        )

    @property
    def thorough(self) -> bool:
        """Whether the server is quick enough to be tried in every way, and not only in each rule's first."""
        return self.quick() > LEAN

    def quick(self) -> float:
        """How much a check may do: 1.0 on a fast server, less on a slow or throttled one."""
        spent = time.monotonic() - self.started
        pace = spent / max(1, self.transport.sent)
        return max(0.15, min(1.0, 0.012 / max(pace, 0.001)))

    def learn_currency(self, currency: object) -> None:
        if self.digits is None and isinstance(currency, str):
            try:
                self.digits = exponent(currency)
            except ValueError:
                # Not of ISO 4217; its amounts are taken to be whole.
                self.digits = 0

    def _lacks(self, evidence: Evidence) -> bool:
        if not self.absent or not isinstance(evidence, Answer):
            return False
        operation = self.spec.operation(evidence.outgoing.method, evidence.outgoing.target)
        return operation is not None and operation.id in self.absent

    def _charge_row(self, charge: int) -> tuple[Row, Answer]:
        """The charge as it is shown, alone or in the list; empty when it is not."""
        answer = self.me.charge(charge)
        if "getCharge" in self.absent and "listCharges" not in self.absent:
            row = next((row for row in self.newest_charges(400) if row.get("id") == charge), {})
            return row, answer
        return answer.part("charge"), answer

    def _given(self, number: int) -> OwnCharge:
        """A charge of those given by their ids."""
        row, answer = self._charge_row(number)
        if "getCharge" not in self.absent:
            return self._shown(answer)
        self.learn_currency(row.get("currency"))
        return OwnCharge(number, exact(row.get("amount")), str(row.get("currency")), answer)

    def _shown(self, answer: Answer) -> OwnCharge:
        row = answer.part("charge")
        number, amount = row.get("id"), exact(row.get("amount"))
        if not answer.ok or not isinstance(number, int) or amount is None:
            raise NotPossible(f"a charge can't be read: {answer.brief()}")
        self.learn_currency(row.get("currency"))
        self.monitor.know_charge(row, answer)
        return OwnCharge(number, amount, str(row.get("currency")), answer)

    def _searched(self, invoice: int, answer: Answer) -> tuple[Row | None, Answer]:
        """The row by walking the newest pages: the search may be what is broken."""
        for page in (1, 2, "last"):
            if page == "last":
                page = answer.mapping.get("last_page", 1)
            answer = self.me.invoices(page=page, per_page=self.at_most(25))
            found = next((row for row in answer.rows if row.get("id") == invoice), None)
            if found is not None:
                return found, answer
        return None, answer
