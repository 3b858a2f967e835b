"""How the commands that list something print it: as a table, or as JSON."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.table import Table


def print_json(value: Any) -> None:
    """A value for machines."""
    click.echo(json.dumps(value, indent=2))


def table_of(title: str, *columns: str) -> Table:
    """A table without rows yet, for people."""
    table = Table(title=title, title_justify="left", show_lines=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")
