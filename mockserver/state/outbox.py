"""Webhooks as one world has them: who is told, every event and its deliveries, and which of them is due."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson

from mockserver.core.clock import LATEST, MICROSECONDS

Fate = Literal["recorded", "pending", "delivered", "failed"]
"""What has become of a delivery: for the log alone as there was no address, under way, taken, or given up."""
MOST_DELIVERIES = 1_000
"""How many deliveries a world remembers; older ones are lost, which `Outbox.lost` counts."""
SIGNATURE = "Signature"
"""The header that holds the hex HMAC-SHA256 of the raw body under the secret."""
SECRET = "webhook-secret"
"""What events are signed with when nothing else is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Who is told of events, and how well that goes; durations in microseconds of the world's clock."""

    url: str | None = None
    """None: events are only recorded."""
    secret: str = SECRET
    delay: int = 0
    """From the event to the first attempt."""
    copies: int = 1
    """How often each event is delivered: 2 makes every one a duplicate."""
    reorder: int = 1
    """So many deliveries are held back until they are together, and are then sent the last one first."""
    hold: int = 2 * MICROSECONDS
    """How long the first of them is held back at most."""
    attempts: int = 6
    """How often a delivery is tried until it is given up."""
    backoff: int = 10 * MICROSECONDS
    """From the first attempt to the second; the wait doubles each time."""
    timeout: float = 5.0
    """Real seconds that the receiver has for its answer."""

    def sign(self, body: bytes) -> str:
        return hmac.digest(self.secret.encode(), body, "sha256").hex()


NOBODY = Subscription()
"""Events are only recorded."""


