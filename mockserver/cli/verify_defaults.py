"""The table `[tool.mockserver.verify]` of the `pyproject.toml` in the current folder, as defaults of the options."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from mockserver.core.errors import Unusable

SECRET = ("token", "other_token", "header", "headers")
"""Options that don't belong into a file that is committed."""

SEVERAL = ("only", "skip")
"""Options that may be repeated."""


def read_table(folder: Path, known: Collection[str]) -> dict[str, Any]:
    """Option names to values; raises `Unusable` for a file that can't be read, unknown keys and secrets."""
    path = folder / "pyproject.toml"
    if not path.is_file():
        return {}
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Unusable(f"{path}: {error}") from error
    table: Any = document
    for name in ("tool", "mockserver", "verify"):
        table = table.get(name, {}) if isinstance(table, dict) else {}
    if not isinstance(table, dict):
        raise Unusable(f"{path}: tool.mockserver.verify must be a table")
    found = {key.replace("-", "_"): value for key, value in table.items()}
    problems = [
        f"{path}: tool.mockserver.verify has no option {key.replace('_', '-')}"
        for key in found
        if key not in known and key not in SECRET
    ]
    problems += [
        f"{path}: {key.replace('_', '-')} may be secret; set it in the environment, MOCKSERVER_VERIFY_{key.upper()}"
        for key in found
        if key in SECRET
    ]
    if problems:
        raise Unusable(*problems)
    return {key: _as_text(value, several=key in SEVERAL) for key, value in found.items()}


def _as_text(value: Any, *, several: bool) -> Any:
    """A value as click takes it: a list for an option that may be repeated, else one text with commas."""
    if several:
        return [str(one) for one in value] if isinstance(value, list) else [str(value)]
    return ",".join(map(str, value)) if isinstance(value, list) else value
