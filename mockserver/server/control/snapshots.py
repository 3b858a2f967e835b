"""The snapshots of one world: taken, listed, compared, written as fixtures and read from them, restored, deleted."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mockserver.core.clock import render_time
from mockserver.core.errors import Unusable
from mockserver.core.messages import Reply
from mockserver.core.text import guess
from mockserver.server.control.clock import clock_body
from mockserver.server.control.refusal import invalid, missing
from mockserver.server.control.request import ControlRequest
from mockserver.state.diff import compare
from mockserver.state.fixtures.export import dump_fixture
from mockserver.state.fixtures.load import parse_fixture
from mockserver.state.world import Blueprint, Snapshot, World

MOST_SNAPSHOTS = 100
"""How many a world keeps."""
MOST_SENT = 200_000
"""Merchants, tokens, charges and invoices of sent fixtures that the snapshots of a world hold together."""
_YAML = {"Content-Type": "application/yaml; charset=utf-8"}


def list_snapshots(request: ControlRequest) -> Reply:
    with request.world.lock:
        return Reply(200, {"data": [_snapshot(one) for one in request.world.snapshots.values()]})


def put_snapshot(request: ControlRequest) -> Reply:
    name, text, world = request.call.path["snapshot"], request.call.body.get("fixture"), request.world
    blueprint = None if text is None else _read(text)
    with world.lock:
        if name not in world.snapshots and len(world.snapshots) >= MOST_SNAPSHOTS:
            raise invalid("snapshot", f"a world keeps {MOST_SNAPSHOTS} snapshots: delete one first")
        if blueprint is not None and (held := _held_beside(name, world) + _size(blueprint)) > MOST_SENT:
            raise invalid(
                "fixture",
                f"the snapshots of a world hold {MOST_SENT:,} records of sent fixtures at most, with this one it were "
                f"{held:,}: delete one first, or give this one the name of an older one",
            )
        world.state.settle()
        return Reply(200, _snapshot(world.take(name, blueprint)))


def restore_snapshot(request: ControlRequest) -> Reply:
    with request.world.lock:
        snapshot = _found(request, request.call.path["snapshot"])
        request.world.restore(snapshot)
    return Reply(200, {"message": f"The world {request.world.name} is as the snapshot {snapshot.name} has it."})


def delete_snapshot(request: ControlRequest) -> Reply:
    with request.world.lock:
        snapshot = _found(request, request.call.path["snapshot"])
        del request.world.snapshots[snapshot.name]
    return Reply(200, {"message": f"The snapshot {snapshot.name} is gone."})


def export_snapshot(request: ControlRequest) -> Reply:
    with request.world.lock:
        snapshot = _found(request, request.call.path["snapshot"])
        text = dump_fixture(World(snapshot.name, snapshot.blueprint))
    return Reply(200, text, _YAML)


def diff_snapshot(request: ControlRequest) -> Reply:
    other = request.call.query.get("to")
    with request.world.lock:
        before = _found(request, request.call.path["snapshot"]).blueprint
        if other is None:
            request.world.state.settle()
            after = replace(request.world.blueprint, state=request.world.state)
        else:
            after = _found(request, other).blueprint
        found = compare(before, after, request.service.profile)
    return Reply(200, {"from": request.call.path["snapshot"], "to": other, **found})


def _found(request: ControlRequest, name: str) -> Snapshot:
    snapshot = request.world.snapshots.get(name)
    if snapshot is None:
        known = ", ".join(request.world.snapshots) or "none"
        hint = guess(name, request.world.snapshots)
        raise missing(
            f"There is no snapshot {name!r} in the world {request.world.name}; there are: {known}{hint or '.'}"
        )
    return snapshot


def _read(text: str) -> Blueprint:
    try:
        return parse_fixture(text, called="fixture")
    except Unusable as unusable:
        problems = (problem.removeprefix("fixture:") for problem in unusable.problems)
        raise invalid("fixture", *(re.sub(r"^(?=\d)", "line ", problem.strip()) for problem in problems)) from None


def _held_beside(name: str, world: World) -> int:
    """The records of sent fixtures that the world's other snapshots grew from; those of its own are shared with it."""
    roots = {id(one.blueprint.root): one.blueprint.root for one in world.snapshots.values() if one.name != name}
    return sum(_size(root) for root in roots.values() if root is not world.origin)


def _size(blueprint: Blueprint) -> int:
    store = blueprint.state.store
    return len(store.merchants()) + len(blueprint.tokens) + sum(store.sizes)


def _snapshot(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "name": snapshot.name,
        "fixture": snapshot.blueprint.name,
        "taken_at": render_time(snapshot.taken_at),
        "clock": clock_body(snapshot.blueprint.state.clock),
    }


SNAPSHOTS: dict[str, Callable[[ControlRequest], Reply]] = {
    "listSnapshots": list_snapshots,
    "putSnapshot": put_snapshot,
    "restoreSnapshot": restore_snapshot,
    "deleteSnapshot": delete_snapshot,
    "exportSnapshot": export_snapshot,
    "diffSnapshot": diff_snapshot,
}
