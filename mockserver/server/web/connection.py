"""Ends the connection that a request came by, before a byte of an answer has gone out.

ASGI gives no socket, but says from which address and port a request came: among what this process has open there is
one connection of that client.
"""

from __future__ import annotations

import ctypes
import ipaddress
import os
import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_OPEN_FILES = "/dev/fd"
_NOWHERE = bytes(16)
"""An address of the family AF_UNSPEC: connecting to it ends a TCP connection with RST (connect(2), Linux)."""


def close(client: tuple[str, int]) -> bool:
    """Close the connection of that client without a byte; False where it can't be found."""
    with _connection(client) as found:
        if found is not None:
            found.shutdown(socket.SHUT_RDWR)
        return found is not None


def reset(client: tuple[str, int]) -> bool:
    """Reset the connection of that client; False where it can't be found, or this system knows no way."""
    if sys.platform != "linux":
        return False
    with _connection(client) as found:
        if found is None:
            return False
        libc = ctypes.CDLL(None, use_errno=True)
        return int(libc.connect(found.fileno(), _NOWHERE, len(_NOWHERE))) == 0


@contextmanager
def _connection(client: tuple[str, int]) -> Iterator[socket.socket | None]:
    """The open connection of that client."""
    wanted = _plain(client[0]), client[1]
    with ExitStack() as copies:
        yield next((one for one in _sockets(copies) if _peer(one) == wanted), None)


def _sockets(copies: ExitStack) -> Iterator[socket.socket]:
    """Copies of all sockets that this process has, of which the stack closes each."""
    for name in os.listdir(_OPEN_FILES) if os.path.isdir(_OPEN_FILES) else ():
        try:
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                yield copies.enter_context(socket.socket(fileno=os.dup(int(name))))
        except OSError:
            # Closed by now.
            continue


def _peer(one: socket.socket) -> tuple[str, int] | None:
    """Whom the socket is connected to over IP."""
    if one.family not in (socket.AF_INET, socket.AF_INET6):
        return None
    try:
        host, port, *_ = one.getpeername()
    except OSError:
        return None
    return _plain(host), port


def _plain(host: str) -> str:
    """The address, of IPv4 where it is one in the clothes of IPv6."""
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
