"""Resets the connection that a request came by, before a byte of an answer has gone out.

WSGI gives no socket, and says from which address a request came but not from which port. So all connections from there
are made to hold back what is less than a packet; the head of an answer, padded to a length of its own, is given to the
server; the connection that then has that much to send is the one. It is set to end with a reset, the others go on, and
the server, which finds no body behind the head, drops the connection.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import psutil
from werkzeug.datastructures import Headers

if sys.platform != "win32":
    import fcntl

log = logging.getLogger("mockserver")
T = TypeVar("T")

_ABORT = struct.pack("ii", 1, 0)
"""SO_LINGER with a time of 0: closing the socket then sends RST and throws away what was not sent (socket(7))."""
_CORK = getattr(socket, "TCP_CORK", None)
"""Holds back what is less than a packet, for 200 ms (tcp(7)). Linux alone has it, and what follows."""
_SIOCOUTQNSD = 0x894B
"""Asks for the number of bytes that were written and not yet sent (linux/sockios.h)."""
_PATIENCE = 0.18
"""Seconds within which the head has been written."""
_STUCK = 5.0
"""Seconds after which a turn is taken to have failed."""
_STEP, _STEPS = 64, 12
"""The head is padded by one to so many steps of so many bytes, which keeps it below the smallest packet."""
_LIKELY = 1 + _STEP // 2
"""How far a head may be from its expected length: the server adds `connection: close` where a client asks for it."""
_SERVER_ADDS = len("HTTP/1.1 200 OK\r\nserver: granian\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n")


@dataclass(frozen=True, slots=True)
class _Connection:
    fd: int
    inode: int
    """Tells the socket from another that got the same number after it was closed."""

    def do(self, act: Callable[[socket.socket], T], otherwise: T) -> T:
        """Act on the socket while it is open."""
        try:
            if os.fstat(self.fd).st_ino != self.inode:
                return otherwise
            with socket.socket(fileno=os.dup(self.fd)) as same:
                return act(same)
        except OSError:
            return otherwise

    def cork(self, hold: bool) -> None:
        if _CORK is not None:
            option = _CORK
            self.do(lambda same: same.setsockopt(socket.IPPROTO_TCP, option, hold), None)

    def unsent(self) -> int:
        """How many bytes wait to be sent."""

        def ask(same: socket.socket) -> int:
            if sys.platform == "win32":
                return 0
            return int(struct.unpack("i", fcntl.ioctl(same, _SIOCOUTQNSD, bytes(4)))[0])

        return self.do(ask, 0)

    def is_open(self) -> bool:
        return self.do(lambda same: True, False)

    def end_with_reset(self) -> None:
        self.do(lambda same: same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT), None)


class _Turn:
    """One reset at a time: two would let each other's answers go."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: _Connection | None = None

    def take(self) -> None:
        """Wait until it is one's turn, and until the connection of the one before is gone."""
        # A turn that never ended, because its answer failed on the way, must not stop all others.
        self._lock.acquire(timeout=_STUCK)
        deadline = time.monotonic() + _PATIENCE
        while self._last is not None and self._last.is_open() and time.monotonic() < deadline:
            time.sleep(0.0005)

    def end(self, connection: _Connection | None) -> None:
        self._last = connection
        if self._lock.locked():
            self._lock.release()


_turn = _Turn()


class Resetting:
    """The body of an answer that never comes: when it is asked for, the head has been written and can be found."""

    def __init__(self, connections: list[_Connection], length: int) -> None:
        self._connections = connections
        self._length = length
        self._found: _Connection | None = None
        self._open = True

    @classmethod
    def begin(cls, environ: dict[str, Any], headers: Headers) -> Self:
        """Hold back all that goes to the request's client, and pad the head of its answer."""
        _turn.take()
        connections = _connections(environ.get("REMOTE_ADDR", ""), int(environ.get("SERVER_PORT") or 0))
        headers["Padding"] = "." * (_STEP * random.randrange(1, _STEPS))
        for connection in connections:
            connection.cork(True)
        return cls(connections, _SERVER_ADDS + sum(len(name) + len(value) + 4 for name, value in headers))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        found = self._found = self._find()
        for connection in self._connections:
            if connection is not found:
                connection.cork(False)
        if found is None:
            log.warning("the connection to reset was not found: it is closed instead")
        else:
            found.end_with_reset()
        raise StopIteration

    def close(self) -> None:
        """Let the next one begin."""
        if self._open:
            self._open = False
            _turn.end(self._found)

    def _find(self) -> _Connection | None:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            for connection in self._connections:
                if abs(connection.unsent() - self._length) < _LIKELY:
                    return connection
            time.sleep(0.0005)
        return None


def _connections(client: str, port: int) -> list[_Connection]:
    found = []
    for one in psutil.Process().net_connections(kind="tcp"):
        if one.raddr and one.raddr.ip == client and one.laddr.port == port and one.fd >= 0:
            try:
                found.append(_Connection(one.fd, os.fstat(one.fd).st_ino))
            except OSError:
                continue
    return found
