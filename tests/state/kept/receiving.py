"""Somebody who takes events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue

from tests.servers import Quiet, serving


@contextmanager
def receiver() -> Iterator[tuple[str, Queue[bytes]]]:
    """Takes events: where to, and those that came."""
    received: Queue[bytes] = Queue()

    class Taking(Quiet):
        def do_POST(self) -> None:
            received.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

    with serving(Taking) as address:
        yield f"{address}/hook", received