def check_url(url: str) -> str:
    """The address that events can be posted to; raises ValueError for what is none."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isprintable() or " " in url:
        raise ValueError(f"expected an address such as http://127.0.0.1:9000/hook, got {url!r}")
    _ = parts.port
    return url


class Event:
    """Something that happened. Its body is rendered when somebody first looks, and stays the same from then on."""

    __slots__ = ("_body", "_render", "at", "id", "type")

    def __init__(self, event_id: int, kind: str, at: int, render: Callable[[], dict[str, Any]]) -> None:
        self.id = event_id
        """The id of its first delivery."""
        self.type = kind
        self.at = at
        self._render = render
        self._body: bytes | None = None

    @classmethod
    def known(cls, event_id: int, kind: str, at: int, body: bytes) -> Event:
        """An event whose body was rendered before."""
        event = cls(event_id, kind, at, dict)
        event._body = body
        return event

    @property
    def body(self) -> bytes:
        """The exact bytes that are signed and sent."""
        if self._body is None:
            self._body = orjson.dumps({"type": self.type, "data": self._render()})
        return self._body


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One try to deliver: `at` in microseconds since 1970 by the world's clock, `seconds` of real time."""

    at: int
    url: str
    signature: str
    status: int | None
    """The receiver's answer; None without one."""
    error: str | None
    """Why there was no answer."""
    seconds: float

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to the receiver."""

    id: int
    event: Event
    fate: Fate
    due: int
    """When it is to be tried next, in microseconds since 1970; says nothing unless it is pending."""
    tries: int
    """Attempts in vain since it was last planned."""
    rank: int
    """Of two that are due at the same moment, the lower goes first."""
    attempts: tuple[DeliveryAttempt, ...] = ()


@dataclass(slots=True)
class Outbox:
    """All deliveries of one world. Its records are immutable, so that a copy is cheap, exact and independent."""

    subscription: Subscription = NOBODY
    deliveries: dict[int, Delivery] = field(default_factory=dict)
    """By id, the oldest first."""
    pending: dict[int, None] = field(default_factory=dict)
    """The ids of those that are to be tried."""
    held: list[int] = field(default_factory=list)
    """The ids of those that wait for each other, to be sent the last one first."""
    last_id: int = 0
    lost: int = 0
    """How many were dropped to make room, whatever had become of them."""
    noted: dict[int, None] | None = None
    """The ids of those that were changed or dropped since somebody looked; None while nobody wants to know."""

    def take_noted(self) -> list[int]:
        """The ids of those that were changed or dropped since the last look."""
        noted, self.noted = self.noted or {}, {}
        return list(noted)

    def copy(self) -> Outbox:
        return Outbox(
            self.subscription, self.deliveries.copy(), self.pending.copy(), self.held.copy(), self.last_id, self.lost
        )

    def add(self, kind: str, render: Callable[[], dict[str, Any]], *, now: int) -> None:
        """Record an event, and plan its deliveries if somebody is to be told."""
        subscription = self.subscription
        event = Event(self.last_id + 1, kind, now, render)
        if subscription.url is None:
            self._put(event, "recorded", now)
            return
        for _ in range(subscription.copies):
            self._put(event, "pending", now + subscription.delay)
            if subscription.reorder > 1:
                self._hold(self.last_id, now)

    def due(self, now: int) -> Delivery | None:
        """What is to be tried now."""
        delivery = self.next()
        return delivery if delivery is not None and delivery.due <= now else None

    def next(self) -> Delivery | None:
        """What is to be tried next, sooner or later."""
        pending = (self.deliveries[delivery_id] for delivery_id in self.pending)
        return min(pending, key=lambda one: (one.due, one.rank), default=None)

    def has(self, delivery: Delivery) -> bool:
        """Whether that very delivery is still to be tried here, perhaps read anew since."""
        known = self.deliveries.get(delivery.id)
        return known is not None and _occasion(known) == _occasion(delivery)

    def tried(self, delivery_id: int, attempt: DeliveryAttempt) -> None:
        """Enter an attempt, and plan the next one if it failed; nothing happens if the delivery was dropped."""
        delivery = self.deliveries.get(delivery_id)
        if delivery is None:
            return
        delivery = replace(delivery, attempts=(*delivery.attempts, attempt), tries=delivery.tries + 1, rank=delivery.id)
        if attempt.taken:
            delivery = replace(delivery, fate="delivered")
        elif self.subscription.url is None:
            delivery = replace(delivery, fate="recorded")
        elif delivery.tries >= self.subscription.attempts:
            delivery = replace(delivery, fate="failed")
        else:
            wait = self.subscription.backoff * 2 ** (delivery.tries - 1)
            delivery = replace(delivery, due=min(attempt.at + wait, LATEST))
        self._save(delivery)

    def again(self, delivery_id: int, *, now: int) -> Delivery:
        """Let the delivery be tried anew at once; raises KeyError if there is none of that id."""
        delivery = replace(self.deliveries[delivery_id], fate="pending", due=now, tries=0)
        self._save(delivery)
        return delivery

    def subscribe(self, subscription: Subscription) -> None:
        """Do as `subscription` says from now on. Without an address, what is pending is not tried any more."""
        self.subscription = subscription
        self.held = []
        if subscription.url is None:
            for delivery_id in list(self.pending):
                self._save(replace(self.deliveries[delivery_id], fate="recorded"))

    def enter(self, delivery: Delivery) -> None:
        """Take over a delivery as it was in an outbox before."""
        self._save(delivery)

    def _put(self, event: Event, fate: Fate, due: int) -> None:
        self.last_id = number = self.last_id + 1
        self._save(Delivery(number, event, fate, min(due, LATEST), 0, number))
        if len(self.deliveries) > MOST_DELIVERIES:
            oldest = next(iter(self.deliveries))
            del self.deliveries[oldest]
            self._note(oldest)
            self.pending.pop(oldest, None)
            self.lost += 1

    def _save(self, delivery: Delivery) -> None:
        self.deliveries[delivery.id] = delivery
        self._note(delivery.id)
        if delivery.fate == "pending":
            self.pending[delivery.id] = None
        else:
            self.pending.pop(delivery.id, None)

    def _note(self, delivery_id: int) -> None:
        if self.noted is not None:
            self.noted[delivery_id] = None

    def _hold(self, delivery_id: int, now: int) -> None:
        """Let the delivery wait for others, or release those that it was waited for by."""
        self.held = [one for one in self.held if one in self.pending and self.deliveries[one].due > now]
        new = self.deliveries[delivery_id]
        until = self.deliveries[self.held[0]].due if self.held else min(new.due + self.subscription.hold, LATEST)
        self._save(replace(new, due=until, rank=-delivery_id))
        self.held.append(delivery_id)
        if len(self.held) >= self.subscription.reorder:
            for one in self.held:
                self._save(replace(self.deliveries[one], due=new.due))
            self.held = []


def _occasion(delivery: Delivery) -> tuple[object, ...]:
    event = delivery.event
    return event.type, event.at, delivery.fate, delivery.due, delivery.tries
