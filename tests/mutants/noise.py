"""What makes a correct server hard to judge: others at work, slowness, limits, a late queue, more than was asked."""

from __future__ import annotations

import itertools
import math
import random
import re
import threading
import time
from collections.abc import Callable, Sequence
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote_plus

from tests.mutants.habits import HABITS
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Reply, Request
from tests.mutants.reference.records import Caller, Charge, Invoice, Refusal

NUISANCES: dict[str, str] = {
    "empty": "there is no invoice and no charge at first",
    "prefilled": "more than five thousand invoices are there at first",
    "mixed_currencies": "the merchant has open charges in two currencies at first",
    "busy": "other merchants are billed all the time",
    "crowded": "another client of the same merchant makes charges and invoices of its own all the time",
    "charged": "another client of the same merchant makes charges all the time, and leaves them open",
    "slow": "each answer takes 50 ms",
    "throttled": "more than 100 requests in a second get 429 with Retry-After",
    "strict_throttle": "more than 10 requests in a second get 429 with Retry-After",
    "late_queue": "creation on Stripe takes 3 s after finalizing",
    "extra": "every object has properties that are documented nowhere",
    "charges_given": "the merchant has 160 open charges at first, 1 to 160",
    "four_operations": "there is nothing at all below /billing/charges",
    "told_limit": "more than 3,000 requests in a minute get 429, and every answer says how many are left",
    "throttled_by_date": "as throttled, and Retry-After is a date",
    "short_keep_alive": "idle connections are closed after 0.3 s",
    "http_1_0": "the connection is closed after every answer",
    "null_errors": "refusals that are about no field have null, or an empty list, for errors",
    "restarts": "now and then a load balancer answers a read by itself, with 502",
    "firewall": "a firewall and a strict web server turn away what looks like an attack, or has brackets in its query",
    "blocks_of_ids": "two nodes give out blocks of ids by turns, and the list of invoices is in the order of ids",
    "queued_collects": "a collect that came while the invoice was unpaid is accepted, and its job finds it paid",
    **{name: str(habit.__doc__) for name, habit in HABITS.items()},
}
API_OPTIONS: dict[str, dict[str, Any]] = {
    "late_queue": {"stripe_delay": 3.0},
    "extra": {"extra": True},
}
SLOWNESS = 0.05
"""Seconds."""


class UnknownNuisance(ValueError):
    """A nuisance that is not in the table."""


class Background(threading.Thread):
    """Calls `work` again and again until it is stopped."""

    def __init__(self, work: Callable[[], None], every: float) -> None:
        super().__init__(daemon=True)
        self.work = work
        self.every = every
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(self.every):
            self.work()

    def stop(self) -> None:
        self.stopped.set()
        if self.is_alive():
            self.join()


def plant(api: Api, nuisances: Sequence[str]) -> list[Background]:
    """Puts the nuisances into the server; raises UnknownNuisance."""
    background = []
    for name in nuisances:
        if name not in NUISANCES:
            raise UnknownNuisance(f"no nuisance is called {name!r}; there are {', '.join(NUISANCES)}")
        if name in HABITS:
            HABITS[name](api)
        elif name == "slow":
            api.before.append(sleep)
        elif name == "throttled":
            api.before.append(Throttle(100).check)
        elif name == "four_operations":
            api.before.append(no_charges)
        elif name == "strict_throttle":
            api.before.append(Throttle(10).check)
        elif name == "told_limit":
            limit(api, Allowance(3_000, 60.0))
        elif name == "throttled_by_date":
            api.before.append(Throttle(100, by_date=True).check)
        elif name == "null_errors":
            changed(api, null_errors)
        elif name == "restarts":
            api.before.append(Restarts().check)
        elif name == "firewall":
            api.before.append(firewall)
        elif name == "blocks_of_ids":
            give_out_blocks(api)
        elif name == "queued_collects":
            queue_collects(api)
        elif name == "busy":
            background.append(Background(OtherClient(api, (2, 3, 4, 5)).act, 0.01))
        elif name == "crowded":
            background.append(Background(OtherClient(api, (1,)).act, 0.1))
        elif name == "charged":
            background.append(Background(OtherClient(api, (1,)).leave_a_charge, 0.05))
    return background


def no_charges(request: Request) -> Reply | None:
    """As a web framework answers for a path that it doesn't know."""
    if not request.path.startswith("/api/billing/charges"):
        return None
    return Reply(404, headers={"Content-Type": "text/html"}, raw=b"<h1>Not Found</h1>")


def changed(api: Api, change: Callable[[Reply], None]) -> None:
    """Lets every reply be changed before it is sent."""
    respond = api.respond

    def answer(request: Request) -> Reply:
        reply = respond(request)
        change(reply)
        return reply

    api.respond = answer  # type: ignore[method-assign]


def null_errors(reply: Reply) -> None:
    if reply.status >= 400 and isinstance(reply.document, dict) and "errors" not in reply.document:
        # As Go and Java write what is not there, and as PHP does.
        reply.document["errors"] = None if reply.status in (401, 403) else []


class Restarts:
    """Every so many reads."""

    def __init__(self, every: int = 70) -> None:
        self.every = every
        self.count = 0
        self.lock = threading.Lock()

    def check(self, request: Request) -> Reply | None:
        with self.lock:
            self.count += request.method == "GET"
            if request.method != "GET" or self.count % self.every:
                return None
        return Reply(502, headers={"Content-Type": "text/html"}, raw=b"<h1>502 Bad Gateway</h1>")


