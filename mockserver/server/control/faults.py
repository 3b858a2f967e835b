"""What is to go wrong in one world, and all that there is to choose from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.billing.stripe import CARDS, OUTCOMES, Outcome
from mockserver.core.messages import Reply
from mockserver.server.control.refusal import invalid, missing
from mockserver.server.control.request import ControlRequest
from mockserver.traffic.faults.delays import DISTRIBUTIONS
from mockserver.traffic.faults.kinds import KINDS, Kind
from mockserver.traffic.faults.parsing import read_fault
from mockserver.traffic.faults.schema_corruption import WAYS

MOST_FAULTS = 1000
"""How many a world has at most, struck out or not."""


def list_outcomes(request: ControlRequest) -> Reply:
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


def list_faults(request: ControlRequest) -> Reply:
    with request.world.lock:
        now = request.world.state.clock.now()
        return Reply(200, {"data": [planned.to_json(now) for planned in request.world.faults.planned]})


def add_fault(request: ControlRequest) -> Reply:
    fault = read_fault(request.call.body, tuple(request.service.contract.operations))
    with request.world.lock:
        if len(request.world.faults.planned) >= MOST_FAULTS:
            raise invalid("fault", f"a world has {MOST_FAULTS} faults at most: delete some first")
        now = request.world.state.clock.now()
        return Reply(201, request.world.faults.add(fault, now=now).to_json(now))


def delete_fault(request: ControlRequest) -> Reply:
    fault_id = request.call.path["fault"]
    with request.world.lock:
        if not request.world.faults.drop(fault_id):
            raise missing(f"There is no fault {fault_id}.")
    return Reply(200, {"message": f"The fault {fault_id} is gone."})


def delete_faults(request: ControlRequest) -> Reply:
    with request.world.lock:
        request.world.faults.clear()
    return Reply(200, {"message": "There is no fault any more."})


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


FAULTS: dict[str, Callable[[ControlRequest], Reply]] = {
    "listOutcomes": list_outcomes,
    "listFaults": list_faults,
    "addFault": add_fault,
    "deleteFault": delete_fault,
    "deleteFaults": delete_faults,
}
"""These operations by their operationId."""
