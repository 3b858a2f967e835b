"""Processes that go by the machine's own clock, whichever faketime shows the tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def true_time() -> Iterator[None]:
    """What is started inside knows nothing of faketime."""
    preloaded = os.environ.pop("LD_PRELOAD", None)
    try:
        yield
    finally:
        if preloaded is not None:
            os.environ["LD_PRELOAD"] = preloaded
