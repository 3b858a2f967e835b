"""Hypothesis on a live server: seeded, bounded in time, shrunk to the shortest breach, and never flaky."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import HypothesisException
from hypothesis.strategies import SearchStrategy

from mockserver.verify.context.context import Context
from mockserver.verify.errors import NoAnswer, NotPossible, OutOfTime, ServerGone, Stop
from mockserver.verify.transport.safety import Withheld

SHRINKING = 4.0
"""Seconds that may be spent on making one breach shorter."""
_ENDS = (OutOfTime, ServerGone, NoAnswer, NotPossible, Withheld)


class _Broke(Exception):
    """An example broke a rule; Hypothesis shrinks it."""


def explore(
    context: Context,
    name: str,
    strategies: Mapping[str, SearchStrategy[Any]],
    body: Callable[..., None],
    *,
    examples: int,
    budget: float = 6.0,
) -> None:
    """Runs `body` on generated arguments until `examples` or `budget` seconds are used up, fewer on a slow server.

    The breaches that `body` records in the context are what Hypothesis shrinks; the recorder keeps the shortest.
    """
    search = _Search(context, body, time.monotonic() + budget)
    count = max(3, round(examples * context.quick()))
    test = settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        print_blob=False,
        report_multiple_bugs=False,
    )(given(**strategies)(search.example))
    try:
        seed(f"{context.options.seed}:{name}")(test)()
    except (_Broke, HypothesisException):
        # The breach is recorded; Hypothesis calls it flaky where the time for shrinking ran out.
        pass
    if search.end is not None:
        raise search.end


class _Search:
    """One exploration: what ended it, and how long it may still shrink."""

    def __init__(self, context: Context, body: Callable[..., None], until: float) -> None:
        self.context = context
        self.body = body
        self.until = until
        self.broke_at: float | None = None
        self.end: Exception | None = None

    def example(self, **arguments: Any) -> None:
        """One generated example. Raises `_Broke` when it broke a rule."""
        if self.end is not None or self._over():
            return
        sightings = self.context.recorder.sightings.total()
        try:
            self.body(**arguments)
        except Stop:
            pass
        except _ENDS as end:
            self.end = end
            return
        if self.context.recorder.sightings.total() > sightings:
            self.broke_at = self.broke_at or time.monotonic()
            raise _Broke

    def _over(self) -> bool:
        now = time.monotonic()
        return now > self.until or (self.broke_at is not None and now > self.broke_at + SHRINKING)
