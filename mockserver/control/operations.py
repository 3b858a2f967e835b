"""One function per operationId of the control interface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from mockserver.clock import Clock, parse_duration, render_time
from mockserver.control.desk import Desk
from mockserver.errors import InvalidRequest
from mockserver.export import dump_fixture
from mockserver.messages import Reply

DISTRIBUTION = "prepbusiness-mockserver"
_YAML = {"Content-Type": "application/yaml; charset=utf-8"}


def get_health(desk: Desk) -> Reply:
    service = desk.service
    body = {
        "status": "ok",
        "version": version(DISTRIBUTION),
        "fixture": service.worlds.blueprint.name,
        "profile": service.profile_name,
        "worlds": len(service.worlds.names()),
        "mistakes": list(service.mistakes),
    }
    return Reply(200, body)


def get_control_spec(desk: Desk) -> Reply:
    return Reply(200, desk.document, _YAML)


def get_spec_yaml(desk: Desk) -> Reply:
    return Reply(200, desk.service.spec_text, _YAML)


def get_spec_json(desk: Desk) -> Reply:
    return Reply(200, desk.service.contract.document)


def reset_world(desk: Desk) -> Reply:
    desk.world.reset()
    return Reply(200, {"message": f"The world {desk.world.name} is as the fixture {desk.world.blueprint.name} has it."})


def export_world(desk: Desk) -> Reply:
    with desk.world.lock:
        desk.world.state.settle()
        return Reply(200, dump_fixture(desk.world), _YAML)


def get_ledger(desk: Desk) -> Reply:
    wanted = desk.call.query.get("invoice")
    with desk.world.lock:
        ledger = list(desk.world.state.stripe.ledger)
    data = [{**asdict(one), "at": render_time(one.at)} for one in ledger if wanted in (None, one.invoice)]
    return Reply(200, {"data": data})


def get_clock(desk: Desk) -> Reply:
    with desk.world.lock:
        return Reply(200, clock_body(desk.world.state.clock))


def advance_clock(desk: Desk) -> Reply:
    by = desk.call.body["by"]
    with desk.world.lock:
        try:
            desk.world.state.clock.advance(parse_duration(by))
        except ValueError as error:
            raise InvalidRequest(f"by: {error}", because="control", errors={"by": [f"by: {error}"]}) from None
        desk.world.state.settle()
        return Reply(200, clock_body(desk.world.state.clock))


def clock_body(clock: Clock) -> dict[str, Any]:
    return {"now": render_time(clock.now()), "frozen": clock.frozen}


CONTROLS: dict[str, Callable[[Desk], Reply]] = {
    "getHealth": get_health,
    "getControlSpec": get_control_spec,
    "getSpecYaml": get_spec_yaml,
    "getSpecJson": get_spec_json,
    "resetWorld": reset_world,
    "exportWorld": export_world,
    "getLedger": get_ledger,
    "getClock": get_clock,
    "advanceClock": advance_clock,
}
"""Every operation of the control interface by its operationId."""
