"""Codings of bodies: which can be judged, and the bodies as they were before they were coded."""

from __future__ import annotations

import re
import zlib

READABLE = ("gzip", "deflate", "identity")
"""Codings in which an answer can be judged."""
MOST_DECODED = 16_000_000
"""Bytes of a body that are decoded; a few hundred compressed ones could become gigabytes."""


def readable_codings(accepted: str) -> str:
    """An `Accept-Encoding` with those codings alone that can be judged."""
    kept = [part for part in accepted.split(",") if re.split(r"[;\s]", part.strip())[0].lower() in READABLE]
    return ",".join(kept).strip() or "identity"


def decoded(body: bytes, coding: str) -> bytes | None:
    """The body as it was before it was coded; None where that can't be told."""
    for name in reversed([name.strip().lower() for name in coding.split(",") if name.strip()]):
        found = _inflated(body) if name in ("gzip", "x-gzip", "deflate") else None
        if name == "identity":
            found = body
        if found is None:
            return None
        body = found
    return body


def _inflated(body: bytes) -> bytes | None:
    # Deflate is meant to have the frame of zlib, and often has none.
    for bits in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
        inflater = zlib.decompressobj(bits)
        try:
            found = inflater.decompress(body, MOST_DECODED)
        except zlib.error:
            continue
        return found if inflater.eof or not inflater.unconsumed_tail else None
    return None
