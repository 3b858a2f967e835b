"""Who delivers events: one thread for all worlds, which starts at the first need and never makes a request wait."""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TypeAlias

from mockserver.core.clock import MICROSECONDS
from mockserver.core.errors import Unavailable
from mockserver.state.outbox import Delivery, DeliveryAttempt, Subscription
from mockserver.state.world import World

Post: TypeAlias = Callable[[Subscription, bytes, int], Awaitable[DeliveryAttempt]]
"""Sends a body to the subscription's address; takes the world's time in microseconds since 1970."""


_LOOK_AGAIN = 1.0
"""Seconds until a world is looked at again whose database was away, or from which another server delivers."""


class WebhookWorker:
    """Tends each world that has something to deliver: one delivery after the other, each when it is due there.

    A receiver that hangs holds up its own world only, and at most `AT_ONCE` worlds wait for one at the same time.
    """

    AT_ONCE = 64

    def __init__(self, check_target: Callable[[str], object]) -> None:
        """`check_target` raises ValueError for an address that nothing may be posted to."""
        self._check_target = check_target
        # The server forks after this object was made, and no thread survives that: there is none before `wake`.
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turns = asyncio.Semaphore(self.AT_ONCE)
        self._tended: dict[World, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        """Kept because the loop itself holds its tasks only weakly."""

    def wake(self, world: World) -> None:
        """Have a look at the world's outbox: something is pending there, or its clock was changed."""
        loop = self._loop or self._start()
        loop.call_soon_threadsafe(self._attend, world)

    def _start(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                threading.Thread(target=self._run, args=(loop,), name="webhooks", daemon=True).start()
                self._loop = loop
            return self._loop

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        # httpx takes a tenth of a second to import, which is lost on a server that sends nothing.
        sender = importlib.import_module("mockserver.server.webhook_sender").WebhookSender
        self._post: Post = sender(at_once=self.AT_ONCE, check_target=self._check_target).post
        asyncio.set_event_loop(loop)
        loop.run_forever()

    def _attend(self, world: World) -> None:
        if (changed := self._tended.get(world)) is not None:
            changed.set()
            return
        changed = self._tended[world] = asyncio.Event()
        task = asyncio.get_running_loop().create_task(self._tend(world, changed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tend(self, world: World, changed: asyncio.Event) -> None:
        try:
            while not world.closed and (wait := await self._deliver(world)) is not None:
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), wait)
                changed.clear()
        finally:
            # In the same step as the last look at the outbox, so that no call is lost between the two.
            del self._tended[world]

    async def _deliver(self, world: World) -> float | None:
        """Make one attempt if one is due: the real seconds until the next may be, None for nothing to wait for."""
        try:
            now, frozen, delivery, subscription = world.look(partial(_next, world))
            if delivery is None or delivery.due > now:
                world.hand_over()
                # Nothing becomes due by itself while the clock stands still; whoever moves it wakes us.
                return None if delivery is None or frozen else (delivery.due - now) / MICROSECONDS
        except Unavailable:
            return _LOOK_AGAIN
        # First a turn, for which one may wait for long, and then the world: who is its sender is so for a short time.
        async with self._turns:
            return await self._send(world, subscription.timeout)

    async def _send(self, world: World, timeout: float) -> float:
        """Make the attempt that is due, unless another server does: the real seconds until the next may be."""
        try:
            if not world.take_over(timeout):
                return _LOOK_AGAIN
            # Who sent before us may have delivered it just then.
            now, _, delivery, subscription = world.look(partial(_next, world))
            if world.closed or delivery is None or delivery.due > now:
                return 0.0
            attempt = await self._post(subscription, delivery.event.body, now)
            world.change(partial(_enter, world, delivery, attempt))
        except Unavailable:
            return _LOOK_AGAIN
        return 0.0


def _next(world: World) -> tuple[int, bool, Delivery | None, Subscription]:
    """The time and whether it stands still, what is to be delivered next, and to whom."""
    outbox, clock = world.state.outbox, world.state.clock
    return clock.now(), clock.frozen, outbox.next(), outbox.subscription


def _enter(world: World, delivery: Delivery, attempt: DeliveryAttempt) -> None:
    # A world that was restored or reset meanwhile knows nothing of this attempt.
    if world.state.outbox.has(delivery):
        world.state.outbox.tried(delivery.id, attempt)
