"""HTTP around an API: sockets, keep-alive, bodies, and starting and stopping."""

from __future__ import annotations

import http.server
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import JSON_TYPE, Reply, Request, read_target

LARGEST_BODY = 20_000_000
PHRASES = {status.value: status.phrase for status in HTTPStatus}
POLL = 0.02
"""Seconds between two looks at whether the server is to stop."""


class BadLength(ValueError):
    """The size of the body can't be understood."""


class TooLarge(BadLength):
    """The body is beyond the limit."""


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(self.server.idle)

    def handle_one_request(self) -> None:
        try:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline:
                self.close_connection = True
                return
            if len(self.raw_requestline) > 65536:
                self.requestline, self.request_version, self.command = "", "", ""
                self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
                return
            if self.parse_request():
                self.answer()
        except (OSError, EOFError):
            self.close_connection = True

    def answer(self) -> None:
        try:
            body = self.read_body()
        except BadLength as bad:
            too_large = isinstance(bad, TooLarge)
            self.send_error(413 if too_large else HTTPStatus.BAD_REQUEST, str(bad))
            return
        path, query = read_target(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        raw_query = self.path.partition("?")[2]
        reply = self.server.api.respond(Request(self.command, path, query, headers, body, raw_query))
        if self.server.close_always or reply.headers.get("Connection") == "close":
            self.close_connection = True
        if reply.status == 0:
            self.misbehave(reply.raw)
        else:
            self.send(reply)

    def misbehave(self, content: bytes | None) -> None:
        """Sends what is no HTTP, and resets the connection when there is nothing to send."""
        self.close_connection = True
        if content is not None:
            self.wfile.write(content)
            return
        # Closing with a linger time of nothing sends RST in place of FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.server.abandon(self.connection)

    def read_body(self) -> bytes:
        """Raises BadLength."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            if "Content-Length" in self.headers:
                # As web servers do, since it may hide another request (RFC 9112, 6.3).
                raise BadLength("The body has two lengths.")
            return self.read_chunks()
        text = self.headers.get("Content-Length", "0")
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise BadLength("Content-Length is not a number.")
        if int(text) > LARGEST_BODY:
            raise TooLarge("The body is too large.")
        return self.rfile.read(int(text)) if int(text) else b""

    def read_chunks(self) -> bytes:
        """Raises BadLength."""
        body = b""
        while True:
            try:
                size = int(self.rfile.readline(100).partition(b";")[0], 16)
            except ValueError as error:
                raise BadLength("A chunk has no size.") from error
            if size < 0 or len(body) + size > LARGEST_BODY:
                raise TooLarge("The body is too large.")
            body += self.rfile.read(size)
            self.rfile.readline(100)
            if size == 0:
                return body

    def send(self, reply: Reply) -> None:
        """One write, so that small answers are one packet."""
        content = reply.content()
        headers = {
            "Content-Type": self.server.content_type,
            "Content-Length": str(len(content)),
            "Connection": "close" if self.close_connection else "keep-alive",
        } | reply.headers
        phrase = PHRASES.get(reply.status, "")
        lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self.wfile.write(head if self.command == "HEAD" else head + content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """The standard library's own refusals, in the form of the API's."""
        self.close_connection = True
        self.send(Reply(code, {"message": message or HTTPStatus(code).phrase}))

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


class Server(http.server.ThreadingHTTPServer):
    """One API at one port of this machine, a thread for each connection, which is closed after `idle` seconds."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, api: Api, port: int, *, close_always: bool = False, idle: float | None = None) -> None:
        self.api = api
        self.close_always = close_always
        self.idle = idle
        named = api.choices.charset == "named"
        self.content_type = f"{JSON_TYPE}; charset=utf-8" if named else JSON_TYPE
        self.open: set[socket.socket] = set()
        self.abandoned: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/api"

    def server_bind(self) -> None:
        # The standard library's own looks up the machine's name here, which can take seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self.open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        if request in self.abandoned:
            # A shutdown would send FIN before the reset.
            self.abandoned.discard(request)
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def abandon(self, connection: socket.socket) -> None:
        """The connection is to be closed without a farewell."""
        self.abandoned.add(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A thread that dies of a fault closes its connection, silently."""

    def stop(self) -> None:
        """Answers nobody any more; not to be called from the serving thread."""
        self.shutdown()
        self.drop_connections()
        self.server_close()

    def drop_connections(self) -> None:
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                # The other side was quicker.
                continue


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """The server answers from a thread of its own until the end of the block."""
    thread = threading.Thread(target=server.serve_forever, args=(POLL,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
