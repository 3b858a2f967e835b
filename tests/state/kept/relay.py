"""A way to a PostgreSQL on which everything can be lost without a word, as when a host is frozen or cut off."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import make_url


class Relay:
    """Passes on what comes, both ways, on as many connections as are made."""

    def __init__(self, address: str) -> None:
        """`address` is that of a database on a socket in the file system."""
        url = make_url(address)
        self._server = f"{url.query['host']}/.s.PGSQL.5432"
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.address = url.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
        self.unheard: list[bytes] = []
        """The first that was sent on each of the connections that had been lost before."""
        self._word: bytes | None = None
        self._ways: list[list[socket.socket]] = []
        """The two ends of each connection; the list is emptied once it is lost."""
        self._kept: list[socket.socket] = []
        """Open to the end, as nobody is told of a loss."""
        threading.Thread(target=self._accept, daemon=True).start()

    def lose(self) -> None:
        """Lose all connections that there are; others may be made."""
        for ends in self._ways:
            ends.clear()
        self._ways.clear()

    def end_at(self, word: bytes) -> None:
        """Lose all connections when a client sends that word, and refuse others from then on."""
        self._word = word

    def close(self) -> None:
        for one in (self._listener, *self._kept):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                ends = [client, server]
                self._kept += ends
                self._ways.append(ends)
                threading.Thread(target=self._to_server, args=(client, server, ends), daemon=True).start()
                threading.Thread(target=self._to_client, args=(client, server, ends), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket, ends: list[socket.socket]) -> None:
        with suppress(OSError):
            while data := client.recv(65_536):
                if self._word is not None and self._word in data:
                    self._listener.shutdown(socket.SHUT_RDWR)
                    self._listener.close()
                    self.lose()
                if not ends:
                    self.unheard.append(data)
                    return
                server.sendall(data)
            if ends:
                server.shutdown(socket.SHUT_RDWR)

    def _to_client(self, client: socket.socket, server: socket.socket, ends: list[socket.socket]) -> None:
        with suppress(OSError):
            while data := server.recv(65_536):
                if ends:
                    client.sendall(data)
            if ends:
                client.shutdown(socket.SHUT_RDWR)


@contextmanager
def relay(address: str) -> Iterator[Relay]:
    """A way to the database of that address."""
    way = Relay(address)
    try:
        yield way
    finally:
        way.close()
