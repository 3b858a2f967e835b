"""The search language, as a condition in SQL; each joint puts what came before it in parentheses."""

from __future__ import annotations

import re
from datetime import datetime

from tests.mutants.frameworks.choices import Choices
from tests.mutants.frameworks.laravel_like.errors import Invalid

_TOKEN = re.compile(
    r"\s*(?:(?P<joint>AND|OR)(?![A-Za-z_$:~!<>])|(?P<name>[A-Za-z_.]+)(?P<modifier>\$[A-Z]*)?\s*(?P<sign>!?[:~]|[<>]=?)"
    r'\s*"(?P<value>[^"]*)")'
)
_SQL = {":": "=", "!:": "<>", ">": ">", "<": "<", ">=": ">=", "<=": "<="}

Condition = tuple[str, list[object]]
_EVERYTHING: Condition = ("1 = 1", [])


def condition(text: str, choices: Choices) -> Condition:
    """SQL with its values.

    Raises:
        Invalid: for a search that is wrong, unless that is ignored.
    """
    if not text.strip():
        return _EVERYTHING
    sql, values, joint, position, expected = "", list[object](), "", 0, "name"
    while position < len(text.rstrip()):
        token = _TOKEN.match(text, position)
        if token is None or (token["joint"] is None) != (expected == "name"):
            return _everything("bad_search_syntax", choices)
        position = token.end()
        if token["joint"]:
            joint, expected = token["joint"], "name"
            continue
        expected = "joint"
        problem, clause = _clause(token, choices)
        if problem == "bad_search_syntax":
            return _everything(problem, choices)
        if clause is None:
            _everything(problem, choices)
            continue
        sql = f"({sql}) {joint} {clause[0]}" if sql else clause[0]
        values += clause[1]
    if expected == "name":
        return _everything("bad_search_syntax", choices)
    return (sql, values) if sql else _EVERYTHING


def _everything(kind: str, choices: Choices) -> Condition:
    """What is left of a search that is wrong but ignored."""
    if getattr(choices, kind) == "refuse":
        raise Invalid(choices.invalid_request_status, {"q": ["The q field is invalid."]})
    return _EVERYTHING


def _clause(token: re.Match[str], choices: Choices) -> tuple[str, Condition | None]:
    """What is wrong with a clause, or its meaning."""
    name, modifier, sign, value = token["name"], token["modifier"], token["sign"], token["value"]
    if name == "created_at":
        loose = modifier is None and choices.date_without_modifier == "accept"
        if sign not in (":", ">", ">=", "<", "<=") or not (modifier == "$DATE" or loose):
            return "bad_search_syntax", None
        if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value) or not _is_date(value):
            return "bad_search_value", None
        return "", (f"substr(created_at, 1, 10) {_SQL[sign]} ?", [value])
    if modifier is not None:
        return "bad_search_syntax", None
    if name == "id":
        if sign in ("~", "!~"):
            return "bad_search_syntax", None
        if not re.fullmatch("-?[0-9]{1,18}", value):
            return ("bad_search_value", None) if not re.fullmatch("-?[0-9]+", value) else ("", _far(sign, value))
        return "", (f"id {_SQL[sign]} ?", [int(value)])
    if name == "stripe_invoice_id":
        if sign in (":", "!:"):
            met = "coalesce(stripe_id, '') <> '' and stripe_id = ?"
        elif sign in ("~", "!~"):
            met = "stripe_id is not null and instr(stripe_id, ?) > 0"
        else:
            return "bad_search_syntax", None
        return "", (f"{'not ' * sign.startswith('!')}({met})", [value])
    return "unknown_search_field", None


def _far(sign: str, value: str) -> Condition:
    """A comparison with a number beyond all ids."""
    above = not value.startswith("-") and value.strip("0")
    met = sign == "!:" or (sign in ("<", "<=") if above else sign in (">", ">="))
    return _EVERYTHING if met else ("1 = 0", [])


def _is_date(value: str) -> bool:
    try:
        datetime.strptime(value, "%Y-%m-%d")
    except ValueError:
        return False
    return True
