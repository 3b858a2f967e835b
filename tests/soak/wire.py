"""A bare client: it sends any bytes, keeps its connection, and knows an answer that never comes from one that does."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any

PATIENCE = 60.0
"""Seconds within which every answer must come."""


class Hung(Exception):
    """An answer that did not come in time."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer, so far as it came: a status of 0 where the connection ended without one."""

    status: int
    headers: dict[str, str]
    body: bytes

    def value(self) -> Any:
        return json.loads(self.body)


NOTHING = Seen(0, {}, b"")


class Wire:
    """One connection to a server at a time, opened anew when it has ended."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._rest = b""

    def ask(
        self, method: str, path: str, *, token: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Seen:
        """One well-formed request."""
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = {
            "Host": f"127.0.0.1:{self._port}",
            "Authorization": f"Bearer {token}",
            "Content-Length": str(len(data)),
        }
        if body is not None:
            lines["Content-Type"] = "application/json"
        head = "".join(f"{name}: {value}\r\n" for name, value in {**lines, **(headers or {})}.items())
        return self.send(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1", "replace") + data, method=method)

    def send(self, data: bytes, *, method: str = "GET", last: bool = False) -> Seen:
        """The answer to these bytes; with `last` nothing follows them on this connection. Raises `Hung`."""
        try:
            if self._socket is None:
                self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE)
            self._socket.sendall(data)
            if last:
                self._socket.shutdown(socket.SHUT_WR)
            seen = self._answer(method)
        except TimeoutError as error:
            self.close()
            raise Hung(data[:300]) from error
        except OSError:
            self.close()
            return NOTHING
        if last or seen.status == 0 or seen.headers.get("connection", "").lower() == "close":
            self.close()
        return seen

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._rest = None, b""

    def _answer(self, method: str) -> Seen:
        while b"\r\n\r\n" not in self._rest:
            if not self._more():
                return NOTHING
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        status = int(first.split(" ")[1])
        if status == 100:
            return self._answer(method)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if method == "HEAD" or status in (204, 304):
            return Seen(status, headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            return Seen(status, headers, self._chunks())
        length = int(headers.get("content-length", 0))
        while len(self._rest) < length:
            if not self._more():
                self.close()
                return Seen(status, {**headers, "connection": "close"}, self._rest)
        body, self._rest = self._rest[:length], self._rest[length:]
        return Seen(status, headers, body)

    def _chunks(self) -> bytes:
        body = b""
        while True:
            while b"\r\n" not in self._rest:
                if not self._more():
                    return body
            size, _, self._rest = self._rest.partition(b"\r\n")
            length = int(size.split(b";")[0], 16)
            while len(self._rest) < length + 2:
                if not self._more():
                    return body
            body += self._rest[:length]
            self._rest = self._rest[length + 2 :]
            if length == 0:
                return body

    def _more(self) -> bool:
        assert self._socket is not None
        piece = self._socket.recv(65_536)
        self._rest += piece
        return bool(piece)
