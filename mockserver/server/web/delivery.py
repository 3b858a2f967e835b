"""Breaks an answer on the wire: cut short, in drops, or the connection closed or reset without a byte."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any

from mockserver.server.web import connection
from mockserver.traffic.faults.delivery import EMPTY, RESET, SHORT, FaultyDelivery

log = logging.getLogger("mockserver")
_FLUSHED = 0.05
"""Seconds after which bytes given to the server have gone out."""
_PIECES_A_SECOND = 20

Send = Callable[[dict[str, Any]], Awaitable[None]]


async def deliver(
    delivery: FaultyDelivery,
    status: int,
    headers: list[tuple[bytes, bytes]],
    scope: dict[str, Any],
    send: Send,
) -> None:
    """Send the answer as it is to go out; the server closes the connection in the middle of a body that is too short.

    Where the system offers no way to end a connection without a byte, the head of an answer goes out.
    """
    client = scope["client"][0], int(scope["client"][1])
    if delivery.ends in (RESET, EMPTY):
        if (delivery.ends == RESET and connection.reset(client)) or connection.close(client):
            return
        log.warning("the connection to end was not found: an answer without a body is sent instead")
    length = (b"content-length", b"%d" % delivery.length)
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    if delivery.ends not in (RESET, EMPTY, SHORT):
        await _drip(delivery, send)
    else:
        await send({"type": "http.response.body", "body": delivery.body, "more_body": True})
    await asyncio.sleep(_FLUSHED)
    await send({"type": "http.response.body", "body": b""})


async def _drip(delivery: FaultyDelivery, send: Send) -> None:
    count = max(1, min(len(delivery.body), round(delivery.seconds * _PIECES_A_SECOND)))
    size = max(1, math.ceil(len(delivery.body) / count))
    for start in range(0, len(delivery.body), size):
        await asyncio.sleep(delivery.seconds / count)
        await send({"type": "http.response.body", "body": delivery.body[start : start + size], "more_body": True})
