"""The end of a run on the terminal: each fault on a card, then each broken rule on a line, the verdict last."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from mockserver.verify.reports.breach_words import plain, sent_line
from mockserver.verify.reports.causes import Cause, causes, first_of_rules
from mockserver.verify.reports.console.tables import STYLES, choices_table, coverage_table, rules_table
from mockserver.verify.reports.phrases import (
    MARKS,
    MONEY,
    VERDICTS,
    answer_line,
    conclusion,
    count,
    drift_line,
    ending,
    left_behind,
    measure,
    named,
    printed,
    provenance,
    see_again,
    seen,
    shorten,
    tallied,
    target,
    unexercised,
    visible,
)
from mockserver.verify.reports.run_state import RunResult, Sighting
from mockserver.verify.reports.scripts.shell import commands

FULL = 12
"""Causes that the console tells with their requests."""
BENEATH = 12
"""Further breaches of one cause that the console tells, by a line each."""

Places = Mapping[str, Path]
"""Where the reports that are files lie, by the name of the report."""


def summary(run: RunResult, width: int, *, places: Places, verbose: bool, notes: bool) -> RenderableType:
    """The whole result, for a terminal `width` columns wide; the verdict comes last, where the eye is.

    `notes`: tell them here; those about money are told in any case.
    """
    if not run.began:
        # What it would have said, in one line.
        return Group(Text(printed(conclusion(run)), style="bold red", no_wrap=True, overflow="ignore"))
    parts: list[RenderableType] = [*(_tables(run) if verbose else ()), *_causes(run, width)]
    told = [note for note in run.notes if note.level != "money"] if notes else []
    if told:
        parts.append(_title("Notes"))
        parts += [Text(visible(note.text), style="yellow" if note.level == "warning" else "") for note in told]
    if run.dangers:
        parts.append(_title(MONEY))
        parts += [Text(visible(f"!! {note.text}"), style=STYLES["broken"]) for note in run.dangers]
    parts += [*_broken(run, places), *_drifts(run), *_wanting(run), _title("Verdict"), *_verdict(run, places)]
    return Group(*parts)


def _title(text: str) -> RenderableType:
    return Group(Text(), Rule(Text(text, style="bold"), align="left", style="dim"))


def _tables(run: RunResult) -> Iterator[RenderableType]:
    if any(result.judged for result in run.rules) or run.sightings:
        yield from (_title("Rules"), rules_table(run))
    if run.choices:
        yield from (_title("Open choices"), choices_table(run))
    if run.coverage:
        yield from (_title(f"Coverage: {run.met} of {len(run.coverage)} met"), coverage_table(run))


def _causes(run: RunResult, width: int) -> Iterator[RenderableType]:
    """The worst in full, the rest by a line each: the files hold them all."""
    found = causes(run)
    for cause in found[:FULL]:
        yield from _card(cause, target(run), width)
    if rest := [one for cause in found[FULL:] for one in cause.sightings]:
        yield _title("Further breaches")
        yield from _lines(rest)


def _card(cause: Cause, base: str, width: int) -> Iterator[RenderableType]:
    sighting = cause.lead
    breach, text = sighting.breach, sighting.text
    style = STYLES["accepted" if sighting.accepted else "broken" if breach.counts else "not_exercised"]
    mark = "Accepted breach" if sighting.accepted else "Breach" if breach.counts else "Seen once"
    yield Text()
    heading = ", ".join(filter(None, (f"{mark} {cause.number}: {breach.rule}", cause.reach)))
    yield Rule(Text(visible(heading), style=style), align="left", style="dim")
    yield _hanging("Rule", visible(text.statement))
    yield _hanging("Source", visible(provenance(text)))
    yield _hanging("Expected", visible(breach.expected))
    yield _hanging("Came", visible(breach.actual), style=style)
    yield _hanging("Seen", visible(seen(sighting)))
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
    if cause.others:
        yield Text("\nThe same, by what it shows:", style="bold")
        yield from _lines(cause.others[:BENEATH])
        if len(cause.others) > BENEATH:
            yield Text(f"and {len(cause.others) - BENEATH} more, which the reports in files hold", style="dim")


def _lines(sightings: Sequence[Sighting]) -> Iterator[RenderableType]:
    """Each breach on a line of its own: what was sent, what must come, what came."""
    for one in sightings:
        breach = one.breach
        told = f"expected that {plain(breach.expected)}; {plain(breach.actual)}"
        yield _hanging(breach.rule, f"{printed(sent_line(breach, 120))}: {printed(told)}", least=10)


@dataclass(frozen=True, slots=True)
class _Hanging:
    """A name, and beside it a text: on a terminal wrapped in its own column, in a log on one line."""

    name: str
    text: str
    style: str
    least: int

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        name, text = Text(self.name, style="dim"), Text(self.text, style=self.style)
        if options.no_wrap:
            name.pad_right(max(0, self.least - name.cell_len) + 2)
            yield name + text
            return
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(min_width=self.least, no_wrap=True)
        table.add_column()
        table.add_row(name, text)
        yield table


def _hanging(name: str, text: str, *, style: str = "", least: int = 8) -> _Hanging:
    return _Hanging(name, text, style, least)


def _broken(run: RunResult, places: Places) -> Iterator[RenderableType]:
    """Each broken rule: what was expected, what came, and the command that shows it again."""
    first = first_of_rules(run)
    if not first:
        return
    yield _title("Broken")
    for rule, one in first.items():
        told = f"expected that {plain(one.breach.expected)}; came: {shorten(plain(one.breach.actual), 120)}"
        yield _hanging(f"{MARKS['broken']} {printed(rule)}", printed(told), style=STYLES["broken"], least=12)
        if again := see_again(run, places.get("script"), rule):
            # Whole on its line, so that it can be pasted.
            yield Text(f"  see again: {printed(again)}", no_wrap=True, overflow="ignore", style="cyan")


def _drifts(run: RunResult) -> Iterator[RenderableType]:
    if run.drifts:
        yield _title("Not as recorded")
    for drift in run.drifts:
        yield Text(printed(f"{MARKS['broken']} {drift_line(drift)}"), style=STYLES["broken"])


def _wanting(run: RunResult) -> Iterator[RenderableType]:
    """The rules that matter and were not exercised, by the reason, with the option that would help."""
    if run.wanting:
        yield _title("Not exercised")
    for reason, results in unexercised(run).items():
        name = f"{MARKS['not_exercised']} {printed(named(results))}"
        rules = f": {', '.join(result.rule for result in results)}" if len(results) > 1 else ""
        yield _hanging(name, printed(reason + rules), style=STYLES["not_exercised"], least=12)


def _verdict(run: RunResult, places: Places) -> Iterator[RenderableType]:
    tally = Text()
    for verdict in VERDICTS:
        if number := len(run.of(verdict)):
            tally.append(f"{MARKS[verdict]} {tallied(verdict, number)}   ", style=STYLES[verdict])
    tally.rstrip()
    yield tally
    for line in (ending(run), measure(run)):
        if line:
            yield Text(printed(line))
    if left_behind(run):
        yield _hanging("Left behind", printed(left_behind(run)))
    if places:
        yield _hanging(count(len(places), "Report"), printed(", ".join(map(str, places.values()))))
    color = {0: "bold green", 1: "bold red", 2: "bold red", 3: "bold yellow"}.get(run.exit_code or 0)
    if run.exit_code is None:
        color = "bold red"
    yield Text(printed(conclusion(run)), style=color or "")
