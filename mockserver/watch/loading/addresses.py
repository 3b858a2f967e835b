"""Which of recorded requests are of the API, and what stands below its address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from mockserver.core.net import API

_OURS = re.compile(r"(?P<base>.*?)(?P<path>/billing/(?:invoices|charges)(?:/[^?#]*)?)(?P<query>\?[^#]*)?(?:#.*)?")
_CONTROL = re.compile(r"/_mock(/|$)")


@dataclass(frozen=True, slots=True)
class Address:
    """An address split in two: the API's, and the target below it."""

    base: str
    target: str


class Addresses:
    """Tells the API's requests from all others that a recording holds."""

    def __init__(self, base: str | None = None) -> None:
        """`base`: the API's address; found out by the paths of its operations where it is None."""
        self._base = base

    def split(self, url: str, *, json: bool) -> Address | None:
        """The address of a request to the API. `json`: whether JSON was asked for and came.

        A portal may have pages of its own at the same path: below an address that does not end in `/api` (GEN-1) only
        what speaks JSON counts, unless the address is given.
        """
        if self._base is not None:
            rest = url.removeprefix(self._base)
            inside = rest != url and rest[:1] in ("/", "?", "")
            return Address(self._base, rest.partition("#")[0]) if inside else None
        found = _OURS.fullmatch(url)
        if found is None or not (json or found["base"].endswith(API)):
            return None
        return Address(found["base"], found["path"] + (found["query"] or ""))


def is_control(url: str) -> bool:
    """Whether that is a request to the control interface of a fake."""
    return bool(_CONTROL.match(urlsplit(url).path))
