"""The command `profiles`: the open choices, and the named ways to make them."""

from __future__ import annotations

import click
from rich.console import Console

from mockserver.billing import profile
from mockserver.cli.printing import JSON_OPTION, print_json, table_of


@click.command()
@JSON_OPTION
def profiles(*, as_json: bool) -> None:
    """List the profiles, and every open choice with its values."""
    found = profile.profiles()
    if as_json:
        choices = {
            key: {"values": choice.values, "any_number": choice.any_number, "help": choice.help}
            for key, choice in profile.CHOICES.items()
        }
        named = [{"name": one.name, "description": one.description, "choices": one.profile.values()} for one in found]
        print_json({"choices": choices, "profiles": named})
        return
    console = Console()
    table = table_of("Profiles", "Name", "What it is")
    for one in found:
        table.add_row(one.name, one.description)
    console.print(table)
    table = table_of("Open choices: what the documentation leaves to the server", "Key", "Values", "What it decides")
    for key, choice in profile.CHOICES.items():
        values = ", ".join("null" if value is None else str(value) for value in choice.values)
        table.add_row(key, values + (", any number" if choice.any_number else ""), choice.help)
    console.print(table)
