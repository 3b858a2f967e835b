"""The order of records in lists: where each stands, and which stretches of it ids fall into."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from functools import partial
from itertools import pairwise

from mockserver.billing.search.intervals import Intervals

_MOST_BREAKS = 64
"""With more breaks than these, asking every record is hardly slower than asking every run."""


class SortedIndex:
    """The ids of some records in the order of `created_at`, then `id`; a position on it finds a row of a page."""

    __slots__ = ("_breaks", "_shared", "created", "ids")

    def __init__(self, created: array[int], ids: array[int], breaks: list[int] | None, *, shared: bool = False) -> None:
        self.created = created
        self.ids = ids
        self._breaks = breaks
        """Positions where the id falls instead of rising, as when a clock went back; None for too many of them."""
        self._shared = shared

    @classmethod
    def of(cls, keys: Iterable[tuple[int, int]]) -> SortedIndex:
        """The index of records given as (created_at, id), in any order."""
        created, ids = array("q"), array("q")
        for moment, number in keys:
            created.append(moment)
            ids.append(number)
        if not all(one < other for one, other in pairwise(zip(created, ids, strict=True))):
            ordered = sorted(zip(created, ids, strict=True))
            created, ids = array("q", (key[0] for key in ordered)), array("q", (key[1] for key in ordered))
        breaks = [position for position, (one, other) in enumerate(pairwise(ids), start=1) if one > other]
        return cls(created, ids, breaks if len(breaks) <= _MOST_BREAKS else None)

    def copy(self) -> SortedIndex:
        """An independent index; both keep the same arrays until one of them changes."""
        self._shared = True
        return SortedIndex(self.created, self.ids, None if self._breaks is None else self._breaks.copy(), shared=True)

    def add(self, created_at: int, record_id: int) -> None:
        if self._shared:
            self.created, self.ids, self._shared = self.created[:], self.ids[:], False
        last = len(self.ids)
        at = last if not last or self.created[-1] < created_at else self._position(created_at, record_id)
        self.created.insert(at, created_at)
        self.ids.insert(at, record_id)
        if self._breaks is not None:
            self._note_breaks(at)

    def find(self, created_at: int, record_id: int) -> int | None:
        """Where the record stands, or None when it is not in this index."""
        position = self._position(created_at, record_id)
        here = position < len(self.ids) and self.ids[position] == record_id
        return position if here else None

    def positions(self, ids: Intervals) -> Intervals | None:
        """Where the records with these ids stand; None when the ids are in no order that would tell."""
        if self._breaks is None:
            return None
        edges: list[float] = []
        for start, end in pairwise((0, *self._breaks, len(self.ids))):
            for edge in ids.mapped(partial(bisect_left, self.ids, lo=start, hi=end)).edges:
                if edges and edges[-1] == edge:
                    edges.pop()  # the matches go on from one run of rising ids into the next
                else:
                    edges.append(edge)
        return Intervals(tuple(edges))

    def _position(self, created_at: int, record_id: int) -> int:
        start = bisect_left(self.created, created_at)
        end = bisect_left(self.created, created_at + 1, start)
        return bisect_left(self.ids, record_id, start, end)

    def _note_breaks(self, at: int) -> None:
        """Bring the breaks up to date with the id that was put at this position."""
        if at == len(self.ids) - 1 and (at == 0 or self.ids[at - 1] < self.ids[at]):
            return
        ids, breaks = self.ids, self._breaks or []
        moved = [one + (one > at) for one in breaks if one != at]
        near = [one for one in (at, at + 1) if 0 < one < len(ids) and ids[one - 1] > ids[one]]
        breaks = sorted({*moved, *near})
        self._breaks = breaks if len(breaks) <= _MOST_BREAKS else None
