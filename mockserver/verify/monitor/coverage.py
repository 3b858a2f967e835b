"""What of the spec was met: operation by documented status by the state of the invoice that was addressed."""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.contract.contract import Contract
from mockserver.verify.events import Coverage
from mockserver.verify.monitor.monitor import Monitor

STATES = {
    "finalizeInvoice": ("none", "Draft", "finalized", "paid", "declined"),
    "collectInvoice": ("none", "Draft", "finalized", "paid", "declined"),
}


def coverage(contract: Contract, monitor: Monitor) -> Iterator[Coverage]:
    """One row for each combination that the spec documents, met or never."""
    for operation in contract.operations.values():
        for status in contract.statuses(operation):
            for state in STATES.get(operation.id, ("-",)):
                yield Coverage(operation.id, status, state, monitor.met.get((operation.id, status, state), 0))
