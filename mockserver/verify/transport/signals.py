"""INT, TERM and HUP end a run where it waits, so that what was learned by then is told."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

from mockserver.verify.errors import OutOfTime

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
IMPATIENT = 0.5
"""Seconds after which a second Ctrl-C is meant as one."""


def exit_code(number: int) -> int:
    """What a run ends with that this signal ended: as shells have it, but 2 for a terminal that was closed."""
    return 2 if signal.Signals(number).name == "SIGHUP" else 128 + number


class Interrupted(OutOfTime):
    """Somebody wants the run to end now."""

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.number = number


class Signals:
    """Hears the signals while it is entered, in the main thread; elsewhere, and before, it hears none.

    A signal that comes while the run waits raises `Interrupted` there; one that comes at any other moment is raised by
    the next `check`, so that no record is left half written.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        """The first signal that was heard."""
        self._heard_at = 0.0
        self._waits = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (getattr(signal, name) for name in NAMES if hasattr(signal, name)):
                # What was ignored, as nohup does, stays so.
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def check(self) -> None:
        """Raises `Interrupted` once a signal was heard."""
        if self.number is not None:
            raise Interrupted(self.number)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """A signal may end what is done inside at any moment. Raises `Interrupted`."""
        if threading.current_thread() is not threading.main_thread():
            self.check()
            yield
            return
        before, self._waits = self._waits, True
        try:
            self.check()
            yield
        finally:
            self._waits = before

    def _hear(self, number: int, _: FrameType | None) -> None:
        if self.number is None:
            self.number, self._heard_at = number, time.monotonic()
            if self._waits:
                raise Interrupted(number)
        elif number == signal.SIGINT and time.monotonic() > self._heard_at + IMPATIENT:
            os._exit(exit_code(self.number))
