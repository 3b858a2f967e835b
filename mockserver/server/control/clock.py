"""The clock of one world: shown, stopped, set going, set, moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.core.clock import Clock, parse_time, render_time
from mockserver.core.messages import Reply
from mockserver.server.control.refusal import invalid
from mockserver.server.control.request import ControlRequest


def clock_body(clock: Clock) -> dict[str, Any]:
    """The clock as the control interface shows it."""
    return {"now": render_time(clock.now()), "frozen": clock.frozen}


def get_clock(request: ControlRequest) -> Reply:
    with request.world.lock:
        return Reply(200, clock_body(request.world.state.clock))


def freeze_clock(request: ControlRequest) -> Reply:
    def freeze(clock: Clock) -> None:
        clock.freeze()
        if "at" in request.call.body:
            clock.set(parse_time(request.call.body["at"]))

    return _changed(request, "at", freeze)


def run_clock(request: ControlRequest) -> Reply:
    return _changed(request, "clock", Clock.run)


def set_clock(request: ControlRequest) -> Reply:
    return _changed(request, "to", lambda clock: clock.set(parse_time(request.call.body["to"])))


def advance_clock(request: ControlRequest) -> Reply:
    return _changed(request, "by", lambda clock: clock.advance(request.call.body["by"]))


def _changed(request: ControlRequest, field: str, change: Callable[[Clock], None]) -> Reply:
    """Change the clock, and do what has become due by it; a ValueError refuses the field and changes nothing."""
    with request.world.lock:
        # What was due by the clock as it was is done (FINALIZE-2), whether or not somebody has looked and been told.
        request.world.state.settle()
        clock = request.world.state.clock
        before = clock.state
        try:
            change(clock)
        except ValueError as error:
            clock.state = before
            raise invalid(field, error) from None
        request.world.go_on()
        return Reply(200, clock_body(clock))


CLOCK: dict[str, Callable[[ControlRequest], Reply]] = {
    "getClock": get_clock,
    "freezeClock": freeze_clock,
    "runClock": run_clock,
    "setClock": set_clock,
    "advanceClock": advance_clock,
}
