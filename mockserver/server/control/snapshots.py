"""The snapshots of one world: taken, listed, compared, written as fixtures and read from them, restored, deleted."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from mockserver.core.clock import render_time
from mockserver.core.errors import Unusable
from mockserver.core.messages import Reply
from mockserver.server.control.clock import clock_body
from mockserver.server.control.refusal import invalid, missing
from mockserver.server.control.request import Desk
from mockserver.state.diff import compare
from mockserver.state.fixtures.export import dump_fixture
from mockserver.state.fixtures.load import load_fixture
from mockserver.state.world import Blueprint, Snapshot, World

MOST_SNAPSHOTS = 100
"""How many a world keeps."""
_YAML = {"Content-Type": "application/yaml; charset=utf-8"}


def list_snapshots(desk: Desk) -> Reply:
    with desk.world.lock:
        return Reply(200, {"data": [_snapshot(one) for one in desk.world.snapshots.values()]})


def put_snapshot(desk: Desk) -> Reply:
    name, text, world = desk.call.path["snapshot"], desk.call.body.get("fixture"), desk.world
    blueprint = None if text is None else _read(text)
    with world.lock:
        if name not in world.snapshots and len(world.snapshots) >= MOST_SNAPSHOTS:
            raise invalid("snapshot", f"a world keeps {MOST_SNAPSHOTS} snapshots: delete one first")
        world.state.settle()
        return Reply(200, _snapshot(world.take(name, blueprint)))


def restore_snapshot(desk: Desk) -> Reply:
    with desk.world.lock:
        snapshot = _found(desk, desk.call.path["snapshot"])
        desk.world.restore(snapshot)
    return Reply(200, {"message": f"The world {desk.world.name} is as the snapshot {snapshot.name} has it."})


def delete_snapshot(desk: Desk) -> Reply:
    with desk.world.lock:
        snapshot = _found(desk, desk.call.path["snapshot"])
        del desk.world.snapshots[snapshot.name]
    return Reply(200, {"message": f"The snapshot {snapshot.name} is gone."})


def export_snapshot(desk: Desk) -> Reply:
    with desk.world.lock:
        snapshot = _found(desk, desk.call.path["snapshot"])
        text = dump_fixture(World(snapshot.name, snapshot.blueprint))
    return Reply(200, text, _YAML)


def diff_snapshot(desk: Desk) -> Reply:
    other = desk.call.query.get("to")
    with desk.world.lock:
        before = _found(desk, desk.call.path["snapshot"]).blueprint
        if other is None:
            desk.world.state.settle()
            after = replace(desk.world.blueprint, state=desk.world.state)
        else:
            after = _found(desk, other).blueprint
        found = compare(before, after, desk.service.profile)
    return Reply(200, {"from": desk.call.path["snapshot"], "to": other, **found})


def _found(desk: Desk, name: str) -> Snapshot:
    snapshot = desk.world.snapshots.get(name)
    if snapshot is None:
        known = ", ".join(desk.world.snapshots) or "none"
        raise missing(f"There is no snapshot {name!r} in the world {desk.world.name}; there are: {known}.")
    return snapshot


def _read(text: str) -> Blueprint:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fixture.yaml")
        path.write_text(text, encoding="utf-8")
        try:
            return load_fixture(str(path))
        except Unusable as unusable:
            raise invalid("fixture", *(problem.replace(f"{path}:", "line ") for problem in unusable.problems)) from None


def _snapshot(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "name": snapshot.name,
        "fixture": snapshot.blueprint.name,
        "taken_at": render_time(snapshot.taken_at),
        "clock": clock_body(snapshot.blueprint.state.clock),
    }


SNAPSHOTS: dict[str, Callable[[Desk], Reply]] = {
    "listSnapshots": list_snapshots,
    "putSnapshot": put_snapshot,
    "restoreSnapshot": restore_snapshot,
    "deleteSnapshot": delete_snapshot,
    "exportSnapshot": export_snapshot,
    "diffSnapshot": diff_snapshot,
}
