"""The options of `check` and `proxy` by which what they see is recorded as a world."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from mockserver.cli.output_file import OutputFile
from mockserver.core.errors import Unusable
from mockserver.watch.recording.writing import RecordSettings

Command = TypeVar("Command", bound=Callable[..., Any])
JITTERED = ("amounts", "dates")


def record_options(command: Command) -> Command:
    """`--record`, `--record-seed` and `--jitter`."""
    for option in (
        click.option(
            "--jitter", metavar="amounts,dates", help="What of a recording is changed at random beside texts."
        ),
        click.option(
            "--record-seed", type=int, default=1, show_default=True, help="Seed of what a recording makes up."
        ),
        click.option(
            "--record",
            type=OutputFile(),
            help="Write the records that were seen there as a fixture, and a profile beside it, without personal data.",
        ),
    ):
        command = option(command)
    return command


def record_settings(given: dict[str, Any]) -> RecordSettings | None:
    """Takes those options out of click's values. Raises `Unusable`."""
    file, seed, jitter = given.pop("record"), given.pop("record_seed"), given.pop("jitter")
    words = [word for word in re.split(r"[,\s]+", jitter or "") if word]
    if unknown := [word for word in words if word not in JITTERED]:
        raise Unusable(f"--jitter {', '.join(unknown)}: expected {' or '.join(JITTERED)}, or both")
    if file is None:
        if words:
            raise Unusable("--jitter changes what --record FILE writes, which is not given")
        return None
    return RecordSettings(file=file, seed=seed, amounts="amounts" in words, dates="dates" in words)
