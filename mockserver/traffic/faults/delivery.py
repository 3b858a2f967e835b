"""How an answer goes out that does not go out as ever: broken, cut short, in drops, or not at all."""

from __future__ import annotations

from dataclasses import dataclass

WHOLE, SHORT, RESET, EMPTY = "whole", "short", "reset", "empty"
"""How the connection ends: as ever, in the middle of the body, by a reset, or without a byte."""


@dataclass(frozen=True, slots=True)
class FaultyDelivery:
    """How an answer goes out, where it does not go out as ever."""

    body: bytes = b""
    """What is sent of it."""
    length: int = 0
    """The Content-Length that is announced."""
    ends: str = WHOLE
    seconds: float = 0.0
    """How long the sending takes, spread over the body."""


def unanswered(ends: str) -> FaultyDelivery:
    """No byte goes out; the connection `ends` by `RESET` or `EMPTY`."""
    return FaultyDelivery(length=1, ends=ends)


def cut_short(body: bytes, share: float) -> FaultyDelivery:
    """That share of the body goes out, and never all of it."""
    kept = min(int(len(body) * share), len(body) - 1)
    return FaultyDelivery(body[: max(kept, 0)], max(len(body), 1), SHORT)


def no_json(body: bytes) -> FaultyDelivery:
    """All of the body goes out, with a comma too many."""
    broken = body[:-1] + b"," + body[-1:]
    return FaultyDelivery(broken, len(broken))


def in_drops(body: bytes, seconds: float) -> FaultyDelivery:
    """The body goes out a few bytes at a time, over so many seconds."""
    return FaultyDelivery(body, len(body), seconds=seconds)
