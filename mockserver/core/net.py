"""Where a server listens, and what lies below its address."""

from __future__ import annotations

import errno
import socket

from mockserver.core.errors import Unusable

API = "/api"
"""Below this stands the API (GEN-1)."""
CONTROL = "/_mock"
"""Below this stands the control interface."""


def ip_address(host: str) -> str:
    """The address of the host of that name, of IPv4 where it has both; raises `Unusable` if it has none."""
    if not host:
        raise Unusable("can't listen on an empty host; --host 0.0.0.0 listens on every address")
    try:
        # UnicodeError is what names that can't be names end in.
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Unusable(f"can't listen on {host}: {reason}; choose another with --host") from error
    return str(min(found, key=lambda one: one[0] != socket.AF_INET)[4][0])


def free_port(host: str, port: int) -> int:
    """`port` if it is free on that address, or a free one for 0; raises `Unusable` otherwise."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            option = "--host" if error.errno == errno.EADDRNOTAVAIL else "--port"
            reason = error.strerror or error
            raise Unusable(f"can't listen on {host}:{port}: {reason}; choose another with {option}") from error
        return int(probe.getsockname()[1])


def reachable(host: str) -> str:
    """The address by which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "": "127.0.0.1"}.get(host, host)
