"""What of a request's form may pass that is not quite what the spec says: the open choices of reading, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LOOSE = re.compile(r"\s*[+-]?[0-9]+\s*", re.ASCII)
_MOST_DIGITS = 30
"""More digits than any id or page has; a text beyond is left to be refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leniency:
    """How forgivingly requests are read. Without any, as the spec and JSON Schema have it."""

    numeric_strings: bool = False
    """`"1"` passes for an integer in a JSON body."""
    whole_floats: bool = True
    """`1.0` does, as JSON Schema has it."""
    loose_integers: bool = False
    """`"+1"`, `" 1"` and `true` do, and an object passes for an array of integers."""
    empty_arrays: bool = False
    """An array of integers that is null or an empty text is as if it were left out."""
    odd_numbers: bool = False
    """A parameter of the query that must be an integer, and is no number, is as if it were left out."""
    unreadable_bodies: bool = False
    """A body that is no JSON object is as an empty one."""


STRICT = Leniency()
"""Nothing but what the spec says."""


def loose_integer(text: str) -> int | None:
    """The integer that a text is if spaces, a plus sign and zeros in front are forgiven; None for anything else."""
    return int(text) if len(text) <= _MOST_DIGITS and _LOOSE.fullmatch(text) else None


def is_number(text: str) -> bool:
    """Whether a text is an integer of any size, written loosely."""
    return _LOOSE.fullmatch(text) is not None
