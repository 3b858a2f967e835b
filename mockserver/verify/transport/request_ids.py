"""What a request names: the charges in its body, the invoice in its path, the parameters in its query."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

from mockserver.verify.transport.http import Answer

MOST_DIGITS = 40
"""An id of any more is nobody's."""


def named_charges(body: bytes | None) -> tuple[int, ...] | None:
    """The ids in the body of a create, JSON or form; None when it names none or can't be read."""
    if not body:
        return None
    try:
        content = json.loads(body)
        ids = content.get("charge_ids") if isinstance(content, dict) else None
    except ValueError:
        pairs = parse_qsl(body.decode("latin-1"))
        ids = [value for name, value in pairs if name.startswith("charge_ids")]
    if not isinstance(ids, list) or not ids:
        return None
    try:
        return tuple(int(one) for one in ids)
    except (TypeError, ValueError, OverflowError):
        return None


def addressed(answer: Answer) -> int | None:
    """The invoice in the path of a finalize or collect."""
    parts = answer.outgoing.target.partition("?")[0].split("/")
    number = parts[3] if len(parts) > 3 else ""
    return int(number) if number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS else None


def parameter(answer: Answer, name: str) -> str:
    """The value of a query parameter of the request, empty when it has none."""
    return dict(parse_qsl(answer.outgoing.target.partition("?")[2])).get(name, "")
