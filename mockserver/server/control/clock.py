"""The clock of one world: shown, stopped, set going, set, moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.core.clock import Clock, parse_time, render_time
from mockserver.core.messages import Reply
from mockserver.server.control.refusal import invalid
from mockserver.server.control.request import Desk


def clock_body(clock: Clock) -> dict[str, Any]:
    """The clock as the control interface shows it."""
    return {"now": render_time(clock.now()), "frozen": clock.frozen}


def get_clock(desk: Desk) -> Reply:
    with desk.world.lock:
        return Reply(200, clock_body(desk.world.state.clock))


def freeze_clock(desk: Desk) -> Reply:
    def freeze(clock: Clock) -> None:
        clock.freeze()
        if "at" in desk.call.body:
            clock.set(parse_time(desk.call.body["at"]))

    return _changed(desk, "at", freeze)


def run_clock(desk: Desk) -> Reply:
    return _changed(desk, "clock", Clock.run)


def set_clock(desk: Desk) -> Reply:
    return _changed(desk, "to", lambda clock: clock.set(parse_time(desk.call.body["to"])))


def advance_clock(desk: Desk) -> Reply:
    return _changed(desk, "by", lambda clock: clock.advance(desk.call.body["by"]))


def _changed(desk: Desk, field: str, change: Callable[[Clock], None]) -> Reply:
    """Change the clock, and do what has become due by it; a ValueError refuses the field and changes nothing."""
    with desk.world.lock:
        clock = desk.world.state.clock
        before = clock.state
        try:
            change(clock)
        except ValueError as error:
            clock.state = before
            raise invalid(field, error) from None
        desk.world.go_on()
        return Reply(200, clock_body(clock))


CLOCK: dict[str, Callable[[Desk], Reply]] = {
    "getClock": get_clock,
    "freezeClock": freeze_clock,
    "runClock": run_clock,
    "setClock": set_clock,
    "advanceClock": advance_clock,
}
