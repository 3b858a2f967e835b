"""What the pictures in the HTML page show, as shares of its width: the template draws them on any screen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from mockserver.verify.events import Verdict
from mockserver.verify.reports.console.tables import grid, state_name
from mockserver.verify.reports.phrases import MARKS, visible, why, word
from mockserver.verify.reports.run_state import RunResult, Sighting


@dataclass(frozen=True, slots=True)
class Tile:
    """One rule."""

    rule: str
    number: str
    mark: str
    verdict: Verdict
    wanting: bool
    """It matters and was not exercised."""
    tip: str


@dataclass(frozen=True, slots=True)
class Band:
    """One area of rules, and how it went in words."""

    name: str
    told: str
    tiles: tuple[Tile, ...]


AREAS = {
    "GEN": "In general",
    "LIST": "Listing",
    "CREATE": "Creating",
    "FINALIZE": "Finalizing",
    "COLLECT": "Collecting",
    "SEARCH": "Searching",
}


def mosaic(run: RunResult) -> Iterator[Band]:
    """A band of tiles for each area, a tile for each rule."""
    for area, results in run.areas.items():
        broken = sum(result.verdict == "broken" for result in results)
        held = sum(result.verdict == "holds" for result in results)
        told = f"{broken} broken" if broken else f"{held} of {len(results)} hold"
        tiles = []
        for result in results:
            tip = f"{result.rule}: {word(result.verdict, result.exercised)}. {result.text.statement}"
            tiles.append(
                Tile(
                    rule=result.rule,
                    number=result.rule.rpartition("-")[2],
                    mark=MARKS[result.verdict],
                    verdict=result.verdict,
                    wanting=result in run.wanting,
                    tip=f"{tip} ({why(result)})" if why(result) else tip,
                )
            )
        yield Band(AREAS.get(area, area), f"{area}: {told}", tuple(tiles))


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    strength: float
    """From 0, never met, to 1, met most often."""
    tip: str


@dataclass(frozen=True, slots=True)
class Line:
    operation: str
    """Empty when the line above has the same."""
    status: str
    cells: tuple[Cell | None, ...]
    """One for each column; None where the operation can't be met so."""


@dataclass(frozen=True, slots=True)
class HeatMap:
    columns: tuple[str, ...]
    lines: tuple[Line, ...]


def heat_map(run: RunResult) -> HeatMap:
    """Operation and status downwards, state of the invoice across."""
    states, rows = grid(run.coverage)
    most = max((cell.met for cell in run.coverage), default=1) or 1
    lines: list[Line] = []
    before = ""
    for (operation, status), row in rows.items():
        cells = (
            Cell(
                f"{row[state]:,}" if row[state] else "never",
                math.log1p(row[state]) / math.log1p(most),
                f"{operation} answering {status}, invoice: {state_name(state)}: met {row[state]:,} times",
            )
            if state in row
            else None
            for state in states
        )
        lines.append(Line("" if operation == before else operation, status, tuple(cells)))
        before = operation
    return HeatMap(tuple(visible(state_name(state)) for state in states), tuple(lines))


@dataclass(frozen=True, slots=True)
class Span:
    """A phase; its place and width are percents of the whole run."""

    at: float
    width: float
    name: str
    seconds: str


@dataclass(frozen=True, slots=True)
class Marker:
    """A broken rule, at the moment when that was first seen, in percent of the whole run."""

    at: float
    number: int
    rule: str
    accepted: bool
    tip: str


@dataclass(frozen=True, slots=True)
class Timeline:
    spans: tuple[Span, ...]
    markers: tuple[Marker, ...]
    ticks: tuple[tuple[float, str], ...]


def timeline(run: RunResult) -> Timeline:
    """The phases as a bar, and above it, for each broken rule, the second when that was first seen."""
    total = max(run.last_heard, run.elapsed, 0.001)
    first: dict[str, Sighting] = {}
    for sighting in sorted(run.sightings, key=lambda sighting: sighting.after):
        first.setdefault(sighting.breach.rule, sighting)
    edges = [phase.after for phase in run.phases[1:]] + [total]
    spans = tuple(
        Span(100 * phase.after / total, 100 * (end - phase.after) / total, phase.name, f"{end - phase.after:.1f} s")
        for phase, end in zip(run.phases, edges, strict=False)
    )
    markers = tuple(
        Marker(
            100 * min(one.after / total, 1),
            one.number,
            rule,
            one.accepted,
            f"{rule}, first seen after {one.after:.1f} s",
        )
        for rule, one in first.items()
    )
    return Timeline(spans, markers, _ticks(total))


def _ticks(total: float) -> tuple[tuple[float, str], ...]:
    """About five round seconds, with their places."""
    rough = total / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return tuple((100 * place * step / total, f"{place * step:g} s") for place in range(int(total / step) + 1))
