"""Turns what was recorded of a breach into steps that can be played again."""

from __future__ import annotations

from collections.abc import Sequence

from mockserver.verify.claims.claims import All, Body, Claim, Const, Get, Is, answers_of
from mockserver.verify.events import Breach, RecordedExchange
from mockserver.verify.replay.id_tracing import Threaded, parsed, thread
from mockserver.verify.replay.ledger import clears
from mockserver.verify.replay.playing import Part, Parts, Ref, ReplayStep

OWN_HEADERS = frozenset({"host", "content-length", "connection", "accept-encoding", "user-agent"})
"""Headers that every client sets for itself."""


def steps_of(breach: Breach, base: str) -> tuple[ReplayStep, ...]:
    """The steps of a breach that was found at the address `base`, in which another can take its place."""
    threaded = thread(breach.exchanges)
    needed = {ref.answer for parts in threaded for ref in parts.ids}
    judged_of: frozenset[int] = answers_of(breach.check) if breach.check is not None else frozenset()
    needed |= judged_of
    about = repr(breach.check)
    return tuple(
        ReplayStep(
            method=exchange.method,
            url=_below(parts.url, base),
            headers=tuple((name, value) for name, value in exchange.headers if name.lower() not in OWN_HEADERS),
            body=parts.raw if parts.raw is not None else parts.body,
            expected=exchange.status,
            race=exchange.race,
            is_free=clears(exchange) and place not in needed,
            until=_later(place, exchange, parts) if place not in judged_of or "stripe_invoice" in about else None,
        )
        for place, (exchange, parts) in enumerate(zip(breach.exchanges, threaded, strict=True))
    )


def _below(url: Sequence[Part], base: str) -> Parts:
    """The address without the base."""
    first = url[0] if url else ""
    if isinstance(first, str) and first.startswith(base) and first[len(base) : len(base) + 1] in ("", "/", "?"):
        return tuple(part for part in (first[len(base) :], *url[1:]) if part != "")
    return tuple(url)


def _later(place: int, exchange: RecordedExchange, parts: Threaded) -> Claim | None:
    """What a list of own invoices showed of what Stripe and its queue do in their own time."""
    content = parsed(exchange.answer)
    rows = content.get("data") if isinstance(content, dict) else None
    if exchange.method != "GET" or not isinstance(rows, list) or not any(isinstance(part, Ref) for part in parts.url):
        return None
    due: list[Claim] = []
    for number, row in enumerate(rows):
        if isinstance(row, dict) and isinstance(row.get("stripe_invoice_id"), str):
            due.append(Is(Get(Body(place), ("data", number, "stripe_invoice_id")), "is not", Const(None)))
        if isinstance(row, dict) and row.get("stripe_invoice_status") == "paid":
            due.append(Is(Get(Body(place), ("data", number, "stripe_invoice_status")), "is", Const("paid")))
    return All(tuple(due)) if due else None
