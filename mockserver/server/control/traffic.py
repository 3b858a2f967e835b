"""The journal of one world, and what is to go wrong in it: faults, cards, and how Stripe's next attempts end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from mockserver.billing.stripe import CARDS, OUTCOMES, Outcome
from mockserver.core.messages import Reply
from mockserver.server.control.refusal import invalid, missing
from mockserver.server.control.request import Desk
from mockserver.traffic import expectations, formats
from mockserver.traffic.faults.corruption import WAYS
from mockserver.traffic.faults.delays import DISTRIBUTIONS
from mockserver.traffic.faults.kinds import KINDS, Kind
from mockserver.traffic.faults.parsing import card_named, outcome_named, read_fault
from mockserver.traffic.journal import Exchange

MOST_FAULTS = 1000
"""How many a world has at most, struck out or not."""
MOST_FORCED = 1000
"""How many attempts can be forced ahead."""
_TEXT = {"Content-Type": "text/plain; charset=utf-8"}


def list_outcomes(desk: Desk) -> Reply:
    body = {
        "outcomes": [_outcome(one) for one in OUTCOMES.values()],
        "cards": [{"name": name, "outcome": outcome.name} for name, outcome in CARDS.items()],
        "faults": [_kind(kind) for kind in KINDS.values()],
        "distributions": [
            {"name": name, "parameters": list(one.parameters), "description": one.description}
            for name, one in DISTRIBUTIONS.items()
        ],
        "ways": [{"name": name, "description": description} for name, description in WAYS.items()],
    }
    return Reply(200, body)


def put_card(desk: Desk) -> Reply:
    card, merchant_id = card_named(desk.call.body["card"]), desk.call.path["merchant"]
    with desk.world.lock:
        store = desk.world.state.store
        merchant = store.merchant(merchant_id)
        if merchant is None:
            raise missing(f"There is no merchant {merchant_id}.")
        store.put_merchant(replace(merchant, card=card))
    body = {"merchant": merchant_id, "card": card, "was": merchant.card, "outcome": CARDS[card].name}
    return Reply(200, body)


def get_next(desk: Desk) -> Reply:
    with desk.world.lock:
        return _forced(desk)


def add_next(desk: Desk) -> Reply:
    outcome, count = OUTCOMES[outcome_named(desk.call.body["outcome"])], desk.call.body.get("count", 1)
    with desk.world.lock:
        forced = desk.world.state.stripe.forced
        if len(forced) + count > MOST_FORCED:
            raise invalid("count", f"at most {MOST_FORCED} attempts can be forced ahead, {len(forced)} are already")
        forced.extend([outcome] * count)
        return _forced(desk)


def clear_next(desk: Desk) -> Reply:
    with desk.world.lock:
        desk.world.state.stripe.forced.clear()
    return Reply(200, {"message": "The next attempts end as the cards behave."})


def _forced(desk: Desk) -> Reply:
    return Reply(200, {"outcomes": [one.name for one in desk.world.state.stripe.forced]})


def list_faults(desk: Desk) -> Reply:
    with desk.world.lock:
        now = desk.world.state.clock.now()
        return Reply(200, {"data": [planned.form(now) for planned in desk.world.faults.planned]})


def add_fault(desk: Desk) -> Reply:
    fault = read_fault(desk.call.body, tuple(desk.service.contract.operations))
    with desk.world.lock:
        if len(desk.world.faults.planned) >= MOST_FAULTS:
            raise invalid("fault", f"a world has {MOST_FAULTS} faults at most: delete some first")
        now = desk.world.state.clock.now()
        return Reply(201, desk.world.faults.add(fault, now=now).form(now))


def delete_fault(desk: Desk) -> Reply:
    fault_id = desk.call.path["fault"]
    with desk.world.lock:
        if not desk.world.faults.drop(fault_id):
            raise missing(f"There is no fault {fault_id}.")
    return Reply(200, {"message": f"The fault {fault_id} is gone."})


def delete_faults(desk: Desk) -> Reply:
    with desk.world.lock:
        desk.world.faults.clear()
    return Reply(200, {"message": "There is no fault any more."})


def get_journal(desk: Desk) -> Reply:
    query = desk.call.query
    kept, lost = desk.world.journal.read()
    since = query.get("since")
    chosen = [one for one in kept if one.number > (since or 0) and _chosen(one, query)]
    limit = query["limit"]
    chosen = chosen[-limit:] if since is None else chosen[:limit]
    if query["format"] == "har":
        return Reply(200, formats.har(chosen, version=version(formats.CREATOR)))
    if query["format"] == "curl":
        return Reply(200, "".join(formats.curl(one) + "\n" for one in chosen), _TEXT)
    more = since is not None and len(chosen) == limit
    cursor = chosen[-1].number if more else kept[-1].number if kept else desk.world.journal.cursor
    body = {"data": [formats.entry(one) for one in chosen], "cursor": cursor, "lost": lost}
    return Reply(200, body)


def clear_journal(desk: Desk) -> Reply:
    desk.world.journal.clear()
    return Reply(200, {"message": "The journal is empty."})


def verify_journal(desk: Desk) -> Reply:
    body = desk.call.body
    kept, lost = desk.world.journal.read()
    since = body.get("since", 0)
    wanted = body["expect"]
    for index, one in enumerate(wanted):
        _check_expectation(desk, one, f"expect.{index}")
    in_order = body.get("in_order", False)
    found = expectations.check([one for one in kept if one.number > since], wanted, in_order=in_order)
    results = [_result(met) for met in found]
    verified = all(met.complaint is None for met in found)
    reply = {"verified": verified, "message": expectations.report(found), "results": results, "lost": lost}
    return Reply(200, reply)


def _check_expectation(desk: Desk, wanted: dict[str, Any], field: str) -> None:
    known = (*expectations.FIELDS, "at_least", "at_most")
    for name in wanted:
        if name not in known:
            raise invalid(f"{field}.{name}", f"an expectation has {', '.join(known)}")
    operation = wanted.get("operation")
    if operation is not None and operation not in desk.service.contract.operations:
        raise invalid(f"{field}.operation", f"the operations are {', '.join(desk.service.contract.operations)}")


def _result(met: expectations.Met) -> dict[str, Any]:
    return {
        "expectation": dict(met.wanted),
        "verified": met.complaint is None,
        "matched": len(met.numbers),
        "numbers": list(met.numbers),
        "complaint": met.complaint,
        "nearest": list(met.misses),
    }


def _chosen(exchange: Exchange, query: dict[str, Any]) -> bool:
    operation, status = query.get("operation"), query.get("status")
    if operation is not None and (exchange.operation is None or exchange.operation.id != operation):
        return False
    if status is not None:
        got = formats.status(exchange)
        if got is None or status.upper() not in (str(got), f"{got // 100}XX"):
            return False
    if query["invalid"] and not exchange.objections and not exchange.broken:
        return False
    invoice = query.get("invoice")
    return invoice is None or formats.invoice(exchange) == invoice


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "name": outcome.name,
        "code": outcome.code,
        "decline_code": outcome.decline_code,
        "charged": outcome.charges,
        "paid": outcome.paid,
        "answered": outcome.answered,
    }


def _kind(kind: Kind) -> dict[str, Any]:
    return {
        "kind": kind.name,
        "description": kind.description,
        "when": list(kind.when),
        "takes": list(kind.takes),
    }


TRAFFIC: dict[str, Callable[[Desk], Reply]] = {
    "listOutcomes": list_outcomes,
    "putCard": put_card,
    "getNext": get_next,
    "addNext": add_next,
    "clearNext": clear_next,
    "listFaults": list_faults,
    "addFault": add_fault,
    "deleteFault": delete_fault,
    "deleteFaults": delete_faults,
    "getJournal": get_journal,
    "clearJournal": clear_journal,
    "verifyJournal": verify_journal,
}
"""These operations by their operationId."""
