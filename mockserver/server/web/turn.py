"""What the front and the application tell each other of one request, beside what WSGI has words for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mockserver.server.control.journal_stream import JournalStream
from mockserver.server.pipeline import Steps
from mockserver.traffic.faults.delivery import FaultyDelivery

KEY = "mockserver.turn"
"""Where it is in the environment of a request."""


@dataclass(slots=True)
class Turn:
    """The state of one request between the two."""

    incomplete: str = ""
    """Why its body is not whole; nothing where it is."""
    steps: Steps | None = None
    """The exchange, while it waits before anything is done; the application is then called again."""
    wait: float = 0.0
    """Seconds to wait before that, or before the answer goes out."""
    left: bool = False
    """Whether the client left while it was made to wait."""
    delivery: FaultyDelivery | None = None
    """How the answer goes out, where it does not go out as ever."""
    streamed: bool = False
    """Whether the answer goes out piece by piece, as it is made."""
    events: JournalStream | None = None
    """What goes out as it happens."""


def turn_of(environ: dict[str, Any]) -> Turn:
    """The turn of a request; a new one where nobody stands in front of the application."""
    turn: Turn = environ.setdefault(KEY, Turn())
    return turn
