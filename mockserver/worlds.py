"""The worlds of one server: the common one, and those that a token names."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from mockserver.errors import InvalidRequest
from mockserver.world import Blueprint, World

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
        time: Callable[[], float] = time.monotonic,
    ) -> None:
        self.blueprint = blueprint
        self.common = World(COMMON, blueprint)
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
                world = self._named[name] = World(name, self.blueprint)
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

    def names(self) -> list[str]:
        """The worlds that there are, the common one first, then by their last use."""
        with self._lock:
            return [COMMON, *self._named]

    def drop(self, name: str) -> bool:
        """Forget a named world, whether or not it is idle; its next use starts from the blueprint."""
        with self._lock:
            return self._named.pop(name, None) is not None

    def replace_blueprint(self, blueprint: Blueprint) -> None:
        """Worlds that are made or reset from now on start from `blueprint`."""
        with self._lock:
            self.blueprint = blueprint
            for world in (self.common, *self._named.values()):
                world.blueprint = blueprint

    def _drop_idle(self, now: float) -> None:
        for name, world in list(self._named.items()):
            full = len(self._named) >= self._most
            if not full and now - world.last_used < self._idle:
                return
            if world.users == 0:
                del self._named[name]


def check_name(name: str) -> None:
    """Raises `InvalidRequest` for what can't name a world."""
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        problem = f"a world's name has 1 to {LONGEST_NAME} printable characters"
        raise InvalidRequest(f"The token names no world: {problem}.", because="GEN-3", errors={"token": [problem]})
