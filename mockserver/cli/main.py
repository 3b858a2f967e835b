"""The command line: thin, over the modules that do the work."""

from __future__ import annotations

import importlib
import json
import math
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, get_args

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from mockserver.billing.profile import CHOICES, profiles
from mockserver.contract.contract import Contract
from mockserver.contract.rules import Rule
from mockserver.core import resources
from mockserver.core.errors import Unusable
from mockserver.core.net import free_port, ip_address, reachable
from mockserver.server import run
from mockserver.server.control.guard import TOKEN_HEADER, secured
from mockserver.server.service import Service, open_service
from mockserver.server.settings import LogFormat, Settings
from mockserver.state.fixtures.load import list_fixtures

COMMANDS_ELSEWHERE = {"verify": "mockserver.cli.verify"}
"""Commands whose module is imported only when they are asked for: Schemathesis alone takes a third of a second."""


class _Commands(click.Group):
    """The commands, some of them imported late; what is unusable ends the program with one line each and code 2."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *COMMANDS_ELSEWHERE})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS_ELSEWHERE:
            command = getattr(importlib.import_module(COMMANDS_ELSEWHERE[cmd_name]), cmd_name)
            assert isinstance(command, click.Command)
            return command
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Unusable as unusable:
            for problem in unusable.problems:
                click.echo(f"mockserver: {problem}", err=True)
            ctx.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="prepbusiness-mockserver")
def main() -> None:
    """A fake of the PrepBusiness billing API, and contract tests for real implementations of it."""


def _settings_options(command: Callable[..., None]) -> Callable[..., None]:
    """One option for each setting, and a variable `MOCKSERVER_…` for each option."""
    for one in reversed(fields(Settings)):
        name = one.name.replace("_", "-")
        kwargs: dict[str, Any] = {"help": one.metadata["help"], "metavar": one.metadata["metavar"]}
        flag = f"--{name}"
        if one.name == "cors":
            flag = "--no-cors"
            kwargs = {"is_flag": True, "help": "Don't let pages of other origins call the API."}
        elif one.name == "reload":
            kwargs |= {"is_flag": True}
        elif one.name == "set":
            kwargs |= {"multiple": True, "metavar": "KEY=VALUE"}
        elif one.name == "control_cors":
            kwargs |= {"multiple": True}
        elif one.name == "log_format":
            kwargs |= {"type": click.Choice(get_args(LogFormat)), "default": one.default, "show_default": True}
        else:
            kwargs |= {"default": one.default, "show_default": one.default is not None}
            kwargs["type"] = click.IntRange(0, 65535) if one.name == "port" else _TYPES[str(one.type)]
        command = click.option(flag, envvar="MOCKSERVER_" + flag[2:].upper().replace("-", "_"), **kwargs)(command)
    return command


class _Seconds(click.FloatRange):
    """A time that a clock can be moved by and a thread can sleep."""

    def __init__(self) -> None:
        super().__init__(min=0, max=1_000_000_000)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """NaN is neither below a minimum nor above a maximum, so that the range alone lets it pass."""
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):
            self.fail(f"{value!r} is no number of seconds.", param, ctx)
        return seconds


_TYPES: dict[str, Any] = {
    "str": str,
    "str | None": str,
    "int": click.IntRange(min=0),
    "int | None": int,
    "float": _Seconds(),
}


@main.command()
@_settings_options
def serve(*, no_cors: bool, **options: Any) -> None:
    """Serve the API from memory, until Ctrl-C."""
    given = Settings(cors=not no_cors, **options)
    host = ip_address(given.host)
    settings = secured(replace(given, host=host, port=free_port(host, given.port)))
    service = _opened(settings)
    made_up = settings.control_token if given.control_token is None else None
    run.serve(service, announce=lambda: click.echo(banner(service, made_up_token=made_up)))


def _opened(settings: Settings) -> Service:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Generating the fixture", total=None, visible=False)

        def told(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, visible=True)

        return open_service(settings, progress=told)


def banner(service: Service, *, made_up_token: str | None = None) -> str:
    """What the start prints, with the control token where the server has made one up."""
    settings, blueprint = service.settings, service.worlds.blueprint
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    base = f"http://{reachable(host)}:{settings.port}"
    everyone = {merchant.id for merchant in blueprint.state.store.merchants()}
    tokens = [
        f"{token} ({'every merchant' if scope == everyone else 'merchant ' + ', '.join(map(str, sorted(scope)))})"
        for token, scope in blueprint.tokens.items()
    ]
    token = next(iter(blueprint.tokens), "provider")
    lines = {
        "API": f"{base}/api",
        "Fixture": f"{blueprint.name}: {blueprint.description}",
        "Tokens": "\n".join(tokens) or "none: every request gets 401",
        "Profile": service.profile_name,
        "Spec": f"{base}/_mock/spec.yaml (or .json)",
        "Control": f"{base}/_mock" + (f"\nwith the header {TOKEN_HEADER}: {made_up_token}" if made_up_token else ""),
        "Try": f"curl -H 'Authorization: Bearer {token}' '{base}/api/billing/invoices?per_page=2'",
    }
    shown = [
        click.style(f"  {name:<9}", bold=True) + text.replace("\n", "\n" + " " * 11) for name, text in lines.items()
    ]
    title = click.style("The fake PrepBusiness billing API is ready. Ctrl-C stops it.", bold=True)
    return "\n".join(["", title, "", *shown, ""])


def _as_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", show_lines=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")


@main.group(invoke_without_command=True)
@_JSON
@click.pass_context
def fixtures(ctx: click.Context, *, as_json: bool) -> None:
    """List the worlds that a server can start with."""
    if ctx.invoked_subcommand is not None:
        return
    found = list_fixtures()
    if as_json:
        _as_json([asdict(one) for one in found])
        return
    table = _table("Fixtures", "Name", "What it is", "Merchants", "Charges", "Invoices", "Tokens")
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
    "--url", default="http://127.0.0.1:4010", show_default=True, envvar="MOCKSERVER_URL", help="The running server."
)
@click.option("--token", default="", envvar="MOCKSERVER_TOKEN", help="TOKEN@WORLD, for a world of its own.")
@click.option(
    "--control-token", default="", envvar="MOCKSERVER_CONTROL_TOKEN", help="The control token, if the server wants one."
)
def export(file: Path | None, url: str, token: str, control_token: str) -> None:
    """Write a running server's world as a fixture FILE, or to the terminal."""
    address = url.rstrip("/").removesuffix("/api") + "/_mock/export"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if control_token:
        headers[TOKEN_HEADER] = control_token
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read().decode()
    except urllib.error.HTTPError as error:
        raise Unusable(f"{address} answered {error.code}: {error.read().decode(errors='replace')[:200]}") from error
    except (OSError, ValueError) as error:
        raise Unusable(f"no mock server answers at {address}: {error}") from error
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Unusable(f"{file}: {error.strerror}") from error
    click.echo(f"Wrote {file}: start from it with mockserver serve --fixture {os.path.relpath(file)}", err=True)


