"""One function per operationId of the control interface."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

from mockserver.billing.profile import CHOICES
from mockserver.core.messages import Reply
from mockserver.server.control.clock import CLOCK
from mockserver.server.control.faults import FAULTS
from mockserver.server.control.records import RECORDS
from mockserver.server.control.request import ControlRequest
from mockserver.server.control.snapshots import SNAPSHOTS
from mockserver.server.control.stripe import STRIPE
from mockserver.server.control.traffic import TRAFFIC
from mockserver.server.control.webhooks import WEBHOOKS
from mockserver.server.control.worlds import WORLDS
from mockserver.state.fixtures.export import dump_fixture

DISTRIBUTION = "prepbusiness-mockserver"
_YAML = {"Content-Type": "application/yaml; charset=utf-8"}


def get_health(request: ControlRequest) -> Reply:
    service = request.service
    body = {
        "status": "ok",
        "version": version(DISTRIBUTION),
        "fixture": service.worlds.blueprint.name,
        "profile": service.profile_name,
        "worlds": len(service.worlds),
        "mistakes": list(service.mistakes),
    }
    return Reply(200, body)


def get_control_spec(request: ControlRequest) -> Reply:
    return Reply(200, request.document_text, _YAML)


def get_control_spec_json(request: ControlRequest) -> Reply:
    return Reply(200, request.document)


def get_spec_yaml(request: ControlRequest) -> Reply:
    return Reply(200, request.service.spec_text, _YAML)


def get_spec_json(request: ControlRequest) -> Reply:
    return Reply(200, request.service.contract.document)


def list_choices(request: ControlRequest) -> Reply:
    made = request.service.profile.values()
    data = [
        {"key": one.key, "value": made[one.key], "values": list(one.values), "description": one.help}
        for one in CHOICES.values()
    ]
    return Reply(200, {"profile": request.service.profile_name, "data": data})


def reset_world(request: ControlRequest) -> Reply:
    request.world.reset()
    request.afterwards = request.world.journal.clear
    return Reply(
        200, {"message": f"The world {request.world.name} is as the fixture {request.world.blueprint.name} has it."}
    )


def export_world(request: ControlRequest) -> Reply:
    with request.world.lock:
        request.world.state.settle()
        return Reply(200, dump_fixture(request.world), _YAML)


OF_THE_SERVER = frozenset(
    "getHealth getControlSpec getControlSpecJson getSpecYaml getSpecJson "
    "listChoices listOutcomes listWorlds deleteWorld".split()
)
"""Operations that touch nothing of the world that the caller's token names, and hold no world's lock."""
SAYS_ITSELF_WHAT_IS_UNKNOWN = frozenset({"addFault"})
"""Operations whose handlers refuse a name that they do not know in better words."""
OF_THE_JOURNAL = frozenset({"getJournal", "getExchange", "verifyJournal"})
"""Operations that read the journal alone, which has a lock of its own, and may take long."""

CONTROLS: dict[str, Callable[[ControlRequest], Reply]] = {
    "getHealth": get_health,
    "getControlSpec": get_control_spec,
    "getControlSpecJson": get_control_spec_json,
    "listChoices": list_choices,
    "getSpecYaml": get_spec_yaml,
    "getSpecJson": get_spec_json,
    "resetWorld": reset_world,
    "exportWorld": export_world,
    **CLOCK,
    **FAULTS,
    **RECORDS,
    **SNAPSHOTS,
    **STRIPE,
    **TRAFFIC,
    **WEBHOOKS,
    **WORLDS,
}
"""Every operation of the control interface by its operationId."""
