"""Races over create, finalize and collect, with snapshots, restores and resets between, and the books audited after."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

from tests.soak.wire import Seen, Wire

RACERS = 6
_CONTROL = "/_mock"
_API = "/api/billing"


class Races:
    """One race after the other in worlds of its own; `wrong` has every sentence about books that don't balance."""

    def __init__(self, port: int, seed: int) -> None:
        self._wires = [Wire(port) for _ in range(RACERS)]
        self._pool = ThreadPoolExecutor(RACERS)
        self._chance = Random(seed)
        self._name = f"race{seed}"
        self.wrong: list[str] = []

    def run(self) -> None:
        """One race: the same charges are invoiced, and the same invoices finalized and collected, at the same time."""
        token = f"provider@{self._name}"
        if self._chance.random() < 0.05:
            self._ask(0, "POST", f"{_CONTROL}/reset", token)
        if self._chance.random() < 0.1:
            self._ask(0, "PUT", f"{_CONTROL}/snapshots/before", token)
        charges = [self._charge(token) for _ in range(2)]
        bodies = [{"charge_ids": charges}, {"charge_ids": charges[:1]}, {"charge_ids": charges[1:]}] * 2
        self._together([("POST", f"{_API}/invoices", body) for body in bodies], token)
        numbers = [one["id"] for one in self._invoices(token, 10)]
        for step in ("finalize", "collect"):
            chosen = [self._chance.choice(numbers[:3]) for _ in range(RACERS)]
            self._together([("POST", f"{_API}/invoices/{number}/{step}", None) for number in chosen], token)
        if self._chance.random() < 0.1:
            restore = ("POST", f"{_CONTROL}/snapshots/before/restore", None)
            again = [("POST", f"{_API}/invoices/{number}/collect", None) for number in numbers[:3]]
            self._together([restore, *again, ("POST", f"{_API}/invoices", {"charge_ids": charges})], token)
        self._audit(token)

    def close(self) -> None:
        self._pool.shutdown()
        for wire in self._wires:
            wire.close()

    def _ask(self, racer: int, method: str, path: str, token: str, body: Any = None) -> Seen:
        headers = {"X-Selected-Client-Id": "1"} if path.startswith("/api") else {}
        return self._wires[racer].ask(method, path, token=token, body=body, headers=headers)

    def _charge(self, token: str) -> int:
        fee = {"amount": self._chance.randrange(1, 10_000) / 100, "description": "A fee"}
        return int(self._ask(0, "POST", f"{_API}/charges/quick-adjustment", token, fee).value()["charge"]["id"])

    def _together(self, requests: list[tuple[str, str, Any]], token: str) -> None:
        waiting = [
            self._pool.submit(self._ask, number, method, path, token, body)
            for number, (method, path, body) in enumerate(requests)
        ]
        for one in waiting:
            seen = one.result()
            if seen.status == 0 or seen.status >= 500:
                self.wrong.append(f"a racer was answered {seen.status}: {seen.body[:200]!r}")

    def _invoices(self, token: str, count: int) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._ask(0, "GET", f"{_CONTROL}/invoices?per_page={count}", token).value()["data"]
        return rows

    def _audit(self, token: str) -> None:
        """No charge on two invoices, no second payment, and the ledger has the invoices' totals."""
        invoices = {one["id"]: one for one in self._invoices(token, 100)}
        on: dict[int, int] = {}
        for number, invoice in invoices.items():
            for charge in invoice["charges"]:
                if charge in on:
                    self.wrong.append(f"charge {charge} is on the invoices {on[charge]} and {number}")
                on[charge] = number
        paid: set[int] = set()
        for attempt in self._ask(0, "GET", f"{_CONTROL}/stripe/ledger", token).value()["data"][-200:]:
            number = attempt["invoice"]
            if not attempt["charged"] or number not in invoices:
                continue
            if number in paid:
                self.wrong.append(f"invoice {number} was paid twice")
            paid.add(number)
            if attempt["amount"] != round(invoices[number]["total"] * 100):
                self.wrong.append(f"invoice {number} of {invoices[number]['total']} was charged {attempt['amount']}")
            if invoices[number]["state"] != "paid":
                self.wrong.append(f"invoice {number} was charged and is {invoices[number]['state']}")
