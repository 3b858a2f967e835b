"""The search language `q` (SEARCH-1 to SEARCH-6): text to a typed query, and what the query matches."""

from __future__ import annotations

import operator as compare
import re
from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import date
from math import inf
from typing import Literal, TypeVar

from mockserver.billing.search.intervals import Intervals, join
from mockserver.billing.search.tokens import Joiner, Operator, Reader, SearchError, Token, shown
from mockserver.core.text import nearest

__all__ = [
    "NOTHING_ASKED",
    "Clause",
    "DayClause",
    "IdClause",
    "Joiner",
    "Operator",
    "Query",
    "SearchError",
    "StripeIdClause",
    "parse",
]

_DAY = 24 * 60 * 60 * 1_000_000
_EPOCH = date(1970, 1, 1).toordinal()
_DATE_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# The least that Python's own limit on reading integers (PYTHONINTMAXSTRDIGITS) can be set to.
_MOST_DIGITS = 640
_VALUE = "bad_search_value"
Meaning = TypeVar("Meaning")

MOST_CONTAINED = 20
"""Clauses with `~` or `!~` in one search: each asks every invoice, and nobody else is answered meanwhile."""
_CONTAINMENT = frozenset({Operator.CONTAINS, Operator.LACKS})
_ORDERED = (Operator.GREATER, Operator.AT_LEAST, Operator.LESS, Operator.AT_MOST)
_OPERATORS = {
    "id": (Operator.EQUAL, Operator.NOT_EQUAL, *_ORDERED),
    "stripe_invoice_id": (Operator.EQUAL, Operator.NOT_EQUAL, Operator.CONTAINS, Operator.LACKS),
    "created_at": (Operator.EQUAL, *_ORDERED),
}
_FIELDS = {"id": "id", "stripe_invoice_id": "stripe_invoice_id", "created_at": "created_at$DATE"}
_COMPARISONS: dict[Operator, Callable[[int, int], bool]] = {
    Operator.EQUAL: compare.eq,
    Operator.NOT_EQUAL: compare.ne,
    Operator.GREATER: compare.gt,
    Operator.LESS: compare.lt,
    Operator.AT_LEAST: compare.ge,
    Operator.AT_MOST: compare.le,
}


_NOTHING = Intervals()
_EVERYTHING = Intervals((-inf, inf))


@dataclass(frozen=True, slots=True)
class IdClause:
    """`id` compared as a number (SEARCH-4)."""

    operator: Operator
    value: int

    @property
    def axis(self) -> Literal["id"]:
        return "id"

    @property
    def intervals(self) -> Intervals:
        """The ids that match."""
        return _compared(self.operator, self.value, self.value + 1)

    def matches(self, id: int, stripe_invoice_id: str | None, created_at: int) -> bool:
        return _COMPARISONS[self.operator](id, self.value)


