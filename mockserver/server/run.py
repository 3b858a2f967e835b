"""The server as it runs on granian, in the foreground."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import signal
import ssl
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.server.embed import Server

from mockserver.core.errors import Unusable
from mockserver.core.health import is_ready
from mockserver.core.net import CONTROL, free_port, reachable
from mockserver.server.process import Running, running
from mockserver.server.service import Current, Service
from mockserver.server.settings import Settings
from mockserver.server.upkeep import Upkeep
from mockserver.server.web.app import create_app
from mockserver.server.web.front import Front
from mockserver.server.web.request_log import RequestLog

__all__ = ["Running", "running", "serve"]

CONNECTIONS = 100_000
"""So many can be open at the same time; what the system allows is less mostly."""
_WARMED = 2.0
"""Seconds after the start from which on no refusal takes longer than another."""
_GRACE = 1.0
"""Seconds that requests under way are given when the server ends: some wait for a minute, and clients may stall."""
_ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Ctrl-C, a polite kill, and the terminal that is closed."""


def serve(service: Service, *, announce: Callable[[], None]) -> None:
    """Serve until interrupted, and end the process; `announce` is called once the server answers.

    Raises `Unusable` where another has taken the port meanwhile.
    """
    gc.collect()
    gc.freeze()
    # openapi-core is needed for the first refusal only; to import it now would slow down all that comes before that.
    warming = threading.Timer(_WARMED, service.contract.warm)
    warming.daemon = True
    warming.start()
    if service.settings.state is not None:
        threading.Thread(target=Upkeep(service.worlds).run, name="upkeep", daemon=True).start()
    current = Current(service)
    request_log = RequestLog(sys.stderr, service.settings.log_format)
    if service.settings.reload:
        _reload(current, request_log.note)
    # granian shares a port with whoever shares it, too: each of two servers would get some of the requests.
    free_port(service.settings.host, service.settings.port)
    threading.Thread(target=_announce_when_ready, args=(service.settings, announce), daemon=True).start()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        front = Front(create_app(current, request_log), waits=service.settings.state is not None)
        runner.run(_serve(front, service.settings))
    _end()


def _end() -> NoReturn:
    # Threads of native code are still at work, and abort the process with a message when the interpreter goes.
    for stream in (sys.stdout, sys.stderr):
        # The terminal may be gone; where there was none the stream is None.
        with suppress(OSError):
            if stream is not None:
                stream.flush()
    os._exit(0)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, which wakes up for a request at half the price; None where there is none, as on Windows."""
    try:
        factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    except ImportError:
        return None
    return factory


def end_on_signals() -> None:
    """From now on, SIGTERM and SIGHUP end the process: the first process of a container would ignore them else."""

    def end(number: int, _: object) -> NoReturn:
        sys.exit(128 + number)

    for number in _ENDING:
        if number != signal.SIGINT:
            signal.signal(number, end)


def end_with_stdin() -> None:
    """From now on, end the process as SIGTERM does once nobody holds the other end of standard input."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 65_536):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="stdin", daemon=True).start()


def check_certificate(settings: Settings) -> None:
    """Raises `Unusable` for a certificate and a key that no server can speak TLS with."""
    cert, key = settings.tls_cert, settings.tls_key
    if cert is None and key is None:
        return
    if cert is None or key is None:
        raise Unusable("--tls-cert and --tls-key belong together: give both or neither")
    for option, file in (("--tls-cert", cert), ("--tls-key", key)):
        if not os.access(file, os.R_OK):
            raise Unusable(f"{option}: {file} is no file that can be read")
    try:
        # A key with a password would ask for it at the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
    except (ssl.SSLError, OSError) as error:
        raise Unusable(f"--tls-cert {cert} and --tls-key {key} make no pair of PEM files: {error}") from error


async def _serve(front: Front, settings: Settings) -> None:
    """Serve until a signal ends it. All is in this one process, so that nothing of it can be left behind."""
    server = Server(
        front,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        backlog=2048,
        backpressure=CONNECTIONS,
        log_enabled=False,
        ssl_cert=None if settings.tls_cert is None else Path(settings.tls_cert),
        ssl_key=None if settings.tls_key is None else Path(settings.tls_key),
        ssl_protocol_min=SSLProtocols.tls12,
    )
    loop = asyncio.get_running_loop()

    def stop() -> None:
        front.end_streams()
        loop.call_soon(server.stop)
        loop.call_later(_GRACE, _end)

    for number in _ENDING:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
    await server.serve()


def _reload(current: Current, tell: Callable[[str], None]) -> None:
    # Imported only when it is asked for: it would delay every start.
    reloader = importlib.import_module("mockserver.server.reload").Reloader(current, tell)
    threading.Thread(target=reloader.run, args=(threading.Event(),), daemon=True).start()


def _announce_when_ready(settings: Settings, announce: Callable[[], None]) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    while not is_ready(f"{settings.scheme}://{reachable(host)}:{settings.port}{CONTROL}"):
        time.sleep(0.01)
    announce()
