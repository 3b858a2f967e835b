"""HTTP for the control interface: kept connections to one server, by the standard library alone.

Tests replace the transports of HTTP libraries to intercept their program's requests. What they steer the mock server
with must go through all the same.
"""

from __future__ import annotations

import json
import selectors
import socket
import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    is_json: bool
    data: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def value(self) -> Any:
        """A JSON value or a text, as the server said that it is; raises ValueError for JSON that is none."""
        text = self.data.decode("utf-8", "replace")
        return json.loads(text) if self.is_json else text


class Connections:
    """Connections to the server at one address; usable by several threads. Proxies of the environment are not asked."""

    def __init__(self, base: str, *, headers: Mapping[str, str], timeout: float) -> None:
        self._address = urlsplit(base)
        self._headers = dict(headers)
        self._timeout = timeout
        self.idle: list[HTTPConnection] = []
        """Those that wait for the next request."""
        self._lock = threading.Lock()

    def request(self, method: str, path: str, *, token: str, body: Any = None) -> Answer:
        """One request for a path with its query; raises ConnectionError when nobody answers it."""
        connection, found = self._taken(), None
        try:
            answer = self._sent(connection, method, path, token, body)
            found = _told(answer, answer.read())
        except (OSError, HTTPException) as error:
            raise ConnectionError(str(error) or type(error).__name__) from error
        finally:
            if found is None:
                # What is left of an answer would pass for the next one.
                connection.close()
        with self._lock:
            self.idle.append(connection)
        return found

    @contextmanager
    def streaming(self, method: str, path: str, *, token: str) -> Iterator[tuple[Answer, Iterable[bytes]]]:
        """An answer without its body, and the lines of that as they come; raises ConnectionError when it breaks off."""
        connection = self._opened()
        try:
            answer = self._sent(connection, method, path, token, None)
            yield _told(answer, b""), answer
        except (OSError, HTTPException) as error:
            raise ConnectionError(str(error) or type(error).__name__) from error
        finally:
            connection.close()

    def _sent(self, connection: HTTPConnection, method: str, path: str, token: str, body: Any) -> HTTPResponse:
        headers = {**self._headers, "Authorization": f"Bearer {token}", "Accept": "*/*"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        connection.request(method, self._address.path + path, data, headers)
        return connection.getresponse()

    def close(self) -> None:
        """Close what is open."""
        with self._lock:
            self.close_all(self.idle)

    @staticmethod
    def close_all(connections: list[HTTPConnection]) -> None:
        """Close these connections, also once nobody has what they were of."""
        while connections:
            connections.pop().close()

    def _taken(self) -> HTTPConnection:
        with self._lock:
            while self.idle:
                connection = self.idle.pop()
                # One that has something to read before anything was asked was closed by the server.
                if connection.sock is not None and not _has_something(connection.sock):
                    return connection
                connection.close()
        return self._opened()

    def _opened(self) -> HTTPConnection:
        host, port = self._address.hostname or "", self._address.port
        if self._address.scheme == "https":
            return HTTPSConnection(host, port, timeout=self._timeout, context=_trust(host))
        return HTTPConnection(host, port, timeout=self._timeout)


def _has_something(sock: socket.socket) -> bool:
    # select.select takes no descriptor beyond 1,023, which a program with many open files has.
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return bool(selector.select(0))


def _told(answer: HTTPResponse, data: bytes) -> Answer:
    return Answer(answer.status, "json" in answer.headers.get("Content-Type", ""), data)


def _trust(host: str) -> ssl.SSLContext:
    """What certificates are held to: of a server on this machine to nothing, since it signs its own mostly."""
    if host not in ("localhost", "127.0.0.1", "::1"):
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
