"""The form of the search language `q`: its fields, operators, values, joiners, and the error that points.

The documentation shows one form, `created_at$DATE>="2026-01-15"`. What it leaves open is chosen here:
spaces, tabs and line breaks may stand between any two parts, and are only needed where two words would
run together; there are no escapes, a value ends at the next double quote; `AND` and `OR` are capitals.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from mockserver.core.errors import InvalidRequest

_LONGEST_SHOWN = 40
# Each run is one character class, repeated: there is nothing to backtrack into, so reading takes linear time.
_SPACE = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r"""[^ \t\r\n:!~<>="'()&|,]*""")
_OPERATOR = re.compile(r"[:!~<>=]*")
_JOINER_SIGN = re.compile(r"[&|,]*")
_BARE_VALUE = re.compile(r"""[^ \t\r\n"()]*""")
_OTHER_QUOTES = "'`‘’“”«»"  # noqa: RUF001  (the marks that word processors put in place of straight ones)
_OPERATORS_ELSEWHERE = {
    "=": ":",
    "==": ":",
    "!": "!:",
    "!=": "!:",
    "<>": "!:",
    "=~": "~",
    "~=": "~",
    "!=~": "!~",
    "=>": ">=",
    "=<": "<=",
}
_JOINERS_ELSEWHERE = {"&": "AND", "&&": "AND", "|": "OR", "||": "OR"}


class Operator(StrEnum):
    """What compares a field with a value (SEARCH-3)."""

    EQUAL = ":"
    NOT_EQUAL = "!:"
    CONTAINS = "~"
    LACKS = "!~"
    GREATER = ">"
    LESS = "<"
    AT_LEAST = ">="
    AT_MOST = "<="


class Joiner(StrEnum):
    """What joins a clause to all that stands left of it (SEARCH-1, SEARCH-2)."""

    AND = "AND"
    OR = "OR"


class SearchError(InvalidRequest):
    """A search that can't be read: `position` counts characters from 1, `hint` says what would be right.

    `choice` is the key of the profile that says whether such a mistake is refused.
    """

    def __init__(
        self,
        problem: str,
        *,
        position: int,
        because: str,
        hint: str | None = None,
        choice: str = "bad_search_syntax",
    ) -> None:
        message = f"position {position}: {problem}" + (f"; {hint}" if hint else "")
        super().__init__(message, because=because, errors={"q": [message]})
        self.position = position
        self.hint = hint
        self.choice = choice


@dataclass(frozen=True, slots=True)
class Token:
    """A part of the search as it was written, and the position (from 1) of its first character."""

    text: str
    position: int


def shown(text: str) -> str:
    """`text` quoted for a message: shortened, without control characters and lone surrogates."""
    cut = text[:_LONGEST_SHOWN]
    escaped = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)
    return f'"{escaped}"' + ("…" if len(text) > len(cut) else "")


def _end(run: re.Pattern[str], text: str, start: int) -> int:
    found = run.match(text, start)
    return start if found is None else found.end()


class Reader:
    """Takes a search apart from its first character to its last.

    Each method takes the part that must come next, and raises SearchError where something else stands.
    """

    __slots__ = ("_at", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def at_end(self) -> bool:
        """Whether nothing but space is left."""
        self._skip_space()
        return self._at == len(self._text)

    def stopped(self, problem: str, *, hint: str) -> SearchError:
        """That what was read so far is too much, which no open choice passes over."""
        return SearchError(problem, position=self._at, because="GEN-5", hint=hint, choice="")

    def field(self) -> Token:
        """The field with its modifier, such as `created_at$DATE`, known or not."""
        token = self._next(_WORD)
        capitals = token.text.upper() if len(token.text) <= len("AND") else ""
        if capitals == "NOT":
            raise self._error(token, "there is no NOT", "SEARCH-2", "negate a clause by its operator, !: or !~")
        if not token.text or capitals in Joiner.__members__:
            problem = "expected a field" + (f", not {token.text}" if token.text else "")
            raise self._error(token, problem, self._rule_here(token), self._parenthesis_hint(token))
        return token

    def operator(self) -> tuple[Operator, int]:
        """The operator, and its position."""
        token = self._next(_OPERATOR)
        try:
            return Operator(token.text), token.position
        except ValueError:
            elsewhere = _OPERATORS_ELSEWHERE.get(token.text)
            problem = "expected an operator" + (f", not {shown(token.text)}" if token.text else "")
            hint = f'did you mean "{elsewhere}"?' if elsewhere else f"the operators are {' '.join(Operator)}"
            raise self._error(token, problem, "SEARCH-3" if token.text else "SEARCH-1", hint) from None

    def value(self) -> Token:
        """What stands between the next two double quotes, at the position of its own first character."""
        self._skip_space()
        start = self._at + 1
        if not self._text.startswith('"', self._at):
            bare = self._take(_BARE_VALUE)
            straight = bare.text.strip(_OTHER_QUOTES)
            hint = f"did you mean {shown(straight)}?" if 0 < len(straight) <= _LONGEST_SHOWN else None
            if straight.upper() in Joiner.__members__:
                hint = None
            raise self._error(bare, "expected a value in double quotes", "SEARCH-1", hint)
        end = self._text.find('"', start)
        if end < 0:
            raise SearchError(
                "the value that starts here has no closing double quote", position=start, because="SEARCH-1"
            )
        self._at = end + 1
        return Token(self._text[start:end], start + 1)

    def joiner(self) -> Joiner:
        """`AND` or `OR`, between two clauses."""
        after_backslash = self._text.endswith('\\"', 0, self._at)
        token = self._next(_WORD)
        if token.text in Joiner.__members__:
            return Joiner(token.text)
        sign = token.text or self._take(_JOINER_SIGN).text
        meant = _JOINERS_ELSEWHERE.get(sign) or (sign.upper() if len(sign) <= len("AND") else "")
        hint = self._parenthesis_hint(token)
        if meant in Joiner.__members__:
            hint = f"did you mean {meant}?"
        elif after_backslash:
            hint = "there are no escapes, a value ends at the next double quote"
        raise self._error(token, "expected AND or OR between clauses", self._rule_here(token), hint)

    def _next(self, run: re.Pattern[str]) -> Token:
        self._skip_space()
        return self._take(run)

    def _take(self, run: re.Pattern[str]) -> Token:
        """The longest run from here, maybe empty; all of `run` match the empty string."""
        start = self._at
        self._at = _end(run, self._text, start)
        return Token(self._text[start : self._at], start + 1)

    def _skip_space(self) -> None:
        self._at = _end(_SPACE, self._text, self._at)

    def _at_parenthesis(self, token: Token) -> bool:
        return self._text[token.position - 1 : token.position] in ("(", ")")

    def _rule_here(self, token: Token) -> str:
        return "SEARCH-2" if self._at_parenthesis(token) else "SEARCH-1"

    def _parenthesis_hint(self, token: Token) -> str | None:
        if self._at_parenthesis(token):
            return "there are no parentheses, clauses are taken from left to right"
        return None

    def _error(self, token: Token, problem: str, because: str, hint: str | None) -> SearchError:
        if token.position > len(self._text):
            problem += ", but the search ends here"
        return SearchError(problem, position=token.position, because=because, hint=hint)
