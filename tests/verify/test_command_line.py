"""The command that a report gives to see a rule again makes the same run."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mockserver.cli.verify import options_of
from mockserver.cli.verify import verify as command
from mockserver.verify.command_line import command_line
from mockserver.verify.options import Options

PLAIN = Options(url="http://127.0.0.1:8000/api", token="s3cret")


@pytest.mark.parametrize(
    "options",
    [
        PLAIN,
        replace(PLAIN, merchant="7", other_token="0ther", other_merchant="8", declining_merchant="none", seed=9),
        replace(PLAIN, read_only=True, max_time=90.5, rate_limit=2.5, timeout=3.0, stripe_wait=0.0, fuzz=False),
        replace(PLAIN, allow_charges=True, charge_ids=(1, 22), headers=(("X-Key", "a b"), ("X-Ot`$h`er", "$c"))),
        replace(PLAIN, tls_verify=False, spec=Path(__file__)),
        replace(PLAIN, url="http://127.0.0.1:8000/it's; here/api"),
    ],
)
def test_its_words_are_read_as_the_options_that_they_were_made_of(options: Options) -> None:
    told = command_line(options)
    for secret in ("s3cret", "0ther", "a b", "$c"):
        assert secret not in told
    filled = told.replace("$TOKEN", "s3cret").replace("$OTHER_TOKEN", "0ther")
    for name, value in (("$HEADER_X_KEY", "a b"), ("$HEADER_X_OT__H_ER", "$c")):
        filled = filled.replace(name, value)
    _, _, *words = shlex.split(filled)
    given: dict[str, Any] = command.make_context("verify", words).params
    assert options_of(given) == options
