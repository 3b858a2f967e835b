"""The reports that `check` and `proxy` share with `verify`: the options, and that each is written whatever happens."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from mockserver.contract.contract import Contract
from mockserver.core.errors import Unusable
from mockserver.core.resources import openapi_path
from mockserver.verify import reports
from mockserver.verify.reports.phrases import printed

Command = TypeVar("Command", bound=Callable[..., Any])
Run = Callable[[Contract, Sequence[reports.Kept]], int]
NAMES = ("console", "html", "junit", "json", "markdown")
"""Those that replay nothing: nobody can be made to send the same traffic again."""


def report_options(directory: str) -> Callable[[Command], Command]:
    """`--report` and `--report-dir`."""

    def decorate(command: Command) -> Command:
        where = click.option(
            "--report-dir",
            type=click.Path(file_okay=False, path_type=Path),
            default=Path(directory),
            show_default=True,
            help="Where reports that are files go.",
        )
        what = click.option(
            "--report",
            default="console",
            show_default=True,
            metavar="NAME,NAME…",
            help=f"Reports to make: {', '.join(NAMES)}.",
        )
        return what(where(command))

    return decorate


def reported(command: str, names: str, directory: Path, run: Run) -> int:
    """The exit code of `run`, which tells its events to the reports of these names; 2 where it could not be made."""
    try:
        return _reported(command, names, directory, run)
    except Unusable as unusable:
        for problem in unusable.problems:
            _say(command, problem)
    except Exception:
        # 1 says that a rule is broken, which nobody may learn from a mistake of ours.
        click.echo(traceback.format_exc(), err=True)
        _say(command, "this is an error of mockserver itself; please report it")
    return 2


def _reported(command: str, names: str, directory: Path, run: Run) -> int:
    wanted = [name for name in re.split(r"[,\s]+", names) if name]
    if unknown := [name for name in wanted if name not in NAMES]:
        raise Unusable(f"--report {', '.join(unknown)}: the reports are {', '.join(NAMES)}")
    contract = Contract.load(openapi_path())
    listeners = [reports.Kept(report) for report in reports.make(wanted, directory, rules=contract.rules)]
    try:
        code = run(contract, listeners)
    finally:
        for listener in listeners:
            listener.close()
    failed = [failure for listener in listeners if (failure := listener.failure) is not None]
    for failure in failed:
        click.echo("".join(traceback.format_exception(failure)), err=True)
        _say(command, f"a report could not be made: {failure}")
    return 2 if failed else code


def _say(command: str, text: str) -> None:
    """One line, whatever is in it."""
    click.echo(f"mockserver {command}: {printed(text)}", err=True)
