"""The search language, as conditions of SQLAlchemy; a scanner that goes through the text once."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, and_, func, not_, or_, true

from tests.mutants.frameworks.choices import Choices
from tests.mutants.frameworks.fastapi_server.refusals import Invalid
from tests.mutants.frameworks.fastapi_server.tables import Invoice

_Condition = ColumnElement[bool]
_SIGNS = ("!:", "!~", ">=", "<=", ":", "~", ">", "<")
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    ":": operator.eq,
    "!:": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
_LARGEST = 2**63 - 1


class _Unreadable(Exception):
    """A text that is no search."""


@dataclass(frozen=True, slots=True)
class _Clause:
    joint: str
    field: str
    modifier: str
    sign: str
    value: str


def condition(text: str, choices: Choices) -> _Condition:
    """What an invoice has to meet.

    Raises:
        Invalid: for a search that is wrong, unless that is ignored.
    """
    try:
        clauses = list(_clauses(text))
        parts = [(clause.joint, _meaning(clause, choices)) for clause in clauses]
    except _Unreadable as error:
        if choices.bad_search_syntax == "ignore":
            return true()
        raise Invalid({"q": [str(error)]}) from error
    whole: _Condition | None = None
    for joint, part in parts:
        if part is None:
            continue
        if whole is None:
            whole = part
        else:
            whole = (and_ if joint == "AND" else or_)(whole, part)
    return true() if whole is None else whole.self_group()


def _clauses(text: str) -> Iterator[_Clause]:
    rest, joint = text.strip(), ""
    while rest:
        name = rest[: len(rest) - len(rest.lstrip("abcdefghijklmnopqrstuvwxyz_"))]
        rest = rest[len(name) :]
        modifier = "$DATE" if rest.startswith("$DATE") else ""
        rest = rest[len(modifier) :].lstrip()
        sign = next((sign for sign in _SIGNS if rest.startswith(sign)), "")
        value, closed, rest = rest[len(sign) :].lstrip().removeprefix('"').partition('"')
        if not (name and sign and closed):
            raise _Unreadable(f'{text!r} is no search; write FIELD OPERATOR "VALUE"')
        yield _Clause(joint, name, modifier, sign, value)
        rest = rest.lstrip()
        if not rest:
            return
        joint, _, rest = rest.partition(" ")
        rest = rest.lstrip()
        if joint not in ("AND", "OR") or not rest:
            raise _Unreadable(f"{text!r} is no search; join clauses by AND or OR")


def _meaning(clause: _Clause, choices: Choices) -> _Condition | None:
    """The condition of a clause; None for one that is wrong in a way that is ignored."""
    if clause.field not in ("id", "stripe_invoice_id", "created_at"):
        return _ignored(choices.unknown_search_field, f"there is no field {clause.field}")
    if clause.modifier and clause.field != "created_at":
        raise _Unreadable(f"{clause.field} has no modifier")
    if clause.field == "created_at":
        return _of_day(clause, choices)
    if clause.field == "id":
        return _of_id(clause, choices)
    return _of_stripe(clause)


def _of_id(clause: _Clause, choices: Choices) -> _Condition | None:
    if clause.sign in ("~", "!~"):
        raise _Unreadable("id has no operator ~")
    digits = clause.value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 100):
        return _ignored(choices.bad_search_value, f"{clause.value!r} is no integer")
    number = max(-_LARGEST, min(int(clause.value), _LARGEST))
    met: _Condition = _COMPARE[clause.sign](Invoice.id, number)
    return met


def _of_stripe(clause: _Clause) -> _Condition:
    column = func.coalesce(Invoice.stripe_invoice_id, "")
    if clause.sign in (":", "!:"):
        met: _Condition = and_(Invoice.stripe_invoice_id.is_not(None), column == clause.value)
    elif clause.sign in ("~", "!~"):
        met = and_(Invoice.stripe_invoice_id.is_not(None), func.instr(column, clause.value) > 0)
    else:
        raise _Unreadable(f"stripe_invoice_id has no operator {clause.sign}")
    return not_(met) if clause.sign.startswith("!") else met


def _of_day(clause: _Clause, choices: Choices) -> _Condition | None:
    if clause.sign not in (":", ">", ">=", "<", "<="):
        raise _Unreadable(f"created_at has no operator {clause.sign}")
    if not clause.modifier and choices.date_without_modifier == "refuse":
        raise _Unreadable("created_at needs the modifier $DATE")
    try:
        day = date.fromisoformat(clause.value)
    except ValueError:
        day = None
    if day is None or clause.value != day.isoformat():
        return _ignored(choices.bad_search_value, f"{clause.value!r} is no date")
    first, last = datetime.combine(day, time.min), datetime.combine(day, time.max)
    made = Invoice.created_at
    return {
        ":": and_(made >= first, made <= last),
        ">": made > last,
        ">=": made >= first,
        "<": made < first,
        "<=": made <= last,
    }[clause.sign]


def _ignored(leniency: str, why: str) -> _Condition | None:
    """None, for a clause that is wrong but ignored."""
    if leniency == "refuse":
        raise Invalid({"q": [f"The search is wrong: {why}"]})
    return None
