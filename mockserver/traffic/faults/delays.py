"""How long a planned delay takes: always the same, or drawn from a named distribution."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from mockserver.core.clock import MICROSECONDS, parse_duration
from mockserver.core.scalars import decimal_number
from mockserver.core.text import cut, guess, shown

LONGEST = 600.0
"""Seconds; a longer delay is refused, and a drawn one is cut down to it."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """A way of drawing seconds; `parameters` are its names in the order that `draw` takes them in."""

    parameters: tuple[str, ...]
    draw: Callable[..., float]
    description: str


DISTRIBUTIONS: dict[str, Distribution] = {
    "fixed": Distribution(("seconds",), lambda chance, seconds: seconds, "Always the same."),
    "uniform": Distribution(("low", "high"), Random.uniform, "Anything between low and high, equally often."),
    "normal": Distribution(("mean", "deviation"), Random.gauss, "A bell around the mean; below 0 counts as 0."),
    "lognormal": Distribution(
        ("median", "sigma"),
        lambda chance, median, sigma: median * chance.lognormvariate(0, sigma),
        "Half are below the median, with a long tail: what networks look like.",
    ),
    "exponential": Distribution(
        ("mean",),
        lambda chance, mean: chance.expovariate(1 / mean) if mean else 0.0,
        "Short mostly, long at times: the waits of a queue.",
    ),
}
"""Every distribution by its name; all parameters but `sigma` are in seconds."""


@dataclass(frozen=True, slots=True)
class Delay:
    """A delay in seconds, as it was asked for."""

    distribution: str
    parameters: tuple[float, ...]

    def draw(self, chance: Random) -> float:
        """Seconds, at least 0 and at most `LONGEST`."""
        try:
            drawn = DISTRIBUTIONS[self.distribution].draw(chance, *self.parameters)
        except OverflowError:
            return LONGEST
        return min(max(drawn, 0.0), LONGEST)

    def to_json(self) -> float | dict[str, Any]:
        """As `read_delay` takes it."""
        if self.distribution == "fixed":
            return self.parameters[0]
        names = DISTRIBUTIONS[self.distribution].parameters
        return {"distribution": self.distribution, **dict(zip(names, self.parameters, strict=True))}


def fixed(seconds: float) -> Delay:
    """A delay that is always the same."""
    return Delay("fixed", (seconds,))


def read_delay(given: Any) -> Delay:
    """Seconds, an ISO 8601 duration, or a mapping with `distribution` and its parameters; raises ValueError."""
    if isinstance(given, Mapping):
        return _drawn(given)
    return fixed(_seconds(given))


def _drawn(given: Mapping[str, Any]) -> Delay:
    name = given.get("distribution")
    if not isinstance(name, str) or name not in DISTRIBUTIONS:
        raise ValueError(
            f"distribution must be one of {', '.join(DISTRIBUTIONS)}, got {shown(name)}{guess(name, DISTRIBUTIONS)}"
        )
    names = DISTRIBUTIONS[name].parameters
    if unknown := sorted(given.keys() - {"distribution", *names}):
        raise ValueError(f"{name} takes {' and '.join(names)}, not {cut(unknown[0])}")
    if missing := [one for one in names if one not in given]:
        raise ValueError(f"{name} needs {missing[0]}")
    return Delay(name, tuple(_seconds(given[one]) for one in names))


def _seconds(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise ValueError(f"expected seconds, or an ISO 8601 duration such as PT2S, got {shown(given)}")
    if isinstance(given, str):
        number = decimal_number(given)
        given = parse_duration(given) / MICROSECONDS if number is None else float(number)
    if not 0 <= given <= LONGEST:
        raise ValueError(f"expected 0 to {LONGEST:.0f} seconds, got {shown(given)}")
    return float(given)
