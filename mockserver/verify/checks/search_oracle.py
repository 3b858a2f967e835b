"""Searches as values: their text, and what they must find, from left to right and independently of the fake."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from mockserver.verify.claims.values import Row, when

Field = Literal["id", "stripe_invoice_id", "created_at"]
Joint = Literal["AND", "OR"]
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    ":": operator.eq,
    "!:": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
DATE_OPERATORS = (":", ">", ">=", "<", "<=")
"""Those that the documentation names for `created_at` (SEARCH-5)."""
ID_OPERATORS = (":", "!:", ">", ">=", "<", "<=")
TEXT_OPERATORS = (":", "!:", "~", "!~")


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison."""

    field: Field
    operator: str
    value: str

    def text(self) -> str:
        name = "created_at$DATE" if self.field == "created_at" else self.field
        return f'{name}{self.operator}"{self.value}"'

    def matches(self, row: Row) -> bool | None:
        """Whether the row matches; None where nothing says."""
        if self.field == "id":
            return _ORDER[self.operator](row.get("id"), int(self.value))
        if self.field == "created_at":
            moment = when(row.get("created_at"))
            return None if moment is None else _ORDER[self.operator](moment.date(), date.fromisoformat(self.value))
        held = row.get("stripe_invoice_id")
        # A finalized invoice may get onto Stripe at any moment.
        pending = held is None and row.get("status") != "Draft"
        return None if pending else self._matches_text(held)

    def _matches_text(self, held: object) -> bool | None:
        negated = self.operator.startswith("!")
        if not isinstance(held, str):
            # An invoice that has none: a comparison that negates may take it or, as SQL does, not.
            return None if negated else False
        if self.operator.endswith(":"):
            return (held == self.value) != negated
        return (self.value in held) != negated


@dataclass(frozen=True, slots=True)
class OracleQuery:
    """Clauses with what joins each to what is left of it (the first one's joint is not used)."""

    parts: tuple[tuple[Joint, Clause], ...]

    def text(self) -> str:
        first = self.parts[0][1].text()
        return first + "".join(f" {joint} {clause.text()}" for joint, clause in self.parts[1:])

    def within(self, clauses: Sequence[Clause]) -> OracleQuery:
        """This search and all of `clauses`: evaluation from left to right needs no parentheses (SEARCH-2)."""
        return OracleQuery((*self.parts, *(("AND", clause) for clause in clauses)))

    def matches(self, row: Row) -> bool | None:
        """Left to right with three values: None is what may be either."""
        result = self.parts[0][1].matches(row)
        for joint, clause in self.parts[1:]:
            result = _joined(joint, result, clause.matches(row))
        return result


def _joined(joint: Joint, left: bool | None, right: bool | None) -> bool | None:
    decisive = joint == "OR"
    if decisive in (left, right):
        return decisive
    return None if None in (left, right) else not decisive
