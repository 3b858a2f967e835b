"""A fake of the PrepBusiness billing API, and contract tests for real implementations of it.

The road of one request, downwards; imports go the other way, and `tests/test_architecture.py` holds them to it:

    WSGI (granian)              live, process
    -> Request                  web           Flask; the only place that knows of HTTP serving
    -> Operation                contract      openapi.yaml as judge: fastpath first, openapi-core (judge) for the rest
    -> token, world, merchant   access, worlds
    -> Call, or a refusal       contract      and errors, the one tree of refusals
    -> disturbance, if any      faults, prefer, disturbance, spoiling
    -> operations.X(call)       load from the store, let billing decide, ask stripe, save, render
    -> Reply                    pipeline      checks our own reply by the contract; 500 if it breaks the spec
    -> journal                  journal, journal_forms, expectations
    -> WSGI

All state hangs off a `World`: its `State` (store, Stripe, clock, queue, webhooks' outbox) is made of immutable
records, so that a copy, a snapshot or a reset is cheap and exact. Money is whole minor units inside, times are
microseconds since 1970, UTC; `render` alone makes wire forms of them. What the contract leaves open is asked of the
`Profile`.

`control` is an API of its own with its own OpenAPI document, judged by the same `Contract`; `client` and
`pytest_plugin` speak to it from outside. `verify` judges a server by its address alone: `calibrate` measures its open
choices, `rules`, `model` and `fuzz` put it to the test, every answer passes the `observer`, and the `reports` are made
from `events`. Everything it sends leaves through `verify.transport`, which guards real money.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockserver.client import Control, ControlRefused
    from mockserver.server.process import Running, running

__all__ = ["Control", "ControlRefused", "Running", "running"]

_HOMES = {
    "Control": "mockserver.client",
    "ControlRefused": "mockserver.client",
    "Running": "mockserver.server.process",
    "running": "mockserver.server.process",
}


def __getattr__(name: str) -> Any:
    # Every module of the package imports this one first, the command line and pytest's plugin too: what it exports is
    # fetched when it is asked for, since httpx alone takes longer to import than all that those need.
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'mockserver' has no attribute {name!r}")
