"""A service in this process, and everything that can be done with one of its worlds."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from random import Random
from typing import Any

import orjson

from mockserver.core.messages import Reply, Request
from mockserver.server.control.interface import ControlInterface
from mockserver.server.pipeline import respond
from mockserver.server.service import Current, Service, open_service
from mockserver.server.settings import Settings
from mockserver.state.world import World

FIXTURE = """
merchants: [{id: 5, name: Fifth, currency: USD}]
charges: [{id: 77, merchant: 5, amount: 9.5, created_at: 2026-01-01T00:00:00Z}]
stripe: {answered: [], settled: [collect-900-1]}
"""


OPENED: list[Used] = []
"""All that were opened in the test, to be closed after it."""


class Used:
    """One world of a server that keeps its worlds at that address."""

    def __init__(self, address: str, world: str, **settings: Any) -> None:
        self.service: Service = open_service(Settings(state=address, stripe_delay=3600.0, **settings))
        OPENED.append(self)
        self._control = ControlInterface(Current(self.service))
        self._world = world

    @property
    def world(self) -> World:
        """The world, loaded."""
        world = self.service.worlds.enter(self._world)
        self.service.worlds.leave(world)
        world.recall()
        return world

    def at(self, world: str) -> Used:
        """The same server, in another world."""
        other = copy(self)
        other._world = world
        return other

    def api(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        request = Request(method, path, "", self._headers(headers), b"" if body is None else orjson.dumps(body))
        return respond(request, self.service, address="http://test").reply

    def control(self, method: str, path: str, body: Any = None) -> Reply:
        request = Request(method, path, "", self._headers({}), b"" if body is None else orjson.dumps(body))
        return self._control.respond(request)

    def charge(self, amount: float = 10) -> Reply:
        body = {"amount": amount, "description": "Relabelling \N{SNOWMAN}"}
        return self.api("POST", "/billing/charges/quick-adjustment", body, **{"x-selected-client-id": "1"})

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        return {"authorization": f"Bearer provider@{self._world}", "content-type": "application/json", **more}


def _invoiced(used: Used, chance: Random) -> None:
    charge = used.charge(chance.randrange(1, 100_000) / 100).body
    if "charge" in charge:
        used.api("POST", "/billing/invoices", {"charge_ids": [charge["charge"]["id"]]})


def _act(action: str) -> Callable[[Used, Random], None]:
    def act(used: Used, chance: Random) -> None:
        _, last = used.world.state.store.last_ids
        used.api("POST", f"/billing/invoices/{last - chance.randrange(3)}/{action}")

    return act


def _told(method: str, path: str, *bodies: Any) -> Callable[[Used, Random], None]:
    def act(used: Used, chance: Random) -> None:
        reply = used.control(method, path, chance.choice(bodies) if bodies else None)
        assert reply.status in (200, 201, 404), reply

    return act


def _charged(used: Used, chance: Random) -> None:
    used.charge(chance.randrange(1, 999))


def _listed(used: Used, chance: Random) -> None:
    used.api("GET", "/billing/invoices")


def _restored(used: Used, chance: Random) -> None:
    assert used.control("POST", f"/snapshots/{chance.choice('abc')}/restore").status in (200, 404)


DOINGS: dict[str, Callable[[Used, Random], None]] = {
    "charge": _charged,
    "invoice": _invoiced,
    "more": _invoiced,
    "finalize": _act("finalize"),
    "collect": _act("collect"),
    "card": _told("PUT", "/merchants/1/card", {"card": "pm_card_radarBlock"}, {"card": "pm_card_visa"}),
    "next": _told("POST", "/stripe/next", {"outcome": "lost_answer", "count": 2}, {"outcome": "succeeded"}),
    "fault": _told(
        "POST",
        "/faults",
        {"kind": "status", "status": 429, "probability": 0.3, "seed": 9},
        {"kind": "lost_answer", "count": 3, "invoice": 41},
        {"kind": "drip", "delay": {"distribution": "normal", "mean": 0.1, "deviation": 0.1}, "nth": 2},
        {"kind": "schema", "operation": ["listInvoices"], "duration": 60},
    ),
    "no fault": _told("DELETE", "/faults"),
    "list": _listed,
    "freeze": _told("POST", "/clock/freeze", {}, {"at": "2026-01-15T10:00:00Z"}),
    "advance": _told("POST", "/clock/advance", {"by": "PT90M"}, {"by": 5}),
    "run": _told("POST", "/clock/run"),
    "take": _told("PUT", "/snapshots/a", {}),
    "take another": _told("PUT", "/snapshots/b", {}),
    "take a fixture": _told("PUT", "/snapshots/c", {"fixture": FIXTURE}),
    "restore": _restored,
    "drop": _told("DELETE", "/snapshots/a"),
    "subscribe": _told(
        "PUT",
        "/webhooks",
        {"url": "http://127.0.0.1:9/hook", "delay": "P1D", "copies": 2, "reorder": 3},
        {"url": "http://127.0.0.1:9/hook", "delay": "P1D", "secret": "other"},
    ),
    "unsubscribe": _told("DELETE", "/webhooks"),
    "reset": _told("POST", "/reset"),
}
"""All that changes a world, by a name."""
