"""The worlds of the server: listed, and dropped."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.core.messages import Reply
from mockserver.server.control.refusal import invalid, missing
from mockserver.server.control.request import ControlRequest
from mockserver.state.worlds import COMMON


def list_worlds(request: ControlRequest) -> Reply:
    data = [
        {"name": world.name, "in_use": world.users > 0, "idle": round(idle, 3)}
        for world, idle in request.service.worlds.listed()
    ]
    return Reply(200, {"data": data})


def delete_world(request: ControlRequest) -> Reply:
    name = request.call.path["world"]
    if name == COMMON:
        raise invalid("world", "the common world always stays: POST /reset makes it as it was at the start")
    if not request.service.worlds.drop(name):
        raise missing(f"There is no world {name!r}.")
    return Reply(200, {"message": f"The world {name} is gone; its next use makes it anew."})


WORLDS: dict[str, Callable[[ControlRequest], Reply]] = {"listWorlds": list_worlds, "deleteWorld": delete_world}
