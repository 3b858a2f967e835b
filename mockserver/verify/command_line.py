"""The command that makes a run once more, without secrets: what the verdict on a rule hangs on, and nothing else."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import fields

from mockserver.verify.options import Options
from mockserver.verify.transport.redaction import header_variables

CARRIED = (
    "merchant",
    "other_merchant",
    "declining_merchant",
    "read_only",
    "allow_charges",
    "max_time",
    "rate_limit",
    "timeout",
    "stripe_wait",
    "tls_verify",
    "spec",
)
"""The options that are told as they were given, where that is not the default."""


def command_line(options: Options) -> str:
    """As for a shell; tokens and values of headers stand there as the variables that the reports name."""
    return " ".join(["mockserver verify", shlex.quote(options.url), *_given(options)])


def _given(options: Options) -> Iterator[str]:
    yield '--token "$TOKEN"'
    if options.other_token:
        yield '--other-token "$OTHER_TOKEN"'
    defaults = {field.name: field.default for field in fields(Options)}
    for name in CARRIED:
        value = getattr(options, name)
        if value == defaults[name]:
            continue
        flag = f"--{name.replace('_', '-')}"
        yield flag if value is True else f"{flag} {shlex.quote(_text(value))}"
    if options.charge_ids:
        yield f"--charge-ids {','.join(map(str, options.charge_ids))}"
    for (name, _), variable in zip(options.headers, header_variables(options.headers), strict=True):
        yield f'--header {shlex.quote(f"{name}: ")}"${variable}"'
    yield f"--seed {options.seed}"
    if not options.fuzz:
        yield "--no-fuzz"


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).lower() if isinstance(value, bool) else str(value)
