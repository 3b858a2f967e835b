"""The command `check`: recorded traffic under the contract."""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mockserver.cli.environment import each_option_a_variable
from mockserver.cli.output_file import OutputFile
from mockserver.cli.recording import record_options, record_settings
from mockserver.cli.reporting import report_options, reported
from mockserver.contract.contract import Contract
from mockserver.core.errors import Unusable
from mockserver.verify.events import Listener
from mockserver.verify.options import base_address
from mockserver.watch.loading.addresses import Addresses
from mockserver.watch.loading.files import Recording
from mockserver.watch.passing import Passing
from mockserver.watch.watching import Watch, Watched

STANDARD_INPUT = "-"
EVERY = 1_000
"""Entries between two words about the progress."""


@each_option_a_variable("MOCKSERVER_CHECK")
@click.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--base", metavar="URL", help="The API's address, where it can't be told by its paths.")
@click.option(
    "--write-profile",
    type=OutputFile(),
    help="Write the open choices that the traffic shows there.",
)
@record_options
@report_options("check-report")
@click.pass_context
def check(ctx: click.Context, /, **given: Any) -> None:
    """Say whether the server in recorded traffic keeps the contract.

    FILE is a HAR file, of a browser, of a proxy or of a fake's journal, or that journal as JSON; - is the standard
    input. What others did meanwhile is not in it: nothing is a breach that they could have caused. Nothing in one FILE
    is held against another: each machine, and a server whose database was emptied, wants a FILE of its own.

    Ends with 0 if nothing in it breaks the contract, 1 if a rule is broken, 2 if a file can't be used, 3 if nothing of
    the API was in it.
    """
    ctx.exit(reported("check", given["report"], given["report_dir"], lambda *run: _check(given, *run)))


def _check(given: dict[str, Any], contract: Contract, listeners: Sequence[Listener]) -> int:
    files: tuple[str, ...] = given["files"]
    base = base_address(given["base"]) if given["base"] else None
    if len(set(files)) < len(files):
        raise Unusable("a file is named twice")
    streams = [(name, _opened(name)) for name in files]
    watched = Watched(
        ", ".join(files),
        read_only=True,
        charges_allowed=False,
        write_profile=given["write_profile"],
        record=record_settings(given),
    )
    watch = Watch(watched, contract, listeners)
    try:
        bases = _read(streams, base, watch)
    except Unusable as unusable:
        watch.recorder.emit(replace(watch.end("; ".join(unusable.problems)), exit_code=2))
        raise
    if bases:
        watch.recorder.note(f"the API was found at {', '.join(bases[:5])}")
    return watch.finish()


def _read(streams: Sequence[tuple[str, io.BufferedReader]], base: str | None, watch: Watch) -> list[str]:
    """Has everything judged; the addresses at which the API was found. Raises `Unusable` for what is no recording."""
    bases: dict[str, None] = {}
    number = 0
    # What was imported stays, and need not be looked through for garbage again and again.
    gc.freeze()
    for name, stream in streams:
        recording = Recording("standard input" if name == STANDARD_INPUT else name, stream, Addresses(base))
        watch.phase(f"reading {recording.name}")
        with stream:
            for found in recording.read():
                number += 1
                if number % EVERY == 0:
                    watch.progress(f"{number:,} entries{_share(stream)}", number)
                if isinstance(found, Passing):
                    found.number, found.source = number, name
                    bases.setdefault(found.base)
                    watch.see(found)
                else:
                    watch.skip(found)
        for note in recording.notes():
            watch.recorder.note(note, warning=True)
    return list(bases)


def _opened(name: str) -> io.BufferedReader:
    if name == STANDARD_INPUT:
        return io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False))
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise Unusable(f"{name}: {error.strerror}") from error


def _share(stream: io.BufferedReader) -> str:
    """How much of a file is read, where that can be told."""
    if not stream.seekable():
        return ""
    size = os.fstat(stream.fileno()).st_size
    return f", {stream.tell() / size:.0%}" if size else ""
