"""What disturbs one exchange: its planned faults and the preferences of the request, put together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import orjson

from mockserver.billing.stripe import Outcome
from mockserver.contract.contract import Contract, Operation
from mockserver.core.messages import Call, Reply
from mockserver.server.operations import OperationContext
from mockserver.state.world import World
from mockserver.traffic.checking import reply_problems
from mockserver.traffic.faults import delivery, prefer
from mockserver.traffic.faults.fault import Fault
from mockserver.traffic.faults.kinds import BEFORE, COLLECT, KINDS
from mockserver.traffic.faults.planned import Faults, Planned
from mockserver.traffic.journal import Exchange, InjectedFault


@dataclass(slots=True)
class ActiveFault:
    """A fault that strikes this request; `planned` is None when the request itself asks for it."""

    fault: Fault
    chance: Random
    planned: Planned | None = None
    asked: str = ""
    """How the request asks for it."""
    detail: str = ""
    """What chance chose."""

    def release(self) -> None:
        """It came to nothing this time, so that a later request is its."""
        if self.planned is not None:
            self.planned.struck -= 1

    def again(self, faults: Faults) -> ActiveFault:
        """The same, with the counts and the chance that the fault has by now."""
        planned = (self.planned and faults.find(self.planned.id)) or self.planned
        return replace(self, planned=planned, chance=self.chance if planned is None else planned.chance)

    @property
    def tag(self) -> str:
        tag = f"fault:{self.planned.id}:{self.fault.kind}" if self.planned is not None else f"prefer:{self.asked}"
        return f"{tag}:{self.detail}" if self.detail else tag


@dataclass(slots=True)
class Injection:
    """All that disturbs one exchange."""

    faults: list[ActiveFault] = field(default_factory=list)
    """Those that came to something."""
    wait: float = 0.0
    """Seconds before anything is done."""
    delay: float = 0.0
    """Seconds that the answer waits once it is made."""
    outcome: Outcome | None = None
    """How the attempt to charge is to end."""
    late: float | None = None
    """Seconds that a late answer of Stripe takes."""
    stripe: ActiveFault | None = None
    corrupting: ActiveFault | None = None
    applied: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)

    @property
    def at_stripe(self) -> bool:
        return self.stripe is not None

    def again(self, faults: Faults) -> Injection:
        """The same, to be finished anew on what is planned by now."""
        anew = {id(one): one.again(faults) for one in self.faults}
        return replace(
            self,
            faults=list(anew.values()),
            stripe=anew.get(id(self.stripe)),
            corrupting=anew.get(id(self.corrupting)),
            applied=self.applied.copy(),
            advice=self.advice.copy(),
        )

    def stand_in(self) -> Reply | None:
        """The reply when a fault strikes before anything is done; None when the operation makes it."""
        if self.corrupting is None or self.corrupting.fault.when != BEFORE:
            return None
        replies = KINDS[self.corrupting.fault.kind].replies
        return Reply(0, None) if replies is None else replies(self.corrupting.fault)

    def instruct(self, context: OperationContext) -> None:
        """Let the operation know what Stripe is to do."""
        context.forced = self.outcome
        if self.late is not None:
            context.stripe_late = self.late

    def release_stripe(self) -> None:
        """Stripe was not asked, so that nothing came of what was planned there."""
        if self.stripe is not None:
            self._release(self.stripe)

    def finish(self, exchange: Exchange, reply: Reply, contract: Contract) -> Reply:
        """The reply as it goes out, with the exchange saying what was done to it."""
        reply = Reply(reply.status, reply.body, dict(reply.headers), reply.because, reply.delay + self.delay)
        if self.corrupting is not None and exchange.operation is not None:
            self._corrupt(self.corrupting, exchange, exchange.operation, reply, contract)
        self._mark(exchange, reply)
        return reply

    def abandon(self, exchange: Exchange) -> Reply:
        """No reply: the client left while it was made to wait, before anything was done."""
        reply = Reply(0, None, because="left")
        exchange.delivery = delivery.FaultyDelivery(ends=delivery.EMPTY)
        exchange.corrupted = True
        exchange.broken = ["no answer was sent: the client left before anything was done"]
        self._mark(exchange, reply)
        return reply

    def _mark(self, exchange: Exchange, reply: Reply) -> None:
        """Let the exchange and its reply say what was done to them."""
        reply.because = " ".join(part for part in (reply.because, *(one.tag for one in self.faults)) if part)
        exchange.injected = tuple(
            InjectedFault(one.fault.kind, None if one.planned is None else one.planned.id, one.fault.when)
            for one in self.faults
        )
        exchange.applied = tuple(self.applied)
        exchange.warnings += tuple(self.advice)

    def _corrupt(
        self, active: ActiveFault, exchange: Exchange, operation: Operation, reply: Reply, contract: Contract
    ) -> None:
        fault, kind = active.fault, KINDS[active.fault.kind]

        def problems(body: Any) -> list[str]:
            return reply_problems(contract, operation, reply.status, body)

        if kind.replies is not None and fault.when != BEFORE:
            stand_in = kind.replies(fault)
            reply.status, reply.body, reply.headers = stand_in.status, stand_in.body, stand_in.headers
            reply.because = f"{reply.because} lost"
        if kind.corrupts is not None:
            if reply.status >= 300:
                self._release(active)
                return
            reply.body, active.detail, exchange.broken = kind.corrupts(fault, reply.body, active.chance, problems)
        else:
            if kind.delivers is not None:
                body = b"" if reply.body is None else orjson.dumps(reply.body)
                exchange.delivery = kind.delivers(fault, body, active.chance)
            exchange.broken = [kind.breaks] if kind.breaks else problems(reply.body)
        exchange.corrupted = not kind.leaves_sound

    def _release(self, active: ActiveFault) -> None:
        active.release()
        self.faults.remove(active)
        if active.asked in self.applied:
            self.applied.remove(active.asked)
            self.advice.append(f"the preference {active.asked} came to nothing here")


def plan(exchange: Exchange, call: Call, world: World, contract: Contract) -> Injection:
    """What is to disturb this exchange; raises `Refused` (400) for preferences that make no sense."""
    header = exchange.request.headers.get(prefer.HEADER)
    wanted = prefer.NONE if header is None else prefer.read_preferences(header, tuple(contract.operations))
    injection = Injection(advice=list(wanted.warnings))
    _take_preferences(injection, wanted, call)
    with world.lock:
        for planned in world.faults.striking(call, now=world.state.clock.now()):
            _take(injection, ActiveFault(planned.fault, planned.chance, planned))
    return injection


def _take_preferences(injection: Injection, wanted: prefer.Preferences, call: Call) -> None:
    for name, asked in wanted.asked:
        fault = wanted.fault
        if name == "delay":
            fault = Fault(kind="latency", delay=wanted.delay)
        elif name == "outcome":
            fault = Fault(kind="outcome", outcome=wanted.outcome)
        if fault is None or (KINDS[fault.kind].at_stripe and call.operation != COLLECT):
            injection.advice.append(f"the preference {asked} is heeded by {COLLECT} only")
        elif _take(injection, ActiveFault(fault, Random(fault.seed), asked=asked)):
            injection.applied.append(asked)


def _take(injection: Injection, active: ActiveFault) -> bool:
    """Add a fault, unless one of its sort is there already."""
    fault, kind = active.fault, KINDS[active.fault.kind]
    if kind.slows:
        seconds = fault.seconds(active.chance)
        if fault.when == BEFORE:
            injection.wait += seconds
        else:
            injection.delay += seconds
    elif (injection.stripe if kind.at_stripe else injection.corrupting) is not None:
        active.release()
        return False
    elif kind.at_stripe:
        injection.stripe, injection.outcome = active, kind.forces(fault)
        if fault.delay is not None:
            injection.late = fault.delay.draw(active.chance)
    else:
        injection.corrupting = active
    injection.faults.append(active)
    return True
