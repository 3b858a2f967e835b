"""The mixed load of a team: pages, searches, invoices on their way, journals read, worlds reset and dropped."""

from __future__ import annotations

from random import Random

from tests.soak.wire import Seen, Wire

_CONTROL = "/_mock"
_API = "/api/billing"


class Load:
    """What one client does, step by step, in a few worlds."""

    def __init__(self, wire: Wire, seed: int) -> None:
        self._wire = wire
        self._chance = Random(seed)
        self._seed = seed

    def step(self) -> list[Seen]:
        """A few requests that belong together: their answers."""
        token = f"provider@load{self._seed}-{self._chance.randrange(5)}"
        draw = self._chance.random()
        if draw < 0.4:
            page = self._chance.randrange(1, 4)
            return [self._ask("GET", f"{_API}/invoices?page={page}&q=id%3E%2220%22", token)]
        if draw < 0.5:
            return [
                self._ask("GET", f"{_CONTROL}/journal?limit=50&format={self._chance.choice(('json', 'har'))}", token)
            ]
        if draw < 0.53:
            return [self._ask("POST", f"{_CONTROL}/reset", token)]
        if draw < 0.54:
            return [self._ask("DELETE", f"{_CONTROL}/worlds/{token.partition('@')[2]}", "provider")]
        fee = {"amount": 3, "description": "A fee " + "x" * self._chance.randrange(2000)}
        charged = self._ask("POST", f"{_API}/charges/quick-adjustment", token, fee)
        charge = {"charge_ids": [charged.value()["charge"]["id"]]} if charged.status == 200 else {}
        created = self._ask("POST", f"{_API}/invoices", token, charge)
        if created.status != 200:
            return [charged, created]
        number = created.value()["invoice"]["id"]
        later = [self._ask("POST", f"{_API}/invoices/{number}/{step}", token) for step in ("finalize", "collect")]
        return [charged, created, *later]

    def _ask(self, method: str, path: str, token: str, body: object = None) -> Seen:
        headers = {"X-Selected-Client-Id": "1"} if path.startswith("/api") else {}
        return self._wire.ask(method, path, token=token, body=body, headers=headers)
