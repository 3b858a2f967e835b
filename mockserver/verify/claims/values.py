"""Values of JSON as the verifier reads them: exact numbers, times in UTC, and how a sentence shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]


def exact(value: object) -> Decimal | None:
    """A JSON number as an exact decimal; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)


def when(value: object) -> datetime | None:
    """A JSON date-time as a time in UTC; None for anything else, and where the calendar has no day before or after."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if date.min < moment.date() < date.max else None


def shown(value: object) -> str:
    """A JSON value in a sentence."""
    if value is None:
        return "null"
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value)) or "nothing"
    return f'"{value}"' if isinstance(value, str) else str(value)
