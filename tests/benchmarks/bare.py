"""The baseline: one bare Flask route, with the bytes of its answer ready, on the same server."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from flask import Flask, Response
from granian.constants import HTTPModes, Interfaces
from granian.server import Server
from granian.server.embed import Server as Embedded

from mockserver.server.run import loop_factory
from mockserver.server.web.front import Front


def bare_app(body: bytes) -> Flask:
    """An application that answers `body` to everything."""
    app = Flask("bare")

    @app.route("/api/<path:path>", methods=["GET", "POST"])
    def answer(path: str) -> Response:
        return Response(body, 200, content_type="application/json")

    return app


def loader(body: bytes) -> Callable[[], Flask]:
    return lambda: bare_app(body)


async def fronted(port: int, body: bytes) -> None:
    """Serve it as the mock server is served: in one event loop, behind the same front."""
    server = Embedded(
        Front(bare_app(body)),
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
    )
    await server.serve()


def main() -> None:
    interface, port, body = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]).read_bytes()
    if interface == "asgi":
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(fronted(port, body))
    server = Server("bare", port=port, interface=Interfaces.WSGI, blocking_threads=1, log_enabled=False)
    server.serve(target_loader=loader(body), wrap_loader=False)


if __name__ == "__main__":
    main()
