"""How messages show what they are about."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable
from itertools import islice
from typing import Any

LARGEST = 2**63 - 1
"""The largest integer, in either direction: what a 64-bit database column holds."""
SHOWN = 60
"""How many characters of an offending value a message shows."""

_MOST_LISTED = 200
"""How many words a message lists at most."""
_LONGEST_GUESSED = 200
"""Characters of a word that are compared; comparing takes a time that grows with the square."""


def shown(value: Any) -> str:
    """A value as a message shows it: JSON, in printable ASCII, cut off where it is long."""
    try:
        text = json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        text = type(value).__name__
    if len(text) <= SHOWN:
        return text
    return text[: SHOWN - 4] + "..." + (text[-1] if text[-1] in '"]}' else "")


def cut(text: object) -> str:
    """A word of somebody else's in a message, cut off where it is long."""
    words = str(text)
    return words if len(words) <= SHOWN else words[: SHOWN - 3] + "..."


def nearest(word: object, known: Iterable[object], *, cutoff: float = 0.6) -> str | None:
    """The one of the known words that was probably meant; None where none is near."""
    close = difflib.get_close_matches(str(word)[:_LONGEST_GUESSED], [str(one) for one in known], n=1, cutoff=cutoff)
    return close[0] if close else None


def guess(word: object, known: Iterable[object]) -> str:
    """What follows a message that already says all that there is: `; did you mean …?`, or nothing."""
    close = nearest(word, known)
    return f"; did you mean {close}?" if close else ""


def listed(words: Collection[object]) -> str:
    """The words with commas, or the first of them where they are very many."""
    more = ["..."] if len(words) > _MOST_LISTED else []
    return ", ".join([*map(str, islice(words, _MOST_LISTED)), *more])


def did_you_mean(word: object, known: Iterable[object], *, otherwise: str = "known are") -> str:
    """`did you mean …?`, or all that there is."""
    words = [str(one) for one in known]
    if close := nearest(word, words):
        return f"did you mean {close}?"
    return f"{otherwise} {listed(words)}"
