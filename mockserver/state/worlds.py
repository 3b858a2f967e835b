"""The worlds of one server: the common one, and those that a token names."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from time import sleep
from typing import Protocol

from mockserver.core.errors import InvalidRequest, Unavailable
from mockserver.state.outbox import NOBODY, Subscription
from mockserver.state.world import Blueprint, Keeper, World
from mockserver.traffic.journal_budget import JournalBudget

COMMON = "common"
"""What the world of a token without `@NAME` is called."""
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class KeptWorld:
    """What is known of a world that was kept, without loading it."""

    name: str
    charges: int
    invoices: int
    pending: bool
    """Whether events are to be delivered from it."""


class Keep(Protocol):
    """Where the worlds of one server are kept."""

    @property
    def called(self) -> str:
        """Its address, without passwords."""
        ...

    @property
    def found(self) -> Collection[KeptWorld]:
        """The worlds that it had when the server started."""
        ...

    def close(self) -> None:
        """Let go of all connections."""
        ...

    def keeper(self, name: str, usual: Subscription) -> Keeper:
        """What keeps the world of that name; `usual` is who is told of events unless it was told otherwise."""
        ...

    def forget(self, names: Collection[str]) -> None:
        """Keep these worlds no longer; raises `Unavailable`, and then keeps them all."""
        ...


@dataclass(frozen=True, slots=True)
class ListedWorld:
    """A world as lists show it: `idle` is seconds since its last use."""

    name: str
    in_use: bool
    idle: float
    charges: int
    invoices: int
    exchanges: int


class Worlds:
    """Every world of one server, made from its blueprint when first named and dropped when long idle.

    With a `keep`, worlds are loaded when they are first named, and what is dropped is forgotten there too. Those that
    are kept since before the start count as used then.

    At most `most` named worlds are kept, and each at most `idle` seconds after its last use; one that is in use is
    never dropped. The common world always stays.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        *,
        most: int,
        idle: float,
        subscription: Subscription = NOBODY,
        wake: Callable[[World], None] | None = None,
        journal_size: int = 1000,
        journal_budget: JournalBudget | None = None,
        keep: Keep | None = None,
        time: Callable[[], float] = time.monotonic,
    ) -> None:
        self.blueprint = blueprint
        self._subscription = subscription
        self._wake = wake
        self._journal_size = journal_size
        self._journal_budget = journal_budget
        self._keep = keep
        self.common = self._make(COMMON)
        self._most = most
        self._idle = idle
        self._time = time
        self._named: OrderedDict[str, World] = OrderedDict()
        self._lock = threading.Lock()
        found = () if keep is None else keep.found
        self._asleep = {one.name: one for one in found if one.name != COMMON}
        """Worlds that are kept, and that nobody has asked for yet."""
        self._restless = [one.name for one in found if one.pending]
        self._began = time()

    @property
    def kept_in(self) -> str | None:
        """Where the worlds are kept; None if they are in memory alone."""
        return None if self._keep is None else self._keep.called

    def close(self) -> None:
        """Let go of what the worlds are kept in, until it is needed again."""
        if self._keep is not None:
            self._keep.close()

    def resume(self) -> None:
        """Go on with what was under way in worlds that were kept; returns once all of it could be loaded."""
        for name in self._restless:
            world = self.enter(name)
            while True:
                try:
                    world.recall()
                    break
                except Unavailable:
                    sleep(1)
            self.leave(world)

    def enter(self, name: str) -> World:
        """The world of that name, made if need be, and held until `leave`; raises `InvalidRequest` for a bad name."""
        if name == COMMON:
            return self.common
        with self._lock:
            now = self._time()
            world = self._named.get(name)
            if world is None:
                check_name(name)
                self._asleep.pop(name, None)
                self._drop_idle(now)
                world = self._named[name] = self._make(name)
            else:
                self._named.move_to_end(name)
            world.users += 1
            world.last_used = now
            return world

    def leave(self, world: World) -> None:
        """End one use of the world."""
        if world is not self.common:
            with self._lock:
                world.users -= 1
                world.last_used = self._time()

    def opens(self, token: str, name: str) -> bool:
        """Whether the token opens the world of that name, which need not have been made; raises `Unavailable`."""
        if name in self._asleep:
            self.leave(self.enter(name))
        world = self.common if name == COMMON else self._named.get(name)
        if world is None:
            return token in self.blueprint.tokens
        world.recall()
        if token not in world.blueprint.tokens:
            # Another server may have restored a snapshot with other people.
            world.refresh()
        return token in world.blueprint.tokens

    def listed(self) -> list[ListedWorld]:
        """The worlds that there are, the common one first, then by their last use, the latest first."""
        with self._lock:
            now = self._time()
            named = [_listed(world, 0.0 if world.users else now - world.last_used) for world in self._named.values()]
            asleep = [
                ListedWorld(one.name, False, now - self._began, one.charges, one.invoices, 0)
                for one in self._asleep.values()
            ]
            return [_listed(self.common, 0.0), *reversed(named), *asleep]

    def names(self) -> list[str]:
        """The names of the worlds that there are, the common one first, then by their last use."""
        with self._lock:
            return [COMMON, *self._named, *self._asleep]

    def __len__(self) -> int:
        return 1 + len(self._named) + len(self._asleep)

    def drop(self, name: str) -> bool:
        """Forget a named world, whether or not it is idle; its next use starts from the blueprint.

        The caller holds no world's lock. Raises `Unavailable`, and then the world stays.
        """
        world = self._named.get(name)
        with nullcontext() if world is None else world.lock, self._lock:
            known = name in self._named or name in self._asleep
            if known:
                self._forget([name])
            return known

    def replace_blueprint(self, blueprint: Blueprint) -> None:
        """Worlds that are made or reset from now on start from `blueprint`."""
        with self._lock:
            # A first copy settles what copies share; from then on several can be made at once.
            blueprint.state.copy()
            self.blueprint = blueprint
            for world in (self.common, *self._named.values()):
                world.origin = blueprint

    def _make(self, name: str) -> World:
        return World(
            name,
            self.blueprint,
            subscription=self._subscription,
            wake=self._wake,
            journal_size=self._journal_size,
            journal_budget=self._journal_budget,
            keeper=None if self._keep is None else self._keep.keeper(name, self._subscription),
        )

    def _forget(self, names: Collection[str]) -> None:
        if self._keep is not None:
            self._keep.forget(names)
        for name in names:
            self._asleep.pop(name, None)
            if (world := self._named.pop(name, None)) is not None:
                world.closed = True

    def _drop_idle(self, now: float) -> None:
        surplus = len(self) - self._most
        over = now - self._began >= self._idle
        idle = list(self._asleep) if over else list(self._asleep)[: max(0, surplus)]
        for name, world in self._named.items():
            if len(idle) >= surplus and now - world.last_used < self._idle:
                break
            if world.users == 0:
                idle.append(name)
        if idle:
            # What can't be forgotten now stays until the next time.
            with suppress(Unavailable):
                self._forget(idle)


def _listed(world: World, idle: float) -> ListedWorld:
    # Without its lock: another world may be held for long, and a size that is just changing is as good.
    charges, invoices = world.state.store.sizes
    return ListedWorld(world.name, world.users > 0, idle, charges, invoices, len(world.journal))


def check_name(name: str) -> None:
    """Raises `InvalidRequest` for what can't name a world."""
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        problem = f"a world's name has 1 to {LONGEST_NAME} printable characters"
        raise InvalidRequest(f"The token names no world: {problem}.", because="GEN-3", errors={"token": [problem]})
