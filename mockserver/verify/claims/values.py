"""Values of JSON as the verifier reads them: exact numbers, times in UTC, and how a sentence shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]


def exact(value: object) -> Decimal | None:
    """A JSON number as an exact decimal; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)


def when(value: object) -> datetime | None:
    """A JSON date-time as a time in UTC; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def shown(value: object) -> str:
    """A JSON value in a sentence."""
    if value is None:
        return "null"
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value)) or "nothing"
    return f'"{value}"' if isinstance(value, str) else str(value)
