"""What is done for worlds that are kept, though nobody asks for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import TypeVar

from mockserver.core.errors import Unavailable
from mockserver.state.worlds import Worlds

log = logging.getLogger("mockserver")
T = TypeVar("T")

_ATTENDED = 2.0
"""Seconds from one look at events that nobody delivers to the next."""
_TIDIED = 15
"""So many looks later it is told which worlds are used here, and those are forgotten that nobody uses."""


class Upkeep:
    """That of the worlds of one server."""

    def __init__(self, worlds: Worlds) -> None:
        self._worlds = worlds
        self._told: set[str] = set()
        """What has gone wrong and was logged, once each."""

    def run(self) -> None:
        """Go on for as long as the server."""
        for number in count():
            self.look(tidy=number % _TIDIED == 0)
            time.sleep(_ATTENDED)

    def look(self, *, tidy: bool) -> None:
        """Do what is to be done now. What fails ends nothing else, and is tried again the next time."""
        for name in self._tried("overdue events", self._worlds.overdue) or ():
            self._tried(f"the events of the world {name}", partial(self._worlds.attend, name))
        if tidy:
            self._tried("unused worlds", self._worlds.tidy)

    def _tried(self, what: str, do: Callable[[], T]) -> T | None:
        try:
            return do()
        except Unavailable:
            # While the database is away, the next time will do.
            return None
        except Exception as error:
            # Perhaps a newer server has written what this one can't read, as while one after the other is replaced.
            problem = f"{what} could not be seen to: {error!r}"
            if problem not in self._told:
                self._told.add(problem)
                log.error("upkeep: %s", problem, exc_info=error)
            return None
