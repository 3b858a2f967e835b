"""The command `verify`: options from the command line, the environment and `pyproject.toml`, then one run."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any, TypeVar

import click
from platformdirs import user_cache_path

from mockserver.billing.profile import load_profile, recorded_choices
from mockserver.cli.output_file import OutputFile
from mockserver.cli.seconds import Seconds
from mockserver.cli.tls import Tls
from mockserver.cli.verify_defaults import read_table
from mockserver.contract.contract import Contract
from mockserver.core.errors import Unusable
from mockserver.core.resources import openapi_path
from mockserver.verify import reports
from mockserver.verify.options import Options, base_address
from mockserver.verify.reports.phrases import printed
from mockserver.verify.run import verify as run_verification
from mockserver.verify.transport.signals import Signals

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class VerifyCommand(click.Command):
    """Takes defaults from the table in `pyproject.toml`, and ends with 2 and clear lines for what can't be used."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        known = {parameter.name for parameter in self.params if parameter.name}
        try:
            table: MutableMapping[str, Any] = read_table(Path.cwd(), known)
        except Unusable as unusable:
            raise click.UsageError("\n".join(unusable.problems)) from unusable
        return super().make_context(info_name, args, parent, **{**extra, "default_map": table})


class Rate(click.ParamType):  # type: ignore[type-arg]  # generic in later versions of click alone
    """Requests a second: `20` or `20/s`."""

    name = "N/s"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:/\s*s)?", str(value))
        if match is None or float(match[1]) <= 0:
            self.fail(f"{value!r} is no rate: expected requests a second, such as 20/s")
        return float(match[1])


class Header(click.ParamType):  # type: ignore[type-arg]  # generic in later versions of click alone
    """`NAME: VALUE`."""

    name = "NAME: VALUE"
    envvar_list_splitter = "\n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, colon, text = str(value).partition(":")
        if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name.strip()):
            self.fail("expected a header as NAME: VALUE")
        return name.strip(), text.strip()


def _option(*names: str, **settings: Any) -> Callable[[Decorated], Decorated]:
    """An option that has its variable in the environment."""
    variable = next(name for name in names if name.startswith("--")).split("/")[0].lstrip("-").replace("-", "_")
    return click.option(*names, envvar=f"MOCKSERVER_VERIFY_{variable.upper()}", show_envvar=True, **settings)


def _seconds(name: str, text: str, *, least: float, default: float | None) -> Callable[[Decorated], Decorated]:
    """An option that is a time."""
    return _option(name, type=Seconds(least), default=default, show_default=True, help=text)


