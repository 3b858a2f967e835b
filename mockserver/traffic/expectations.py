"""Asserts on a journal: how often something was asked and in which order; and, where that fails, what came nearest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

from mockserver.core.net import API
from mockserver.core.text import shown
from mockserver.traffic.formats import request_body, sent_body, status
from mockserver.traffic.journal import Exchange

NEAREST = 3
"""How many near misses are told of an expectation."""
LONGEST = 4_000
"""Characters that are told of what an exchange had instead of what is wanted."""
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
    exchanges: Sequence[Exchange], expectations: Sequence[Mapping[str, Any]], *, in_order: bool, lost: int = 0
) -> list[MatchResult]:
    """How each expectation fares with these exchanges, before which `lost` others were, that are no longer known.

    `at_least` is 1, or 0 where only `at_most` is given. With `in_order` those that meet one expectation, as many as it
    wants at least, must come after those that met the one before it.
    """
    found = []
    after = 0
    for tally in _tallied(exchanges, expectations):
        match = _with_lost(tally.result(), lost)
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


@dataclass(frozen=True)
class _Candidate:
    """An exchange and its bodies, each read when it is first compared."""

    exchange: Exchange

    @cached_property
    def request(self) -> Any:
        return request_body(self.exchange.request)

    @cached_property
    def response(self) -> Any:
        return sent_body(self.exchange)


@dataclass(slots=True)
class _Tally:
    """One expectation, and what the exchanges so far came to."""

    expectation: Mapping[str, Any]
    wanted: dict[str, Any]
    numbers: list[int] = field(default_factory=list)
    """The exchanges that are as wanted."""
    nearest: list[tuple[int, int, Exchange, list[dict[str, Any]]]] = field(default_factory=list)

    def add(self, candidate: _Candidate) -> None:
        exchange = candidate.exchange
        differences = _differences(candidate, self.wanted)
        if not differences:
            self.numbers.append(exchange.number)
            return
        # No more are kept than are told, since each has what it got with it.
        if len(self.nearest) == NEAREST and len(differences) > self.nearest[-1][0]:
            return
        self.nearest.append((len(differences), -exchange.number, exchange, differences))
        self.nearest = sorted(self.nearest, key=lambda one: one[:2])[:NEAREST]

    def result(self) -> MatchResult:
        numbers = tuple(self.numbers)
        most = self.expectation.get("at_most")
        least = self.expectation.get("at_least", 0 if most is not None else 1)
        match = MatchResult(self.wanted, least, most, numbers)
        if len(numbers) >= least and (most is None or len(numbers) <= most):
            return match
        told = self.nearest if len(numbers) < least else []
        misses = tuple(_miss(exchange, differences) for _, _, exchange, differences in told)
        return MatchResult(self.wanted, least, most, numbers, misses, f"{_times(len(numbers))}; {_wish(match)}")


def _with_lost(match: MatchResult, lost: int) -> MatchResult:
    """Nobody can say that something was not asked, or not more often, of exchanges that are no longer known."""
    if not lost or (match.complaint is None and match.most is None):
        return match
    told = f"of {lost} exchanges that the journal has lost nobody knows: give it a larger --journal-size"
    complaint = told if match.complaint is None else f"{match.complaint}; {told}"
    return MatchResult(match.wanted, match.least, match.most, match.numbers, match.misses, complaint)


def _tallied(exchanges: Sequence[Exchange], expectations: Sequence[Mapping[str, Any]]) -> list[_Tally]:
    tallies = [_Tally(one, {name: one[name] for name in FIELDS if name in one}) for one in expectations]
    for exchange in exchanges:
        candidate = _Candidate(exchange)
        for tally in tallies:
            tally.add(candidate)
    return tallies


def _miss(exchange: Exchange, differences: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "number": exchange.number,
        "operation": None if exchange.operation is None else exchange.operation.id,
        "status": status(exchange),
        "differences": [{**one, "got": _cut(one["got"])} for one in differences],
    }


def _cut(got: Any) -> Any:
    """What was got, or the beginning of its text where that is long: several expectations may be told of one body."""
    text = got if isinstance(got, str) else orjson.dumps(got).decode()
    return got if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _differences(candidate: _Candidate, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    exchange = candidate.exchange
    found: list[dict[str, Any]] = []
    for name, value in wanted.items():
        if name in ("request", "response"):
            found += _within(value, getattr(candidate, name), name)
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
    if name == "status" and got is not None:
        return is_status(wanted, got)
    if name == "method":
        return bool(wanted.upper() == got.upper())
    if name == "path":
        return bool(wanted.removeprefix(API) == got.removeprefix(API))
    if name == "because":
        return wanted in got
    return wanted in got if name == "fault" else bool(wanted == got)


def is_status(wanted: int | str, got: int) -> bool:
    """Whether a status is the one wanted, such as `402`, or of the class, such as `4xx`."""
    return str(wanted).upper() in (str(got), f"{got // 100}XX")


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
