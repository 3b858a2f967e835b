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
        try:
            parts = _WITH_UNIT.fullmatch(str(value).strip())
            seconds = float(parts[1]) * _UNITS[parts[2]] if parts else float(value)
        except ValueError:
            seconds = math.nan
        if math.isnan(seconds):
            self.fail(f"{value!r} is no time: expected seconds, such as 30, or 500ms, 30s, 2m, 1h", param, ctx)
        return float(super().convert(seconds, param, ctx))

    def get_metavar(self, *_: Any, **__: Any) -> str:
        """With a unit, to show that one is taken."""
        return "SECONDS|2m"
