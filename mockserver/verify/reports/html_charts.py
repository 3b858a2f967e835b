"""The geometry of the pictures in the HTML page: plain numbers, which the template draws as inline SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mockserver.verify.events import Verdict
from mockserver.verify.reports.console_tables import grid, state_name
from mockserver.verify.reports.phrases import MARKS, visible, why, word
from mockserver.verify.reports.run_state import RunResult, Sighting


@dataclass(frozen=True, slots=True)
class Tile:
    """One rule."""

    x: int
    y: int
    rule: str
    number: str
    mark: str
    verdict: Verdict
    wanting: bool
    """It matters and was not exercised."""
    tip: str


@dataclass(frozen=True, slots=True)
class Band:
    """One area of rules: its name, where its row stands, and how it went in words."""

    name: str
    y: int
    told: str


@dataclass(frozen=True, slots=True)
class Mosaic:
    width: int
    height: int
    bands: tuple[Band, ...]
    tiles: tuple[Tile, ...]


TILE, GAP, LABEL = 46, 6, 160
AREAS = {
    "GEN": "In general",
    "LIST": "Listing",
    "CREATE": "Creating",
    "FINALIZE": "Finalizing",
    "COLLECT": "Collecting",
    "SEARCH": "Searching",
}
PER_ROW = 12


def mosaic(run: RunResult) -> Mosaic:
    """A row of tiles for each area, a tile for each rule; long areas wrap."""
    bands: list[Band] = []
    tiles: list[Tile] = []
    y = 0
    for area, results in run.areas.items():
        broken = sum(result.verdict == "broken" for result in results)
        held = sum(result.verdict == "holds" for result in results)
        told = f"{broken} broken" if broken else f"{held} of {len(results)} hold"
        bands.append(Band(AREAS.get(area, area), y, f"{area}: {told}"))
        for place, result in enumerate(results):
            tip = f"{result.rule}: {word(result.verdict, result.exercised)}. {result.text.statement}"
            tiles.append(
                Tile(
                    x=LABEL + place % PER_ROW * (TILE + GAP),
                    y=y + place // PER_ROW * (TILE + GAP),
                    rule=result.rule,
                    number=result.rule.rpartition("-")[2],
                    mark=MARKS[result.verdict],
                    verdict=result.verdict,
                    wanting=result in run.wanting,
                    tip=f"{tip} ({why(result)})" if why(result) else tip,
                )
            )
        y += math.ceil(len(results) / PER_ROW) * (TILE + GAP) + GAP
    longest = max((min(len(results), PER_ROW) for results in run.areas.values()), default=0)
    return Mosaic(LABEL + longest * (TILE + GAP), y, tuple(bands), tuple(tiles))


@dataclass(frozen=True, slots=True)
class Cell:
    x: int
    y: int
    text: str
    strength: float
    """From 0, never met, to 1, met most often."""
    tip: str


@dataclass(frozen=True, slots=True)
class Line:
    y: int
    operation: str
    """Empty when the line above has the same."""
    status: str


@dataclass(frozen=True, slots=True)
class HeatMap:
    width: int
    height: int
    columns: tuple[tuple[int, str], ...]
    lines: tuple[Line, ...]
    cells: tuple[Cell, ...]


CELL_W, CELL_H, HEAD, SIDE = 82, 26, 26, 230


def heat_map(run: RunResult) -> HeatMap:
    """Operation and status downwards, state of the invoice across."""
    states, rows = grid(run.coverage)
    most = max((cell.met for cell in run.coverage), default=1) or 1
    lines: list[Line] = []
    cells: list[Cell] = []
    y, before = HEAD, ""
    for (operation, status), row in rows.items():
        y += 8 if operation != before and before else 0
        lines.append(Line(y, "" if operation == before else operation, status))
        before = operation
        for place, state in enumerate(states):
            if state in row:
                met = row[state]
                tip = f"{operation} answering {status}, invoice: {state_name(state)}: met {met:,} times"
                strength = math.log1p(met) / math.log1p(most)
                cells.append(Cell(SIDE + place * CELL_W, y, f"{met:,}" if met else "never", strength, tip))
        y += CELL_H
    columns = tuple((SIDE + place * CELL_W, visible(state_name(state))) for place, state in enumerate(states))
    return HeatMap(SIDE + len(states) * CELL_W, y, columns, tuple(lines), tuple(cells))


@dataclass(frozen=True, slots=True)
class Span:
    x: float
    width: float
    name: str
    seconds: str


@dataclass(frozen=True, slots=True)
class Marker:
    """A broken rule, at the second when that was first seen."""

    x: float
    y: float
    stem: float
    """Where its line ends, at the phases."""
    number: int
    rule: str
    accepted: bool
    tip: str


@dataclass(frozen=True, slots=True)
class Timeline:
    width: int
    height: float
    top: float
    spans: tuple[Span, ...]
    markers: tuple[Marker, ...]
    ticks: tuple[tuple[float, str], ...]


WIDTH, BAR, LANE, LABEL_W = 760, 30, 22, 96


def timeline(run: RunResult) -> Timeline:
    """The phases as a bar, and above it, for each broken rule, the second when that was first seen."""
    total = max(run.last_heard, run.elapsed, 0.001)
    scale = WIDTH / total
    first: dict[str, Sighting] = {}
    for sighting in sorted(run.sightings, key=lambda sighting: sighting.after):
        first.setdefault(sighting.breach.rule, sighting)
    lanes: list[float] = []
    placed: list[tuple[int, float, Sighting]] = []
    for sighting in first.values():
        x = min(max(sighting.after * scale, 8), WIDTH - 8)
        wanted = min(x, WIDTH - LABEL_W)
        lane = next((place for place, end in enumerate(lanes) if end <= wanted), len(lanes))
        lanes[lane : lane + 1] = [wanted + LABEL_W]
        placed.append((lane, x, sighting))
    top = len(lanes) * LANE + (8 if lanes else 0)
    edges = [phase.after for phase in run.phases[1:]] + [total]
    spans = tuple(
        Span(phase.after * scale, max((end - phase.after) * scale, 1), phase.name, f"{end - phase.after:.1f} s")
        for phase, end in zip(run.phases, edges, strict=False)
    )
    markers = tuple(_marker(sighting, x, lane, top) for lane, x, sighting in placed)
    return Timeline(WIDTH, top + BAR + 24, top, spans, markers, _ticks(total))


def _marker(sighting: Sighting, x: float, lane: int, top: float) -> Marker:
    rule = sighting.breach.rule
    tip = f"{rule}, first seen after {sighting.after:.1f} s"
    return Marker(x, top - 8 - lane * LANE - LANE / 2, top, sighting.number, rule, sighting.accepted, tip)


def _ticks(total: float) -> tuple[tuple[float, str], ...]:
    """About five round seconds, with their places."""
    rough = total / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return tuple((place * step * WIDTH / total, f"{place * step:g} s") for place in range(int(total / step) + 1))
