"""Ports for servers that tests start later: none that another worker of `-n auto` would take meanwhile."""

from __future__ import annotations

import itertools
import os
import re
from urllib.parse import urlsplit

import psutil

from mockserver.core.errors import Unusable
from mockserver.core.net import free_port

_FIRST, _EACH = 20_000, 1_000
"""Below the ports that systems give to connections by themselves, of which one may be taken at any moment."""
_numbers = itertools.count()


def own_port(host: str = "127.0.0.1") -> int:
    """A free port, and another one each time."""
    worker = int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or 0) % 10
    while True:
        port = _FIRST + worker * _EACH + next(_numbers) % _EACH
        try:
            return free_port(host, port)
        except Unusable:
            continue


def listener(base: str) -> psutil.Process:
    """The process, of those that this one started, that listens at the address."""
    port = urlsplit(base).port
    for process in psutil.Process().children(recursive=True):
        if any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in process.net_connections("tcp")):
            return process
    raise LookupError(f"nobody listens at {base}")
