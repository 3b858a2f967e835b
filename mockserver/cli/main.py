"""The command line: one module for each command, thin over those that do the work."""

from __future__ import annotations

import importlib
import signal
from typing import Any

import click

from mockserver.cli.environment import pass_over_service_links
from mockserver.cli.terminal import fill_standard_streams, print_anything
from mockserver.core.errors import Unusable

COMMANDS = (
    "check",
    "client",
    "fixtures",
    "health",
    "profiles",
    "proxy",
    "rules",
    "schema",
    "serve",
    "verify",
)
"""Each is the function of that name in the module of that name, imported late: Schemathesis alone takes long."""


class _Commands(click.Group):
    """The commands, each imported when asked for; what is unusable ends the program with one line each and code 2."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"mockserver.cli.{cmd_name}"), cmd_name)
        return command

    def main(self, *args: Any, **kwargs: Any) -> Any:
        # Before anything is opened, or can fail and be told.
        fill_standard_streams()
        print_anything()
        pass_over_service_links()
        return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            # Where a command has no way of its own to end; 1 would be a broken rule.
            ctx.exit(128 + signal.SIGINT)
        except Unusable as unusable:
            for problem in unusable.problems:
                click.echo(f"mockserver: {problem}", err=True)
            ctx.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="prepbusiness-mockserver")
def main() -> None:
    """A fake of the PrepBusiness billing API, and contract tests for real implementations of it."""
