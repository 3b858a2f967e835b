"""Variables of the environment that only look like options of ours."""

from __future__ import annotations

import os
import re

import click

_LINK = re.compile(r"(?:tcp|udp|sctp)://\S+:[0-9]+", re.IGNORECASE)
"""What Kubernetes gives each container for each service, as NAME_PORT and NAME_PORT_80_TCP, and Docker for links."""


def pass_over_service_links() -> None:
    """Take such variables for none, and say so of each: a service that is called `mockserver` makes MOCKSERVER_PORT."""
    for name, value in sorted(os.environ.items()):
        if name.startswith("MOCKSERVER_") and _LINK.fullmatch(value):
            del os.environ[name]
            # Those of single ports, such as MOCKSERVER_PORT_4010_TCP, are no option of any command.
            if "_PORT_" not in name:
                told = f"{name}={value} is passed over: Kubernetes sets it for a service of that name"
                click.echo(f"mockserver: warning: {told}; enableServiceLinks: false keeps it away", err=True)
