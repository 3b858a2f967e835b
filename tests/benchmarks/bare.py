"""The baseline: one bare Flask route on the same WSGI server, with the bytes of its answer ready."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from flask import Flask, Response
from granian.constants import Interfaces
from granian.server import Server


def bare_app(body: bytes) -> Flask:
    """An application that answers `body` to everything."""
    app = Flask("bare")

    @app.route("/api/<path:path>", methods=["GET", "POST"])
    def answer(path: str) -> Response:
        return Response(body, 200, content_type="application/json")

    return app


def loader(body: bytes) -> Callable[[], Flask]:
    return lambda: bare_app(body)


def main() -> None:
    port, file = int(sys.argv[1]), Path(sys.argv[2])
    server = Server("bare", port=port, interface=Interfaces.WSGI, blocking_threads=1, log_enabled=False)
    server.serve(target_loader=loader(file.read_bytes()), wrap_loader=False)


if __name__ == "__main__":
    main()
