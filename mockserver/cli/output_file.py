"""A file that an option names, and that is written at the end of something long."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import click


class OutputFile(click.Path):
    """Refuses what could not be written at once, not when all is done; nothing is made or changed."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, writable=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path."""
        if os.fspath(value) == "-":
            self.fail("'-' is no file, and this is not written to the terminal: give the name of a file", param, ctx)
        path = super().convert(value, param, ctx)
        folder = Path(os.fsdecode(path)).absolute().parent
        if not Path(os.fsdecode(path)).exists():
            try:
                with tempfile.TemporaryFile(dir=folder):
                    pass
            except OSError as error:
                self.fail(f"{os.fsdecode(path)!r} can't be written: {folder}: {error.strerror}", param, ctx)
        return path
