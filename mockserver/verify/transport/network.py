"""Connections that end: whatever a server does, an answer takes no more time, and no more bytes, than it was given."""

from __future__ import annotations

import math
import queue
import re
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import httpcore
import httpx

from mockserver.verify.errors import TooLong

CHUNK = 16_384
"""Bytes that are read at once; compressed ones become a thousand times as many at most."""

_TRANSLATED: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (httpcore.ConnectTimeout, httpx.ConnectTimeout),
    (httpcore.ReadTimeout, httpx.ReadTimeout),
    (httpcore.WriteTimeout, httpx.WriteTimeout),
    (httpcore.PoolTimeout, httpx.PoolTimeout),
    (httpcore.ConnectError, httpx.ConnectError),
    (httpcore.ReadError, httpx.ReadError),
    (httpcore.WriteError, httpx.WriteError),
    (httpcore.ProxyError, httpx.ProxyError),
    (httpcore.UnsupportedProtocol, httpx.UnsupportedProtocol),
    (httpcore.LocalProtocolError, httpx.LocalProtocolError),
    (httpcore.RemoteProtocolError, httpx.RemoteProtocolError),
)


class Bounds(threading.local):
    """What the answer that this thread waits for may still take: `until`, of the monotonic clock, and `room`, bytes."""

    until: float = math.inf
    room: int = 0

    def seconds(self, timeout: float | None, late: type[Exception]) -> float:
        """The seconds that the next step may take; raises `late` when there are none."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise late("the time for this answer is over")
        return left if timeout is None else min(left, timeout)

    def take(self, size: int) -> None:
        """Raises `TooLong`."""
        self.room -= size
        if self.room < 0:
            raise TooLong


Waiting = Callable[[], AbstractContextManager[None]]


class Network(httpx.BaseTransport):
    """The network as httpx uses it. The limits of httpx are for one read each, these for the answer as a whole.

    `waiting` is entered around what blocks, and around nothing else: what it raises at any moment must not meet the
    pool with a lock that it has taken and would never give back.
    """

    def __init__(self, bounds: Bounds, waiting: Waiting, *, trust: ssl.SSLContext | None, proxy: str | None) -> None:
        self._backend = _Backend(bounds, waiting)
        self._pool = httpcore.ConnectionPool(
            ssl_context=trust,
            proxy=_proxy(proxy) if proxy else None,
            max_connections=64,
            max_keepalive_connections=32,
            # A server that closes idle connections must not be met in the act.
            keepalive_expiry=1.0,
            network_backend=self._backend,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with _translated():
            answer = self._pool.handle_request(
                httpcore.Request(
                    method=request.method,
                    url=httpcore.URL(
                        scheme=request.url.raw_scheme,
                        host=request.url.raw_host,
                        port=request.url.port,
                        target=request.url.raw_path,
                    ),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    def hang_up(self) -> None:
        """Whoever waits for an answer is told at once that there will be none."""
        self._backend.hang_up()

    def close(self) -> None:
        self._pool.close()


def _proxy(address: str) -> httpcore.Proxy:
    given = httpx.Proxy(address)
    url = httpcore.URL(
        scheme=given.url.raw_scheme, host=given.url.raw_host, port=given.url.port, target=given.url.raw_path
    )
    return httpcore.Proxy(url, auth=given.raw_auth, headers=given.headers.raw)


@contextmanager
def _translated() -> Iterator[None]:
    """The errors of httpcore as those of httpx, which everybody else knows."""
    try:
        yield
    except Exception as error:
        for foreign, own in _TRANSLATED:
            if isinstance(error, foreign):
                raise own(str(error)) from error
        raise


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with _translated():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


class _Backend(httpcore.NetworkBackend):
    def __init__(self, bounds: Bounds, waiting: Waiting) -> None:
        self._bounds = bounds
        self.waiting = waiting
        self._plain = httpcore.SyncBackend()
        self._open: weakref.WeakSet[_Stream] = weakref.WeakSet()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Tries the host's addresses one by one, within one time for them all."""
        seconds = self._bounds.seconds(timeout, httpcore.ConnectTimeout)
        until = time.monotonic() + seconds
        error: Exception = httpcore.ConnectError(f"{host} has no address")
        with self.waiting():
            addresses = _addresses(host, port, seconds)
        for address in addresses:
            left = until - time.monotonic()
            if left <= 0:
                raise httpcore.ConnectTimeout("the time for connecting is over")
            try:
                with self.waiting():
                    stream = self._plain.connect_tcp(address, port, left, local_address, socket_options or ())
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failure:
                error = failure
                continue
            return self._kept(_Stream(stream, self))
        raise error

    def bounded(self, timeout: float | None, late: type[Exception]) -> float:
        return self._bounds.seconds(timeout, late)

    def take(self, size: int) -> None:
        self._bounds.take(size)

    def _kept(self, stream: _Stream) -> _Stream:
        self._open.add(stream)
        return stream

    def hang_up(self) -> None:
        for stream in list(self._open):
            stream.hang_up()

    def secured(self, stream: httpcore.NetworkStream) -> _Stream:
        return self._kept(_Stream(stream, self))


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, backend: _Backend) -> None:
        self._stream = stream
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        seconds = self._backend.bounded(timeout, httpcore.ReadTimeout)
        with self._backend.waiting():
            content = self._stream.read(min(max_bytes, CHUNK), seconds)
        self._backend.take(len(content))
        return content

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), CHUNK):
            seconds = self._backend.bounded(timeout, httpcore.WriteTimeout)
            with self._backend.waiting():
                self._stream.write(buffer[start : start + CHUNK], seconds)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        seconds = self._backend.bounded(timeout, httpcore.ConnectTimeout)
        with self._backend.waiting():
            stream = self._stream.start_tls(ssl_context, server_hostname, seconds)
        return self._backend.secured(stream)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def hang_up(self) -> None:
        connection = self._stream.get_extra_info("socket")
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            # Nobody is there any more, or it was closed.
            return


def _addresses(host: str, port: int, seconds: float) -> list[str]:
    """The addresses of a host; looked up beside us, since no look-up can be broken off."""
    found: queue.SimpleQueue[list[str] | OSError | UnicodeError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            found.put(error)
        else:
            found.put(list(dict.fromkeys(str(info[4][0]) for info in infos)))

    if re.fullmatch(r"[0-9.]+|[0-9A-Fa-f:.]*:.*", host):
        return [host]
    threading.Thread(target=look_up, daemon=True).start()
    try:
        answer = found.get(timeout=seconds)
    except queue.Empty:
        raise httpcore.ConnectTimeout(f"nobody says where {host} is") from None
    if isinstance(answer, Exception):
        raise httpcore.ConnectError(str(answer)) from answer
    return answer
