"""A fake of the PrepBusiness billing API, and contract tests for real implementations of it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockserver.client import Control, ControlRefused
    from mockserver.process import Running, running

__all__ = ["Control", "ControlRefused", "Running", "running"]

_HOMES = {
    "Control": "mockserver.client",
    "ControlRefused": "mockserver.client",
    "Running": "mockserver.process",
    "running": "mockserver.process",
}


def __getattr__(name: str) -> Any:
    # Every module of the package imports this one first, the command line and pytest's plugin too: what it exports is
    # fetched when it is asked for, since httpx alone takes longer to import than all that those need.
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'mockserver' has no attribute {name!r}")
