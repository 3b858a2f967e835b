"""Serves an ASGI application by uvicorn and says when it is ready."""

from __future__ import annotations

import socket
import sys
from typing import Any

import uvicorn


def serve(application: Any, port: int) -> None:
    """Serve until told to stop; port 0 takes any free one."""
    # asyncio turns Nagle's algorithm off only for sockets that name TCP, and each answer takes 40 ms with it.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(200)
    config = uvicorn.Config(application, log_level="warning", access_log=False)
    sys.stdout.write(f"ready http://127.0.0.1:{listener.getsockname()[1]}/api\n")
    sys.stdout.flush()
    uvicorn.Server(config).run(sockets=[listener])
