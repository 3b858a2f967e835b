"""Writes a claim as a program for `jq`, over an array of answers: `{"status": …, "json": …, "is_json": …}` each."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from mockserver.verify.claims.claims import (
    All,
    Body,
    Calc,
    Claim,
    Const,
    Count,
    Cut,
    Each,
    Eventually,
    Every,
    Get,
    Id,
    Is,
    IsJson,
    Joined,
    Many,
    Operator,
    Path,
    Row,
    Sign,
    Some,
    Status,
    Sum,
    Unique,
    Value,
    Where,
)

DEFINITIONS = """\
def cannot_tell($why): error("cannot tell: " + $why);
def list: if type == "array" then . else cannot_tell("no list came") end;
def num: if type == "number" then . else cannot_tell("no number came") end;
def total: list | map(num) | (add // 0) * 1000000 | round / 1000000;
def kind: if type == "number" and . == floor then "integer" else type end;
def moment: if type != "string" then null else
  capture("^(?<at>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8})([.](?<part>[0-9]+))?(Z|(?<sign>[+-])(?<h>[0-9]{2}):?(?<m>[0-9]{2}))?$")
  // null | if . == null then null else {
    part: (((.part // "") + "000000")[0:6] | tonumber),
    second: ((.at + "Z" | fromdate) - (if .sign == null then 0 else
      (.sign + "1" | tonumber) * ((.h | tonumber) * 3600 + (.m | tonumber) * 60) end))
  } end end;
def agree($a; $b): $a == $b or ($a != null and $b != null and
  (($a | moment) as $l | ($b | moment) as $r | if $l == null or $r == null then ($a | tostring) == ($b | tostring)
  else (($l.second - $r.second) * 1000000 + $l.part - $r.part | fabs)
    <= (if $l.part > 0 and $r.part > 0 then 1000 else 1000000 end) end));
def among($all): . as $one | any($all | list | .[]; . == $one);
"""
"""What the programs use."""

_COMPARISONS: dict[Operator, str] = {
    "is": "$l == $r",
    "is not": "$l != $r",
    "agrees": "agree($l; $r)",
    "disagrees": "(agree($l; $r) | not)",
    "in": "($l | among($r))",
    "not in": "($l | among($r) | not)",
    "<": "($l | num) < ($r | num)",
    "<=": "($l | num) <= ($r | num)",
    ">": "($l | num) > ($r | num)",
    ">=": "($l | num) >= ($r | num)",
    "includes": "all($r | list | .[]; among($l))",
    "lacks": "all($r | list | .[]; among($l) | not)",
    "within": "all($l | list | .[]; among($r))",
    "matches": '(($l | type) == "string" and ($l | test($r)))',
    "is a": '(($l | kind | among($r)) or (($l | type) == "number" and ("number" | among($r))))',
    "has": '(($l | type) == "object" and ($l | has($r)))',
}
_SIGNS: dict[Sign, str] = {
    "+": "$x + $y",
    "-": "$x - $y",
    "*": "$x * $y",
    "pages": '(if $y == 0 then cannot_tell("a page of no rows") else $x / $y | ceil end)',
    "least": "[$x, $y] | min",
    "most": "[$x, $y] | max",
}


def program(claim: Claim) -> str:
    """The expression, true when the claim holds; it fails where the answers can't tell. Needs `DEFINITIONS`."""
    return f". as $a | {_claim(claim)}"


def _claim(claim: Claim) -> str:
    match claim:
        case Is(left, operator, right):
            return f"({_value(left)} as $l | {_right(operator, right)} as $r | {_COMPARISONS[operator]})"
        case Every(left, operator, right):
            each = f"{_value(left)} | list | .[]"
            return f"({_right(operator, right)} as $r | all({each}; . as $l | {_COMPARISONS[operator]}))"
        case All(of):
            return f"({' and '.join(map(_claim, of)) or 'true'})"
        case Some(of):
            return f"({' or '.join(map(_claim, of)) or 'false'})"
        case Eventually(of):
            return _claim(of)


def _right(operator: Operator, right: Value) -> str:
    if operator == "is a" and isinstance(right, Const) and isinstance(right.value, str):
        return _json([right.value])
    return _value(right)


def _value(node: Value) -> str:
    match node:
        case Const(constant):
            written = _json(constant)
            # To jq a bare minus is for all that follows.
            return f"({written})" if written.startswith("-") else written
        case Id(_, number):
            return str(number)
        case Status(answer):
            return f"$a[{answer}].status"
        case IsJson(answer):
            return f"$a[{answer}].is_json"
        case Body(answer):
            return f"$a[{answer}].json"
        case Get(of, path):
            return f"({_value(of)} | {_at(path)})"
        case Row(of, wanted):
            found = f"first(({_value(of)} | list | .[] | select(.id == $id)), null)"
            return f'({_value(wanted)} as $id | {found} | if . == null then cannot_tell("no such row") else . end)'
        case Each(of, path):
            return f"[{_value(of)} | list | .[] | {_at(path)}]"
        case Where(of, path, operator, right):
            chosen = f"select({_at(path)} as $l | {_COMPARISONS[operator]})"
            return f"({_right(operator, right)} as $r | [{_value(of)} | list | .[] | {chosen}])"
        case Many(of):
            return f"[{', '.join(map(_value, of))}]"
        case Joined(of):
            return f"({' + '.join(f'({_value(one)} | list)' for one in of) or '[]'})"
        case Cut(of, start, stop):
            return f"({_value(of)} | list | .[{start}:{stop}])"
        case Unique(of):
            return f"({_value(of)} | list | map(select(. != null)) | unique)"
        case Count(of):
            return f"({_value(of)} | list | length)"
        case Sum(of):
            return f"({_value(of)} | total)"
        case Calc(left, sign, right):
            return f"(({_value(left)} | num) as $x | ({_value(right)} | num) as $y | {_SIGNS[sign]})"


def at(path: Path) -> str:
    """The filter that gets what stands at `path`."""
    return _at(path)


def _at(path: Path) -> str:
    if not path:
        return "."
    plain = all(isinstance(step, int) or (step.isidentifier() and step.isascii()) for step in path)
    if not plain:
        return f"getpath({_json(list(path))})"
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return steps if steps.startswith(".") else f".{steps}"


def _json(constant: Any) -> str:
    if isinstance(constant, Decimal):
        return str(int(constant)) if constant == constant.to_integral_value() else format(constant.normalize(), "f")
    if isinstance(constant, list | tuple):
        return f"[{', '.join(map(_json, constant))}]"
    # An apostrophe would end the quotes of a shell, and jq reads the escape.
    return json.dumps(constant).replace("'", "\\u0027")
