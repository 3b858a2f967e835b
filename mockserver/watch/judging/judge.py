"""The judge of traffic that somebody else makes: fed with exchanges one by one, it tells what breaks the contract.

Others act too, unseen, and what overlapped in time may have happened in either order: only what no such thing explains
is a breach, or what happens several times in a row.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from functools import partial

from mockserver.contract.contract import Contract, Operation
from mockserver.verify.assertions.recorder import Recorder
from mockserver.verify.assertions.statements import Statement, Subject, all_of, of
from mockserver.verify.transport.messages import NOT_JSON, Answer
from mockserver.watch.judging.bounded import Bounded
from mockserver.watch.judging.charges import Charges
from mockserver.watch.judging.evidence import Evidence
from mockserver.watch.judging.form import IN_FRONT, Form
from mockserver.watch.judging.invoices import Invoices
from mockserver.watch.judging.memory import Memory
from mockserver.watch.judging.pages import Figures, Walks
from mockserver.watch.judging.presence import Presence
from mockserver.watch.judging.reach import Reached
from mockserver.watch.judging.searches import rows_match
from mockserver.watch.judging.sight import Sight, look
from mockserver.watch.judging.telling import Teller
from mockserver.watch.passing import Credentials, Passing, credentials

NOT_JUDGED = {
    "elsewhere": "not of the API",
    "planned": "with a fault that a fake was told to make",
    "stale": "answered from a cache, or by the test itself",
    "in_front": "answered by what stands in front of the API (429, 502, 503, 504 and their like)",
    "unread": "whose answer was not recorded, or can't be read",
}
"""Why an exchange was not judged, or not by its content."""

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
MOST_WORLDS = 1_000
"""Worlds of which is remembered when they were set back."""


class Judge:
    """Hears of exchanges, in the order of their answers or of their requests. For one thread at a time."""

    def __init__(self, contract: Contract, recorder: Recorder) -> None:
        self._contract = contract
        self.recorder = recorder
        self.judged = 0
        self.met: Counter[tuple[str, str]] = Counter()
        """Operation and documented status: how often."""
        self.not_judged: Counter[str] = Counter()
        self.listeners: list[Callable[[Sight], None]] = []
        """Told of each answer that has the documented form."""
        self.on_request: Callable[[Passing, Operation], object] | None = None
        """Told of each request that was answered by the API."""
        self.on_change: Callable[[Passing], object] | None = None
        """Told of each request that nobody documents and that may have changed something."""
        teller = Teller(recorder)
        self._memory = Memory()
        self._evidence = Evidence()
        self._forgotten: Bounded[str, float] = Bounded(MOST_WORLDS)
        self._form = Form(contract, teller)
        self._figures, self._walks = Figures(teller), Walks(teller)
        self._reach = Reached(teller)
        self._invoices = Invoices(self._memory, teller)
        self._charges = Charges(self._memory, teller)
        self._presence = Presence(self._memory, teller)
        self._teller = teller

    def see(self, passing: Passing) -> list[str]:
        """Judges one exchange; the breaches that it shows, a sentence each that begins with the rule."""
        operation = self._contract.addressed(passing.method, passing.target)
        if operation is None:
            self.not_judged["elsewhere"] += 1
            if passing.method not in _READING and not 400 <= passing.status < 500:
                # Unless it was refused it may have changed, or taken away, whatever was seen before, also where the
                # answer sends on or was lost. Where its time is not known, all else is still judged by itself.
                at = passing.ended if math.isfinite(passing.ended) else passing.started
                passing.world = world_of(passing, credentials(passing))
                self._forget(passing.world, at)
                if self.on_change is not None:
                    self.on_change(passing)
            return []
        if why := _left_alone(passing):
            self.not_judged[why] += 1
            return []
        if self.on_request is not None:
            self.on_request(passing, operation)
        sight = look(passing, operation)
        passing.world = world_of(passing, sight.credentials)
        self.judged += 1
        documented = self._contract.documented(operation, passing.status)
        if documented is not None:
            self.met[operation.id, documented] += 1
        if self._form.keeps(sight) and sight.content is not NOT_JSON:
            self._content(sight)
        if sight.held:
            self.recorder.held(*sight.held)
        return sight.told

    def forget(self, base: str, name: str, *, at: float) -> str:
        """A fake's world of that name was set back at that time: what was known of its records holds no more.

        Returns what holds them.
        """
        world = _world("", base, name)
        self._forget(world, at)
        return world

    def _forget(self, world: str, at: float) -> None:
        self._forgotten.set(world, at)
        self._memory.forget(world)
        self._presence.forget(world)
        self._walks.forget(world)

    def _content(self, sight: Sight) -> None:
        self._evidence.keep(sight.passing)
        for listener in self.listeners:
            listener(sight)
        self._reach.needs_a_token(sight)
        if sight.operation.id == "collectInvoice":
            self._invoices.collect_tried(sight)
        if not sight.ok or sight.started < (self._forgotten.get(sight.world) or sight.started):
            return
        self._reach.see(sight)
        match sight.operation.id:
            case "listInvoices":
                self._listed(sight)
            case "listCharges":
                if self._figures.see(sight):
                    self._walks.see(sight)
                self._charges.shown(sight, [(row, partial(_row, "charge", row.get("id", 0))) for row in sight.rows])
            case "getCharge":
                self._charges.shown(sight, [(sight.part("charge"), lambda answer: of(answer).at("charge"))])
            case "createQuickAdjustment":
                self._charges.made(sight)
            case "createInvoice":
                self._created(sight)
            case "finalizeInvoice" | "collectInvoice":
                self._invoices.acted(sight)

    def _listed(self, sight: Sight) -> None:
        sound = self._figures.see(sight)
        if sound:
            self._walks.see(sight)
        rows_match(sight, self._teller)
        self._presence.listed(sight, sound=sound)
        for row in sight.rows:
            self._invoices.row(sight, row, partial(_row, "invoice", row.get("id", 0)))

    def _created(self, sight: Sight) -> None:
        row = sight.part("invoice")
        number = row.get("id")
        if not isinstance(number, int) or "headers" in sight.reading.odd:
            return
        known = self._memory.invoices.get((sight.world, number))
        if known is not None and known.history.since <= sight.started:
            self._teller.breach(
                sight,
                "CREATE-7",
                "id used again",
                "a new invoice has an id never seen before",
                lambda answer: of(answer).at("invoice.id").differs(number),
                earlier=[known.told_by],
                actual=f"it has the id {number}, which was seen already",
            )
            return
        sight.held.add("CREATE-7")
        self._is_draft(sight)
        self._invoices.row(sight, row, lambda answer: of(answer).at("invoice"), made=True)
        if sight.plain and sight.reading.charges:
            self._charges.taken(sight, row, sight.reading.charges)
        elif sight.plain and sight.passing.merchant:
            self._charges.all_taken(sight, row)
        self._presence.created(sight, number)

    def _is_draft(self, sight: Sight) -> None:
        row, names = sight.part("invoice"), ("stripe_invoice_id", "stripe_invoice_status")
        if row.get("status") == "Draft" and not any(row.get(name) for name in names):
            sight.held.add("CREATE-3")
            return
        self._teller.breach(
            sight, "CREATE-3", "no draft", "a new invoice is a Draft, both Stripe properties null", _new_draft
        )


def world_of(passing: Passing, given: Credentials) -> str:
    """What holds the records that are spoken of."""
    return _world(passing.source, passing.base, passing.world or given.world)


def _world(source: str, base: str, name: str) -> str:
    return "\0".join((source, base, name))


def _new_draft(answer: Answer) -> Statement:
    made = of(answer).at("invoice")
    return all_of(
        made.at("status").equals("Draft"),
        made.at("stripe_invoice_id").equals(None),
        made.at("stripe_invoice_status").equals(None),
    )


def _row(kind: str, number: int, answer: Answer) -> Subject:
    return of(answer).row(kind, number)


def _left_alone(passing: Passing) -> str:
    """Why nothing is said of it, by a key of `NOT_JUDGED`; empty where it is judged."""
    trace = passing.answer_header("x-mock-trace")
    if "fault:" in trace or "prefer:" in trace:
        return "planned"
    if passing.answer_header("age") not in ("", "0"):
        return "stale"
    if passing.status in IN_FRONT:
        return "in_front"
    # That the server failed needs no body to be told (GEN-5).
    return "unread" if (passing.answer is None and passing.status < 500) or passing.status == 0 else ""
