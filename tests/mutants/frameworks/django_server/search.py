"""The search language, as conditions of Django's query builder."""

from __future__ import annotations

import re
from datetime import date

from django.conf import settings
from django.db.models import Q

from tests.mutants.frameworks.django_server.replies import invalid

_CLAUSE = re.compile(r'\s*([a-z_]+)(\$[A-Za-z]+)?\s*(!:|!~|>=|<=|:|~|>|<)\s*"([^"]*)"\s*')
_JOINT = re.compile(r"(AND|OR)(?=\s)")
_LOOKUPS = {":": "exact", "~": "contains", ">": "gt", "<": "lt", ">=": "gte", "<=": "lte"}
_BARE_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ALLOWED = {
    "id": {":", "!:", ">", "<", ">=", "<="},
    "stripe_invoice_id": {":", "!:", "~", "!~"},
    "created_at": {":", ">", "<", ">=", "<="},
}


class _BadSyntax(Exception):
    """A search that is none."""


def condition(text: str) -> Q:
    """What an invoice has to meet; clauses are taken from left to right, each joint binding what came before it.

    Raises:
        Refused: for a search that is wrong, unless that is ignored.
    """
    try:
        return _condition(text)
    except _BadSyntax as error:
        if settings.CHOICES.bad_search_syntax == "ignore":
            return Q()
        raise invalid({"q": [f"The search can't be read: {error}."]}) from error


def _condition(text: str) -> Q:
    if not text.strip():
        return Q()
    whole: Q | None = None
    position, joint = 0, ""
    while True:
        found = _CLAUSE.match(text, position)
        if found is None:
            raise _BadSyntax(f'a clause FIELD OPERATOR "VALUE" is expected at character {position + 1}')
        clause = _clause(*found.groups())
        if whole is None or clause is None:
            whole = clause if whole is None else whole
        else:
            whole = whole & clause if joint == "AND" else whole | clause
        position = found.end()
        if position == len(text):
            return Q() if whole is None else whole
        between = _JOINT.match(text, position)
        if between is None:
            raise _BadSyntax(f"AND or OR is expected at character {position + 1}")
        joint, position = between[1], between.end()


def _clause(field: str, modifier: str | None, operator: str, value: str) -> Q | None:
    """One clause, or None where it is wrong in a way that is ignored."""
    choices = settings.CHOICES
    if field not in _ALLOWED:
        return _ignored(choices.unknown_search_field, f"there is no field {field}")
    if operator not in _ALLOWED[field]:
        raise _BadSyntax(f"{field} has no operator {operator}")
    if modifier not in (None, "$DATE") or (modifier and field != "created_at"):
        raise _BadSyntax(f"{field} has no modifier {modifier}")
    if field == "created_at":
        if modifier is None and choices.date_without_modifier == "refuse":
            raise _BadSyntax("created_at needs the modifier $DATE")
        day = _day(value)
        if day is None:
            return _ignored(choices.bad_search_value, f"{value!r} is no date")
        return Q(**{f"created_at__date__{_LOOKUPS[operator]}": day})
    if field == "id":
        if not re.fullmatch(r"-?[0-9]{1,30}", value):
            return _ignored(choices.bad_search_value, f"{value!r} is no integer")
        plain = Q(**{f"id__{_LOOKUPS[operator.removeprefix('!')]}": int(value)})
    else:
        plain = Q(**{f"stripe_invoice_id__{_LOOKUPS[operator.removeprefix('!')]}": value})
    return ~plain if operator.startswith("!") else plain


def _ignored(leniency: str, why: str) -> Q | None:
    """None, for a clause that is wrong but ignored."""
    if leniency == "refuse":
        raise invalid({"q": [f"The search is wrong: {why}."]})
    return None


def _day(value: str) -> date | None:
    if not _BARE_DATE.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
