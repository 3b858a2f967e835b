"""What of an invalid request a server may let pass, by the open choices that were measured; unmeasured ones excuse."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

_NUMBER = re.compile(r"[0-9]+", re.ASCII)
_LOOSE = re.compile(r"\s*[+-]?[0-9]+\s*", re.ASCII)


def let_pass(
    operation: str, query: Mapping[str, str], form: bytes | None, body: object, profile: Mapping[str, Any]
) -> str | None:
    """Why the server may accept it; None where no leniency covers it. `body` is a JSON value, `form` that of a form."""

    def may(key: str) -> bool:
        return profile.get(key) != "refuse"

    if may("page_not_a_number"):
        for name in ("page", "per_page"):
            if name in query and not _NUMBER.fullmatch(query[name]):
                return f"a {name} that is no number may count as left out"
    if operation != "createInvoice":
        return None
    if form is not None:
        empty = dict(parse_qsl(form.decode("utf-8", "replace"), keep_blank_values=True)).get("charge_ids") == ""
        return "empty charge_ids may count as left out" if empty and may("empty_charge_ids") else None
    if not isinstance(body, Mapping):
        return "a body that can't be read may count as an empty one" if may("unreadable_body") else None
    ids = body.get("charge_ids")
    if ids in (None, "") and "charge_ids" in body:
        return "empty charge_ids may count as left out" if may("empty_charge_ids") else None
    items = list(ids.values()) if isinstance(ids, Mapping) else ids
    if isinstance(items, list) and may("loose_integers"):
        if all(_is_loose(item, strings=may("numeric_strings")) for item in items):
            return "what can be read as integers may pass for them"
    return None


def _is_loose(item: object, *, strings: bool) -> bool:
    if isinstance(item, str):
        return _LOOSE.fullmatch(item) is not None and (strings or not _NUMBER.fullmatch(item))
    return isinstance(item, int) or (isinstance(item, float) and item.is_integer())
