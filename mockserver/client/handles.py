"""Parts of the client that stand for one thing of a world: its clock, its webhooks, a snapshot, a fault, a card."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from mockserver.client.connection import ControlRefused, Wire, given
from mockserver.client.payloads import (
    CardChange,
    Clock,
    Delivery,
    DeliveryState,
    Difference,
    Fault,
    Snapshot,
    Subscription,
)

Row = TypeVar("Row")
_NOT_FOUND = 404
Moment = str | date | datetime
"""ISO 8601, or a datetime with its zone; a date is its start in UTC."""
Duration = str | float | timedelta
"""ISO 8601 such as `P3D` or `PT90M`, or seconds."""


def moment_text(moment: Moment) -> str:
    """The moment as ISO 8601."""
    return moment if isinstance(moment, str) else moment.isoformat()


def duration_value(duration: Duration) -> str | float:
    """The duration as the control interface takes it."""
    return duration.total_seconds() if isinstance(duration, timedelta) else duration


class Page(list[Row], Generic[Row]):
    """Rows of a list that grows."""

    def __init__(self, answer: Any) -> None:
        super().__init__(answer["data"])
        self.cursor: int = answer["cursor"]
        """Where the rows begin that follow."""
        self.lost: int = answer["lost"]
        """How many rows the server dropped to make room."""


class Rows(list[Row], Generic[Row]):
    """One page of a list."""

    def __init__(self, answer: Any) -> None:
        super().__init__(answer["data"])
        self.page: int = answer["page"]
        self.last_page: int = answer["last_page"]
        self.total: int = answer["total"]
        """How many there are on all pages."""


class ClockControl:
    """The world's clock. What sets it answers what it shows then."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def now(self) -> datetime:
        """The world's time, UTC."""
        return _shown(self.get())

    def get(self) -> Clock:
        """The world's time, and whether it stands still."""
        clock: Clock = self._wire.call("getClock")
        return clock

    def freeze(self, at: Moment | None = None) -> datetime:
        """Let it stand still, now or at that moment."""
        return _shown(self._wire.call("freezeClock", body={} if at is None else {"at": moment_text(at)}))

    def run(self) -> datetime:
        """Let it go on from where it stands."""
        return _shown(self._wire.call("runClock"))

    def set(self, to: Moment) -> datetime:
        """Put it to that moment, standing or running as it was."""
        return _shown(self._wire.call("setClock", body={"to": moment_text(to)}))

    def advance(self, by: Duration) -> datetime:
        """Move it by so much; whatever is due by then is done at once."""
        return _shown(self._wire.call("advanceClock", body={"by": duration_value(by)}))

    @contextmanager
    def frozen(self, at: Moment | None = None) -> Iterator[datetime]:
        """Freeze it within; afterwards it shows what it would have shown, standing or running as before."""
        before, since = self.get(), time.monotonic()
        try:
            yield self.freeze(at)
        finally:
            if before["frozen"]:
                self.freeze(before["now"])
            else:
                self.set(_shown(before) + timedelta(seconds=time.monotonic() - since))
                self.run()


def _shown(clock: Clock) -> datetime:
    return datetime.fromisoformat(clock["now"]).astimezone(UTC)


class WebhooksControl:
    """The world's events, and who is told of them."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def get(self) -> Subscription:
        """Who is told, and how."""
        subscription: Subscription = self._wire.call("getWebhooks")
        return subscription

    def set(
        self,
        url: str | None = None,
        *,
        secret: str | None = None,
        delay: Duration | None = None,
        copies: int | None = None,
        reorder: int | None = None,
        hold: Duration | None = None,
        attempts: int | None = None,
        backoff: Duration | None = None,
        timeout: float | None = None,
    ) -> Subscription:
        """Say who is told and how well that goes; what is left out is as usual, but for the secret, which stays."""
        durations = {"delay": delay, "hold": hold, "backoff": backoff}
        body = given(
            url=url,
            secret=secret,
            copies=copies,
            reorder=reorder,
            attempts=attempts,
            timeout=timeout,
            **{name: duration_value(value) for name, value in durations.items() if value is not None},
        )
        subscription: Subscription = self._wire.call("putWebhooks", body=body)
        return subscription

    def stop(self) -> None:
        """Tell nobody any more; events are still recorded."""
        self._wire.call("deleteWebhooks")

    def deliveries(
        self, *, after: int = 0, state: DeliveryState | None = None, limit: int | None = None
    ) -> Page[Delivery]:
        """The recorded events, the oldest first; its `cursor` is the `after` for those that follow."""
        query = {"after": after, "state": state, "limit": limit}
        return Page(self._wire.call("listDeliveries", query=query))

    def delivery(self, id: int) -> Delivery:
        """One delivery, with every attempt so far."""
        delivery: Delivery = self._wire.call("getDelivery", delivery=id)
        return delivery

    def redeliver(self, id: int) -> Delivery:
        """Deliver once more, at once."""
        delivery: Delivery = self._wire.call("redeliver", delivery=id)
        return delivery


class Undone:
    """Something that is taken back when its block ends."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.undo()

    def undo(self) -> None:
        """Take it back."""
        raise NotImplementedError


class KeptSnapshot(Undone):
    """A snapshot of the world. As a context manager, it makes the world what it was when the block ends."""

    def __init__(self, wire: Wire, info: Snapshot, *, passing: bool) -> None:
        self._wire = wire
        self._passing = passing
        self.info = info
        self.name = info["name"]

    def restore(self) -> None:
        """Make the world what it was."""
        self._wire.call("restoreSnapshot", snapshot=self.name)

    def diff(self, to: str | None = None) -> Difference:
        """What happened from it to the present world, or to another snapshot."""
        difference: Difference = self._wire.call("diffSnapshot", snapshot=self.name, query={"to": to})
        return difference

    def export(self) -> str:
        """It as the text of a fixture file."""
        return str(self._wire.call("exportSnapshot", snapshot=self.name))

    def delete(self) -> None:
        """Forget it; the world stays as it is."""
        self._wire.call("deleteSnapshot", snapshot=self.name)

    def undo(self) -> None:
        """Make the world what it was, and forget a snapshot that was given no name."""
        self.restore()
        if self._passing:
            self.delete()


class PlannedFault(Undone):
    """A fault of the world. As a context manager, it is gone when the block ends."""

    def __init__(self, wire: Wire, info: Fault) -> None:
        self._wire = wire
        self.info = info
        """The fault as it was when it was planned."""
        self.id = info["id"]

    @property
    def struck(self) -> int:
        """How many requests it has struck; 0 once it is gone."""
        faults: list[Fault] = self._wire.call("listFaults")["data"]
        return next((fault["struck"] for fault in faults if fault["id"] == self.id), 0)

    def undo(self) -> None:
        """Take it away, if a reset of the world has not done so."""
        try:
            self._wire.call("deleteFault", fault=self.id)
        except ControlRefused as refused:
            if refused.status != _NOT_FOUND:
                raise


class GivenCard(Undone):
    """A merchant's new card. As a context manager, the merchant has the old one again when the block ends."""

    def __init__(self, wire: Wire, info: CardChange) -> None:
        self._wire = wire
        self.info = info

    def undo(self) -> None:
        """Give the merchant the old card."""
        self._wire.call("putCard", merchant=self.info["merchant"], body={"card": self.info["was"]})
