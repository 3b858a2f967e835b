"""The JSON that the control interface answers with, as types; a test holds them to its OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

Change = TypedDict("Change", {"from": Any, "to": Any})
"""What a property was and is."""


class Health(TypedDict):
    status: Literal["ok"]
    version: str
    fixture: str
    profile: str
    worlds: int
    mistakes: list[str]


class WorldInfo(TypedDict):
    name: str
    in_use: bool
    idle: float


class Attempt(TypedDict):
    """One attempt to charge a card: `amount` in Stripe's minor units."""

    number: int
    at: str
    invoice: int
    stripe_invoice_id: str | None
    merchant: int
    amount: int
    currency: str
    card: str
    outcome: str
    code: str | None
    decline_code: str | None
    idempotency_key: str
    charged: bool


class Clock(TypedDict):
    now: str
    frozen: bool


class Snapshot(TypedDict):
    name: str
    fixture: str
    taken_at: str
    clock: Clock


class ChangedRecord(TypedDict):
    id: int
    changes: dict[str, Change]


class RecordDifference(TypedDict):
    added: list[dict[str, Any]]
    removed: list[dict[str, Any]]
    changed: list[ChangedRecord]


class AttemptDifference(TypedDict):
    added: list[Attempt]
    removed: list[Attempt]


class Waiting(TypedDict):
    invoice: int
    due: str


class QueueDifference(TypedDict):
    added: list[Waiting]
    removed: list[Waiting]


Difference = TypedDict(
    "Difference",
    {
        "from": str,
        "to": str | None,
        "same": bool,
        "lines": list[str],
        "merchants": RecordDifference,
        "charges": RecordDifference,
        "invoices": RecordDifference,
        "attempts": AttemptDifference,
        "queue": QueueDifference,
        "next_ids": dict[str, Change],
    },
)
"""What happened between two snapshots, or a snapshot and the present world; `lines` says it for people."""


class Subscription(TypedDict):
    """Who is told of events, and how; durations in seconds."""

    url: str | None
    secret: str
    delay: float
    copies: int
    reorder: int
    hold: float
    attempts: int
    backoff: float
    timeout: float


DeliveryState = Literal["recorded", "pending", "delivered", "failed"]


class DeliveryAttempt(TypedDict):
    at: str
    url: str
    signature: str
    status: int | None
    error: str | None
    seconds: float


class Delivery(TypedDict):
    """One event on its way: `body` is the exact text, `signature` that of its bytes."""

    id: int
    event: int
    type: str
    created_at: str
    state: DeliveryState
    due: str | None
    body: str
    signature: str
    attempts: list[DeliveryAttempt]


class Deliveries(TypedDict):
    data: list[Delivery]
    cursor: int
    lost: int
