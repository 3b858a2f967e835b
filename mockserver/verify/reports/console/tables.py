"""The tables of the console, of every rule, choice and cell of the coverage: for those who ask for more."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from mockserver.verify.events import Coverage, Verdict
from mockserver.verify.reports.phrases import MARKS, VERDICTS, choice_value, printed, why
from mockserver.verify.reports.run_state import RuleResult, RunResult

STYLES: dict[Verdict, str] = {
    "holds": "green",
    "broken": "bold red",
    "not_exercised": "yellow",
    "accepted": "magenta",
}

STATES = ("-", "none", "Draft", "finalized", "paid", "declined")


def rules_table(run: RunResult) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="dim", expand=True)
    for name in ("Rule", "Provenance", "Verdict"):
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


def choices_table(run: RunResult) -> Table:
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


def coverage_table(run: RunResult) -> Table:
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
