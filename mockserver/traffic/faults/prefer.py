"""The Prefer header (RFC 7240) of an API request: how one client wants this one request to end."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from mockserver.core.errors import Refused
from mockserver.core.text import did_you_mean, shown
from mockserver.traffic.faults.delays import Delay, read_delay
from mockserver.traffic.faults.fault import Fault
from mockserver.traffic.faults.parsing import GENERAL, http_error, outcome_named, read_fault, refuse

HEADER = "prefer"
NAMES = ("outcome", "code", "delay", "fault")
"""The preferences that are known here."""
LONGEST = 2_000
"""Characters of the header that are read."""
# RFC 7240, section 2, save that a value without quotes may be more than a token: `timezone=Europe/Paris` is in use.
_PAIR = re.compile(
    r"""\s*+ (?: (?P<name> [^\s"=,;]++ ) \s*+
        (?: = \s*+ (?: "(?P<quoted> (?: [^"\\] | \\. )*+ )" \s*+ | (?P<plain> [^",;]*+ ) ) )?+
        )?+ (?P<end> [,;] | \Z )""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Preferences:
    """What one request asks for."""

    outcome: str | None = None
    delay: Delay | None = None
    """How long the answer waits."""
    fault: Fault | None = None
    asked: tuple[tuple[str, str], ...] = ()
    """Each known preference's name, and how it is repeated in `Preference-Applied`."""
    warnings: tuple[str, ...] = ()
    """About what is not known here; RFC 7240 wants it ignored."""


NONE = Preferences()


def read_preferences(header: str, operations: tuple[str, ...]) -> Preferences:
    """The preferences in the header's value; raises `Refused` (400), with all that there are, for one that is wrong."""
    try:
        return _read(header, operations)
    except Refused as refusal:
        message = f"Prefer: {refusal.message}"
        raise Refused(message, because="prefer", errors={"Prefer": [message]}) from None


@lru_cache(maxsize=256)
def _read(header: str, operations: tuple[str, ...]) -> Preferences:
    if len(header) > LONGEST:
        refuse("the header", f"must have no more than {LONGEST:,} characters; it has {len(header):,}")
    found: dict[str, tuple[str, dict[str, str]]] = {}
    warnings = []
    for (name, value), *parameters in _parsed(header):
        if name in NAMES:
            # RFC 7240, section 2: of preferences given more than once the first counts.
            found.setdefault(name, (value, dict(parameters)))
        else:
            hint = did_you_mean(name, NAMES)
            warnings.append(f"the preference {shown(name)} is not known here and ignored: {hint}")
    values = {name: value for name, (value, _) in found.items()}
    if "code" in values and "fault" in values:
        refuse("code", "and fault are both given: one of them is enough")
    return Preferences(
        outcome=outcome_named(values["outcome"]) if "outcome" in values else None,
        delay=_delay(values["delay"]) if "delay" in values else None,
        fault=_fault(found, operations),
        asked=tuple((name, f"{name}={value}") for name, value in values.items()),
        warnings=tuple(warnings),
    )


def _fault(found: Mapping[str, tuple[str, dict[str, str]]], operations: Collection[str]) -> Fault | None:
    if "code" in found:
        value, parameters = found["code"]
        http_error(value, "code")
        fields = {"kind": "status", "status": value}
    elif "fault" in found:
        value, parameters = found["fault"]
        fields = {"kind": value}
    else:
        return None
    for name in parameters:
        if name in GENERAL and name not in ("when", "seed"):
            refuse(name, "makes no sense for a single request")
    return read_fault({**parameters, **fields}, operations, called="fault")


def _parsed(header: str) -> list[list[tuple[str, str]]]:
    """Each preference with its parameters, as pairs of a name in lower case and a value, `""` where there is none."""
    found: list[list[tuple[str, str]]] = [[]]
    place = 0
    while pair := _PAIR.match(header, place):
        name, quoted, plain = pair["name"], pair["quoted"], pair["plain"] or ""
        if name is not None:
            found[-1].append((name.lower(), plain.strip() if quoted is None else _ESCAPED.sub(r"\1", quoted)))
        if not pair["end"]:
            return [one for one in found if one]
        if pair["end"] == ",":
            found.append([])
        place = pair.end()
    refuse("the header", f"must be NAME=VALUE; NAME=VALUE, NAME=VALUE; got {shown(header[place:].strip())}")


def _delay(value: str) -> Delay:
    try:
        return read_delay(value)
    except ValueError as error:
        refuse("delay", f"is wrong: {error}")
