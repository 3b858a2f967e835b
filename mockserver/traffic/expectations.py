"""Asserts on a journal: how often something was asked and in which order; and, where that fails, what came nearest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mockserver.core.text import shown
from mockserver.traffic.formats import request_body, sent_body, status
from mockserver.traffic.journal import Exchange

NEAREST = 3
"""How many near misses are told of an expectation."""
FIELDS = ("operation", "method", "path", "status", "invoice", "because", "fault", "request", "response", "headers")
"""What an expectation can ask of an exchange."""


@dataclass(frozen=True, slots=True)
class MatchResult:
    """How one expectation fared."""

    wanted: Mapping[str, Any]
    least: int
    most: int | None
    numbers: tuple[int, ...]
    """The exchanges that are as wanted."""
    misses: tuple[dict[str, Any], ...] = ()
    complaint: str | None = None
    """What is wrong; None when it is met."""


def check(
    exchanges: Sequence[Exchange], expectations: Sequence[Mapping[str, Any]], *, in_order: bool
) -> list[MatchResult]:
    """How each expectation fares with these exchanges.

    `at_least` is 1, or 0 where only `at_most` is given. With `in_order` those that meet one expectation, as many as it
    wants at least, must come after those that met the one before it.
    """
    found = []
    after = 0
    for wanted in expectations:
        match = _check(exchanges, wanted)
        if in_order and match.complaint is None and match.least:
            following = [number for number in match.numbers if number > after]
            if len(following) < match.least:
                complaint = f"{_times(len(following))} after exchange {after}, which met the one before; {_wish(match)}"
                match = MatchResult(match.wanted, match.least, match.most, match.numbers, match.misses, complaint)
            else:
                after = following[match.least - 1]
        found.append(match)
    return found


def report(found: Sequence[MatchResult]) -> str:
    """All that is wrong, for people; nothing where nothing is."""
    lines = []
    for index, match in enumerate(found):
        if match.complaint is not None:
            lines.append(f"expectation {index} {shown(match.wanted)}: {match.complaint}")
            for miss in match.misses:
                told = "; ".join(f"{one['field']} is {shown(one['got'])}" for one in miss["differences"])
                lines.append(f"  exchange {miss['number']} came near: {told}")
    return "\n".join(lines)


def _check(exchanges: Sequence[Exchange], expectation: Mapping[str, Any]) -> MatchResult:
    wanted = {name: expectation[name] for name in FIELDS if name in expectation}
    most = expectation.get("at_most")
    least = expectation.get("at_least", 0 if most is not None else 1)
    numbers: list[int] = []
    nearest: list[tuple[int, int, Exchange, list[dict[str, Any]]]] = []
    for exchange in exchanges:
        differences = _differences(exchange, wanted)
        if not differences:
            numbers.append(exchange.number)
            continue
        # No more are kept than are told, since each has what it got with it.
        nearest.append((len(differences), -exchange.number, exchange, differences))
        nearest = sorted(nearest, key=lambda one: one[:2])[:NEAREST]
    match = MatchResult(wanted, least, most, tuple(numbers))
    if len(numbers) >= least and (most is None or len(numbers) <= most):
        return match
    told = nearest if len(numbers) < least else []
    misses = tuple(_miss(exchange, differences) for _, _, exchange, differences in told)
    return MatchResult(wanted, least, most, match.numbers, misses, f"{_times(len(numbers))}; {_wish(match)}")


def _miss(exchange: Exchange, differences: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "number": exchange.number,
        "operation": None if exchange.operation is None else exchange.operation.id,
        "status": status(exchange),
        "differences": differences,
    }


def _differences(exchange: Exchange, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, value in wanted.items():
        if name in ("request", "response"):
            body = request_body(exchange.request) if name == "request" else sent_body(exchange)
            found += _within(value, body, name)
        elif name == "headers":
            for header, text in value.items():
                got = exchange.request.headers.get(header.lower())
                if got != text:
                    found.append({"field": f"headers.{header}", "expected": text, "got": got})
        else:
            got = _got(exchange, name)
            if not _same(name, value, got):
                found.append({"field": name, "expected": value, "got": got})
    return found


def _got(exchange: Exchange, name: str) -> Any:
    if name == "operation":
        return None if exchange.operation is None else exchange.operation.id
    if name == "status":
        return status(exchange)
    if name == "invoice":
        return exchange.invoice
    if name == "because":
        return exchange.reply.because
    if name == "fault":
        return [one.kind for one in exchange.injected]
    return getattr(exchange.request, name)


def _same(name: str, wanted: Any, got: Any) -> bool:
    if name == "status" and isinstance(wanted, str):
        return got is not None and wanted.upper() == f"{got // 100}XX"
    if name == "because":
        return wanted in got
    return wanted in got if name == "fault" else bool(wanted == got)


def _within(wanted: Any, got: Any, field: str) -> list[dict[str, Any]]:
    """Where a value does not hold what is wanted of it: objects may hold more, everything else is the same."""
    if isinstance(wanted, Mapping) and isinstance(got, Mapping):
        return [one for name, value in wanted.items() for one in _within(value, got.get(name), f"{field}.{name}")]
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        pairs = enumerate(zip(wanted, got, strict=True))
        return [one for index, (value, other) in pairs for one in _within(value, other, f"{field}.{index}")]
    # JSON tells true from 1, which Python takes for the same.
    if wanted == got and isinstance(wanted, bool) == isinstance(got, bool):
        return []
    return [{"field": field, "expected": wanted, "got": got}]


def _times(count: int) -> str:
    return {0: "no exchange was like that", 1: "1 exchange was like that"}.get(count, f"{count} were like that")


def _wish(match: MatchResult) -> str:
    if match.least and match.most == match.least:
        return f"wanted are exactly {match.least}"
    bounds = [f"at least {match.least}"] if match.least else []
    bounds += [f"at most {match.most}"] if match.most is not None else []
    return f"wanted are {' and '.join(bounds)}"
