"""Makes the reports that were asked for, by name, and writes those that are files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from rich.console import Console

from mockserver.contract.rules import Rule
from mockserver.core.errors import Unusable
from mockserver.verify.events import Event, RunFinished
from mockserver.verify.reports.console.live import ConsoleReport
from mockserver.verify.reports.github_report import github_report
from mockserver.verify.reports.html.report import html_report
from mockserver.verify.reports.json_report import json_report
from mockserver.verify.reports.junit_report import junit_report
from mockserver.verify.reports.markdown_report import markdown_report
from mockserver.verify.reports.run_state import Clock, RunResult, RunState, utc_now
from mockserver.verify.reports.scripts.replay_writer import replay_file
from mockserver.verify.reports.scripts.script_writer import script

Render = Callable[[RunResult], str]

FILES: dict[str, tuple[str, Render]] = {
    "github": ("annotations.txt", github_report),
    "html": ("report.html", html_report),
    "json": ("report.json", json_report),
    "junit": ("junit.xml", junit_report),
    "markdown": ("report.md", markdown_report),
    "pytest": ("test_breaches.py", replay_file),
    "script": ("repro.sh", script),
}

KNOWN: tuple[str, ...] = ("console", *FILES)


class Report(Protocol):
    """A listener that shows or writes its result at the run's end."""

    def __call__(self, event: Event) -> None: ...

    def close(self) -> None:
        """Shows or writes what was learned if the run broke off; does nothing otherwise."""
        ...


class FileReport:
    """Gathers the events and writes one file, whole or not at all."""

    def __init__(self, state: RunState, path: Path, render: Render) -> None:
        self._state = state
        self._path = path
        self._render = render
        self._written = False

    def __call__(self, event: Event) -> None:
        self._state.add(event)
        if isinstance(event, RunFinished):
            self._write()

    def close(self) -> None:
        if self._state.anything and not self._written:
            self._write()

    def _write(self) -> None:
        self._written = True
        write_whole(self._path, self._render(self._state.result()))


class Kept:
    """A report that, when it can't be made, takes neither the run nor the other reports with it."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.failure: Exception | None = None
        """What went wrong, once something has."""

    def __call__(self, event: Event) -> None:
        if self.failure is None:
            try:
                self._report(event)
            except Exception as failure:
                self.failure = failure

    def close(self) -> None:
        """Closes the report."""
        try:
            self._report.close()
        except Exception as failure:
            self.failure = self.failure or failure


def make(
    names: Sequence[str],
    directory: Path | None,
    *,
    rules: Mapping[str, Rule],
    console: Console | None = None,
    live: bool | None = None,
    verbose: bool = False,
    spec_title: str = "",
    clock: Clock = utc_now,
) -> list[Report]:
    """The reports of those names, each gathering for itself.

    `live`: progress in place, with cursor codes; None lets the console decide. `verbose`: the console tells of what is
    green, too. `rules` maps a rule's id to what the
    spec says of it. Raises Unusable for an unknown name, or a file without a directory that can be written.
    """
    wanted = tuple(dict.fromkeys(names))
    problems = [f"unknown report {name!r}; known are {', '.join(KNOWN)}" for name in wanted if name not in KNOWN]
    in_files = [name for name in wanted if name in FILES]
    if in_files and directory is None:
        problems.append(f"the reports {', '.join(in_files)} are files: say in which directory they belong")
    if problems:
        raise Unusable(*problems)
    if in_files and directory is not None:
        _prepare(directory)
    screen = console or Console()
    places = {name: directory / FILES[name][0] for name in in_files} if directory is not None else {}
    made: list[Report] = []
    for name in wanted:
        state = RunState(rules, spec_title, clock)
        if name == "console":
            lively = screen.is_interactive if live is None else live
            made.append(ConsoleReport(state, screen, live=lively, places=places, verbose=verbose))
        else:
            made.append(FileReport(state, places[name], FILES[name][1]))
    return made


def _prepare(directory: Path) -> None:
    """Tells before the run, not after it, that the files could not be written."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise Unusable(f"the report directory {directory} cannot be written: {error.strerror}") from error


def write_whole(path: Path, text: str) -> None:
    """Replaces the file in one step, so that nobody reads half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
        # A temporary file is private; the report is for whoever may read its directory.
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
