"""Requests that overlap in every way that Hypothesis thinks of, answered by the fake: the judge raises no alarm."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count

import orjson
from hypothesis import given
from hypothesis import strategies as st

from mockserver.core.messages import Request
from mockserver.server.pipeline import respond
from mockserver.server.service import Service, open_service
from mockserver.server.settings import Settings
from mockserver.watch.passing import Passing
from tests.watch.traffic import Traffic

SERVICE = open_service(Settings(fixture="default", stripe_delay=0.0))
WORLDS = count(1)
KINDS = ("charge", "create", "create_all", "finalize", "collect", "list", "page", "search", "charges")


class Caller:
    """One client after the other: what it asks for depends on what there is."""

    def __init__(self, service: Service, world: str) -> None:
        self._service = service
        self._world = world
        self._charges: list[int] = []
        self._invoices: list[int] = []

    def ask(self, kind: str, pick: int, merchant: str) -> Passing:
        """The exchange, without its times."""
        method, path, query, body = self._request(kind, pick)
        headers = {
            "accept": "application/json",
            "authorization": f"Bearer provider@{self._world}",
            "x-selected-client-id": merchant,
        }
        content = b"" if body is None else json.dumps(body).encode()
        if content:
            headers["content-type"] = "application/json"
        request = Request(method, path, query, headers, content)
        exchange = respond(request, self._service, address=f"http://there/api{path}")
        answer = orjson.dumps(exchange.reply.body)
        self._note(json.loads(answer), method)
        return Passing(
            number=0,
            method=method,
            target=path + (f"?{query}" if query else ""),
            headers=tuple(headers.items()),
            status=exchange.reply.status,
            body=content,
            answer_headers=(("Content-Type", "application/json"),),
            answer=answer,
            base="http://there/api",
            whole=True,
        )

    def _request(self, kind: str, pick: int) -> tuple[str, str, str, object]:
        invoice = self._invoices[pick % len(self._invoices)] if self._invoices else 1
        some = self._charges[pick % len(self._charges) :][:2] if self._charges else [1]
        match kind:
            case "charge":
                return "POST", "/billing/charges/quick-adjustment", "", {"amount": 12.5, "description": "Relabelling"}
            case "create":
                return "POST", "/billing/invoices", "", {"charge_ids": some}
            case "create_all":
                return "POST", "/billing/invoices", "", None
            case "finalize" | "collect":
                return "POST", f"/billing/invoices/{invoice}/{kind}", "", None
            case "page":
                return "GET", "/billing/invoices", f"page={pick % 4 + 1}&per_page=4", None
            case "search":
                return "GET", "/billing/invoices", f"q=id>%22{invoice}%22", None
            case "charges":
                return "GET", "/billing/charges", "", None
        return "GET", "/billing/invoices", f"per_page={(15, 50)[pick % 2]}", None

    def _note(self, content: object, method: str) -> None:
        if method == "POST" and isinstance(content, dict):
            for name, known in (("charge", self._charges), ("invoice", self._invoices)):
                if isinstance(content.get(name), dict):
                    known.append(content[name]["id"])


STEP = st.tuples(st.sampled_from(KINDS), st.integers(0, 20), st.sampled_from("12"), st.floats(0, 6), st.floats(0, 6))


@given(st.lists(STEP, min_size=5, max_size=40), st.booleans())
def test_whatever_overlaps_the_fake_is_not_blamed(
    steps: list[tuple[str, int, str, float, float]], by_answer: bool
) -> None:
    caller = Caller(SERVICE, f"w{next(WORLDS)}")
    exchanges = []
    for moment, (kind, pick, merchant, before, after) in enumerate(steps):
        # It takes effect at one moment between its request and its answer.
        passing = caller.ask(kind, pick, merchant)
        exchanges.append(replace(passing, started=moment - before, ended=moment + after))
    exchanges.sort(key=lambda one: one.ended if by_answer else one.started)
    traffic = Traffic()
    for number, passing in enumerate(exchanges, 1):
        passing.number = number
        traffic.watch.see(passing)
    assert not traffic.broken, traffic.breaches
