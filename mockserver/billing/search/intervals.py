"""Sets of integers as intervals, and how clauses join them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from mockserver.billing.search.tokens import Joiner


@dataclass(frozen=True, slots=True)
class Intervals:
    """A set of integers as disjoint half-open intervals: `(1, 4, 7, inf)` is [1, 4) and [7, inf).

    The edges strictly increase and are even in number (ValueError otherwise). They are integers, but
    for `-inf` at the front and `inf` at the end of what is unbounded.
    """

    edges: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if len(self.edges) % 2 or not all(low < high for low, high in pairwise(self.edges)):
            raise ValueError(f"edges of intervals must be even in number and increase, got {self.edges!r}")

    def __contains__(self, number: float) -> bool:
        return bisect_right(self.edges, number) % 2 == 1

    def __invert__(self) -> Intervals:
        front = self.edges[1:] if self.edges[:1] == (-inf,) else (-inf, *self.edges)
        return Intervals(front[:-1] if front[-1:] == (inf,) else (*front, inf))

    def __or__(self, other: Intervals) -> Intervals:
        edges = list(self.edges)
        join(edges, Joiner.OR, other)
        return Intervals(tuple(edges))

    def __and__(self, other: Intervals) -> Intervals:
        edges = list(self.edges)
        join(edges, Joiner.AND, other)
        return Intervals(tuple(edges))

    def pieces(self) -> Iterator[tuple[float, float]]:
        """Each interval as (first, one past the last), in ascending order."""
        return zip(self.edges[::2], self.edges[1::2], strict=True)

    def ranges(self) -> list[range]:
        """The same for intervals of which none is unbounded; OverflowError otherwise."""
        return [range(int(low), int(high)) for low, high in self.pieces()]

    def mapped(self, place: Callable[[float], int]) -> Intervals:
        """These intervals on another axis. `place` never decreases, and takes `-inf` and `inf` too.

        For a sorted sequence `ids`, `clause.intervals.mapped(partial(bisect_left, ids))` are the
        positions in it of the ids that the clause matches.
        """
        edges: list[float] = []
        for edge in map(place, self.edges):
            if edges and edges[-1] == edge:
                edges.pop()  # an interval that became empty, or two that now touch
            else:
                edges.append(edge)
        return Intervals(tuple(edges))


def join(edges: list[float], joiner: Joiner, other: Intervals) -> None:
    """Make `edges` those of the union or the intersection with `other`; costs `other` and what vanishes."""
    inside = joiner is Joiner.OR
    for low, high in (other if inside else ~other).pieces():
        start, stop = bisect_left(edges, low), bisect_right(edges, high)
        # An even number of edges before a point puts it outside: an edge is due where that has to change.
        edges[start:stop] = [low] * (start % 2 != inside) + [high] * (stop % 2 != inside)
