"""The mock server without journal, trace, worlds and faults: what those are measured against."""

from __future__ import annotations

import sys
from typing import Any

from mockserver.cli.main import main as serve_command
from mockserver.server import pipeline
from mockserver.state.world import World
from mockserver.state.worlds import Worlds
from mockserver.traffic.journal import Exchange


def _enter(self: Worlds, name: str) -> World:
    return self.common


def _leave(self: Worlds, world: World) -> None:
    return None


def _headers(self: Exchange) -> dict[str, str]:
    return self.reply.headers


def _nothing(*_: Any, **__: Any) -> None:
    return None


def main() -> None:
    """Serve as `mockserver serve` does, with the same options."""
    pipeline.__dict__["_record"] = _nothing
    for owner, name, stand_in in (
        (Worlds, "enter", _enter),
        (Worlds, "leave", _leave),
        (Exchange, "headers", _headers),
    ):
        setattr(owner, name, stand_in)
    sys.argv[1:1] = ["serve"]
    serve_command()


if __name__ == "__main__":
    main()
