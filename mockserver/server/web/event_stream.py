"""Sends a stream of events while it holds a thread, for a limited time and of a limited number of streams."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Semaphore

from mockserver.server.control.journal_stream import RETRY, JournalStream

MOST_STREAMS = 16
"""Each holds one of the threads that answer requests; further streams end with what there is at first."""
LONGEST = 20.0
"""Seconds until a stream ends; its client comes back with the cursor."""
_PAUSE = 0.1
"""Seconds between two looks. A look at a journal in which nothing is new costs next to nothing, and with nobody looking
the journal has nothing to do at all."""
_SILENCE = 5.0
"""Seconds after which something is sent, so that a client that has gone is noticed."""


def pieces(stream: JournalStream, seats: Semaphore) -> Iterator[bytes]:
    """What is to be sent, until the stream's time is over, or at once where no seat is free."""
    yield (RETRY + stream.take()).encode()
    if not seats.acquire(blocking=False):
        return
    try:
        now = spoken = time.monotonic()
        end = now + LONGEST
        while now < end and not stream.ended:
            if told := stream.take() or (":\n\n" if now - spoken > _SILENCE else ""):
                spoken = now
                yield told.encode()
            time.sleep(_PAUSE)
            now = time.monotonic()
    finally:
        seats.release()