@dataclass(frozen=True, slots=True)
class DayClause:
    """The UTC day of `created_at` compared with a day (SEARCH-5)."""

    operator: Operator
    value: date

    @property
    def axis(self) -> Literal["created_at"]:
        return "created_at"

    @property
    def intervals(self) -> Intervals:
        """The instants that match, in microseconds since 1970 (UTC)."""
        day = self.value.toordinal() - _EPOCH
        return _compared(self.operator, day * _DAY, (day + 1) * _DAY)

    def matches(self, id: int, stripe_invoice_id: str | None, created_at: int) -> bool:
        return _COMPARISONS[self.operator](created_at // _DAY, self.value.toordinal() - _EPOCH)


@dataclass(frozen=True, slots=True)
class StripeIdClause:
    """`stripe_invoice_id` compared as a string (SEARCH-4).

    Nothing says whether capitals count; here they do. An invoice that has none is equal to nothing and
    contains nothing, not even the empty string.
    """

    operator: Operator
    value: str

    @property
    def axis(self) -> None:
        return None

    @property
    def intervals(self) -> None:
        return None

    def matches(self, id: int, stripe_invoice_id: str | None, created_at: int) -> bool:
        match self.operator:
            case Operator.EQUAL:
                return stripe_invoice_id == self.value
            case Operator.NOT_EQUAL:
                return stripe_invoice_id != self.value
            case Operator.CONTAINS:
                return stripe_invoice_id is not None and self.value in stripe_invoice_id
            case _:
                return stripe_invoice_id is None or self.value not in stripe_invoice_id


Clause = IdClause | DayClause | StripeIdClause


@dataclass(frozen=True, slots=True)
class Query:
    """Clauses, each with what joins it to all that stands left of it (SEARCH-2).

    The first is joined by AND to "every invoice", so that a query without clauses matches every invoice.
    """

    steps: tuple[tuple[Joiner, Clause], ...] = ()
    ignored: tuple[str, ...] = ()
    """The keys of the profile by which something of it was ignored."""

    def matches(self, id: int, stripe_invoice_id: str | None, created_at: int) -> bool:
        """Whether an invoice with these properties matches; `created_at` in microseconds since 1970 (UTC)."""
        # The last clause that is true after OR, or false after AND, settles it: so look from the end.
        for joiner, clause in reversed(self.steps):
            settling = joiner is Joiner.OR
            if clause.matches(id, stripe_invoice_id, created_at) is settling:
                return settling
        return True

    def spans(
        self, place: Callable[[Clause], Intervals | None], *, within: Intervals = _EVERYTHING
    ) -> tuple[Intervals, Intervals]:
        """What certainly matches and what possibly does, on an axis of the caller's.

        `place` gives a clause's matches on that axis, inside `within` (the whole of the axis), or None
        where it can't say. Where the two results differ, the invoices that are possible but not certain
        must be asked with `matches`. The time is n log n for n clauses, in any mixture of AND and OR.
        """
        certain, possible = list(within.edges), list(within.edges)
        for joiner, clause in self.steps:
            placed = place(clause)
            join(certain, joiner, _NOTHING if placed is None else placed)
            join(possible, joiner, within if placed is None else placed)
        return Intervals(tuple(certain)), Intervals(tuple(possible))


NOTHING_ASKED = Query()
"""The query of a request without `q`: every invoice matches."""


def parse(text: str, *, date_without_modifier: bool = False, ignored: Container[str] = ()) -> Query:
    """The query that `text` is; blank text is a query without clauses, as if there were no `q`.

    `date_without_modifier` takes `created_at` for `created_at$DATE`. `ignored` has the choices (`SearchError.choice`)
    that are no error: a clause that can be read but not meant is as if it were absent, and a text that can't be read is
    as if there were no `q`. Raises SearchError.
    """
    reader = Reader(text)
    steps: list[tuple[Joiner, Clause]] = []
    left_out: list[str] = []
    read_any = False
    contained = 0
    try:
        while not reader.at_end():
            joiner = reader.joiner() if read_any else Joiner.AND
            clause = _clause(reader, left_out, ignored, date_without_modifier=date_without_modifier)
            if clause is not None:
                steps.append((joiner if steps else Joiner.AND, clause))
                contained += clause.operator in _CONTAINMENT
                if contained > MOST_CONTAINED:
                    problem = f"more than {MOST_CONTAINED} clauses with ~ or !~, for which each invoice is looked at"
                    raise reader.stopped(problem, hint="ask for them in several searches, or for whole ids by :")
            read_any = True
    except SearchError as error:
        if error.choice not in ignored:
            raise
        return Query(ignored=(error.choice,))
    return Query(tuple(steps), tuple(dict.fromkeys(left_out)))


def _clause(
    reader: Reader, left_out: list[str], ignored: Container[str], *, date_without_modifier: bool
) -> Clause | None:
    """The next clause, or None for one that is ignored, which is noted in `left_out`."""
    noted = len(left_out)

    def meant(read: Callable[[], Meaning]) -> Meaning | None:
        try:
            return read()
        except SearchError as error:
            if error.choice not in ignored:
                raise
            left_out.append(error.choice)
            return None

    written = reader.field()
    field = meant(lambda: _field(written, date_without_modifier=date_without_modifier))
    operator, position = reader.operator()
    if field is not None:
        meant(lambda: _check_operator(field, operator, position))
    value = reader.value()
    if field is None or len(left_out) > noted:
        return None
    return meant(lambda: _meaning(field, operator, value))


def _check_operator(field: str, operator: Operator, position: int) -> None:
    if operator not in _OPERATORS[field]:
        # Only those of created_at are documented; with the other fields the choice is the fake's.
        because = "SEARCH-5" if field == "created_at" else "profile:bad_search_syntax"
        hint = f"it takes {' '.join(_OPERATORS[field])}"
        raise SearchError(f"{field} does not take {operator}", position=position, because=because, hint=hint)


def _meaning(field: str, operator: Operator, value: Token) -> Clause:
    if field == "id":
        return IdClause(operator, _integer(value))
    if field == "created_at":
        return DayClause(operator, _day(value))
    return StripeIdClause(operator, value.text)


def _field(written: Token, *, date_without_modifier: bool) -> str:
    """The field that `created_at$DATE`, or another such, names."""
    name, dollar, modifier = written.text.partition("$")
    if name not in _FIELDS:
        close = nearest(name.lower(), _FIELDS)
        hint = f"did you mean {_FIELDS[close]}?" if close else f"the fields are {', '.join(_FIELDS.values())}"
        raise SearchError(
            f"there is no field {shown(name or written.text)}",
            position=written.position,
            because="SEARCH-4",
            hint=hint,
            choice="unknown_search_field",
        )
    right = _FIELDS[name]
    if written.text == right or (name == "created_at" and not dollar and date_without_modifier):
        return name
    after = written.position + len(name)
    hint = f"did you mean {right}?"
    if not dollar:
        because = "profile:date_without_modifier"
        raise SearchError(
            f"{name} needs its modifier",
            position=after,
            because=because,
            hint=hint,
            choice="date_without_modifier",
        )
    problem = f"{name} has no modifier {shown(dollar + modifier)}"
    raise SearchError(problem, position=after, because="SEARCH-5", hint=hint, choice="unknown_search_field")


def _integer(value: Token) -> int:
    if not (value.text.isascii() and value.text.isdigit()):
        problem = f"id is an integer, got {shown(value.text)}"
        raise SearchError(problem, position=value.position, because="SEARCH-4", hint="write digits only", choice=_VALUE)
    if len(value.text) > _MOST_DIGITS:
        problem = f"a number of {len(value.text)} digits"
        hint = f"at most {_MOST_DIGITS} are taken"
        raise SearchError(problem, position=value.position, because="SEARCH-4", hint=hint, choice=_VALUE)
    return int(value.text)


def _day(value: Token) -> date:
    day = _date_or_none(value.text)
    if day is not None:
        return day
    hint = 'write it as YYYY-MM-DD, such as "2026-01-15"'
    if _date_or_none(value.text[:10]) is not None:
        hint = f"did you mean {shown(value.text[:10])}?"
    problem = f"expected a date, got {shown(value.text)}"
    if _DATE_FORM.fullmatch(value.text):
        problem = f"there is no day {shown(value.text)}"
    raise SearchError(problem, position=value.position, because="SEARCH-5", hint=hint, choice=_VALUE)


def _date_or_none(text: str) -> date | None:
    # date.fromisoformat alone would also take 20260115 and 2026-W03-4.
    if _DATE_FORM.fullmatch(text) is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _compared(operator: Operator, first: int, after: int) -> Intervals:
    """The numbers that compare so with a value that fills [first, after)."""
    match operator:
        case Operator.EQUAL:
            return Intervals((first, after))
        case Operator.NOT_EQUAL:
            return Intervals((-inf, first, after, inf))
        case Operator.GREATER:
            return Intervals((after, inf))
        case Operator.AT_LEAST:
            return Intervals((first, inf))
        case Operator.LESS:
            return Intervals((-inf, first))
        case Operator.AT_MOST:
            return Intervals((-inf, after))
        case _:
            raise ValueError(f"{operator} does not order numbers")
