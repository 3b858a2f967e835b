"""The request log: one line an exchange, to read or to parse."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TextIO
from urllib.parse import unquote_plus

import orjson

from mockserver.server.access import TOKEN_PARAMETER
from mockserver.server.settings import LogFormat
from mockserver.traffic.journal import Exchange


class RequestLog:
    """Writes exchanges to a stream; `api_token` in a query is not shown.

    What can't be written is lost: a reader may have left, a disk be full, and no answer waits for either to change.
    """

    def __init__(self, stream: TextIO | None, form: LogFormat) -> None:
        """`stream` is None where nobody can read it, as `sys.stderr` is in a process that has none."""
        self._stream = stream
        self._json = form == "json"
        self._second = 0
        self._clock = ""

    def write(self, exchange: Exchange, environ: dict[str, Any], elapsed: float) -> None:
        """One exchange; `elapsed` in seconds, without a delay that was asked for."""
        request, reply = exchange.request, exchange.reply
        target = environ["PATH_INFO"]
        if request.query_string:
            target += "?" + _without_token(request.query_string)
        warnings = exchange.warnings
        status = reply.status if exchange.answered else None
        broken = None if exchange.corrupted else exchange.broken
        if not target.isprintable():
            target = ascii(target)[1:-1]
        if self._json:
            entry = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "world": exchange.world,
                "method": request.method,
                "target": target,
                "operation": exchange.operation.id if exchange.operation else None,
                "status": status,
                "because": reply.because,
                "milliseconds": round(elapsed * 1000, 3),
                "warnings": warnings,
                "broken": broken,
            }
            line = orjson.dumps(entry).decode()
        else:
            told = "".join(f"\n         warning: {warning}" for warning in warnings)
            told += "".join(f"\n         OUR REPLY BREAKS THE SPEC: {problem}" for problem in broken or ())
            line = (
                f"{self._time()} {status or '---'} {request.method:<4} {target}"
                f"  {elapsed * 1000:.1f} ms  {reply.because}{told}"
            )
        self._put(line)

    def _time(self) -> str:
        # Formatted once a second: formatting a time takes longer than writing the rest of the line.
        second = int(time.time())
        if second != self._second:
            self._second, self._clock = second, time.strftime("%H:%M:%S", time.gmtime(second))
        return self._clock

    def note(self, message: str) -> None:
        """Something that is no exchange, such as a file that was read anew."""
        if self._json:
            entry = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "note": message}
            self._put(orjson.dumps(entry).decode())
        else:
            self._put(f"{self._time()} {message}")

    def _put(self, line: str) -> None:
        if self._stream is not None:
            # ValueError is what a stream raises that is closed.
            with suppress(OSError, ValueError):
                self._stream.write(f"{line}\n")


def _without_token(query: str) -> str:
    if TOKEN_PARAMETER not in query.lower() and "%" not in query:
        return query
    return "&".join(_hidden(part) for part in query.split("&"))


def _hidden(part: str) -> str:
    """A parameter without its value if it is the token, however its name is written, or one that could be meant so."""
    name = part.partition("=")[0]
    plain = unquote_plus(name).partition("[")[0].strip().lower()
    return f"{name}=…" if plain == TOKEN_PARAMETER else part
