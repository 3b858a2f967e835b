"""Sends a stream of events, for a limited time and of a limited number of streams."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from mockserver.server.control.journal_stream import RETRY, JournalStream

MOST_STREAMS = 16
"""Each looks at its journal again and again; further streams end with what there is at first."""
LONGEST = 20.0
"""Seconds until a stream ends; its client comes back with the cursor."""
_PAUSE = 0.1
"""Seconds between two looks. A look at a journal in which nothing is new costs next to nothing, and with nobody looking
the journal has nothing to do at all."""
_SILENCE = 5.0
"""Seconds after which something is sent, so that a client that has gone is noticed."""


class EventStreams:
    """The streams of one event loop."""

    def __init__(self) -> None:
        self._open = 0
        self.ended = False
        """Whether the server ends."""

    async def pieces(self, stream: JournalStream) -> AsyncIterator[bytes]:
        """What is to be sent, until the stream's time is over, or at once where there are too many."""
        yield (RETRY + stream.take()).encode()
        if self._open >= MOST_STREAMS:
            return
        self._open += 1
        try:
            now = spoken = time.monotonic()
            end = now + LONGEST
            while now < end and not (stream.ended or self.ended):
                if told := stream.take() or (":\n\n" if now - spoken > _SILENCE else ""):
                    spoken = now
                    yield told.encode()
                await asyncio.sleep(_PAUSE)
                now = time.monotonic()
        finally:
            self._open -= 1
