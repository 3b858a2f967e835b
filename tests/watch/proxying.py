"""A proxy, and servers of one answer for it to stand before."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from mockserver.verify.events import Event, Note
from mockserver.watch.proxy.serving import Proxy, ProxySettings
from tests.ports import own_port
from tests.watch.traffic import CONTRACT

Answer = Callable[[socket.socket], None]


@dataclass
class Proxied:
    """A proxy that runs; once it is stopped, how it ended."""

    url: str
    """The API as clients see it."""
    stop: Callable[[], None]
    events: list[Event] = field(default_factory=list)
    exit_code: int | None = None

    @property
    def root(self) -> str:
        return re.sub(r"(?<=\d)/.*", "", self.url)

    @property
    def notes(self) -> str:
        return "\n".join(event.text for event in self.events if isinstance(event, Note))


@contextmanager
def proxied(url: str, **given: Any) -> Iterator[Proxied]:
    """A proxy in front of that address, on a thread of its own."""
    settings = ProxySettings(url=url, host="127.0.0.1", port=own_port(), **given)
    events: list[Event] = []
    proxy = Proxy(settings, CONTRACT, [events.append])
    ready, ending = threading.Event(), threading.Event()

    async def serve() -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        waiting = loop.run_in_executor(None, lambda: (ending.wait(), loop.call_soon_threadsafe(ended.set)))
        await proxy.serve(ready.set, ended)
        await waiting

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)

    def stop() -> None:
        if not ending.is_set():
            ending.set()
            thread.join()
            running.exit_code = proxy.finish()

    running = Proxied(f"http://127.0.0.1:{settings.port}/api", stop, events)
    thread.start()
    assert ready.wait(30)
    try:
        yield running
    finally:
        stop()


@contextmanager
def answering(answer: Answer, *, tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[bytes]]]:
    """A server that reads a request's head and lets `answer` say what it likes; its address and the heads."""
    heads: list[bytes] = []

    def serve(plain: socket.socket) -> None:
        try:
            connection = plain if tls is None else tls.wrap_socket(plain, server_side=True)
        except OSError:
            return
        with connection:
            head = b""
            while b"\r\n\r\n" not in head and (chunk := connection.recv(65536)):
                head += chunk
            heads.append(head)
            try:
                answer(connection)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        scheme = "http" if tls is None else "https"
        yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/api", heads
        listener.shutdown(socket.SHUT_RDWR)


def saying(text: bytes) -> Answer:
    return lambda connection: connection.sendall(text)
