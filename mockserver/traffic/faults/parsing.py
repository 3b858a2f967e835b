"""Reads a fault from its fields, given by a control request or a Prefer header, and refuses what makes no sense."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any, NoReturn

from mockserver.billing.stripe import CARDS, OUTCOMES
from mockserver.core.clock import parse_duration
from mockserver.core.errors import Refused
from mockserver.core.scalars import decimal_number, whole_number
from mockserver.core.text import guess, shown
from mockserver.traffic.faults.delays import read_delay
from mockserver.traffic.faults.fault import Fault
from mockserver.traffic.faults.kinds import COLLECT, KINDS, Kind
from mockserver.traffic.faults.schema_corruption import WAYS

LARGEST = 2**53
GENERAL = ("kind", "when", "operation", "invoice", "nth", "probability", "count", "duration", "seed")
"""The fields that a fault of any kind can have."""


def refuse(field: str, problem: str) -> NoReturn:
    """Refuse one field, with 400 whatever the profile says: this is no part of the API."""
    raise Refused(f"{field} {problem}", because="control", errors={field: [f"{field} {problem}"]})


def _refuse_name(field: str, allowed: str, name: Any, known: Collection[str]) -> NoReturn:
    refuse(field, f"must be {allowed}; got {shown(name)}{guess(name, known)}")


def outcome_named(name: Any) -> str:
    """The outcome of that name, or as that card ends; raises `Refused` with all that there are."""
    if isinstance(name, str):
        if name in OUTCOMES:
            return name
        if name in CARDS:
            return CARDS[name].name
    allowed = f"one of {', '.join(OUTCOMES)}, or the card {', '.join(CARDS)}"
    _refuse_name("outcome", allowed, name, (*OUTCOMES, *CARDS))


def card_named(name: Any) -> str:
    """The card of that name; raises `Refused` with all that there are."""
    if not isinstance(name, str) or name not in CARDS:
        _refuse_name("card", f"one of {', '.join(CARDS)}", name, CARDS)
    return name


def read_fault(fields: Mapping[str, Any], operations: Collection[str], *, called: str = "kind") -> Fault:
    """The fault with these fields; numbers may be texts. Raises `Refused` (400) for the first thing that is wrong.

    `called` is the name of the field `kind` to whoever gave it.
    """
    kind = _kind(fields.get("kind"), called)
    known = (*GENERAL, *kind.takes)
    if unknown := [name for name in fields if name not in known]:
        allowed = ", ".join(name for name in known if name != "when" or len(kind.when) > 1)
        hint = guess(unknown[0], known)
        refuse(unknown[0], f"is nothing that a fault of kind {kind.name} has: it has {allowed}{hint}")
    nth = _integer(fields, "nth", least=1)
    count = _integer(fields, "count", least=1)
    return Fault(
        kind=kind.name,
        when=_when(fields, kind),
        operations=_operations(fields, kind, operations),
        invoice=_integer(fields, "invoice"),
        nth=nth,
        probability=_share(fields, "probability", otherwise=1.0),
        count=1 if count is None and nth is not None else count,
        duration=_read(fields, "duration", _lasting) if "duration" in fields else None,
        seed=_integer(fields, "seed") or 0,
        **{name: _OWN[name](fields, kind) for name in kind.takes},
    )


def _lasting(given: Any) -> int:
    """Microseconds, more than none; raises ValueError otherwise."""
    duration = parse_duration(given)
    if duration <= 0:
        raise ValueError(f"a fault lasts longer than no time, got {shown(given)}")
    return duration


def _kind(name: Any, called: str) -> Kind:
    if not isinstance(name, str) or name not in KINDS:
        _refuse_name(called, f"one of {', '.join(KINDS)}", name, KINDS)
    return KINDS[name]


def _when(fields: Mapping[str, Any], kind: Kind) -> str | None:
    when = fields.get("when", kind.when[0] if kind.when else None)
    if when is not None and when not in kind.when:
        allowed = f"must be {' or '.join(kind.when)}" if kind.when else "makes no sense"
        refuse("when", f"{allowed} for a fault of kind {kind.name}; got {shown(when)}")
    return str(when) if when is not None else None


def _operations(fields: Mapping[str, Any], kind: Kind, known: Collection[str]) -> tuple[str, ...]:
    given = fields.get("operation", [COLLECT] if kind.at_stripe else [])
    names = [given] if isinstance(given, str) else given
    for name in names:
        if name not in known:
            _refuse_name("operation", f"one of {', '.join(known)}", name, known)
        if kind.at_stripe and name != COLLECT:
            refuse("operation", f"must be {COLLECT} for a fault of kind {kind.name}; got {shown(name)}")
    return tuple(names)


def _delay(fields: Mapping[str, Any], kind: Kind) -> Any:
    if "delay" in fields:
        return _read(fields, "delay", read_delay)
    if "delay" in kind.needs:
        refuse("delay", f"is needed for a fault of kind {kind.name}: seconds, or a distribution")
    return None


def http_error(given: Any, field: str) -> int:
    """A status that a fault can answer; raises `Refused` otherwise."""
    status = _whole(given)
    if status is None or not 400 <= status <= 599:
        refuse(field, f"must be a status from 400 to 599; got {shown(given)}")
    return status


def _way(fields: Mapping[str, Any], kind: Kind) -> str | None:
    way = fields.get("way")
    if way is not None and way not in WAYS:
        _refuse_name("way", f"one of {', '.join(WAYS)}", way, WAYS)
    return str(way) if way is not None else None


def _share(fields: Mapping[str, Any], name: str, *, otherwise: float) -> float:
    given = fields.get(name, otherwise)
    value = decimal_number(given) if isinstance(given, str) else given
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not 0 <= value <= 1:
        refuse(name, f"must be between 0 and 1; got {shown(given)}")
    return float(value)


def _integer(fields: Mapping[str, Any], name: str, *, least: int = 0) -> int | None:
    if name not in fields:
        return None
    value = _whole(fields[name])
    if value is None or not least <= value <= LARGEST:
        refuse(name, f"must be an integer of at least {least}; got {shown(fields[name])}")
    return value


def _whole(given: Any) -> int | None:
    if isinstance(given, str):
        return whole_number(given)
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def _read(fields: Mapping[str, Any], name: str, read: Callable[[Any], Any]) -> Any:
    try:
        return read(fields[name])
    except (ValueError, TypeError, OverflowError) as error:
        refuse(name, f"is wrong: {error}")


_OWN: Mapping[str, Callable[[Mapping[str, Any], Kind], Any]] = {
    "delay": _delay,
    "status": lambda fields, kind: http_error(fields.get("status", 503), "status"),
    "retry_after": lambda fields, kind: _integer(fields, "retry_after"),
    "share": lambda fields, kind: _share(fields, "share", otherwise=0.5),
    "way": _way,
    "outcome": lambda fields, kind: outcome_named(fields.get("outcome")),
}
"""How each field is read that only some kinds have."""
