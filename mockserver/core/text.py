"""How messages show what they are about."""

from __future__ import annotations

import json
from typing import Any

LARGEST = 2**63 - 1
"""The largest integer, in either direction: what a 64-bit database column holds."""
SHOWN = 60
"""How many characters of an offending value a message shows."""


def shown(value: Any) -> str:
    """A value as a message shows it: JSON, in printable ASCII, cut off where it is long."""
    try:
        text = json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        text = type(value).__name__
    if len(text) <= SHOWN:
        return text
    return text[: SHOWN - 4] + "..." + (text[-1] if text[-1] in '"]}' else "")
