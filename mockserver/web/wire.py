"""Breaks an answer on the wire: cut short, in drops, or the connection reset or closed without a byte."""

from __future__ import annotations

import logging
import math
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psutil

from mockserver.spoiling import RESET, SHORT, WHOLE, Delivery

log = logging.getLogger("mockserver")

_FLUSHED = 0.05
"""Seconds after which bytes given to the server have gone out."""
_PIECES_A_SECOND = 20
_ABORT = struct.pack("ii", 1, 0)
"""SO_LINGER with a time of 0: closing the socket then sends RST and throws away what was not sent (socket(7))."""
_ORDERLY = struct.pack("ii", 0, 0)
_GONE = 2.0
"""Seconds within which a connection that is to be closed has been closed."""


def pieces(delivery: Delivery, environ: dict[str, Any]) -> Iterator[bytes]:
    """The body as it goes out.

    The server announces `delivery.length` bytes and closes the connection when they do not come: having seen none of
    them it has not even sent the head by then. That is an empty reply, and with SO_LINGER set on the socket a reset.
    """
    if delivery.ends == WHOLE:
        yield from _drops(delivery)
    elif delivery.ends == SHORT:
        if delivery.body:
            yield delivery.body
        time.sleep(_FLUSHED)
    elif delivery.ends == RESET:
        abort(environ.get("REMOTE_ADDR", ""), int(environ.get("SERVER_PORT") or 0))


def _drops(delivery: Delivery) -> Iterator[bytes]:
    count = max(1, min(len(delivery.body), round(delivery.seconds * _PIECES_A_SECOND)))
    size = math.ceil(len(delivery.body) / count)
    for start in range(0, len(delivery.body), size):
        time.sleep(delivery.seconds / count)
        yield delivery.body[start : start + size]


@dataclass(frozen=True, slots=True)
class _Connection:
    fd: int
    inode: int


def abort(client: str, port: int) -> None:
    """Let the connections that `client` has to our `port` end with a reset, until one of them has ended.

    WSGI says from which address a request came and not from which port, so that with several connections from there
    nobody knows which is the one. All but the one go on after this and are none the worse: for a moment they would
    end with a reset as well, but a server closes connections of its own accord hardly ever.
    """
    connections = _connections(client, port)
    for connection in connections:
        _set_linger(connection, _ABORT)
    if not connections:
        log.warning("no connection from %s was found to reset: it is closed without a byte instead", client)
    elif len(connections) > 1:
        threading.Thread(target=_restore, args=(connections,), daemon=True).start()


def _restore(connections: list[_Connection]) -> None:
    deadline = time.monotonic() + _GONE
    while time.monotonic() < deadline and all(_is_open(one) for one in connections):
        time.sleep(0.001)
    for connection in connections:
        _set_linger(connection, _ORDERLY)


def _connections(client: str, port: int) -> list[_Connection]:
    found = []
    for one in psutil.Process().net_connections(kind="tcp"):
        if one.raddr and one.raddr.ip == client and one.laddr.port == port and one.fd >= 0:
            try:
                found.append(_Connection(one.fd, os.fstat(one.fd).st_ino))
            except OSError:
                continue
    return found


def _is_open(connection: _Connection) -> bool:
    try:
        return os.fstat(connection.fd).st_ino == connection.inode
    except OSError:
        return False


def _set_linger(connection: _Connection, value: bytes) -> None:
    if not _is_open(connection):
        return
    try:
        with socket.socket(fileno=os.dup(connection.fd)) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, value)
    except OSError as error:
        log.warning("a connection could not be set to end with a reset: %s", error)
