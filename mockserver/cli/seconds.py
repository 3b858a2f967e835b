"""Times as options take them."""

from __future__ import annotations

import math
from typing import Any

import click


class Seconds(click.FloatRange):
    """A time that a clock can be moved by and a thread can sleep."""

    def __init__(self, least: float = 0) -> None:
        super().__init__(min=least, max=1_000_000_000)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """NaN is neither below a minimum nor above a maximum, so that the range alone lets it pass."""
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):
            self.fail(f"{value!r} is no number of seconds.", param, ctx)
        return seconds
