"""Times as options take them: `30`, or with a unit."""

from __future__ import annotations

import math
import re
from typing import Any

import click

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_WITH_UNIT = re.compile(rf"(\d+(?:\.\d+)?)({'|'.join(_UNITS)})")


class Seconds(click.FloatRange):
    """A time that a clock can be moved by and a thread can sleep."""

    def __init__(self, least: float = 0) -> None:
        super().__init__(min=least, max=1_000_000_000)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """`30`, `30s`, `500ms`, `2m` or `1h`. NaN is on neither side of a limit, so that the range lets it pass."""
        if isinstance(value, str) and (parts := _WITH_UNIT.fullmatch(value.strip())):
            value = float(parts[1]) * _UNITS[parts[2]]
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):
            self.fail(f"{value!r} is no number of seconds.", param, ctx)
        return seconds
