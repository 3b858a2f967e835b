"""The worlds of one server: the common one, and those that a token names."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from mockserver.core.errors import InvalidRequest
from mockserver.state.outbox import NOBODY, Subscription
from mockserver.state.store.base import Scope
from mockserver.state.world import Blueprint, World
from mockserver.traffic.journal_budget import JournalBudget

COMMON = "common"
"""What the world of a token without `@NAME` is called."""
LONGEST_NAME = 200


class Worlds:
    """Every world of one server, made from its blueprint when first named and dropped when long idle.

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
        time: Callable[[], float] = time.monotonic,
    ) -> None:
        self.blueprint = blueprint
        self._subscription = subscription
        self._wake = wake
        self._journal_size = journal_size
        self._journal_budget = journal_budget
        self.common = self._make(COMMON)
        self._most = most
        self._idle = idle
        self._time = time
        self._named: OrderedDict[str, World] = OrderedDict()
        self._lock = threading.Lock()

    def enter(self, name: str) -> World:
        """The world of that name, made if need be, and held until `leave`; raises `InvalidRequest` for a bad name."""
        if name == COMMON:
            return self.common
        with self._lock:
            now = self._time()
            world = self._named.get(name)
            if world is None:
                check_name(name)
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

    def tokens(self, name: str) -> Mapping[str, Scope]:
        """The tokens that open the world of that name, which need not have been made."""
        world = self.common if name == COMMON else self._named.get(name)
        return self.blueprint.tokens if world is None else world.blueprint.tokens

    def listed(self) -> list[tuple[World, float]]:
        """The worlds that there are with the seconds since their last use, the common one first, then the latest."""
        with self._lock:
            now = self._time()
            named = [(world, 0.0 if world.users else now - world.last_used) for world in self._named.values()]
            return [(self.common, 0.0), *reversed(named)]

    def names(self) -> list[str]:
        """The names of the worlds that there are, the common one first, then by their last use."""
        with self._lock:
            return [COMMON, *self._named]

    def __len__(self) -> int:
        return 1 + len(self._named)

    def drop(self, name: str) -> bool:
        """Forget a named world, whether or not it is idle; its next use starts from the blueprint."""
        with self._lock:
            world = self._named.pop(name, None)
            if world is not None:
                world.closed = True
            return world is not None

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
        )

    def _drop_idle(self, now: float) -> None:
        surplus = len(self._named) + 1 - self._most
        idle: list[str] = []
        for name, world in self._named.items():
            if len(idle) >= surplus and now - world.last_used < self._idle:
                break
            if world.users == 0:
                idle.append(name)
        for name in idle:
            self._named.pop(name).closed = True


def check_name(name: str) -> None:
    """Raises `InvalidRequest` for what can't name a world."""
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        problem = f"a world's name has 1 to {LONGEST_NAME} printable characters"
        raise InvalidRequest(f"The token names no world: {problem}.", because="GEN-3", errors={"token": [problem]})
