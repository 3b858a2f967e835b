"""The JSON that the control interface answers with, as types; a test holds them to its OpenAPI document."""

from typing import Any, Literal, NotRequired, TypedDict

Change = TypedDict("Change", {"from": Any, "to": Any})
"""What a property was and is."""


class Health(TypedDict):
    status: Literal["ok"]
    version: str
    fixture: str
    profile: str
    worlds: int
    mistakes: list[str]


class ChoiceInfo(TypedDict):
    """An open choice: `value` is what the server makes of it, `values` what there is, the default first."""

    key: str
    value: str | int | None
    values: list[str | int | None]
    description: str


class WorldInfo(TypedDict):
    """`idle` is seconds since its last use; `exchanges` are those that its journal keeps."""

    name: str
    in_use: bool
    idle: float
    charges: int
    invoices: int
    exchanges: int


class TokenInfo(TypedDict):
    """A token without a world's name, and the merchants that it reaches."""

    token: str
    merchants: list[int]


class Counts(TypedDict):
    merchants: int
    charges: int
    invoices: int
    attempts: int
    exchanges: int
    faults: int
    deliveries: int
    snapshots: int


class MerchantInfo(TypedDict):
    """`next_outcome` is how its next attempt to pay ends, if no fault strikes."""

    id: int
    name: str
    currency: str
    type: str
    card: str
    outcome: str
    next_outcome: str
    open_charges: int
    invoices: int


class InvoiceRecord(TypedDict):
    """An invoice with what the API does not show; `state` says where it stands."""

    id: int
    merchant: int
    state: Literal["draft", "queued", "on_stripe", "declined", "paid_unreported", "paid", "void", "uncollectible"]
    created_at: str
    finalized_at: str | None
    currency: str
    total: float
    status: str
    stripe_invoice_id: str | None
    stripe_invoice_status: str | None
    payment_pending: bool
    charges: list[int]


class ChargeRecord(TypedDict):
    id: int
    merchant: int
    created_at: str
    currency: str
    amount: float
    status: str
    category: str
    description: str | None
    invoice: int | None


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


class WorldSummary(TypedDict):
    """What a world is, and how much is in it."""

    name: str
    fixture: str
    description: str
    tokens: list[TokenInfo]
    clock: Clock
    counts: Counts


class InvoiceStory(TypedDict):
    """One invoice, its charges and what was tried; `due` is when Stripe will have it, or report its payment."""

    invoice: InvoiceRecord
    charges: list[ChargeRecord]
    attempts: list[Attempt]
    due: str | None


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


class OutcomeInfo(TypedDict):
    name: str
    code: str | None
    decline_code: str | None
    charged: bool
    paid: bool
    answered: bool


class CardInfo(TypedDict):
    name: str
    outcome: str


class KindInfo(TypedDict):
    kind: str
    description: str
    when: list[Literal["before", "after"]]
    takes: list[str]


class DistributionInfo(TypedDict):
    name: str
    parameters: list[str]
    description: str


class WayInfo(TypedDict):
    name: str
    description: str


class Vocabulary(TypedDict):
    """Everything that can be asked for."""

    outcomes: list[OutcomeInfo]
    cards: list[CardInfo]
    faults: list[KindInfo]
    distributions: list[DistributionInfo]
    ways: list[WayInfo]


class CardChange(TypedDict):
    merchant: int
    card: str
    was: str
    outcome: str


FaultKind = Literal[
    "latency",
    "status",
    "reset",
    "empty",
    "truncated",
    "malformed",
    "drip",
    "schema",
    "outcome",
    "stripe_down",
    "stripe_slow",
    "lost_answer",
]


class GivenFault(TypedDict):
    """A fault as it is asked for; what is left out limits nothing."""

    kind: str
    when: NotRequired[str]
    operation: NotRequired[str | list[str]]
    invoice: NotRequired[int]
    nth: NotRequired[int]
    probability: NotRequired[float]
    count: NotRequired[int]
    duration: NotRequired[float | str]
    seed: NotRequired[int]
    delay: NotRequired[float | str | dict[str, Any]]
    status: NotRequired[int]
    retry_after: NotRequired[int]
    share: NotRequired[float]
    way: NotRequired[str]
    outcome: NotRequired[str]


class Fault(GivenFault):
    """A planned fault; `struck` is how many requests it struck."""

    id: int
    created_at: str
    in_force: bool
    seen: int
    struck: int


class SentRequest(TypedDict):
    """`path` is below `/api`, `body` a JSON value, a form's fields or a text."""

    method: str
    url: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any
    valid: bool
    problems: list[str]


class SentResponse(TypedDict):
    """`status` is None when no answer went out."""

    status: int | None
    headers: dict[str, str]
    body: Any
    valid: bool
    problems: list[str]


class StruckFault(TypedDict):
    id: int | None
    kind: str
    when: str | None


class Entry(TypedDict):
    """One exchange of the journal; `because` is what decided the answer."""

    number: int
    at: str
    seconds: float
    world: str
    operation: str | None
    request: SentRequest
    response: SentResponse
    because: str
    faults: list[StruckFault]
    warnings: list[str]


class Line(TypedDict):
    """An exchange in short: without headers and bodies."""

    number: int
    at: str
    seconds: float
    operation: str | None
    method: str
    path: str
    query: str
    status: int | None
    valid: bool
    because: str
    faults: list[str]
    warnings: int
    invoice: int | None


class Chosen(TypedDict, total=False):
    """Which exchanges of the journal are wanted; what is left out limits nothing."""

    operation: str
    status: int | str
    """Such as 402, or `4xx`."""
    invoice: int
    invalid: bool
    """Only exchanges whose request or answer the spec forbids."""
    since: int
    limit: int


class Expectation(TypedDict, total=False):
    """What the journal is expected to hold; without `at_least` and `at_most`, at least once."""

    operation: str
    method: str
    path: str
    status: int | str
    invoice: int
    because: str
    fault: str
    request: Any
    response: Any
    headers: dict[str, str]
    at_least: int
    at_most: int


class Mismatch(TypedDict):
    field: str
    expected: Any
    got: Any


class NearMiss(TypedDict):
    number: int
    operation: str | None
    status: int | None
    differences: list[Mismatch]


class ExpectationResult(TypedDict):
    expectation: Expectation
    verified: bool
    matched: int
    numbers: list[int]
    complaint: str | None
    nearest: list[NearMiss]


class Verdict(TypedDict):
    """What became of the expectations; `message` says all that is wrong, for people."""

    verified: bool
    message: str
    results: list[ExpectationResult]
    lost: int
