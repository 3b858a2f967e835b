"""Which of recorded requests are of the API, and what stands below its address."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mockserver.core.net import API, CONTROL

_OURS = re.compile(r"(?P<base>[^?#]*?)(?P<path>/billing/(?:invoices|charges)(?:/[^?#]*)?)(?P<query>\?[^#]*)?(?:#.*)?")
_SETS_BACK = re.compile(
    rf"(?P<origin>[^?#]*?)(?P<target>{CONTROL}/(?:reset|snapshots/[^/?#]+/restore|worlds/(?P<world>[^/?#]+)))(?:[?#].*)?"
)


@dataclass(frozen=True, slots=True)
class Address:
    """An address split in two: the API's, and the target below it."""

    base: str
    target: str
    world: str = ""
    """The world of a fake that it names."""


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
        # A password in an address is nobody's business.
        base = re.sub(r"//[^/@]*@", "//", found["base"])
        return Address(base, found["path"] + (found["query"] or ""))


def set_back(url: str) -> Address | None:
    """The address of a request by which a fake's records become other than they were, and the API's; else None."""
    found = _SETS_BACK.fullmatch(url)
    return None if found is None else Address(found["origin"] + API, found["target"], found["world"] or "")
