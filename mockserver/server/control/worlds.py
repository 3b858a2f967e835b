"""The worlds of the server: listed, looked at, and dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from mockserver.core.messages import Reply
from mockserver.core.text import guess
from mockserver.server.control.clock import clock_body
from mockserver.server.control.refusal import invalid, missing
from mockserver.server.control.request import ControlRequest
from mockserver.state.world import World
from mockserver.state.worlds import COMMON


def list_worlds(request: ControlRequest) -> Reply:
    listed = (asdict(one) for one in request.service.worlds.listed())
    return Reply(200, {"data": [one | {"idle": round(one["idle"], 3)} for one in listed]})


def get_world(request: ControlRequest) -> Reply:
    world = request.world
    with world.lock:
        world.state.settle()
        body = {
            "name": world.name,
            "fixture": world.blueprint.name,
            "description": world.blueprint.description,
            "tokens": [{"token": token, "merchants": sorted(reach)} for token, reach in world.blueprint.tokens.items()],
            "clock": clock_body(world.state.clock),
            "counts": _counts(world),
        }
    return Reply(200, body)


def _counts(world: World) -> dict[str, int]:
    charges, invoices = world.state.store.sizes
    return {
        "merchants": len(world.state.store.merchants()),
        "charges": charges,
        "invoices": invoices,
        "attempts": len(world.state.stripe.ledger),
        "exchanges": len(world.journal),
        "faults": len(world.faults.planned),
        "deliveries": len(world.state.outbox.deliveries),
        "snapshots": len(world.snapshots),
    }


def delete_world(request: ControlRequest) -> Reply:
    name = request.call.path["world"]
    if name == COMMON:
        raise invalid("world", "the common world always stays: POST /reset makes it as it was at the start")
    if not request.service.worlds.drop(name):
        raise missing(f"There is no world {name!r}{guess(name, request.service.worlds.names()) or '.'}")
    return Reply(200, {"message": f"The world {name} is gone; its next use makes it anew."})


WORLDS: dict[str, Callable[[ControlRequest], Reply]] = {
    "getWorld": get_world,
    "listWorlds": list_worlds,
    "deleteWorld": delete_world,
}
