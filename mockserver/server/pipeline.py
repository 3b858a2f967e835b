"""The one road of a request: named, let in, judged, acted upon, its reply judged too, and all of it in the journal."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Mapping
from dataclasses import replace
from functools import lru_cache

import orjson

from mockserver.billing.profile import Profile
from mockserver.contract.contract import Contract, Operation
from mockserver.contract.leniency import Leniency
from mockserver.core.errors import Refused, Unauthenticated, Unavailable
from mockserver.core.messages import Call, Reply, Request
from mockserver.server.access import credentials, given_token, narrow
from mockserver.server.injection import Injection, plan
from mockserver.server.operations import OPERATIONS, OperationContext
from mockserver.server.service import Service
from mockserver.state.world import World
from mockserver.traffic.checking import objections, reply_problems, request_problems
from mockserver.traffic.journal import Exchange

log = logging.getLogger("mockserver")


Steps = Generator[float, bool, Exchange]
"""An exchange on its way: yields the seconds to wait before anything is done, and is sent whether the client left."""


def respond(request: Request, service: Service, *, address: str) -> Exchange:
    """Answer one request to the API, without the waits that are planned for it; `address` as in `steps`."""
    way = steps(request, service, address=address)
    try:
        next(way)
        while True:
            way.send(False)
    except StopIteration as ended:
        exchange: Exchange = ended.value
        return exchange


def steps(request: Request, service: Service, *, address: str) -> Steps:
    """Answer one request to the API; `address` is its own URL without the query, for a page's links."""
    started = time.perf_counter()
    exchange = Exchange(request, address, _NO_REPLY)
    params: Mapping[str, str] = {}
    world: World | None = None
    era = ""
    try:
        exchange.operation, params = service.contract.route(request.method, request.path)
        token, name = credentials(request)
        if not service.worlds.opens(token, name):
            raise _unknown(token)
        world = service.worlds.enter(name)
        era = world.state.era
        call = service.contract.accept(exchange.operation, params, request, leniency=leniency_of(service.profile))
        exchange.accepted = True
        exchange.warnings = call.warnings
        if call.path:
            exchange.invoice = call.path.get("invoice")
        exchange.reply = yield from _acted(exchange, exchange.operation, call, world, token, service)
    except Unavailable as gone:
        exchange.reply = refuse(gone, service.profile)
        exchange.broken = [gone.message]
        world = world or service.worlds.common
    except Refused as refusal:
        exchange.reply = refuse(refusal, service.profile)
        if not exchange.accepted:
            exchange.objections = _objections(exchange, refusal, params, service)
        world = world or _world_of(request, service)
    finally:
        if world is not None:
            service.worlds.leave(world)
    if exchange.operation is not None and not exchange.broken:
        _judge(exchange, exchange.operation, service.contract)
    if exchange.delivery is not None:
        exchange.data = exchange.delivery.body
    elif exchange.reply.body is not None:
        exchange.data = orjson.dumps(exchange.reply.body)
    if service.watch is not None and era == world.state.era and not (exchange.broken or exchange.injected):
        _compare(exchange, service.watch(exchange, era, started))
    _record(exchange, world, started)
    return exchange


def refuse(refusal: Refused, profile: Profile) -> Reply:
    """A refusal in the API's own form (GEN-5)."""
    body: dict[str, object] = {"message": refusal.message}
    if refusal.errors is not None:
        body["errors"] = refusal.errors
    status = refusal.status if refusal.status_choice is None else getattr(profile, refusal.status_choice)
    return Reply(status, body, refusal.headers, because=refusal.because)


@lru_cache(maxsize=8)
def leniency_of(profile: Profile) -> Leniency:
    """How forgivingly requests are read under these open choices."""
    loose = profile.loose_integers == "accept"
    return Leniency(
        numeric_strings=profile.numeric_strings == "accept",
        whole_floats=loose,
        loose_integers=loose,
        empty_arrays=profile.empty_charge_ids == "as_omitted",
        odd_numbers=profile.page_not_a_number == "default",
        unreadable_bodies=profile.unreadable_body == "as_empty",
    )


def turned_down(request: Request, service: Service, reply: Reply, *, address: str) -> Exchange:
    """An exchange that ended before its request could be read, or because we failed; for the journal's sake."""
    started = time.perf_counter()
    exchange = Exchange(request, address, reply, data=orjson.dumps(reply.body))
    if reply.status < 500:
        exchange.objections = [str(reply.body["message"])]
    else:
        exchange.broken = [str(reply.body["message"])]
    world = _world_of(request, service)
    service.worlds.leave(world)
    _record(exchange, world, started)
    return exchange


def _unknown(token: str) -> Unauthenticated:
    return Unauthenticated(f"The token {token[:40]!r} is not known here.", because="GEN-4")


