"""The command `schema`: what a file may hold, as a JSON Schema, for editors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

from mockserver.billing.profile import profile_schema
from mockserver.cli.printing import print_json
from mockserver.state.fixtures.load import fixture_schema
from mockserver.verify import known_breaches

SCHEMAS: dict[str, Callable[[], Any]] = {
    "fixture": fixture_schema,
    "known-breaches": lambda: json.loads(known_breaches.SCHEMA.read_text(encoding="utf-8")),
    "profile": profile_schema,
}
"""Each kind of file with its schema."""


@click.command(short_help="Print the JSON Schema of a kind of file.")
@click.argument("kind", type=click.Choice(list(SCHEMAS)))
def schema(kind: str) -> None:
    """Print the JSON Schema of a KIND of file, with which editors complete and check it.

    \b
    mockserver schema fixture > fixture.schema.json
    and as the first line of the fixture: # yaml-language-server: $schema=fixture.schema.json
    """
    print_json(SCHEMAS[kind]())
