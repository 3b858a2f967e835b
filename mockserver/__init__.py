"""A fake of the PrepBusiness billing API, and contract tests for real implementations of it.

The packages, each of which imports from those above it alone; `tests/test_architecture.py` holds them to it:

    core        values and helpers: errors, clock, messages, YAML with its lines
    contract    openapi.yaml as judge: which operation, is the request accepted, is the reply allowed
    billing     charges, invoices, money, Stripe and the search: pure, without I/O or HTTP
    traffic     what was said (journal, expectations) and what goes wrong with it (faults)
    state       one world: its store, its webhooks, and the fixtures that it comes from
    server      answers requests: operations, control interface, HTTP
    verify      judges a server by its address; imports no server, but for the fake that a random walk runs beside
    cli         a module for each command
    client, pytest_plugin    speak to the control interface from outside

The road of one request, downwards:

    ASGI (granian)              server.run, server.process
    -> a whole body             server.web.front   reads, waits and sends, so that no thread has to
    -> Request                  server.web         Flask; the only place that knows of HTTP serving
    -> Operation                contract.contract  compiled validators first, openapi-core (reference) for the rest
    -> token, world, merchant   server.access, state.worlds
    -> Call, or a refusal       contract.contract  and core.errors, the one tree of refusals
    -> injection, if any        traffic.faults, server.injection
    -> operations.X(call)       load from the store, let billing decide, ask Stripe, save, render
    -> Reply                    server.pipeline    checks our own reply by the contract; 500 if it breaks the spec
    -> journal                  traffic.journal, traffic.formats, traffic.expectations
    -> ASGI

All state hangs off a `World`: its `State` (store, Stripe, clock, queue, webhooks' outbox) is made of immutable
records, so that a copy, a snapshot or a reset is cheap and exact. Money is whole minor units inside, times are
microseconds since 1970, UTC; `billing.render` alone makes wire forms of them. What the contract leaves open is asked of
the `Profile`.

`server.control` is an API of its own with its own OpenAPI document, judged by the same `Contract`. Within `verify`,
`calibration` measures the open choices of a server, `checks`, `generated` and `fuzz` put it to the test, and every
answer passes the `monitor`. What must be is said through `expect`, whose `claims` about answers are plain data; what is
broken goes to the `recorder`, is run once more by `reproduction`, and told by the `reports`, made from `events` alone.
`replay` holds what a sequence needs to run again. Everything that is sent leaves through `verify.transport`, which
guards real money.
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
    # fetched when it is asked for, since it takes longer to import than all that those need.
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'mockserver' has no attribute {name!r}")
