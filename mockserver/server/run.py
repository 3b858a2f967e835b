"""The server as it runs on granian, in the foreground."""

from __future__ import annotations

import atexit
import gc
import importlib
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from granian.constants import Interfaces
from granian.server import Server

from mockserver.core.health import is_ready
from mockserver.core.net import CONTROL, reachable
from mockserver.server.process import Running, running
from mockserver.server.service import Current, Service, open_service
from mockserver.server.web.app import STREAMED, create_app
from mockserver.server.web.request_log import RequestLog

__all__ = ["Running", "running", "serve", "wsgi"]

THREADS = 64
"""Requests that can wait at the same time, for a delay or for a lock."""

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def serve(service: Service, *, announce: Callable[[], None]) -> None:
    """Serve until interrupted; `announce` is called once the server answers."""
    host, port = service.settings.host, service.settings.port
    gc.collect()
    gc.freeze()
    server = Server(
        "mockserver",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=THREADS,
        backlog=2048,
        log_enabled=False,
        workers_kill_timeout=1,
    )
    threading.Thread(target=_announce_when_ready, args=(host, port, announce), daemon=True).start()
    server.serve(target_loader=_AppLoader(service), wrap_loader=False)


class _AppLoader:
    """Makes the WSGI callable in granian's worker: of the parent's service where that was forked, else anew."""

    def __init__(self, service: Service) -> None:
        self._service: Service | None = service
        self._settings = service.settings

    def __getstate__(self) -> dict[str, Any]:
        return {"_service": None, "_settings": self._settings}

    def __call__(self) -> Wsgi:
        service = self._service or open_service(self._settings)
        # openapi-core is needed for the first refusal only; importing it now would delay the start.
        threading.Thread(target=service.contract.warm, daemon=True).start()
        current = Current(service)
        request_log = RequestLog(sys.stderr, self._settings.log_format)
        if self._settings.reload:
            _reload(current, request_log.note)
        return wsgi(current, request_log)


def _reload(current: Current, tell: Callable[[str], None]) -> None:
    # Imported only when it is asked for: it would delay every start.
    reloader = importlib.import_module("mockserver.server.reload").Reloader(current, tell)
    stop = threading.Event()
    thread = threading.Thread(target=reloader.run, args=(stop,), daemon=True)
    thread.start()
    # A thread in native code must be out of it before the interpreter goes.
    atexit.register(thread.join, 1)
    atexit.register(stop.set)


def wsgi(current: Current, request_log: RequestLog) -> Wsgi:
    """The WSGI callable: it returns a list, which granian sends in one piece, save where a reply is streamed."""
    app = create_app(current, request_log)

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = app(environ, start_response)
        return body if STREAMED in environ else list(body)

    return call


def _announce_when_ready(host: str, port: int, announce: Callable[[], None]) -> None:
    address = f"[{host}]" if ":" in host else host
    while not is_ready(f"http://{reachable(address)}:{port}{CONTROL}"):
        time.sleep(0.01)
    announce()
