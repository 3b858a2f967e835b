"""Plain clients, as a frontend or a nightly export is one: they use the API and put nothing to the test."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from mockserver.watch.passing import Passing
from tests import plain

Hear = Callable[[Passing], object]
TIMEOUT = 30.0


@dataclass
class Tap:
    """What an HTTP client sends and gets, as the judge hears of it."""

    base: str
    hear: Hear
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def client(self, token: str, merchant: str | None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if merchant is not None:
            headers["X-Selected-Client-Id"] = merchant
        hooks: dict[str, list[Callable[..., Any]]] = {"request": [self._begin], "response": [self._end]}
        return plain.Client(base_url=self.base, headers=headers, timeout=TIMEOUT, event_hooks=hooks, trust_env=False)

    def _begin(self, request: httpx.Request) -> None:
        request.extensions["began"] = time.monotonic()

    def _end(self, response: httpx.Response) -> None:
        body, request = response.read(), response.request
        ended = time.monotonic()
        with self._lock:
            self.hear(
                Passing(
                    number=next(self._numbers),
                    method=request.method,
                    target=str(request.url).removeprefix(self.base),
                    headers=tuple(request.headers.multi_items()),
                    status=response.status_code,
                    body=request.read(),
                    answer_headers=tuple(response.headers.multi_items()),
                    answer=body,
                    started=request.extensions["began"],
                    ended=ended,
                    base=self.base,
                    whole=True,
                )
            )


class Client:
    """Somebody who works with the API of one merchant."""

    def __init__(self, http: httpx.Client, chance: random.Random) -> None:
        self._http = http
        self._chance = chance
        self.charges: list[int] = []
        self.invoices: list[int] = []
        self.paid: list[int] = []

    def work(self, steps: Sequence[str]) -> None:
        for step in steps:
            try:
                getattr(self, step)()
            except httpx.HTTPError:
                # A server that breaks off is for the judge.
                continue

    def charge(self) -> None:
        amount = self._chance.choice([12.5, 0.1, 99.99, 3, 1000, 7.25])
        body = {"amount": amount, "description": f"Relabelling {self._chance.randrange(100)}"}
        made = self._json("POST", "/billing/charges/quick-adjustment", json=body)
        number = _part(made, "charge").get("id")
        if isinstance(number, int):
            self.charges.append(number)

    def create(self) -> None:
        some, self.charges = self.charges[:3], self.charges[3:]
        made = self._json("POST", "/billing/invoices", json={"charge_ids": some} if some else {})
        number = _part(made, "invoice").get("id")
        if isinstance(number, int):
            self.invoices.append(number)

    def create_by_form(self) -> None:
        some, self.charges = self.charges[:2], self.charges[2:]
        if some:
            made = self._json("POST", "/billing/invoices", data={"charge_ids[]": [str(one) for one in some]})
            number = _part(made, "invoice").get("id")
            if isinstance(number, int):
                self.invoices.append(number)

    def mistake(self) -> None:
        """What clients get wrong now and then."""
        kind = self._chance.randrange(4)
        if kind == 0:
            self._json("POST", "/billing/charges/quick-adjustment", json={"amount": 3})
        elif kind == 1:
            self._json("POST", f"/billing/invoices/{10**9 + self._chance.randrange(9)}/finalize")
        elif kind == 2:
            self._json("GET", "/billing/invoices", headers={"Authorization": ""})
        else:
            self._json("POST", "/billing/invoices", json={"charge_ids": [10**9 + self._chance.randrange(9)]})

    def create_all(self) -> None:
        self.charges = []
        made = self._json("POST", "/billing/invoices")
        number = _part(made, "invoice").get("id")
        if isinstance(number, int):
            self.invoices.append(number)

    def create_again(self) -> None:
        """A double click: both requests name the same charges."""
        self.charge()
        some = self.charges[:2]
        self.create()
        if some:
            self._json("POST", "/billing/invoices", json={"charge_ids": some})

    def create_late(self) -> None:
        """An old page in another tab, that still offers charges which are paid by now."""
        if self.paid:
            self._json("POST", "/billing/invoices", json={"charge_ids": self.paid})

    def finalize(self) -> None:
        if self.invoices:
            self._json("POST", f"/billing/invoices/{self._chance.choice(self.invoices)}/finalize")

    def collect(self) -> None:
        if self.invoices:
            self._json("POST", f"/billing/invoices/{self._chance.choice(self.invoices)}/collect")

    def pay(self) -> None:
        """The whole way, and a look at each step."""
        self.charge()
        self.charge()
        # One is left for another time.
        some, self.charges = self.charges[-1:], self.charges[:-1]
        made = self._json("POST", "/billing/invoices", json={"charge_ids": some})
        self.look()
        number = _part(made, "invoice").get("id")
        if isinstance(number, int):
            self.invoices.append(number)
            self.paid = some
            self._json("POST", f"/billing/invoices/{number}/finalize")
            self.look()
            self._json("POST", f"/billing/invoices/{number}/collect")
            self.look()

    def look(self) -> None:
        self._json("GET", "/billing/invoices")

    def look_at_many(self) -> None:
        self._json("GET", "/billing/invoices", params={"per_page": self._chance.choice([2, 5, 50])})

    def look_at_charges(self) -> None:
        self._json("GET", "/billing/charges")
        if self.charges:
            self._json("GET", f"/billing/charges/{self._chance.choice(self.charges)}")

    def export(self) -> None:
        """All pages, one after the other."""
        page = last = 1
        while page <= min(last, 40):
            found = self._json("GET", "/billing/invoices", params={"page": page, "per_page": 5})
            told = found.get("last_page")
            last = told if isinstance(told, int) else 0
            page += 1

    def search(self) -> None:
        day = datetime(2026, 1, 1) + timedelta(days=self._chance.randrange(400))
        number = self._chance.choice(self.invoices or [7])
        text = self._chance.choice(
            [
                f'created_at$DATE>="{day:%Y-%m-%d}"',
                f'id:"{number}"',
                f'id>"{number}" AND id<="{number + 5}"',
                f'id:"{number}" OR id:"{number + 1}" AND id>"{number}"',
                f'id>"{number}" AND created_at$DATE>="2020-01-01" OR id:"{number}"',
                'stripe_invoice_id~"in_"',
            ]
        )
        self._json("GET", "/billing/invoices", params={"q": text})

    def _json(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        answer = self._http.request(method, path, **given)
        try:
            content = answer.json()
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}


def _part(content: dict[str, Any], name: str) -> dict[str, Any]:
    part = content.get(name)
    return part if isinstance(part, dict) else {}


STEPS = (
    "charge",
    "create",
    "create_all",
    "create_again",
    "create_late",
    "create_by_form",
    "mistake",
    "finalize",
    "collect",
    "pay",
    "look",
    "look_at_many",
    "look_at_charges",
    "export",
    "search",
)


def story(seed: int, length: int = 40) -> list[str]:
    """The steps of one client: some that everybody takes, then whatever comes."""
    chance = random.Random(seed)
    first = ["look", "pay", "pay", "create_again", "create_late", "search", "export", "look_at_charges", "search"]
    return [*first, "pay", "create_late", "search", "export", *(chance.choice(STEPS) for _ in range(length))]


def crowd(tap: Tap, callers: Sequence[tuple[str, str | None]], *, seed: int = 1, length: int = 40) -> None:
    """Several clients at the same time, each with its token and merchant."""

    def run(place: int, token: str, merchant: str | None) -> None:
        with tap.client(token, merchant) as http:
            Client(http, random.Random(seed + place)).work(story(seed + place, length))

    threads = [threading.Thread(target=run, args=(place, *caller)) for place, caller in enumerate(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
