"""The fake Stripe of one world: cards, how its next attempts end, and its ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mockserver.billing.stripe import CARDS, OUTCOMES
from mockserver.core.messages import Reply
from mockserver.server.control.refusal import invalid, missing
from mockserver.server.control.request import ControlRequest
from mockserver.state.diff import attempt_body
from mockserver.traffic.faults.parsing import card_named, outcome_named

MOST_FORCED = 1000
"""How many attempts can be forced ahead."""


def put_card(request: ControlRequest) -> Reply:
    card, merchant_id = card_named(request.call.body["card"]), request.call.path["merchant"]
    with request.world.lock:
        store = request.world.state.store
        merchant = store.merchant(merchant_id)
        if merchant is None:
            raise missing(f"There is no merchant {merchant_id}.")
        store.put_merchant(replace(merchant, card=card))
    body = {"merchant": merchant_id, "card": card, "was": merchant.card, "outcome": CARDS[card].name}
    return Reply(200, body)


def get_next(request: ControlRequest) -> Reply:
    with request.world.lock:
        return _forced(request)


def add_next(request: ControlRequest) -> Reply:
    outcome, count = OUTCOMES[outcome_named(request.call.body["outcome"])], request.call.body.get("count", 1)
    with request.world.lock:
        forced = request.world.state.stripe.forced
        if len(forced) + count > MOST_FORCED:
            raise invalid("count", f"at most {MOST_FORCED} attempts can be forced ahead, {len(forced)} are already")
        forced.extend([outcome] * count)
        return _forced(request)


def clear_next(request: ControlRequest) -> Reply:
    with request.world.lock:
        request.world.state.stripe.forced.clear()
    return Reply(200, {"message": "The next attempts end as the cards behave."})


def _forced(request: ControlRequest) -> Reply:
    return Reply(200, {"outcomes": [one.name for one in request.world.state.stripe.forced]})


def get_ledger(request: ControlRequest) -> Reply:
    wanted = request.call.query.get("invoice")
    with request.world.lock:
        ledger = list(request.world.state.stripe.ledger)
    return Reply(200, {"data": [attempt_body(one) for one in ledger if wanted in (None, one.invoice)]})


STRIPE: dict[str, Callable[[ControlRequest], Reply]] = {
    "putCard": put_card,
    "getNext": get_next,
    "addNext": add_next,
    "clearNext": clear_next,
    "getLedger": get_ledger,
}
"""These operations by their operationId."""
