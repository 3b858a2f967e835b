"""The command `proxy`: somebody else's traffic under the contract, as it passes by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mockserver.cli.environment import each_option_a_variable
from mockserver.cli.output_file import OutputFile
from mockserver.cli.recording import record_options, record_settings
from mockserver.cli.reporting import report_options, reported
from mockserver.cli.seconds import Seconds
from mockserver.cli.tls import Tls
from mockserver.core.net import free_port, ip_address, reachable
from mockserver.verify.options import base_address
from mockserver.watch.proxy.own import PREFIX
from mockserver.watch.proxy.serving import Proxy, ProxySettings


@each_option_a_variable("MOCKSERVER_PROXY")
@click.command("proxy", short_help="Forward requests to a server, and judge what it answers.")
@click.argument("url", envvar="MOCKSERVER_PROXY_URL")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=4011, show_default=True, help="The port; 0 takes any.")
@click.option("--fail", is_flag=True, help="Give clients a 502 in the place of an answer that breaks the contract.")
@click.option("--read-only", is_flag=True, help="Forward GET, HEAD and OPTIONS alone.")
@click.option("--no-collect", is_flag=True, help="Forward no collect: it could charge a card.")
@click.option(
    "--timeout", type=Seconds(0.1), default=60.0, show_default=True, help="How long the server may say nothing."
)
@click.option(
    "--tls-verify",
    type=Tls(),
    default="true",
    show_default=True,
    help="Whether, or by which certificates, TLS is verified.",
)
@click.option(
    "--write-profile",
    type=OutputFile(),
    help="Write the open choices that the traffic shows there, at the end.",
)
@record_options
@report_options("proxy-report")
@click.pass_context
def proxy(ctx: click.Context, /, report: str, report_dir: Path, **given: Any) -> None:
    """Forward requests to the server at URL, and judge what it answers.

    Everything is forwarded unchanged. An answer that breaks the contract says so in the header X-Mock-Breach. Ends at
    Ctrl-C with 0 if nothing broke the contract, 1 if a rule is broken, 2 if it could not run, 3 if nothing of the API
    passed by.

    Tests that empty the server's database send POST /_mock/reset through the proxy: what was seen before is forgotten,
    whatever the server answers.
    """

    def run(*judging: Any) -> int:
        record = record_settings(given)
        settings = ProxySettings(**{**given, "url": base_address(given["url"])}, record=record)
        host = ip_address(settings.host)
        settings = replace(settings, host=host, port=free_port(host, settings.port))
        return Proxy(settings, *judging).run(lambda: _banner(settings))

    ctx.exit(reported("proxy", report, report_dir, run))


def _banner(settings: ProxySettings) -> None:
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    here = f"http://{reachable(shown)}:{settings.port}"
    path = settings.url.partition("://")[2].partition("/")[2]
    click.echo(f"{here}/{path} is forwarded to {settings.url}")
    click.echo(f"{here}{PREFIX}/report is what was found so far, {here}{PREFIX}/journal what passed by")
