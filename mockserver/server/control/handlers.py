"""One function per operationId of the control interface."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

from mockserver.core.messages import Reply
from mockserver.server.control.clock import CLOCK
from mockserver.server.control.faults import FAULTS
from mockserver.server.control.request import Desk
from mockserver.server.control.snapshots import SNAPSHOTS
from mockserver.server.control.stripe import STRIPE
from mockserver.server.control.traffic import TRAFFIC
from mockserver.server.control.webhooks import WEBHOOKS
from mockserver.server.control.worlds import WORLDS
from mockserver.state.fixtures.export import dump_fixture

DISTRIBUTION = "prepbusiness-mockserver"
_YAML = {"Content-Type": "application/yaml; charset=utf-8"}


def get_health(desk: Desk) -> Reply:
    service = desk.service
    body = {
        "status": "ok",
        "version": version(DISTRIBUTION),
        "fixture": service.worlds.blueprint.name,
        "profile": service.profile_name,
        "worlds": len(service.worlds),
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


CONTROLS: dict[str, Callable[[Desk], Reply]] = {
    "getHealth": get_health,
    "getControlSpec": get_control_spec,
    "getSpecYaml": get_spec_yaml,
    "getSpecJson": get_spec_json,
    "resetWorld": reset_world,
    "exportWorld": export_world,
    **CLOCK,
    **FAULTS,
    **SNAPSHOTS,
    **STRIPE,
    **TRAFFIC,
    **WEBHOOKS,
    **WORLDS,
}
"""Every operation of the control interface by its operationId."""
