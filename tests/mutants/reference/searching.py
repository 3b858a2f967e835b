"""The search language: its text as clauses, and whether an invoice meets them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import TypeVar

from tests.mutants.reference.choices import Choices
from tests.mutants.reference.records import Invoice, Refusal

CLAUSE = re.compile(r'([a-z_]+)(\$[A-Z]+)?\s*(!:|!~|>=|<=|:|~|>|<)\s*"([^"]*)"')
JOINER = re.compile(r"\s+(AND|OR)\s+")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
INTEGER = re.compile(r"-?[0-9]+", re.ASCII)
T = TypeVar("T")
TOO_LONG = 30
"""Digits beyond which a number is taken as just that much: no id comes near."""

COMPARE: dict[str, Callable[[int, int], bool]] = {
    ":": operator.eq,
    "!:": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


class BadSearch(ValueError):
    """The text is not a search; says where and why, and which of the choices covers it."""

    def __init__(self, why: str, choice: str = "bad_search_syntax") -> None:
        super().__init__(why)
        self.choice = choice


@dataclass(frozen=True, slots=True)
class Clause:
    field: str
    operator: str
    value: str


NOTHING = Clause("", "", "")
"""Stands for a clause that is ignored."""


@dataclass(frozen=True, slots=True)
class Query:
    """Clauses and, between each two of them, `AND` or `OR`."""

    clauses: tuple[Clause, ...]
    joiners: tuple[str, ...]


class Search:
    """Reads and evaluates `q`."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices

    def filter(self, text: str | None, rows: Sequence[Invoice]) -> list[Invoice]:
        """The rows that match, in their order; raises Refusal."""
        if text is None or (not text.strip() and self.choices.empty_search == "ignore"):
            return list(rows)
        try:
            query = self.parse(text)
            tests = [self.ignoring(partial(self.test, clause)) for clause in query.clauses]
        except BadSearch as bad:
            if self.ignored(bad):
                return list(rows)
            raise Refusal(
                self.choices.invalid_request_status, "The search can't be read.", errors={"q": [str(bad)]}
            ) from bad
        kept = [(joiner, test) for joiner, test in zip(("AND", *query.joiners), tests, strict=True) if test]
        if not kept:
            return list(rows)
        joiners = [joiner for joiner, _ in kept[1:]]
        return [row for row in rows if self.fold([test(row) for _, test in kept], joiners)]

    def ignored(self, bad: BadSearch) -> bool:
        return bool(getattr(self.choices, bad.choice, "refuse") == "ignore")

    def ignoring(self, read: Callable[[], T]) -> T | None:
        """What is read, or None for what is ignored by itself; raises BadSearch."""
        try:
            return read()
        except BadSearch as bad:
            if self.ignored(bad) and self.choices.ignored_search == "clause":
                return None
            raise

    def parse(self, text: str) -> Query:
        """The text as clauses; raises BadSearch."""
        text = text.strip()
        clauses: list[Clause] = []
        joiners: list[str] = []
        place = 0
        while True:
            found = CLAUSE.match(text, place)
            if found is None:
                raise BadSearch(f'position {place}: a clause FIELD OPERATOR "VALUE" is missing')
            clauses.append(self.ignoring(partial(self.clause, *found.groups())) or NOTHING)
            place = found.end()
            if len(clauses) > (self.choices.most_clauses or len(clauses)):
                raise BadSearch(f"position {place}: there are more than {self.choices.most_clauses} clauses")
            if place == len(text):
                return Query(tuple(clauses), tuple(joiners))
            joined = JOINER.match(text, place)
            if joined is None:
                raise BadSearch(f"position {place}: AND or OR is missing")
            joiners.append(joined[1])
            place = joined.end()

    def clause(self, field: str, modifier: str | None, sign: str, value: str) -> Clause:
        """One clause, if the field takes this modifier and operator; raises BadSearch."""
        allowed = {
            "id": (":", "!:", ">", "<", ">=", "<="),
            "stripe_invoice_id": (":", "!:", "~", "!~"),
            "created_at": (":", ">", "<", ">=", "<="),
        }.get(field)
        if allowed is None:
            raise BadSearch(f"there is no field {field}", "unknown_search_field")
        if sign not in allowed:
            raise BadSearch(f"{field} does not take {sign}")
        self.check_modifier(field, modifier)
        return Clause(field, sign, value)

    def check_modifier(self, field: str, modifier: str | None) -> None:
        if field != "created_at":
            if modifier is not None:
                raise BadSearch(f"{field} takes no modifier")
        elif modifier is None:
            if self.choices.date_without_modifier == "refuse":
                raise BadSearch("created_at needs the modifier $DATE", "date_without_modifier")
        elif modifier != "$DATE":
            raise BadSearch(f"there is no modifier {modifier}")

    def test(self, clause: Clause) -> Callable[[Invoice], bool] | None:
        """The clause as a question to an invoice; raises BadSearch for a value that doesn't fit."""
        if clause == NOTHING:
            return None
        if clause.field == "id":
            return self.by_id(clause.operator, clause.value)
        if clause.field == "created_at":
            return self.by_day(clause.operator, clause.value)
        return self.by_stripe_id(clause.operator, clause.value)

    def by_id(self, sign: str, value: str) -> Callable[[Invoice], bool]:
        number = read_integer(value)
        compare = COMPARE[sign]
        return lambda invoice: compare(invoice.id, number)

    def by_day(self, sign: str, value: str) -> Callable[[Invoice], bool]:
        wanted = read_day(value).toordinal()
        compare = COMPARE[sign]
        return lambda invoice: compare(self.day_of(invoice.created_at), wanted)

    def day_of(self, moment: datetime) -> int:
        """The UTC day, as a count of days."""
        return moment.toordinal()

    def by_stripe_id(self, sign: str, value: str) -> Callable[[Invoice], bool]:
        positive = self.stripe_equals if sign.endswith(":") else self.stripe_contains
        wanted = not sign.startswith("!")
        return lambda invoice: positive(invoice.stripe_id, value) is wanted

    def stripe_equals(self, stripe_id: str | None, value: str) -> bool:
        return stripe_id is not None and self.in_one_case(stripe_id) == self.in_one_case(value)

    def stripe_contains(self, stripe_id: str | None, value: str) -> bool:
        return stripe_id is not None and self.in_one_case(value) in self.in_one_case(stripe_id)

    def in_one_case(self, text: str) -> str:
        return text.lower() if self.choices.stripe_id_case == "alike" else text

    def fold(self, answers: Sequence[bool], joiners: Iterable[str]) -> bool:
        """From left to right, none binding tighter."""
        result = answers[0]
        for joiner, answer in zip(joiners, answers[1:], strict=True):
            result = (result and answer) if joiner == "AND" else (result or answer)
        return result


def read_integer(text: str) -> int:
    """Raises BadSearch; numbers beyond any id are cut, which changes no comparison."""
    if not INTEGER.fullmatch(text):
        raise BadSearch(f"{text[:40]!r} is not an integer", "bad_search_value")
    digits = text.lstrip("-").lstrip("0")
    if len(digits) > TOO_LONG:
        digits = "9" * TOO_LONG
    number = int(digits or "0")
    return -number if text.startswith("-") else number


def read_day(text: str) -> date:
    """Raises BadSearch."""
    if not DAY.fullmatch(text):
        raise BadSearch(f"{text[:40]!r} is not a date like 2026-01-15", "bad_search_value")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadSearch(f"{text!r} is not a day of the calendar", "bad_search_value") from error
