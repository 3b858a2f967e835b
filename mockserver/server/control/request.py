"""What a control operation acts on: the service, and the one world that the caller's token names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mockserver.core.messages import Call
from mockserver.server.service import Service
from mockserver.state.world import World


@dataclass(slots=True)
class ControlRequest:
    """One control request."""

    service: Service
    world: World
    call: Call
    document: dict[str, Any]
    """The control interface's own OpenAPI document."""
    document_text: str
    """The same, as YAML."""
    afterwards: Callable[[], object] | None = None
    """What is to be done once the rest is saved, as it can't be undone: the journal is kept nowhere else."""
