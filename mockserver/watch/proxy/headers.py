"""What a proxy passes on of headers, as RFC 9110 has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from multidict import CIMultiDict

from mockserver.core.messages import HOP_BY_HOP
from mockserver.watch.passing import Pairs


def forwarded(headers: Mapping[str, str], *, without: Iterable[str] = ()) -> CIMultiDict[str]:
    """The headers, each as often as it came, without those that are for the next neighbour alone."""
    dropped = HOP_BY_HOP | set(without)
    for name, value in headers.items():
        if name.lower() == "connection":
            dropped |= {word.strip().lower() for word in value.split(",")}
    return CIMultiDict([(name, value) for name, value in headers.items() if name.lower() not in dropped])


def pairs(headers: Mapping[str, str]) -> Pairs:
    return tuple(headers.items())