def firewall(request: Request) -> Reply | None:
    if "[" in request.raw_query or "]" in request.raw_query:
        return Reply(400, headers={"Content-Type": "text/html"}, raw=b"<h1>HTTP Status 400</h1>")
    text = unquote_plus(request.raw_query) + unquote_plus(request.path) + request.body.decode("utf-8", "replace")
    if not re.search(r"'|--|<[a-z!/]|{{| or |\.\./", text):
        return None
    return Reply(403, headers={"Content-Type": "text/html"}, raw=b"<h1>Access denied</h1>")


def give_out_blocks(api: Api) -> None:
    """As sequences do that are cached by each of several connections."""
    first = max(api.records.invoices, default=0) + 1
    nodes = itertools.cycle((itertools.count(first), itertools.count(first + 5_000)))
    api.records.invoice_ids = (next(node) for node in nodes)
    in_order = api.pages.order
    api.pages.order = lambda rows: in_order(sorted(rows, key=lambda row: row.id))  # type: ignore[method-assign]


def queue_collects(api: Api) -> None:
    collect = api.billing.collect

    def collected(caller: Caller, number: int) -> Invoice:
        invoice = api.records.invoices.get(number)
        was_unpaid = invoice is not None and invoice.state == "finalized"
        if was_unpaid:
            time.sleep(SLOWNESS)
        try:
            return collect(caller, number)
        except Refusal:
            if invoice is None or not was_unpaid or invoice.state != "paid":
                raise
            return invoice

    api.billing.collect = collected  # type: ignore[method-assign]


def sleep(request: Request) -> None:
    time.sleep(SLOWNESS)


class Throttle:
    """A fixed number of requests in each second."""

    def __init__(self, most: int, *, by_date: bool = False) -> None:
        self.most = most
        self.by_date = by_date
        self.second = 0
        self.count = 0
        self.lock = threading.Lock()

    def check(self, request: Request) -> Reply | None:
        now = int(time.monotonic())
        with self.lock:
            if now != self.second:
                self.second, self.count = now, 0
            self.count += 1
            if self.count <= self.most:
                return None
        # Dates have whole seconds: the one after next is never too early.
        after = formatdate(time.time() + 2, usegmt=True) if self.by_date else "1"
        return Reply(429, {"message": "Too many requests."}, {"Retry-After": after})


class Allowance:
    """A fixed number of requests in each window, of which every answer tells as frameworks do."""

    def __init__(
        self, most: int, window: float, *, now: Callable[[], float] = time.monotonic, tells_reset: bool = False
    ) -> None:
        self.most = most
        self.window = window
        self.now = now
        self.tells_reset = tells_reset
        self.until = 0.0
        self.left = most
        self.lock = threading.Lock()

    def answer(self, request: Request, respond: Callable[[Request], Reply]) -> Reply:
        """The answer with what is left, or 429 when nothing is."""
        with self.lock:
            now = self.now()
            if now >= self.until:
                self.until, self.left = now + self.window, self.most
            enough = self.left > 0
            self.left = max(0, self.left - 1)
            told = {"X-RateLimit-Limit": str(self.most), "X-RateLimit-Remaining": str(self.left)}
            after = str(math.ceil(self.until - now))
        if self.tells_reset:
            told["X-RateLimit-Reset"] = after
        reply = respond(request) if enough else Reply(429, {"message": "Too many requests."}, {"Retry-After": after})
        reply.headers.update(told)
        return reply


def limit(api: Api, allowance: Allowance) -> None:
    """Puts the allowance before the API."""
    respond = api.respond
    api.respond = lambda request: allowance.answer(request, respond)  # type: ignore[method-assign]


class OtherClient:
    """Bills these merchants, never anything that it has not made itself."""

    def __init__(self, api: Api, merchants: Sequence[int]) -> None:
        self.api = api
        self.merchants = merchants
        self.rng = random.Random(7)
        self.drafts: list[tuple[int, int]] = []
        self.locked: list[tuple[int, int]] = []

    def act(self) -> None:
        """One step: a new draft, or one further with an older invoice."""
        steps = [self.draft, self.finalize, self.collect]
        try:
            self.rng.choice(steps)()
        except Refusal:
            # A declined card, or a record that a fault under test has spoilt.
            return

    def caller(self, merchant: int) -> Caller:
        return Caller(frozenset((merchant,)), merchant)

    def leave_a_charge(self) -> None:
        """One that nobody invoices, unless somebody takes whatever is open."""
        self.charge()

    def charge(self) -> Charge:
        merchant = self.rng.choice(self.merchants)
        records = self.api.records
        return records.add_charge(records.merchants[merchant], self.rng.randint(100, 9_999), "other client")

    def draft(self) -> None:
        first = self.charge()
        merchant, records = first.merchant, self.api.records
        second = records.add_charge(records.merchants[merchant], self.rng.randint(100, 9_999), "other client")
        charges = [first, second]
        invoice = self.api.billing.create(self.caller(merchant), [charge.id for charge in charges])
        self.drafts.append((merchant, invoice.id))

    def finalize(self) -> None:
        if self.drafts:
            merchant, number = self.drafts.pop(0)
            self.api.billing.finalize(self.caller(merchant), number)
            self.locked.append((merchant, number))

    def collect(self) -> None:
        if self.locked:
            merchant, number = self.locked.pop(0)
            self.api.billing.collect(self.caller(merchant), number)
