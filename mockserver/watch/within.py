"""The judge within a fake: its own answers, held to what it answered before."""

from __future__ import annotations

import threading
import time
from urllib.parse import quote

from mockserver.contract.contract import Contract
from mockserver.contract.decoding import JSON
from mockserver.traffic.journal import Exchange
from mockserver.verify.assertions.recorder import Recorder
from mockserver.watch.judging.judge import Judge
from mockserver.watch.passing import Passing


class Within:
    """Tells the judge of a fake's exchanges, from whichever thread; what was disturbed on purpose is not for it."""

    def __init__(self, contract: Contract) -> None:
        self._judge = Judge(contract, Recorder((), None, frozenset(contract.rules), found_by="traffic"))
        self._lock = threading.Lock()
        self._number = 0

    def __call__(self, exchange: Exchange, era: str, started: float) -> list[str]:
        """What it says; its world is one in each era, so that nothing is held against a world that was set back."""
        with self._lock:
            self._number += 1
            return self._judge.see(_passing(exchange, self._number, era, started))


def begin_watch(contract: Contract) -> Within:
    """A judge to whom nothing was told yet."""
    return Within(contract)


def _passing(exchange: Exchange, number: int, era: str, started: float) -> Passing:
    request, reply = exchange.request, exchange.reply
    # Each character of the path is one byte, decoded already.
    path = quote(request.path, safe="/:@!$&'()*+,;=~", encoding="latin-1")
    target = f"{path}?{request.query_string}" if request.query_string else path
    return Passing(
        number=number,
        method=request.method,
        target=target,
        headers=tuple(request.headers.items()),
        status=reply.status,
        body=request.body,
        answer_headers=(("Content-Type", JSON), ("X-Mock-Trace", reply.because)),
        answer=exchange.data,
        started=started,
        ended=time.perf_counter(),
        place=f"{request.method} {target}",
        base=exchange.address.removesuffix(request.path),
        world=era,
        whole=True,
    )
