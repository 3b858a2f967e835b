"""The result of a run as a page for the terminal: rules, choices, coverage, breaches, verdict."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from mockserver.verify.events import Coverage, Verdict
from mockserver.verify.reports.phrases import (
    MARKS,
    MONEY,
    VERDICTS,
    answer_line,
    choice_value,
    conclusion,
    ending,
    left_behind,
    measure,
    printed,
    seen,
    target,
    visible,
    why,
)
from mockserver.verify.reports.run_state import RuleResult, RunResult, Sighting
from mockserver.verify.reports.shell import commands

STYLES: dict[Verdict, str] = {
    "holds": "green",
    "broken": "bold red",
    "not_exercised": "yellow",
    "accepted": "magenta",
}

FULL = 3
"""Breaches of one rule that the console tells in full."""

STATES = ("-", "none", "Draft", "finalized", "paid", "declined")


def summary(run: RunResult, width: int) -> RenderableType:
    """The whole result, for a terminal `width` columns wide; the verdict comes last, where the eye is."""
    if not run.began:
        # What it would have said, in one line.
        return Group(Text(printed(conclusion(run)), style="bold red", no_wrap=True, overflow="ignore"))
    parts: list[RenderableType] = []
    # A run that never began has nothing to say about each rule.
    if any(result.judged for result in run.rules) or run.sightings:
        parts += [_title("Rules"), _rules(run)]
    if run.choices:
        parts += [_title("Open choices"), _choices(run)]
    if run.coverage:
        parts += [_title(f"Coverage: {run.met} of {len(run.coverage)} met"), _coverage(run)]
    parts += _breaches(run, width)
    notes = [note for note in run.notes if note.level != "money"]
    if notes:
        parts.append(_title("Notes"))
        parts += [Text(visible(note.text), style="yellow" if note.level == "warning" else "") for note in notes]
    if run.dangers:
        parts.append(_title(MONEY))
        parts += [Text(visible(f"!! {note.text}"), style=STYLES["broken"]) for note in run.dangers]
    parts += [_title("Verdict"), *_verdict(run)]
    return Group(*parts)


def _title(text: str) -> RenderableType:
    return Group(Text(), Rule(Text(text, style="bold"), align="left", style="dim"))


def _rules(run: RunResult) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="dim", expand=True)
    for name in ("Rule", "Known", "Verdict"):
        table.add_column(name, no_wrap=True)
    table.add_column("What it says", ratio=1)
    for result in run.rules:
        table.add_row(
            Text(printed(result.rule)),
            Text(printed(result.text.level), style="dim"),
            Text(f"{MARKS[result.verdict]} {_short(result)}", style=STYLES[result.verdict]),
            _statement(result),
        )
    return table


def _short(result: RuleResult) -> str:
    if result.verdict == "holds" and result.exercised:
        return f"holds {result.exercised:,}x"
    return VERDICTS[result.verdict]


def _statement(result: RuleResult) -> Group:
    """One line of the statement; below it, whole, why the verdict is what it is."""
    lines = [Text(printed(result.text.statement), no_wrap=True, overflow="ellipsis")]
    if why(result):
        lines.append(Text(printed(why(result)), style=STYLES[result.verdict]))
    return Group(*lines)


def _choices(run: RunResult) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="dim", expand=True)
    table.add_column("Choice", no_wrap=True)
    table.add_column("Value", no_wrap=True, max_width=20)
    table.add_column("How it shows", ratio=1)
    for choice in run.choices:
        value = Text(printed(choice_value(choice.value)), style="cyan")
        if not choice.measured:
            value = Text("not measured", style="yellow")
        how = Text(printed(choice.evidence))
        if choice.expected is not None:
            how.append(f"\nthe profile says {printed(choice_value(choice.expected))}", style="yellow")
        table.add_row(Text(printed(choice.key)), value, how)
    return table


def grid(
    coverage: tuple[Coverage, ...],
) -> tuple[tuple[str, ...], dict[tuple[str, str], dict[str, int]]]:
    """The states as columns, and for each operation and status how often it was met in each state."""
    present = {cell.state for cell in coverage}
    states = [state for state in STATES if state in present]
    states += sorted(present.difference(states))
    rows: dict[tuple[str, str], dict[str, int]] = {}
    for cell in sorted(coverage, key=lambda cell: (cell.operation, cell.status)):
        rows.setdefault((cell.operation, cell.status), {})[cell.state] = cell.met
    return tuple(states), rows


def state_name(state: str) -> str:
    return {"-": "no invoice", "none": "unknown"}.get(state, state)


def _coverage(run: RunResult) -> Table:
    states, rows = grid(run.coverage)
    table = Table(box=None, padding=(0, 1, 0, 0), show_edge=False, header_style="dim")
    table.add_column("Operation", no_wrap=True)
    table.add_column("Gives", no_wrap=True)
    for state in states:
        table.add_column(Text(printed(state_name(state))), justify="right", no_wrap=True)
    before = ""
    for (operation, status), cells in rows.items():
        row = [_cell(cells.get(state)) for state in states]
        table.add_row(Text(printed(operation) if operation != before else ""), Text(printed(status)), *row)
        before = operation
    return table


def _cell(met: int | None) -> Text:
    if met is None:
        return Text("·", style="dim")
    return Text(f"{met:,}", style="green") if met else Text("never", style="yellow")


def _breaches(run: RunResult, width: int) -> Iterator[RenderableType]:
    """The first few of each rule in full, the rest by a line each: the files hold them all."""
    told: Counter[str] = Counter()
    rest: list[Sighting] = []
    for sighting in run.sightings:
        told[sighting.breach.rule] += 1
        if told[sighting.breach.rule] > FULL:
            rest.append(sighting)
        else:
            yield from _breach(sighting, target(run), width)
    if rest:
        yield _title("Further breaches of the same rules")
        yield from (Text(printed(f"{other.number}. {other.breach.rule}: {other.breach.actual}")) for other in rest)


def _breach(sighting: Sighting, base: str, width: int) -> Iterator[RenderableType]:
    breach, text = sighting.breach, sighting.text
    style = STYLES["accepted" if sighting.accepted else "broken" if breach.counts else "not_exercised"]
    mark = "Accepted breach" if sighting.accepted else "Breach" if breach.counts else "Seen once"
    yield Text()
    yield Rule(Text(visible(f"{mark} {sighting.number}: {breach.rule}"), style=style), align="left", style="dim")
    yield _hanging("Rule", visible(text.statement))
    yield _hanging("Source", visible(f"{text.level}, {text.source}"))
    yield _hanging("Expected", visible(breach.expected))
    yield _hanging("Came", visible(breach.actual), style=style)
    yield _hanging("Seen", seen(sighting))
    told = zip(commands(breach, base, separator=" \\\n    ", limit=2000), breach.exchanges, strict=True)
    for number, (command, exchange) in enumerate(told, 1):
        yield Text()
        yield Text(f"  # {number}.", style="dim")
        # Wrapped by the terminal, never by us: a broken line could not be pasted.
        yield Text(f"  {printed(command, lines=True)}", no_wrap=True, overflow="ignore", style="cyan")
        # The last answer is the wrong one: that may take more room.
        lines = 1 if number < len(breach.exchanges) else 4
        line = answer_line(exchange, lines * (width - 4))
        yield Text("\n".join(f"  # {part}" for part in textwrap.wrap(line, width - 4)), style="dim")


def _hanging(name: str, text: str, *, style: str = "") -> Table:
    """A name, and beside it a text that wraps in its own column."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(min_width=8, no_wrap=True)
    table.add_column()
    table.add_row(Text(name, style="dim"), Text(text, style=style))
    return table


def _verdict(run: RunResult) -> Iterator[RenderableType]:
    tally = Text()
    for verdict, name in VERDICTS.items():
        number = len(run.of(verdict))
        if number:
            tally.append(f"{MARKS[verdict]} {number} {name}   ", style=STYLES[verdict])
    yield tally
    for line in (ending(run), measure(run)):
        if line:
            yield Text(printed(line))
    if left_behind(run):
        yield _hanging("Left behind", printed(left_behind(run)))
    color = {0: "bold green", 1: "bold red", 2: "bold red", 3: "bold yellow"}.get(run.exit_code or 0)
    if run.exit_code is None:
        color = "bold red"
    yield Text(printed(conclusion(run)), style=color or "")
