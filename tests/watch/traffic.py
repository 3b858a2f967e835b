"""Exchanges written down for the judge: an API's answers as a test wants them, and when they came."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mockserver.contract.contract import Contract
from mockserver.core.resources import openapi_path
from mockserver.verify.events import Breach, BreachFound, Event, Note, RunFinished
from mockserver.watch.passing import Passing
from mockserver.watch.watching import Watch, Watched

CONTRACT = Contract.load(openapi_path())
TOKEN = "12|secret-of-the-merchant"


def invoice(number: int, **given: Any) -> dict[str, Any]:
    return {
        "id": number,
        "charger_id": "9",
        "charger_type": "company",
        "chargee_id": "1",
        "chargee_type": "merchant",
        "created_at": f"2026-03-01T10:00:{number % 60:02}.000000Z",
        "currency": "USD",
        "status": "Draft",
        "stripe_invoice_status": None,
        "stripe_invoice_id": None,
        "description": None,
        "total": 12.5,
        **given,
    }


def finalized(number: int, **given: Any) -> dict[str, Any]:
    return invoice(number, **{"status": "Finalized", **given})


def charge(number: int, **given: Any) -> dict[str, Any]:
    return {
        "id": number,
        "charger_id": "9",
        "charger_type": "company",
        "chargee_id": "1",
        "chargee_type": "merchant",
        "created_at": "2026-03-01T09:00:00.000000Z",
        "currency": "USD",
        "price": 12.5,
        "amount": 12.5,
        "status": "Open",
        "category": "Adjustment",
        "description": "Relabelling",
        "stripe_invoice_item_id": None,
        **given,
    }


def page(rows: Sequence[Mapping[str, Any]], **given: Any) -> dict[str, Any]:
    """A page that holds all there are, unless something else is given."""
    number, size, total = given.get("current_page", 1), given.get("per_page", 15), given.get("total", len(rows))
    first = (number - 1) * size + 1 if rows else None
    return {
        "data": list(rows),
        "current_page": number,
        "from": first,
        "to": None if first is None else first + len(rows) - 1,
        "total": total,
        "last_page": max(1, -(-total // size)),
        "per_page": size,
        **given,
    }


@dataclass
class Traffic:
    """Tells a watch of exchanges that come one after the other, unless their times are given."""

    events: list[Event] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.watch = Watch(Watched("a test"), CONTRACT, [self.events.append])

    def say(
        self,
        method: str,
        target: str,
        answer: Any = None,
        status: int = 200,
        *,
        body: Any = None,
        at: tuple[float, float] | None = None,
        merchant: str | None = "1",
        token: str | None = TOKEN,
        raw: bytes | None = None,
        **given: Any,
    ) -> list[str]:
        """One exchange; what was told of it. `raw`: the body where it is no JSON."""
        number = next(self._numbers)
        began, ended = at or (number * 10.0, number * 10.0 + 1)
        headers = [("Accept", "application/json, text/plain, */*"), ("Origin", "https://portal.example.com")]
        headers += [("Authorization", f"Bearer {token}")] if token is not None else []
        headers += [("X-Selected-Client-Id", merchant)] if merchant is not None else []
        headers += [("Content-Type", "application/json")] if body is not None else []
        return self.watch.see(
            Passing(
                **{
                    "number": number,
                    "method": method,
                    "target": target,
                    "headers": tuple(headers),
                    "body": b"" if body is None else json.dumps(body).encode(),
                    "status": status,
                    "answer_headers": (("Content-Type", "application/json"),),
                    "answer": json.dumps(answer).encode() if raw is None else raw,
                    "started": began,
                    "ended": ended,
                    "base": "https://portal.example.com/api",
                    "whole": True,
                    **given,
                }
            )
        )

    def lists(self, *rows: Mapping[str, Any], **given: Any) -> list[str]:
        return self.say("GET", "/billing/invoices", page(rows), **given)

    def creates(self, row: Mapping[str, Any], charges: Sequence[int] = (), **given: Any) -> list[str]:
        made = {"message": "Invoice created.", "invoice": dict(row)}
        return self.say("POST", "/billing/invoices", made, body={"charge_ids": list(charges)}, **given)

    def charges(self, row: Mapping[str, Any], **given: Any) -> list[str]:
        asked = {"amount": row["amount"], "description": row["description"]}
        made = {"charge": dict(row), "charge_items": []}
        return self.say("POST", "/billing/charges/quick-adjustment", made, body=asked, **given)

    def acts(self, action: str, number: int, row: Mapping[str, Any] | None = None, **given: Any) -> list[str]:
        told = {"message": "Done.", **({} if row is None else {"invoice": dict(row)})}
        return self.say("POST", f"/billing/invoices/{number}/{action}", told, **given)

    @property
    def breaches(self) -> dict[str, Breach]:
        """By identity."""
        return {event.breach.identity: event.breach for event in self.events if isinstance(event, BreachFound)}

    @property
    def broken(self) -> set[str]:
        return {breach.rule for breach in self.breaches.values()}

    @property
    def notes(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Note)]

    def ends(self) -> int:
        """The exit code."""
        self.watch.finish()
        last = self.events[-1]
        assert isinstance(last, RunFinished)
        return last.exit_code
