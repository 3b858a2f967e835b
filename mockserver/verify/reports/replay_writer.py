"""Writes the pytest file that replays each breach against a live server."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator, Sequence
from importlib.resources import files
from itertools import groupby

from mockserver.verify.events import Breach, RecordedExchange
from mockserver.verify.reports.curl import OWN_HEADERS
from mockserver.verify.reports.id_tracing import Id, Part, Threaded, thread
from mockserver.verify.reports.phrases import headline, target, text_of, visible
from mockserver.verify.reports.run_state import RunResult, Sighting

_NAMES = frozenset(
    "answers len sum min max all any set sorted abs round str int float bool dict list tuple isinstance enumerate "
    "range zip Decimal True False None".split()
)
_ATTRIBUTES = frozenset(
    "status json text headers get keys values items startswith endswith lower strip split count index".split()
)
_NODES = (
    ast.Expression,
    ast.BoolOp,
    ast.boolop,
    ast.BinOp,
    ast.operator,
    ast.UnaryOp,
    ast.unaryop,
    ast.Compare,
    ast.cmpop,
    ast.Call,
    ast.keyword,
    ast.IfExp,
    ast.Constant,
    ast.Name,
    ast.expr_context,
    ast.Attribute,
    ast.Subscript,
    ast.Slice,
    ast.List,
    ast.Tuple,
    ast.Set,
    ast.Dict,
    ast.ListComp,
    ast.SetComp,
    ast.GeneratorExp,
    ast.comprehension,
)


def replay_file(run: RunResult) -> str:
    """A self-contained pytest module: one test for each breach that is not accepted."""
    opening = [f"Replays what `mockserver verify` found on {target(run)}.", f"{headline(run)}."]
    if not run.failing:
        opening.append("No breach was found, so there is nothing to replay.")
    prelude = files(__package__).joinpath("replay_runtime.py").read_text(encoding="utf-8")
    parts = ["".join(f"# {visible(line)}\n" for line in opening), "#\n", prelude]
    parts.append(f"\n\nTARGET = {target(run)!r}\n")
    numbers: dict[str, int] = {}
    for sighting in run.failing:
        numbers[sighting.breach.rule] = numbers.get(sighting.breach.rule, 0) + 1
        parts.append("\n\n" + _test(sighting, numbers[sighting.breach.rule], target(run)))
    return "".join(parts)


def usable_check(check: str) -> bool:
    """Whether the text is a plain expression over `answers`, without a way to anything else."""
    try:
        tree = ast.parse(check.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError):
        return False
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return all(_plain(node, bound) for node in ast.walk(tree))


def _plain(node: ast.AST, bound: set[str]) -> bool:
    match node:
        case ast.Name():
            return node.id in _NAMES or (node.id in bound and not node.id.startswith("_"))
        case ast.Attribute():
            return node.attr in _ATTRIBUTES
        case _:
            return isinstance(node, _NODES)


def _test(sighting: Sighting, number: int, base: str) -> str:
    breach = sighting.breach
    name = "".join(char if char.isascii() and char.isalnum() else "_" for char in breach.rule.lower())
    lines = [f"def test_{name}_{number}() -> None:"]
    told = f"{breach.rule} ({sighting.text.level}: {sighting.text.source}): {sighting.text.statement}"
    for text in (told, f"Expected: {breach.expected}.", f"Came: {breach.actual}.", f"Seed {breach.seed}."):
        lines += [f"    # {line}" for line in textwrap.wrap(visible(text), 104)]
    lines.append("    requests = [")
    for place, (exchange, threaded, race) in enumerate(
        zip(breach.exchanges, thread(breach.exchanges), races(breach), strict=True), 1
    ):
        lines += [f"        # {place}.", *_request(exchange, threaded, race, base)]
    lines.append("    ]")
    return "\n".join([*lines, *_judgement(breach)]) + "\n"


def races(breach: Breach) -> tuple[int, ...]:
    """A number for each request: the same, other than 0, for those that were sent at the same time.

    A race is recorded as equal writing requests in a row.
    """
    if breach.found_by != "race":
        return tuple(0 for _ in breach.exchanges)
    numbers: list[int] = []
    for group, (key, members) in enumerate(
        groupby(breach.exchanges, lambda exchange: (exchange.method, exchange.url, exchange.body)), 1
    ):
        size = len(list(members))
        numbers += [group if size > 1 and key[0] not in ("GET", "HEAD") else 0] * size
    return tuple(numbers)


def _request(exchange: RecordedExchange, threaded: Threaded, race: int, base: str) -> Iterator[str]:
    headers = [(name, value) for name, value in exchange.headers if name.lower() not in OWN_HEADERS]
    yield "        Request("
    yield f"            {exchange.method!r},"
    yield f"            {_pieces(_below(threaded.url, base))},"
    yield "            headers=["
    yield from (f"                {header!r}," for header in headers)
    yield "            ],"
    if threaded.raw is not None:
        yield f"            body={threaded.raw!r},"
    elif threaded.body:
        yield f"            body={_pieces(threaded.body)},"
    yield f"            expected={exchange.status!r},"
    if race:
        yield f"            race={race},"
    yield "        ),"


def _below(url: Sequence[Part], base: str) -> list[Part]:
    """The address without the base, so that another base can take its place."""
    first = url[0] if url else ""
    if isinstance(first, str) and first.startswith(base) and first[len(base) : len(base) + 1] in ("", "/", "?"):
        return [first[len(base) :], *url[1:]]
    return list(url)


def _pieces(parts: Sequence[Part]) -> str:
    return "[" + ", ".join(_piece(part) for part in parts) + "]"


def _piece(part: Part) -> str:
    return f"Id({part.answer}, {part.path!r})" if isinstance(part, Id) else repr(part)


def _judgement(breach: Breach) -> list[str]:
    rule = f"{breach.rule}: expected that {breach.expected}"
    if breach.check and usable_check(breach.check):
        check = ast.unparse(ast.parse(breach.check.strip(), mode="eval"))
        return [
            "    must_hold(",
            "        TARGET,",
            "        requests,",
            f"        {rule!r},",
            f"        lambda answers: ({check}),",
            "    )",
        ]
    last = breach.exchanges[-1] if breach.exchanges else None
    if last is None:
        return [f"    pytest.skip({'no requests were recorded: ' + rule!r})"]
    recorded = "" if last.status is None else text_of(last.answer)
    return [
        "    must_not_come_again(",
        "        TARGET,",
        "        requests,",
        f"        {rule!r},",
        f"        recorded={recorded!r},",
        f"        failure={last.failure or ''!r},",
        "    )",
    ]
