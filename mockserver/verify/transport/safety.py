"""What may leave the program: the one gate that keeps a run read-only, and keeps money where it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

_READABLE = re.compile(r"/billing/(invoices|charges|charges/[^/]+)")


class Withheld(Exception):
    """A request that this run is not allowed to send; it has not been sent."""


@dataclass(frozen=True, slots=True)
class SafetyGuard:
    """Decides on every request, fuzzing and probes included."""

    read_only: bool
    charges_allowed: bool

    def check(self, method: str, path: str, headers: tuple[tuple[str, str], ...]) -> None:
        """`path` is relative to the base address. Raises `Withheld`."""
        plain = _plain(path)
        if self.read_only:
            if method != "GET":
                raise Withheld(f"{method} {path} is not sent: this run is read-only")
            if any(
                name.lower().startswith("x-http-method") or name.lower() == "x-method-override" for name, _ in headers
            ):
                raise Withheld("a header that changes the method is not sent: this run is read-only")
            if not _READABLE.fullmatch(plain):
                raise Withheld(f"GET {path} is not sent: this run reads lists and charges alone")
        if not self.charges_allowed and "collect" in plain:
            raise Withheld(f"{method} {path} is not sent: it could charge a card (--allow-charges)")


def _plain(path: str) -> str:
    """The path as the most lenient server would read it: decoded to the end, lower case, single slashes."""
    path = path.partition("?")[0]
    for _ in range(5):
        decoded = unquote(path)
        if decoded == path:
            break
        path = decoded
    path = re.sub(r"[\s\x00]", "", path.casefold().replace("\\", "/"))
    return re.sub(r"/+", "/", path).rstrip("/") or "/"
