"""Why no answer came, in words, and the other ways in which a run or a part of it ends early."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Literal

import httpx

Kind = Literal[
    "unreachable", "timeout", "reset", "disconnected", "truncated", "tls", "unreadable", "too_long", "unsendable"
]


class NoAnswer(Exception):
    """No HTTP answer, or not a whole one."""

    def __init__(self, kind: Kind, words: str) -> None:
        super().__init__(words)
        self.kind = kind
        self.words = words


class TooLong(Exception):
    """The answer has more bytes than it may have."""


class OutOfTime(Exception):
    """The time that the run was given is over."""


class ServerGone(Exception):
    """The server answered before, and does not any more."""


class NoApi(Exception):
    """What answers at the address is not this API; the text says what it is, in one line."""

    def __init__(self, words: str, *, may_come: bool = False) -> None:
        super().__init__(words)
        self.may_come = may_come
        """Whether it looks like a server that is still starting."""


class Stop(Exception):
    """The current check can't go on; what it found is recorded already."""


class NotPossible(Exception):
    """A rule can't be put to the test here; the text says why.

    `matters` is False when nobody could expect it to be: the means were given, and it does not lie in them.
    """

    def __init__(self, reason: str, *, matters: bool = True) -> None:
        super().__init__(reason)
        self.matters = matters


def classify(error: Exception, timeout: float, most: int) -> NoAnswer:
    """The failure of a request as one of ours, in plain words: `timeout` in seconds, `most` in bytes of an answer."""
    causes = list(_chain(error))
    text = str(error) or type(error).__name__
    if any(isinstance(cause, ssl.SSLError) for cause in causes) or "CERTIFICATE" in text:
        hint = "; --tls-verify takes a file of certificates to trust" if "CERTIFICATE_VERIFY" in text else ""
        return NoAnswer("tls", f"TLS failed: {text}{hint}")
    if isinstance(error, TooLong):
        return NoAnswer("too_long", f"the answer is longer than {most:,} bytes and was not read to its end")
    if isinstance(error, httpx.ConnectTimeout | httpx.ReadTimeout | httpx.WriteTimeout | httpx.PoolTimeout):
        return NoAnswer("timeout", f"no whole answer within {timeout:g} s")
    if isinstance(error, httpx.ConnectError):
        return NoAnswer("unreachable", f"the server can't be reached: {text}")
    if isinstance(error, httpx.ReadError | httpx.WriteError | httpx.CloseError):
        return NoAnswer("reset", f"the connection broke before the answer was complete: {text}")
    if isinstance(error, httpx.RemoteProtocolError):
        if "buffer too long" in text:
            return NoAnswer("too_long", "the head of the answer is longer than any client reads")
        if "incomplete" in text or "without sending complete" in text:
            return NoAnswer("truncated", f"the answer was cut off: {text}")
        if "without sending a response" in text or "disconnected" in text.lower():
            return NoAnswer("disconnected", "the server closed the connection without an answer")
        return NoAnswer("unreadable", f"the answer is no HTTP: {text}")
    if isinstance(error, httpx.DecodingError | httpx.StreamError):
        return NoAnswer("unreadable", f"the answer can't be decoded: {text}")
    return NoAnswer("unsendable", f"the request can't be sent: {text}")


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