@click.command("verify", cls=VerifyCommand)
@click.argument("url", envvar="MOCKSERVER_VERIFY_URL")
@_option("--token", required=True, help="The token to call with; better given by the environment.")
@_option("--merchant", help="The merchant to work for, sent as X-Selected-Client-Id.")
@_option("--other-token", help="A token of another merchant, for the rules of isolation.")
@_option("--other-merchant", help="The other token's merchant, where it can't be found out.")
@_option(
    "--declining-merchant",
    metavar="ID|auto|none",
    help="A merchant whose card declines; auto looks for one on a loopback server.",
)
@_option("--charge-ids", metavar="ID,ID…", help="Uninvoiced charges to use up instead of making some.")
@_option("--profile", metavar="NAME|FILE", help="The open choices to expect instead of measuring them.")
@_option(
    "--expect-profile",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A profile that was written before: a choice that is measured otherwise fails the run.",
)
@_option("--write-profile", type=OutputFile(), help="Write the measured choices there.")
@_option("--read-only", is_flag=True, help="Send GET alone.")
@_option("--allow-charges", is_flag=True, help="Let collects succeed on a host that is no loopback address.")
@_option("--allow-unexercised", is_flag=True, help="End with 0 though a rule that matters could not be exercised.")
@_seconds("--max-time", "End by then.", least=1, default=60.0)
@_seconds(
    "--wait",
    "How long to wait for a server that is still starting, before the time of the run begins.",
    least=0,
    default=0.0,
)
@_option("--rate-limit", type=Rate(), help="Send no more requests a second than this.")
@_seconds("--timeout", "How long one answer may take, from the request to its last byte.", least=0.1, default=10.0)
@_seconds(
    "--stripe-wait",
    "How long the queue for Stripe may take, and 2.5 times as long as a payment may take to show. Longer breaks"
    " FINALIZE-2 and COLLECT-3; unless it is given, nothing is too long.",
    least=0,
    default=None,
)
@_option("--seed", type=int, default=1, show_default=True, help="Seed of all that is generated.")
@_option(
    "--only",
    multiple=True,
    metavar="RULE",
    help="Judge this rule or area alone; may be repeated. Measuring the open choices still makes charges and invoices.",
)
@_option("--skip", multiple=True, metavar="RULE", help="Leave this rule or area out; may be repeated.")
@_option("--accept", type=click.Path(dir_okay=False, path_type=Path), help="File of known breaches.")
@_option("--fuzz/--no-fuzz", default=True, help="Whether Schemathesis is run too.")
@_option(
    "--report",
    default="console",
    show_default=True,
    metavar="NAME,NAME…",
    help=f"Reports to make: {', '.join(reports.KNOWN)}.",
)
@_option(
    "--report-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("verify-report"),
    show_default=True,
    help="Where reports that are files go.",
)
@_option("--verbose", is_flag=True, help="Let the console tell of what is green, too: rules, choices, coverage.")
@_option(
    "--header",
    "headers",
    type=Header(),
    multiple=True,
    help="A header to send with every request; may be repeated. Its value counts as a secret.",
)
@_option(
    "--tls-verify",
    type=Tls(),
    default="true",
    show_default=True,
    help="Whether, or by which certificates, TLS is verified.",
)
@_option(
    "--spec",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The OpenAPI document to judge by, instead of the one that travels with it.",
)
@click.pass_context
def verify(ctx: click.Context, /, **given: Any) -> None:
    """Say whether the implementation at URL keeps the contract.

    Ends with 0 if it conforms, 1 if a rule is broken or a choice is not the recorded one, 2 if the run could not be
    made, 3 if nothing is broken but a rule that matters could not be exercised; with 130, 143 or 2 if Ctrl-C, SIGTERM
    or SIGHUP ended it.
    """
    # Hypothesis, here and within Schemathesis, would leave its cache in the folder that the user stands in.
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(user_cache_path("mockserver") / "hypothesis"))
    with Signals() as signals:
        try:
            code = _run(given, signals)
        except Unusable as unusable:
            for problem in unusable.problems:
                _say(problem)
            code = 2
        except Exception:
            # 1 says that a rule is broken, which nobody may learn from a mistake of ours.
            click.echo(traceback.format_exc(), err=True)
            _say("this is an error of mockserver itself; please report it")
            code = 2
    ctx.exit(code)


def _run(given: dict[str, Any], signals: Signals) -> int:
    options = options_of(given)
    contract = Contract.load(options.spec or openapi_path())
    made = reports.make(options.reports, options.report_dir, rules=contract.rules, verbose=options.verbose)
    listeners = [reports.Kept(report) for report in made]
    try:
        outcome = run_verification(options, listeners, contract=contract, signals=signals)
    finally:
        for listener in listeners:
            listener.close()
    if outcome.exit_code == 2 and "console" not in options.reports:
        _say(outcome.stop_reason)
    failed = [failure for listener in listeners if (failure := listener.failure) is not None]
    for failure in failed:
        click.echo("".join(traceback.format_exception(failure)), err=True)
        _say(f"a report could not be made: {failure}")
    return 2 if failed else outcome.exit_code


def _say(text: str) -> None:
    """One line, whatever is in it."""
    click.echo(f"mockserver verify: {printed(text)}", err=True)


def options_of(given: dict[str, Any]) -> Options:
    """The record of options from click's values; raises `Unusable` for what can't be meant."""
    given = dict(given)
    given["url"] = base_address(given["url"])
    given["charge_ids"] = _numbers(given.pop("charge_ids"))
    given["reports"] = tuple(_words([given.pop("report")]))
    given["only"], given["skip"] = tuple(_words(given["only"])), tuple(_words(given["skip"]))
    profile = given.pop("profile")
    given["profile"] = load_profile(profile).profile.values() if profile else None
    expected = given["expect_profile"]
    given["expect_profile"] = recorded_choices(expected) if expected else None
    if not given["token"].strip():
        raise Unusable("the token is empty (--token or MOCKSERVER_VERIFY_TOKEN)")
    if given["other_token"] is not None and given["other_token"] == given["token"]:
        raise Unusable("--other-token must be another merchant's token, it is the same")
    return Options(**given)


def _numbers(text: str | None) -> tuple[int, ...]:
    words = _words([text or ""])
    if any(not word.isascii() or not word.isdigit() for word in words):
        raise Unusable(f"--charge-ids takes numbers separated by commas, got {text!r}")
    return tuple(dict.fromkeys(map(int, words)))


def _words(texts: Any) -> list[str]:
    """The words of several texts, each separated by commas or blanks."""
    many = [texts] if isinstance(texts, str) else [str(text) for text in texts]
    return [word for text in many for word in re.split(r"[,\s]+", text) if word]