def _context(exchange: Exchange, call: Call, world: World, token: str, service: Service) -> OperationContext:
    settings = service.settings
    reach = world.blueprint.tokens.get(token)
    if reach is None:
        raise _unknown(token)
    return OperationContext(
        world,
        service.profile,
        narrow(call.merchant, reach, service.profile),
        call.merchant,
        exchange.address,
        exchange.request.query_string,
        settings.stripe_delay,
        settings.stripe_late,
        settings.payment_delay,
    )


def _acted(
    exchange: Exchange, operation: Operation, call: Call, world: World, token: str, service: Service
) -> Generator[float, bool, Reply]:
    """The reply that the operation makes, or what faults and the request's own preferences make of it."""
    prefers = "prefer" in exchange.request.headers

    def act() -> Reply | None:
        if prefers or world.faults.planned:
            return None
        return _done(call, _context(exchange, call, world, token, service))

    reply = world.look(act) if operation.method == "GET" else world.change(act)
    if reply is not None:
        return reply

    def disturbed() -> Reply | Injection:
        injection = plan(exchange, call, world, service.contract)
        return injection if injection.wait else strike(injection)

    def strike(injection: Injection) -> Reply:
        return _struck(injection, exchange, call, _context(exchange, call, world, token, service), service)

    # What the faults have counted is kept together with what the operation did, or before the wait.
    planned = world.change(disturbed)
    if isinstance(planned, Reply):
        return planned
    if (yield planned.wait):
        return planned.abandon(exchange)
    return world.change(lambda: strike(planned.again(world.faults)))


def _done(call: Call, context: OperationContext) -> Reply:
    context.state.settle()
    return OPERATIONS[call.operation](call, context)


def _struck(injection: Injection, exchange: Exchange, call: Call, context: OperationContext, service: Service) -> Reply:
    exchange.begin_again(call.warnings)
    reply = injection.stand_in()
    if reply is None:
        injection.instruct(context)
        try:
            reply = _collected(call, context, injection) if injection.at_stripe else _done(call, context)
        except Refused as refusal:
            reply = refuse(refusal, service.profile)
    return injection.finish(exchange, reply, service.contract)


def _collected(call: Call, context: OperationContext, injection: Injection) -> Reply:
    before = len(context.state.stripe.ledger)
    try:
        return _done(call, context)
    finally:
        if len(context.state.stripe.ledger) == before:
            injection.release_stripe()


def _judge(exchange: Exchange, operation: Operation, contract: Contract) -> None:
    """Check our own reply; one that breaks the spec is a defect of ours, answered with 500 and never hidden."""
    reply = exchange.reply
    if exchange.corrupted:
        return
    if problems := reply_problems(contract, operation, reply.status, reply.body):
        exchange.broken = problems
        log.error("our reply to %s breaks the spec: %s", operation.id, "; ".join(problems))
        message = f"The mock server's own reply breaks openapi.yaml: {'; '.join(problems)}"
        exchange.reply = Reply(500, {"message": message}, {"X-Mock-Broken": operation.id}, because="contract-broken")


def _compare(exchange: Exchange, contradictions: list[str]) -> None:
    """Tell of a reply that has its form, but contradicts the contract or what was answered before."""
    if not contradictions:
        return
    name = "" if exchange.operation is None else exchange.operation.id
    log.error("our reply to %s is wrong; please report it: %s", name, "; ".join(contradictions))
    exchange.broken = contradictions
    exchange.reply = replace(exchange.reply, headers={**exchange.reply.headers, "X-Mock-Broken": name})


def _objections(exchange: Exchange, refusal: Refused, params: Mapping[str, str], service: Service) -> list[str] | None:
    """What the spec has against a request that was turned down before it was accepted."""
    if isinstance(refusal, Unauthenticated) and exchange.operation is not None and given_token(exchange.request):
        # The spec can't tell a wrong token from a right one, so that the rest of the request is judged by itself.
        return request_problems(service.contract, exchange.operation, params, exchange.request) or None
    return objections(refusal)


def _world_of(request: Request, service: Service) -> World:
    """The world in whose journal a request belongs that was turned down at the door; to be left again."""
    try:
        token, name = credentials(request)
        if service.worlds.opens(token, name):
            return service.worlds.enter(name)
    except Refused:
        pass
    return service.worlds.common


def _record(exchange: Exchange, world: World, started: float) -> None:
    exchange.world = world.name
    seconds = time.perf_counter() - started + exchange.reply.delay
    if exchange.delivery is not None:
        seconds += exchange.delivery.seconds
    world.journal.record(exchange, at=world.state.clock.now(), seconds=seconds)


_NO_REPLY = Reply(500, None)
