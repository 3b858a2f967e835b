"""The variables of the environment that are options of ours, and those that only look like one."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import click

_LINK = re.compile(r"(?:tcp|udp|sctp)://\S+:[0-9]+", re.IGNORECASE)
"""What Kubernetes gives each container for each service, as NAME_PORT and NAME_PORT_80_TCP, and Docker for links."""


def each_option_a_variable(prefix: str) -> Callable[[click.Command], click.Command]:
    """Lets `prefix` with an option's name stand for it, told by the help and where the value is refused."""

    def decorate(command: click.Command) -> click.Command:
        for option in command.params:
            if isinstance(option, click.Option) and option.name:
                # click's own prefix names no variable where it refuses what stands in one.
                option.envvar, option.show_envvar = f"{prefix}_{option.name.upper()}", True
        return command

    return decorate


def pass_over_service_links() -> None:
    """Take such variables for none, and say so of each: a service that is called `mockserver` makes MOCKSERVER_PORT."""
    for name, value in sorted(os.environ.items()):
        if name.startswith("MOCKSERVER_") and _LINK.fullmatch(value):
            del os.environ[name]
            # Those of single ports, such as MOCKSERVER_PORT_4010_TCP, are no option of any command.
            if "_PORT_" not in name:
                told = f"{name}={value} is passed over: Kubernetes sets it for a service of that name"
                click.echo(f"mockserver: warning: {told}; enableServiceLinks: false keeps it away", err=True)
