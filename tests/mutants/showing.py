"""The rows of the table for people, their totals, and their file for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from tests.mutants.judging import Row

QUICK = 10
"""Seconds within which half of the faults are to be named."""


def mark(value: object) -> Text:
    """Yes, no, or not asked."""
    if value is None:
        return Text("-", style="dim")
    return Text("yes", style="green") if value else Text("NO", style="bold red")


def rules_named(row: Row) -> Text:
    """The rules in the order in which they were found; those of the fault in green."""
    text = Text()
    for rule in sorted(row.named, key=lambda rule: row.named[rule])[:6]:
        text.append(f"{rule} ", style="green" if rule in row.rules else "yellow")
    if len(row.named) > 6:
        text.append(f"and {len(row.named) - 6} more", style="dim")
    return text


def fault_table(rows: Sequence[Row]) -> Table:
    table = Table(title="Faults", caption="green: a rule that the fault breaks; yellow: another one")
    for name in ("area", "fault", "plain scenario", "raw Schemathesis", "caught by us", "rule named", "right"):
        table.add_column(name, no_wrap=name == "fault")
    for name in ("named after s", "seconds", "requests"):
        table.add_column(name, justify="right")
    for row in rows:
        caught = None if row.exit is None else row.exit == 1
        table.add_row(
            row.area,
            row.name,
            mark(row.plain),
            mark(row.raw),
            mark(caught),
            rules_named(row),
            mark(None if row.exit is None else row.named_right),
            "" if row.named_after is None else f"{row.named_after:.1f}",
            f"{row.seconds:.1f}",
            str(row.requests),
        )
    return table


def other_table(title: str, rows: Sequence[Row]) -> Table:
    """Legal servers or non-APIs: a row for each, its seeds together."""
    table = Table(title=title)
    for name in ("server", "what it is", "exit codes", "right", "rules named"):
        table.add_column(name, overflow="fold")
    for name in ("seconds", "requests"):
        table.add_column(name, justify="right")
    for name in dict.fromkeys(row.name for row in rows):
        same = [row for row in rows if row.name == name]
        table.add_row(
            name,
            same[0].says,
            " ".join(str(row.exit) for row in same),
            mark(all(row.right_exit for row in same)),
            Text(" ").join(rules_named(row) for row in same if row.named),
            f"{sum(row.seconds for row in same) / len(same):.1f}",
            str(sum(row.requests for row in same) // len(same)),
        )
    return table


def totals(rows: Sequence[Row]) -> dict[str, Any]:
    """Counts for the README, of what was judged alone: faults, legal runs, non-APIs."""
    faults = [row for row in rows if row.kind == "fault"]
    judged = [row for row in faults if row.exit is not None]
    legal = [row for row in rows if row.kind == "legal" and row.exit is not None]
    non_apis = [row for row in rows if row.kind == "non-api" and row.exit is not None]
    within = f"faults_named_within_{QUICK}_s"
    counts: dict[str, Any] = {"faults": len(faults)} if faults else {}
    if judged:
        counts["faults_caught"] = sum(row.exit == 1 for row in judged)
        counts["faults_named_right"] = sum(bool(row.named_right) for row in judged)
        counts["faults_named_right_first"] = sum(bool(row.named_right_first) for row in judged)
        counts[within] = sum(row.named_after is not None and row.named_after <= QUICK for row in judged)
    if any(row.raw is not None for row in faults):
        counts["faults_caught_by_raw_schemathesis"] = sum(bool(row.raw) for row in faults)
    if any(row.plain is not None for row in faults):
        counts["faults_seen_by_plain_scenarios"] = sum(bool(row.plain) for row in faults)
    if legal:
        counts["legal_servers"] = len({row.name for row in legal})
        counts["legal_runs"] = len(legal)
        counts["legal_runs_right"] = sum(bool(row.right_exit) for row in legal)
    if non_apis:
        counts["non_apis"] = len(non_apis)
        counts["non_apis_right"] = sum(bool(row.right_exit) for row in non_apis)
    return counts | {"longest_seconds": max((row.seconds for row in rows), default=0.0)}


def totals_table(rows: Sequence[Row]) -> Table:
    table = Table(title="Totals", show_header=False)
    for name, value in totals(rows).items():
        table.add_row(name.replace("_", " "), str(value))
    return table


def tables(rows: Sequence[Row]) -> list[Table]:
    """Those that have rows, and the totals."""
    made = []
    faults = [row for row in rows if row.kind == "fault"]
    if faults:
        made.append(fault_table(faults))
    for kind, title in (("legal", "Legal servers"), ("non-api", "No APIs")):
        others = [row for row in rows if row.kind == kind]
        if others:
            made.append(other_table(title, others))
    return [*made, totals_table(rows)]


def write(path: Path, rows: Sequence[Row]) -> None:
    """Totals and rows as JSON."""
    document = {"totals": totals(rows), "rows": [asdict(row) for row in rows]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")
