"""Takes typed values out of a document, key by key, and notes every mistake with its file, line and key."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from operator import itemgetter
from typing import Any, TypeVar

from mockserver.clock import EARLIEST, LATEST, parse_time
from mockserver.documents import Document, Key

LARGEST_ID = 2**53
"""The largest id: beyond it a JSON number is not exact for every client."""
_LONGEST_SHOWN = 60
Value = TypeVar("Value")


@dataclass(slots=True)
class Mistakes:
    """What is wrong with a document; false as long as that is nothing."""

    document: Document
    _found: list[tuple[int, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, keys: Sequence[Key], problem: str) -> None:
        """Note `file:line: key: problem`."""
        place = self.document.where(*keys)
        line = place.rpartition(":")[2]
        key = ".".join(map(str, keys))
        self._found.append((int(line) if line.isdigit() else 0, f"{place}: {key + ': ' if key else ''}{problem}"))

    def in_order(self) -> list[str]:
        """All mistakes, by their lines."""
        return [problem for _, problem in sorted(self._found, key=itemgetter(0))]


def shown(value: object) -> str:
    """A value as a message quotes it."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def nearest(word: object, words: Iterable[object], *, otherwise: str = "known are") -> str:
    """`did you mean …?`, or all that there is."""
    known = [str(one) for one in words]
    close = difflib.get_close_matches(str(word), known, n=1)
    return f"did you mean {close[0]}?" if close else f"{otherwise} {', '.join(known)}"


class Fields:
    """One mapping of a document. What is missing is read as None; so is what is wrong, after a note of the mistake."""

    __slots__ = ("_mistakes", "bad", "is_mapping", "keys", "values")

    def __init__(self, mistakes: Mistakes, value: Any, keys: tuple[Key, ...], known: Sequence[str]) -> None:
        self._mistakes = mistakes
        self.bad = False
        """Whether anything of it was wrong so far, unknown keys included."""
        self.keys = keys
        self.is_mapping = isinstance(value, dict)
        self.values: dict[Any, Any] = value if isinstance(value, dict) else {}
        if not self.is_mapping:
            self._note((), f"must be a mapping of keys to values, got {shown(value)}")
        for key in self.values:
            if key not in known:
                self._note((key,), f"unknown key: {nearest(key, known)}")

    @property
    def place(self) -> str:
        """Where the mapping stands, as a message about another one says it."""
        line = self._mistakes.document.where(*self.keys).rpartition(":")[2]
        return f"{'.'.join(map(str, self.keys))} (line {line})"

    def wrong(self, key: Key, problem: str) -> None:
        """Note a mistake of one key."""
        self._note((key,), problem)

    def _note(self, path: tuple[Key, ...], problem: str) -> None:
        self.bad = True
        self._mistakes.add((*self.keys, *path), problem)

    def given(self, key: str) -> bool:
        """Whether the key is there with a value other than null."""
        return self.values.get(key) is not None

    def need(self, key: str, read: Callable[[str], Value | None], instead: Value) -> Value:
        """What `read`, a method of this one, makes of the key; where that is nothing, a mistake and `instead`."""
        value = read(key)
        if value is None and not self.given(key) and self.is_mapping:
            self.wrong(key, "must not be null" if key in self.values else "is missing")
        return instead if value is None else value

    def integer(self, key: str, *, least: int = 1, most: int = LARGEST_ID) -> int | None:
        value = self.values.get(key)
        if value is None or self._is_integer((key,), value, least, most):
            return value
        return None

    def integers(self, key: str) -> list[int] | None:
        """A list of ids; one alone may stand without brackets."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, list):
            return [value] if self._is_integer((key,), value, 1, LARGEST_ID) else None
        return [one for index, one in enumerate(value) if self._is_integer((key, index), one, 1, LARGEST_ID)]

    def text(self, key: str, *, empty: bool = False) -> str | None:
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            self.wrong(key, f'must be text, got {shown(value)}: write it in quotes, "{value}"')
            return None
        if not value.strip() and not empty:
            self.wrong(key, "must not be empty")
            return None
        return value

    def texts(self, key: str) -> list[str]:
        """A list of texts."""
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.wrong(key, f"must be a list of texts, got {shown(value)}")
            return []
        return value

    def one_of(self, key: str, words: Iterable[str]) -> str | None:
        value = self.values.get(key)
        known = list(words)
        if value is None or value in known:
            return value
        self.wrong(key, f"must not be {shown(value)}: {nearest(value, known)}")
        return None

    def time(self, key: str) -> int | None:
        """A time in microseconds since 1970."""
        value = self.values.get(key)
        if value is None:
            return None
        try:
            moment = parse_time(value) if isinstance(value, str) else EARLIEST - 1
        except (ValueError, OverflowError):
            moment = EARLIEST - 1
        if EARLIEST <= moment <= LATEST:
            return moment
        self.wrong(key, f"must be an ISO 8601 time in UTC, such as 2026-01-15T10:00:00Z, got {shown(value)}")
        return None

    def decimal(self, key: str) -> Decimal | None:
        """A number, or a text that is one; a float counts as the decimal that it prints as."""
        value = self.values.get(key)
        if value is None:
            return None
        number = None
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            try:
                number = Decimal(str(value))
            except ArithmeticError:
                number = None
        if number is None or not number.is_finite():
            self.wrong(key, f"must be a number, got {shown(value)}")
            return None
        return number

    def rows(self, key: str, known: Sequence[str]) -> list[Fields]:
        """The mappings of a list."""
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.wrong(key, f"must be a list, got {shown(value)}: begin each row with a dash")
            return []
        return [Fields(self._mistakes, row, (*self.keys, key, index), known) for index, row in enumerate(value)]

    def part(self, key: str, known: Sequence[str]) -> Fields:
        """The mapping under a key; an empty one where there is none."""
        value = self.values.get(key)
        return Fields(self._mistakes, {} if value is None else value, (*self.keys, key), known)

    def _is_integer(self, path: tuple[Key, ...], value: object, least: int, most: int) -> bool:
        problem = None
        if isinstance(value, bool) or not isinstance(value, int):
            problem = f"must be a whole number, got {shown(value)}"
            if isinstance(value, str) and value.strip().isdigit():
                problem += ": write it without quotes"
        elif not least <= value <= most:
            problem = f"must be {f'{least} or more' if value < least else f'at most {most}'}, got {shown(value)}"
        if problem:
            self._note(path, problem)
        return problem is None
