"""The command `serve`: an option for each setting, then the server until Ctrl-C."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, get_args

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mockserver.cli.seconds import Seconds
from mockserver.core.errors import Unavailable
from mockserver.core.net import free_port, ip_address, reachable
from mockserver.server import run
from mockserver.server.control.guard import TOKEN_HEADER, secured
from mockserver.server.service import BeginWatch, Service, open_service
from mockserver.server.settings import LogFormat, Settings

_TYPES: dict[str, Any] = {
    "str": str,
    "str | None": str,
    "int": click.IntRange(min=0),
    # A seed, as large as a fixture may have it: an export writes it into one.
    "int | None": click.IntRange(-(10**18), 10**18),
    "float": Seconds(),
}


def _settings_options(command: Callable[..., None]) -> Callable[..., None]:
    """One option for each setting, and a variable `MOCKSERVER_…` for each option."""
    for one in reversed(fields(Settings)):
        name = one.name.replace("_", "-")
        kwargs: dict[str, Any] = {"help": one.metadata["help"], "metavar": one.metadata["metavar"]}
        flag = f"--{name}"
        if one.name == "cors":
            flag = "--no-cors"
            kwargs = {"is_flag": True, "help": "Don't let pages of other origins call the API."}
        elif one.name == "check":
            flag = "--check/--no-check"
            kwargs |= {"default": one.default}
        elif one.type == "bool":
            kwargs |= {"is_flag": True}
        elif one.name == "set":
            kwargs |= {"multiple": True, "metavar": "KEY=VALUE"}
        elif one.name in ("control_cors", "webhook_allow"):
            kwargs |= {"multiple": True}
        elif one.name == "log_format":
            kwargs |= {"type": click.Choice(get_args(LogFormat)), "default": one.default, "show_default": True}
        else:
            kwargs |= {"default": one.default, "show_default": one.default is not None}
            kwargs["type"] = click.IntRange(0, 65535) if one.name == "port" else _TYPES[str(one.type)]
        variable = "MOCKSERVER_" + flag.partition("/")[0][2:].upper().replace("-", "_")
        command = click.option(flag, envvar=variable, show_envvar=True, **kwargs)(command)
    return command


@click.command(short_help="Serve the API until Ctrl-C.")
@_settings_options
def serve(*, no_cors: bool, **options: Any) -> None:
    """Serve the API until Ctrl-C, from memory or with what a database has kept."""
    run.end_on_signals()
    given = Settings(cors=not no_cors, **options)
    if given.end_with_stdin:
        run.end_with_stdin()
    host = ip_address(given.host)
    settings = secured(replace(given, host=host, port=free_port(host, given.port)))
    run.check_certificate(settings)
    service = _opened(settings)
    made_up = None if given.control_token else settings.control_token
    run.serve(service, announce=lambda: click.echo(banner(service, made_up_token=made_up)))


def _opened(settings: Settings) -> Service:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Generating the fixture", total=None, visible=False)

        def told(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, visible=True)

        return open_service(settings, progress=told, begin_watch=_judge() if settings.check else None)


def _judge() -> BeginWatch:
    # Imported only when it is asked for: the verifier's judgement takes a quarter of a second.
    begin: BeginWatch = importlib.import_module("mockserver.watch.within").begin_watch
    return begin


def _kept(service: Service) -> dict[str, str]:
    """What is kept, and that it does not become another by another fixture."""
    if service.worlds.kept_in is None:
        return {}
    try:
        number = service.worlds.count_kept()
    except Unavailable:
        # It was there a moment ago, and each request will say so if it is not.
        number = 0
    if not number:
        return {"State": service.worlds.kept_in}
    kept = "1 kept world keeps its records" if number == 1 else f"{number:,} kept worlds keep their records"
    name = service.worlds.blueprint.name
    starts = f"{name} is what worlds start from that are made or reset from now on"
    return {"State": f"{service.worlds.kept_in}\n{kept}; {starts}"}


def banner(service: Service, *, made_up_token: str | None = None) -> str:
    """What the start prints, with the control token where the server has made one up."""
    settings, blueprint = service.settings, service.worlds.blueprint
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    base = f"{settings.scheme}://{reachable(host)}:{settings.port}"
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
        **_kept(service),
        "Spec": f"{base}/_mock/spec.yaml (or .json)",
        "Dashboard": f"{base}/_mock/ (API reference: {base}/_mock/docs/)",
        "Control": f"{base}/_mock" + (f"\nwith the header {TOKEN_HEADER}: {made_up_token}" if made_up_token else ""),
        "Try": f"curl -H 'Authorization: Bearer {token}' '{base}/api/billing/invoices?per_page=2'",
    }
    shown = [
        click.style(f"  {name:<10}", bold=True) + text.replace("\n", "\n" + " " * 12) for name, text in lines.items()
    ]
    title = click.style("The fake PrepBusiness billing API is ready. Ctrl-C stops it.", bold=True)
    return "\n".join(["", title, "", *shown, ""])
