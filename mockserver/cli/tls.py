"""An option that says whether, and by whom, a server's certificate is to be proved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


class Tls(click.ParamType):  # type: ignore[type-arg]  # generic in later versions of click alone
    """`true`, `false`, or a file of certificates."""

    name = "true|false|FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool | str:
        word = str(value).lower()
        if word in ("true", "yes", "1", "false", "no", "0"):
            return word in ("true", "yes", "1")
        if not Path(str(value)).is_file():
            self.fail(f"{value!r} is neither true, false nor a file")
        return str(value)
