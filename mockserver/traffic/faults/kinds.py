"""The kinds of faults: all that each is, when it can strike, which fields it has, and what it does to an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from random import Random
from typing import Any

from mockserver.billing.stripe import DOWN, LATE, LOST_ANSWER, OUTCOMES, Outcome
from mockserver.core.messages import Reply
from mockserver.traffic.faults.delivery import EMPTY, RESET, FaultyDelivery, cut_short, in_drops, no_json, unanswered
from mockserver.traffic.faults.fault import Fault
from mockserver.traffic.faults.schema_corruption import Breaks, Broken, break_schema

BEFORE, AFTER = "before", "after"
"""When a fault strikes: before anything was done, so that nothing happened, or after it, so that it did."""
COLLECT = "collectInvoice"
"""The one operation that asks Stripe for money."""
RETRY_AFTER = 1
"""Seconds after which a client is told to try again, where the fault names no other."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of fault. What it does is at most one of `outcome`, `replies`, `corrupts` and `delivers`."""

    name: str
    description: str
    when: tuple[str, ...] = (AFTER,)
    """When it can strike, the default first; nothing where the question makes no sense."""
    takes: tuple[str, ...] = ()
    """The fields that it has beyond those that every fault has."""
    needs: tuple[str, ...] = ()
    """Those of its fields that have no default."""
    at_stripe: bool = False
    """Whether it happens between the API and Stripe; the API's own answer is sound then."""
    outcome: Outcome | None = None
    """How it makes Stripe's attempt end, where the fault itself does not say."""
    slows: bool = False
    """Whether it only takes time; the answer is sound then."""
    replies: Callable[[Fault], Reply] | None = None
    """What is answered in place of the operation's own answer."""
    corrupts: Callable[[Fault, Any, Random, Breaks], Broken] | None = None
    """What becomes of the body of a success."""
    delivers: Callable[[Fault, bytes, Random], FaultyDelivery] | None = None
    """How the body goes out."""
    breaks: str = ""
    """What is wrong with any answer that it spoils; nothing where that depends on the answer."""
    leaves_sound: bool = False
    """Whether what the client has read in the end is the answer as it was made."""

    def forces(self, fault: Fault) -> Outcome | None:
        """How the attempt to charge is to end under a fault of this kind."""
        return self.outcome if fault.outcome is None else OUTCOMES[fault.outcome]


def status_reply(fault: Fault) -> Reply:
    """An answer of that status in the API's own form, with Retry-After where clients look for it."""
    status = fault.status or 503
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = f"Status {status}"
    after = fault.retry_after
    if after is None and status in (429, 503):
        after = RETRY_AFTER
    return Reply(status, {"message": f"{phrase}."}, {} if after is None else {"Retry-After": str(after)})


_REPEATED = (
    "A browser then repeats the request by itself, a POST too, where it had used the connection before: "
    "truncated with a share of 0 is what it does not repeat."
)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("latency", "The answer is late.", (AFTER, BEFORE), ("delay",), needs=("delay",), slows=True),
        Kind(
            "status",
            "A status of 400 to 599 with a body of the API's own form, and Retry-After with 429 and 503.",
            (BEFORE, AFTER),
            ("status", "retry_after"),
            replies=status_reply,
        ),
        Kind(
            "reset",
            f"The connection is reset (TCP RST) and no byte is answered. {_REPEATED}",
            (BEFORE, AFTER),
            delivers=lambda fault, body, chance: unanswered(RESET),
            breaks="no answer was sent: the connection was reset",
        ),
        Kind(
            "empty",
            f"The connection is closed and no byte is answered. {_REPEATED}",
            (BEFORE, AFTER),
            delivers=lambda fault, body, chance: unanswered(EMPTY),
            breaks="no answer was sent: the connection was closed",
        ),
        Kind(
            "truncated",
            "The connection is closed in the middle of the body.",
            takes=("share",),
            delivers=lambda fault, body, chance: cut_short(body, fault.share or 0),
            breaks="the body was cut off",
        ),
        Kind(
            "malformed",
            "The body is complete, but it is no JSON.",
            delivers=lambda fault, body, chance: no_json(body),
            breaks="the body is no JSON",
        ),
        Kind(
            "drip",
            "The body comes a few bytes at a time.",
            takes=("delay",),
            needs=("delay",),
            delivers=lambda fault, body, chance: in_drops(body, fault.seconds(chance)),
            leaves_sound=True,
        ),
        Kind(
            "schema",
            "A success whose body breaks the spec.",
            takes=("way",),
            corrupts=lambda fault, body, chance, breaks: break_schema(body, fault.way, chance, breaks),
        ),
        Kind("outcome", "The attempt to charge ends with that outcome.", (), ("outcome",), at_stripe=True),
        Kind("stripe_down", "Stripe can't be reached: nothing is charged.", (), at_stripe=True, outcome=DOWN),
        Kind("stripe_slow", "Stripe charges, and answers late.", (), ("delay",), at_stripe=True, outcome=LATE),
        Kind("lost_answer", "Stripe charges, and its answer is lost.", (), at_stripe=True, outcome=LOST_ANSWER),
    )
}
"""Every kind of fault by its name."""
