"""One exchange as it passed by, from whichever seat it was seen: plain bytes, and when it began and ended."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, unquote

from mockserver.verify.transport.billing_client import MERCHANT_HEADER

SOON = 60.0
"""Seconds within which it is by chance alone that somebody else changes what was just shown."""
Pairs = tuple[tuple[str, str], ...]


@dataclass(slots=True, eq=False, kw_only=True)
class Passing:
    """One request and its answer; only `answer` is ever changed, when there is no room for it any more."""

    number: int
    """Its place in what was seen, from 1."""
    method: str
    target: str
    """Below the base address: path, and query if there is one."""
    headers: Pairs
    status: int
    body: bytes = b""
    answer_headers: Pairs = ()
    answer: bytes | None = b""
    """Decoded from gzip and the like; None where it was not recorded, is too long or can't be read."""
    started: float = -math.inf
    """Seconds, on one clock for all that is seen; minus infinity where it is not known."""
    ended: float = math.inf
    base: str = ""
    """The API's address."""
    place: str = ""
    """Where a reader finds it: `entry 17 of session.har`."""
    at: str = ""
    """When it was sent, as ISO 8601 has it."""
    source: str = ""
    """Of several recordings each is a source by itself: what is in two of them must not seem to have happened twice."""
    world: str = ""
    """Records of other worlds, sources and addresses may have the same ids."""
    whole: bool = False
    """Whether all headers of the request are there; browsers leave tokens and cookies out of what they export."""

    def header(self, name: str) -> str:
        """The first of that name (lower case) in the request, empty where there is none."""
        return _by_name(self.headers).get(name, "")

    def answer_header(self, name: str) -> str:
        return _by_name(self.answer_headers).get(name, "")

    @property
    def merchant(self) -> str:
        return self.header(MERCHANT_HEADER.lower())

    def soon_after(self, earlier: Passing) -> bool:
        """Whether it was sent after that answer, and within `SOON`."""
        return 0 <= self.started - earlier.ended <= SOON

    def where(self) -> str:
        """The place and the time, for a sentence."""
        return ", ".join(part for part in (self.place or f"request {self.number}", self.at) if part)


@lru_cache(maxsize=64)
def _by_name(pairs: Pairs) -> dict[str, str]:
    # Of several the first counts. Kept for as long as an exchange is looked at, and no longer: many are remembered.
    return {name.lower(): value for name, value in reversed(pairs)}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Everything in a request that may say who calls."""

    tokens: tuple[str, ...]
    cookie: str

    @property
    def any(self) -> bool:
        return bool(self.tokens or self.cookie)

    @property
    def world(self) -> str:
        """A fake's worlds are told apart by what stands behind the `@` of its token."""
        return next((token.partition("@")[2] for token in self.tokens if "@" in token), "")


def credentials(passing: Passing) -> Credentials:
    """The tokens of the header, the query and a form or a JSON body, and the cookies."""
    tokens = []
    if authorization := passing.header("authorization"):
        tokens.append(authorization.removeprefix("Bearer ").strip())
    query = passing.target.partition("?")[2]
    if query and "api_token" in unquote(query):
        tokens += [value for name, value in parse_qsl(query, keep_blank_values=True) if "api_token" in name]
    if b"api_token" in passing.body:
        tokens.append(passing.body.decode("utf-8", "replace"))
    return Credentials(tuple(token for token in tokens if token), passing.header("cookie"))
