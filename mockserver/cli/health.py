"""The command `health`: whether a server of ours is ready, for health checks and for scripts that wait for it."""

from __future__ import annotations

import time

import click

from mockserver.cli.seconds import Seconds
from mockserver.core.health import NotReady, ServerHealth, server_address
from mockserver.core.health import health as ask
from mockserver.core.net import CONTROL, reachable

_PAUSE = 0.1
"""Seconds between two questions."""


@click.command(short_help="Say whether a mock server is ready, and if not, why.")
@click.argument("url", required=False, envvar="MOCKSERVER_HEALTH_URL")
@click.option(
    "--wait",
    type=Seconds(),
    default=0.0,
    show_default=True,
    envvar="MOCKSERVER_HEALTH_WAIT",
    show_envvar=True,
    help="How long to wait until it is ready.",
)
@click.option(
    "--timeout",
    type=Seconds(0.1),
    default=2.0,
    show_default=True,
    envvar="MOCKSERVER_HEALTH_TIMEOUT",
    show_envvar=True,
    help="How long one answer may take.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    envvar="MOCKSERVER_HOST",
    show_envvar=True,
    help="Where the server of this machine listens, if no URL is given.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=4010,
    show_default=True,
    envvar="MOCKSERVER_PORT",
    show_envvar=True,
    help="Its port.",
)
@click.option(
    "--tls-cert",
    metavar="FILE",
    envvar="MOCKSERVER_TLS_CERT",
    show_envvar=True,
    help="Its certificate, if it speaks https.",
)
@click.pass_context
def health(
    ctx: click.Context, url: str | None, *, wait: float, timeout: float, host: str, port: int, tls_cert: str | None
) -> None:
    """Say whether the mock server at URL is ready, or the one of this machine, and if not, why.

    Ends with 0 if it is ready, 1 if it is not, 2 if it can't be asked.
    """
    scheme = "http" if tls_cert is None else "https"
    base = server_address(url or f"{scheme}://{reachable(f'[{host}]' if ':' in host else host)}:{port}")
    try:
        told = _answer(base + CONTROL, wait=wait, timeout=timeout)
    except NotReady as not_ready:
        after = f" after {wait:g} s" if wait else ""
        click.echo(f"mockserver: {base} is not ready{after}: {not_ready}", err=True)
        ctx.exit(1)
    for mistake in told.mistakes:
        click.echo(f"mockserver: {base} goes on with what was good before: {mistake}", err=True)
    click.echo(f"{base} is ready: version {told.version}, fixture {told.fixture}, profile {told.profile}")


def _answer(control: str, *, wait: float, timeout: float) -> ServerHealth:
    """The first good answer; raises the last `NotReady`."""
    deadline = time.monotonic() + wait
    while True:
        try:
            return ask(control, timeout=timeout)
        except NotReady:
            if time.monotonic() + _PAUSE > deadline:
                raise
        time.sleep(_PAUSE)
