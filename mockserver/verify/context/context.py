"""What a check works with: the run's state, who calls, and how much may be done."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from mockserver.billing.profile import Value
from mockserver.contract.contract import Contract
from mockserver.verify.assertions.expect import Expect
from mockserver.verify.assertions.recorder import Recorder
from mockserver.verify.context.own_records import Late
from mockserver.verify.context.records import Records
from mockserver.verify.errors import NotPossible
from mockserver.verify.monitor.monitor import Monitor
from mockserver.verify.options import Options
from mockserver.verify.transport.billing_client import Billing
from mockserver.verify.transport.http import Transport
from mockserver.verify.transport.messages import Answer

LEAN = 0.3
"""On a server that is no quicker than this each rule has its turn before anything is looked at twice."""


@dataclass(slots=True)
class Context:
    """The state of one run that checks share; each check makes its own records."""

    options: Options
    contract: Contract
    recorder: Recorder
    records: Records
    other: Billing | None = None
    """The caller with the second token, and its own merchant where that is known."""
    reaches_both: bool = False
    """Whether the first token reaches the second's merchant too, as a provider's does."""
    declining: str | None = None
    """A merchant whose card declines, once one is found."""
    declined: bool = False
    """Whether the merchant's card was seen to decline."""
    turned_away: bool = False
    """Whether the merchant's collect was refused while the invoice was not on Stripe, and was not there afterwards."""
    draft_refusal: Answer | None = None
    """How collecting a draft is refused."""
    pays: bool | None = None
    """Whether the merchant's card pays; None until it was tried."""
    operators: dict[str, frozenset[str]] = field(default_factory=dict)
    """The search operators that the server takes, by field."""
    late: list[Late] = field(default_factory=list)
    """Invoices that were not on Stripe when the wait for them ended."""
    started: float = field(default_factory=time.monotonic)

    @property
    def me(self) -> Billing:
        """The caller with the first token and the merchant of the run."""
        return self.records.me

    @property
    def expect(self) -> Expect:
        return self.records.expect

    @property
    def monitor(self) -> Monitor:
        return self.records.monitor

    @property
    def transport(self) -> Transport:
        return self.records.transport

    @property
    def profile(self) -> dict[str, Value]:
        """The open choices that were measured so far, or were given."""
        return self.records.profile

    @property
    def absent(self) -> frozenset[str]:
        """The companions that the server does not have."""
        return self.monitor.absent

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
    def thorough(self) -> bool:
        """Whether the server is quick enough to be tried in every way, and not only in each rule's first."""
        return self.quick() > LEAN

    def quick(self) -> float:
        """How much a check may do: 1.0 on a fast server, less on a slow or throttled one."""
        spent = time.monotonic() - self.started
        pace = spent / max(1, self.transport.sent)
        return max(0.15, min(1.0, 0.012 / max(pace, 0.001)))
