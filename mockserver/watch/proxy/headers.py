"""What a proxy passes on of headers, as RFC 9110 has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from multidict import CIMultiDict

from mockserver.core.messages import HOP_BY_HOP
from mockserver.watch.passing import Pairs

ALLOWED, EXPOSED = "Access-Control-Allow-Origin", "Access-Control-Expose-Headers"
_ABSOLUTE = re.compile(r"https?://[^/?#]*", re.IGNORECASE)


def forwarded(headers: Mapping[str, str], *, without: Iterable[str] = ()) -> CIMultiDict[str]:
    """The headers, each as often as it came, without those that are for the next neighbour alone.

    Octets that are no UTF-8 are taken for ISO 8859-1, and become UTF-8.
    """
    dropped = HOP_BY_HOP | set(without)
    for name, value in headers.items():
        if name.lower() == "connection":
            dropped |= {word.strip().lower() for word in value.split(",")}
    return CIMultiDict([(name, value) for name, value in pairs(headers) if name.lower() not in dropped])


def readers(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Those of an answer that say which pages may read it, for one that stands in its place."""
    kept = [(name, value) for name, value in pairs(headers) if name.lower().startswith("access-control-")]
    return CIMultiDict([*kept, *((name, value) for name, value in pairs(headers) if name.lower() == "vary")])


def origin_form(target: str) -> str:
    """A request's target without the scheme and the host that clients give to a proxy (section 3.2.2 of RFC 9112)."""
    found = _ABSOLUTE.match(target)
    if found is None:
        return target
    rest = target[found.end() :]
    return rest if rest.startswith("/") else f"/{rest}"


def pairs(headers: Mapping[str, str]) -> Pairs:
    return tuple((name, _text(value)) for name, value in headers.items())


def _text(value: str) -> str:
    """A value of which octets that are no UTF-8 came as lone surrogates, which nothing can write."""
    octets = value.encode("utf-8", "surrogateescape")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")
