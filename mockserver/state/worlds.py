"""The worlds of one server: the common one, and those that a token names."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Protocol

from mockserver.core.errors import InvalidRequest
from mockserver.state.outbox import NOBODY, Subscription
from mockserver.state.world import Blueprint, Keeper, World
from mockserver.traffic.journal_budget import JournalBudget

COMMON = "common"
"""What the world of a token without `@NAME` is called."""
LONGEST_NAME = 200
LOADED = 3600.0
"""Seconds for which a world that is kept stays in memory unused; it is loaded again when it is asked for."""
UNTOLD = 60.0
"""Seconds for which a server may use a world unknown to others: more than lie between two calls of `tidy`."""


@dataclass(frozen=True, slots=True)
class KeptWorld:
    """What is known of a world that is kept, without loading it; `idle` as in `ListedWorld`, if not as exact."""

    name: str
    charges: int
    invoices: int
    idle: float


class Keep(Protocol):
    """Where the worlds of one server are kept, and perhaps of others. All but the first three raise `Unavailable`."""

    @property
    def called(self) -> str:
        """Its address, without passwords."""
        ...

    def close(self) -> None:
        """Let go of all connections."""
        ...

    def keeper(self, name: str, usual: Subscription) -> Keeper:
        """What keeps the world of that name; `usual` is who is told of events unless it was told otherwise."""
        ...

    def has(self, name: str) -> bool:
        """Whether a world of that name is kept."""
        ...

    def kept(self) -> Collection[KeptWorld]:
        """All worlds that are kept, those first that were used last."""
        ...

    def overdue(self) -> Collection[str]:
        """The names of those that events are to be delivered from, and nobody does."""
        ...

    def use(self, names: Collection[str]) -> None:
        """Let all servers know that these are in use."""
        ...

    def forget(self, name: str) -> None:
        """Keep the world no longer."""
        ...

    def forget_unused(self, idle: float, most: int, never: str) -> None:
        """Keep those no longer that nobody has used for so many seconds, or that are too many; but always one."""
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

    At most `most` named worlds are there, and each at most `idle` seconds after its last use; one that is in use is
    never dropped. The common world always stays.

    With a `keep`, worlds are loaded when they are first named here, and what is dropped here is still kept there:
    `tidy` forgets what no server uses. They leave memory after `LOADED` seconds at the latest, as they may be kept for
    weeks.
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
        self._told = time()
        """Until when others know which worlds are used here."""
        self._asleep: dict[str, KeptWorld] = {}
        """Worlds that are kept and were not asked for here, as far as is known."""

    @property
    def kept_in(self) -> str | None:
        """Where the worlds are kept; None if they are in memory alone."""
        return None if self._keep is None else self._keep.called

    def count_kept(self) -> int:
        """How many worlds are kept, each with the records that it had; raises `Unavailable`."""
        return 0 if self._keep is None else len(self._keep.kept())

    def close(self) -> None:
        """Let go of what the worlds are kept in, until it is needed again."""
        if self._keep is not None:
            self._keep.close()

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
        world = self.common if name == COMMON else self._named.get(name)
        if world is None:
            if self._keep is None or not self._keep.has(name):
                return token in self.blueprint.tokens
            world = self.enter(name)
            self.leave(world)
        world.recall()
        if token not in world.blueprint.tokens:
            # Another server may have restored a snapshot with other people.
            world.refresh()
        return token in world.blueprint.tokens

    def steers(self, token: str, name: str) -> bool:
        """Whether the token may control the world of that name; raises `Unavailable`.

        The fixture's own tokens always may, so that nobody is locked out by what was restored.
        """
        return token in self.blueprint.tokens or self.opens(token, name)

    def listed(self) -> list[ListedWorld]:
        """The worlds that there are, the common one first, then by their last use here; raises `Unavailable`."""
        self._look_at_kept()
        with self._lock:
            now = self._time()
            named = [_listed(world, 0.0 if world.users else now - world.last_used) for world in self._named.values()]
            asleep = [
                ListedWorld(one.name, False, one.idle, one.charges, one.invoices, 0) for one in self._asleep.values()
            ]
            return [_listed(self.common, 0.0), *reversed(named), *asleep]

    def names(self) -> list[str]:
        """The names of the worlds that there are, the common one first, then by their last use here.

        Raises `Unavailable`.
        """
        self._look_at_kept()
        with self._lock:
            return [COMMON, *self._named, *self._asleep]

    def __len__(self) -> int:
        """How many there are, as far as is known."""
        return 1 + len(self._named) + len(self._asleep)

    def drop(self, name: str) -> bool:
        """Forget a named world, whether or not it is idle; its next use starts from the blueprint.

        The caller holds no world's lock. Raises `Unavailable`, and then the world stays.
        """
        world = self._named.get(name)
        with nullcontext() if world is None else world.lock:
            kept = self._keep is not None and self._keep.has(name)
            if self._keep is not None and kept:
                self._keep.forget(name)
            # Not before: every request wants it, and would wait for the database too.
            with self._lock:
                known = kept or name in self._named
                self._forget([name])
            return known

    def tidy(self) -> None:
        """Let others know which worlds are used here, and forget those that nobody uses; raises `Unavailable`."""
        if self._keep is None:
            return
        with self._lock:
            now = self._time()
            used = [one.name for one in self._named.values() if one.users or one.last_used >= self._told]
        if used:
            self._keep.use(used)
        self._told = now
        self._keep.forget_unused(self._idle + UNTOLD, self._most, COMMON)
        self._look_at_kept()

    def overdue(self) -> Collection[str]:
        """The worlds that events are to be delivered from and nobody does, as after a restart; raises `Unavailable`."""
        return () if self._keep is None else self._keep.overdue()

    def attend(self, name: str) -> None:
        """See to it that what is to be delivered from the world of that name is; raises `Unavailable`."""
        world = self.enter(name)
        try:
            world.attend()
        finally:
            self.leave(world)

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

    def _look_at_kept(self) -> None:
        if self._keep is not None:
            kept = self._keep.kept()
            with self._lock:
                self._asleep = {one.name: one for one in kept if one.name != COMMON and one.name not in self._named}

    def _forget(self, names: Collection[str]) -> None:
        for name in names:
            self._asleep.pop(name, None)
            if (world := self._named.pop(name, None)) is not None:
                world.closed = True

    def _drop_idle(self, now: float) -> None:
        surplus = 1 + len(self._named) - self._most
        longest = self._idle if self._keep is None else min(self._idle, LOADED)
        idle: list[str] = []
        for name, world in self._named.items():
            if len(idle) >= surplus and now - world.last_used < longest:
                break
            if world.users == 0:
                idle.append(name)
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
