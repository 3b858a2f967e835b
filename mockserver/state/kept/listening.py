"""A connection to PostgreSQL that does not wait for ever for one that has fallen silent."""

from __future__ import annotations

import time
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

R = TypeVar("R")

SILENCE = 15.0
"""Seconds without a byte after which nobody is taken to be there: a lock and a slow disk are waited for for less."""


class ListeningConnection(psycopg.Connection[Any]):
    """A connection that is closed, with an `OperationalError`, once what it waits for has not come for `SILENCE`.

    TCP alone never notices a server that is frozen, as the machine goes on to acknowledge what is sent to it.
    """

    def wait(self, gen: PQGen[R], *given: Any, **options: Any) -> R:
        return super().wait(self._listening(gen), *given, **options)

    def _listening(self, gen: PQGen[R]) -> PQGen[R]:
        ready: Any = None
        heard = time.monotonic()
        while True:
            try:
                wanted = gen.send(ready)
            except StopIteration as done:
                result: R = done.value
                return result
            # The driver says several times a second that nothing has come yet.
            ready = yield wanted
            if ready:
                heard = time.monotonic()
            elif time.monotonic() - heard > SILENCE:
                self.close()
                raise psycopg.OperationalError(f"no answer for {SILENCE:g} s")
