"""Memory with an end: what was used longest ago makes room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, ItemsView, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """A mapping of at most `most` entries; reading one counts as using it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: K) -> bool:
        return key in self._kept

    def get(self, key: K) -> V | None:
        value = self._kept.get(key)
        if value is not None:
            self._kept.move_to_end(key)
        return value

    def set(self, key: K, value: V) -> None:
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def get_or(self, key: K, make: Callable[[], V]) -> V:
        """What is kept under the key, made and kept first where there is nothing."""
        value = self.get(key)
        if value is None:
            value = make()
            self.set(key, value)
        return value

    def drop(self, key: K) -> None:
        self._kept.pop(key, None)

    def drop_where(self, unwanted: Callable[[K], bool]) -> None:
        for key in [key for key in self._kept if unwanted(key)]:
            del self._kept[key]

    def newest(self, count: int) -> Iterator[tuple[K, V]]:
        """The entries used last, the latest first."""
        for key, _ in zip(reversed(self._kept), range(count), strict=False):
            yield key, self._kept[key]

    def items(self) -> ItemsView[K, V]:
        """All of it, what was used last at the end."""
        return self._kept.items()
