"""The one road of a request: named, let in, judged, acted upon, and its reply judged too."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from mockserver.access import credentials
from mockserver.contract import Contract, Operation
from mockserver.errors import ContractBroken, Refused, Unauthenticated
from mockserver.messages import Call, Reply, Request
from mockserver.operations import OPERATIONS, Scene, narrow
from mockserver.profile import Profile
from mockserver.service import Service
from mockserver.world import World

log = logging.getLogger("mockserver")


@dataclass(slots=True)
class Exchange:
    """One request with its reply, and how it was understood on the way."""

    request: Request
    reply: Reply
    world: World
    operation: Operation | None = None
    """None when no operation of the spec was addressed."""
    call: Call | None = None
    """None when the request was turned down before it was accepted."""
    broken: list[str] | None = None
    """How our own reply broke the spec."""


def respond(request: Request, service: Service, *, address: str) -> Exchange:
    """Answer one request to the API; `address` is its own URL without the query, for a page's links."""
    exchange = Exchange(request, _NO_REPLY, service.worlds.common)
    try:
        exchange.reply = _answer(exchange, service, address)
    except Refused as refusal:
        exchange.reply = refuse(refusal, service.profile)
    finally:
        service.worlds.leave(exchange.world)
    if exchange.operation is not None:
        _judge(exchange, exchange.operation, service.contract)
    return exchange


def refuse(refusal: Refused, profile: Profile) -> Reply:
    """A refusal in the API's own form (GEN-5)."""
    body: dict[str, object] = {"message": refusal.message}
    if refusal.errors is not None:
        body["errors"] = refusal.errors
    status = refusal.status if refusal.status_choice is None else getattr(profile, refusal.status_choice)
    return Reply(status, body, refusal.headers, because=refusal.because)


def _answer(exchange: Exchange, service: Service, address: str) -> Reply:
    request, profile = exchange.request, service.profile
    exchange.operation, params = service.contract.route(request.method, request.path)
    token, world_name = credentials(request)
    reach = service.worlds.blueprint.tokens.get(token)
    if reach is None:
        raise Unauthenticated(f"The token {token[:40]!r} is not known here.", because="GEN-4")
    world = exchange.world = service.worlds.enter(world_name)
    call = exchange.call = service.contract.accept(
        exchange.operation, params, request, numeric_strings=profile.numeric_strings == "accept"
    )
    scene = Scene(
        world,
        profile,
        narrow(call.merchant, reach),
        call.merchant,
        address,
        request.query_string,
        service.settings.stripe_delay,
        service.settings.stripe_late,
    )
    with world.lock:
        world.state.settle()
        return OPERATIONS[exchange.operation.id](call, scene)


def _judge(exchange: Exchange, operation: Operation, contract: Contract) -> None:
    """Check our own reply; one that breaks the spec is a defect of ours, answered with 500 and never hidden."""
    reply = exchange.reply
    try:
        contract.check(operation, reply.status, reply.body)
    except ContractBroken as broken:
        exchange.broken = broken.problems
        log.error("our reply breaks the spec: %s", broken)
        message = f"The mock server's own reply breaks openapi.yaml: {'; '.join(broken.problems)}"
        exchange.reply = Reply(500, {"message": message}, {"X-Mock-Broken": operation.id}, because="contract-broken")


_NO_REPLY = Reply(500, None)
