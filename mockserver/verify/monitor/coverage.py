"""What of the spec was met: operation by documented status by the state of the invoice that was addressed."""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.verify.events import Coverage
from mockserver.verify.monitor.monitor import Monitor
from mockserver.verify.spec import Spec

STATES = {
    "finalizeInvoice": ("none", "Draft", "finalized", "paid", "declined"),
    "collectInvoice": ("none", "Draft", "finalized", "paid", "declined"),
}


def coverage(spec: Spec, monitor: Monitor) -> Iterator[Coverage]:
    """One row for each combination that the spec documents, met or never."""
    for operation in spec.operations.values():
        for status in operation.statuses:
            for state in STATES.get(operation.id, ("-",)):
                yield Coverage(operation.id, status, state, monitor.met.get((operation.id, status, state), 0))
