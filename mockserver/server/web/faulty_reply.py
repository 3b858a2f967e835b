"""Breaks an answer on the wire: cut short, in drops, or the connection closed or reset without a byte."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

from flask import Response

from mockserver.contract.decoding import JSON
from mockserver.server.web.connection_reset import Resetting
from mockserver.traffic.faults.delivery import EMPTY, RESET, SHORT, WHOLE, FaultyDelivery

_FLUSHED = 0.05
"""Seconds after which bytes given to the server have gone out."""
_PIECES_A_SECOND = 20


def broken(delivery: FaultyDelivery, status: int, headers: dict[str, str], environ: dict[str, Any]) -> Response:
    """The answer as it goes out.

    The server drops the connection in the middle of a body that is shorter than its Content-Length. Where it meets two
    different lengths it shuts the connection down before it has sent a byte.
    """
    response = Response(_pieces(delivery), status, headers, content_type=JSON)
    response.headers.add("Content-Length", str(delivery.length))
    if delivery.ends == RESET and environ["REQUEST_METHOD"] != "HEAD":
        response.response = Resetting.begin(environ, response.headers)
    elif delivery.ends in (RESET, EMPTY):
        # A HEAD has no body that could be missing, so that its connection can be closed but not reset.
        response.headers.add("Content-Length", str(delivery.length + 1))
    return response


def _pieces(delivery: FaultyDelivery) -> Iterator[bytes]:
    if delivery.ends == WHOLE:
        yield from _drops(delivery)
    elif delivery.ends == SHORT:
        if delivery.body:
            yield delivery.body
        time.sleep(_FLUSHED)


def _drops(delivery: FaultyDelivery) -> Iterator[bytes]:
    count = max(1, min(len(delivery.body), round(delivery.seconds * _PIECES_A_SECOND)))
    size = math.ceil(len(delivery.body) / count)
    for start in range(0, len(delivery.body), size):
        time.sleep(delivery.seconds / count)
        yield delivery.body[start : start + size]
