"""The command `fixtures`: the worlds to start with, and a running one written as such."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from mockserver.cli.printing import JSON_OPTION, print_json, table_of
from mockserver.core.direct import NothingAnswered, answered
from mockserver.core.errors import Unusable
from mockserver.core.health import server_address
from mockserver.core.net import CONTROL
from mockserver.core.resources import by_path
from mockserver.server.control.guard import TOKEN_HEADER
from mockserver.state.fixtures.load import list_fixtures


@click.group(invoke_without_command=True)
@JSON_OPTION
@click.pass_context
def fixtures(ctx: click.Context, *, as_json: bool) -> None:
    """List the worlds that a server can start with."""
    if ctx.invoked_subcommand is not None:
        return
    found = list_fixtures()
    if as_json:
        print_json([asdict(one) for one in found])
        return
    table = table_of("Fixtures", "Name", "What it is", "Merchants", "Charges", "Invoices", "Tokens")
    for one in found:
        table.add_row(
            one.name,
            one.description,
            f"{one.merchants:,}",
            f"{one.charges:,}",
            f"{one.invoices:,}",
            ", ".join(one.tokens),
        )
    Console().print(table)


@fixtures.command()
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path), required=False)
@click.option(
    "--url",
    default="http://127.0.0.1:4010",
    show_default=True,
    envvar="MOCKSERVER_URL",
    show_envvar=True,
    help="The running server.",
)
@click.option(
    "--token",
    default="",
    envvar="MOCKSERVER_TOKEN",
    show_envvar=True,
    help="TOKEN@WORLD, for a world of its own.",
)
@click.option(
    "--control-token",
    default="",
    envvar="MOCKSERVER_CONTROL_TOKEN",
    show_envvar=True,
    help="The control token, if the server wants one.",
)
def export(file: Path | None, url: str, token: str, control_token: str) -> None:
    """Write a running server's world as a fixture FILE, or to the terminal."""
    address = f"{server_address(url)}{CONTROL}/export"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if control_token:
        headers[TOKEN_HEADER] = control_token
    try:
        with answered(address, headers=headers, timeout=60) as (status, body):
            if status >= 300:
                raise Unusable(f"{address} answered {status}: {body.read(200).decode(errors='replace')}")
            text = body.read().decode()
    except (NothingAnswered, ValueError) as error:
        raise Unusable(f"no mock server answers at {address}: {error}") from error
    if file is None or str(file) == "-":
        click.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Unusable(f"{file}: {error.strerror}") from error
    click.echo(f"Wrote {file}: start from it with mockserver serve --fixture {by_path(file)}", err=True)