@main.command("profiles")
@_JSON
def list_profiles(*, as_json: bool) -> None:
    """List the profiles, and every open choice with its values."""
    found = profiles()
    if as_json:
        choices = {
            key: {"values": choice.values, "any_number": choice.any_number, "help": choice.help}
            for key, choice in CHOICES.items()
        }
        named = [{"name": one.name, "description": one.description, "choices": one.profile.values()} for one in found]
        _as_json({"choices": choices, "profiles": named})
        return
    console = Console()
    table = _table("Profiles", "Name", "What it is")
    for one in found:
        table.add_row(one.name, one.description)
    console.print(table)
    table = _table("Open choices: what the documentation leaves to the server", "Key", "Values", "What it decides")
    for key, choice in CHOICES.items():
        values = ", ".join("null" if value is None else str(value) for value in choice.values)
        table.add_row(key, values + (", any number" if choice.any_number else ""), choice.help)
    console.print(table)


@main.command("rules")
@click.argument("rule_id", metavar="[RULE]", required=False)
@_JSON
def list_rules(rule_id: str | None, *, as_json: bool) -> None:
    """List the rules of the contract, or explain one, with its provenance and source."""
    contract = Contract.load(resources.openapi_path())
    rules = contract.rules
    if rule_id is not None:
        rule = rules.get(rule_id.upper())
        if rule is None:
            raise Unusable(f"there is no rule {rule_id!r}: `mockserver rules` lists them")
        _explain(rule, contract, as_json=as_json)
        return
    if as_json:
        _as_json([asdict(rule) for rule in rules.values()])
        return
    table = _table("Rules of the contract", "Rule", "Provenance", "What must hold")
    for rule in rules.values():
        table.add_row(rule.id, rule.level, rule.statement)
    Console().print(table)


def _explain(rule: Rule, contract: Contract, *, as_json: bool) -> None:
    operations = [f"{one.method} {one.path}" for one in contract.operations.values() if rule.id in one.rules] or [
        "every operation"
    ]
    if as_json:
        _as_json({**asdict(rule), "operations": operations})
        return
    console = Console()
    console.print(f"[bold]{rule.id}[/bold] ({rule.level})", highlight=False)
    console.print(rule.statement, highlight=False, markup=False)
    console.print(f"\nProvenance: {_LEVELS[rule.level]}", highlight=False, markup=False)
    console.print(f"Source:     {rule.source}", highlight=False, markup=False)
    console.print(f"Holds for:  {', '.join(operations)}", highlight=False, markup=False)


_LEVELS = {
    "documented": "documented; the vendor's page on invoices says so",
    "observed": "observed; another public page of the vendor, or an example on one, shows it",
    "derived": "derived; it follows for any billing system worth the name",
    "open": "open; nothing says, and implementations may differ",
}
