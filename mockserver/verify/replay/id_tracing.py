"""Finds the ids in recorded requests that earlier answers produced, so that a replay can use its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from mockserver.verify.claims.claims import Path
from mockserver.verify.claims.values import when
from mockserver.verify.events import RecordedExchange
from mockserver.verify.replay.playing import Part, Parts, Ref


@dataclass(frozen=True, slots=True)
class Threaded:
    """A request's address and body in pieces: literal text and ids to look up."""

    url: Parts
    body: Parts
    """Empty when there is no body or `raw` holds it."""
    raw: bytes | None
    """A body that is not text."""

    @property
    def ids(self) -> tuple[Ref, ...]:
        return tuple(part for part in (*self.url, *self.body) if isinstance(part, Ref))


Key = tuple[str, str]
"""Kind (`invoice`, `charge`, `stripe`; `part` of one of Stripe's, `day`) and value as text."""
Produced = dict[Key, Ref]
"""Where each was first answered."""
_RECORDS = ("invoice", "charge")
"""Kinds of what has an id of the server's own."""
NEAR = 3
"""Days from an invoice's own, up to which a day in a search is told by it."""
_Look = Callable[[Key], Ref | None]

_STRIPE = re.compile(r"\bin_[A-Za-z0-9_]{4,}")
_IN_URL = re.compile(
    # Letters behind an id and a minus before it are what a cast does away with: in a replay they stand by its own.
    r"(?P<kind>[A-Za-z][A-Za-z-]*)/-?(?P<id>\d+)(?=[/?#.A-Za-z]|$)"
    r"|\bid(?:!|%21)?(?::|%3A|~|[<>]=?|%3C(?:=|%3D)?|%3E(?:=|%3D)?)(?:\"|%22)(?P<query>\d+)(?=\"|%22)"
    r"|(?P<form>[a-z_]+_ids?)(?:\[\d*\]|%5B\d*%5D)*=(?P<value>\d+)(?=&|#|$)"
    r"|stripe_invoice_id(?:!|%21)?(?::|%3A|~|%7E)(?:\"|%22)(?P<part>\w{4,}?)(?=_?(?:%25)?(?:\"|%22))"
    r"|created_at(?:\$|%24)DATE(?::|%3A|[<>]=?|%3C(?:=|%3D)?|%3E(?:=|%3D)?)(?:\"|%22)(?P<day>\d{4}-\d\d-\d\d)"
    r"|(?P<stripe>\bin_[A-Za-z0-9_]{4,})",
    re.IGNORECASE,
)


def thread(exchanges: Sequence[RecordedExchange]) -> tuple[Threaded, ...]:
    """Each request with its ids traced to the earliest answer that produced them."""
    produced = producers(exchanges)

    def before(index: int) -> _Look:
        earlier = {key: ref for key, ref in produced.items() if ref.answer < index}
        return lambda key: _found(key, earlier, exchanges)

    return tuple(_threaded(exchange, before(index)) for index, exchange in enumerate(exchanges))


def _found(key: Key, earlier: Produced, exchanges: Sequence[RecordedExchange]) -> Ref | None:
    """Where an earlier answer said it: an id, a part of one of Stripe's, or the day of an invoice or one near it."""
    kind, text = key
    if kind == "part":
        whole = next((one for one in earlier if one[0] == "stripe" and text in one[1]), None)
        if whole is None:
            return None
        start = whole[1].index(text)
        return earlier[whole] if whole[1] == text else replace(earlier[whole], cut=(start, start + len(text)))
    if kind == "day":
        made = next((ref for one, ref in earlier.items() if one[0] == "invoice"), None)
        if made is None:
            return None
        moment = when(_value(replace(made, path=(*made.path[:-1], "created_at")), exchanges))
        if moment is None:
            return None
        days = (date.fromisoformat(text) - moment.date()).days
        return replace(made, path=(*made.path[:-1], "created_at"), days=days) if abs(days) <= NEAR else None
    return earlier.get(key)


def producers(exchanges: Sequence[RecordedExchange]) -> Produced:
    """Where each id is answered for the first time."""
    produced: Produced = {}
    for index, exchange in enumerate(exchanges):
        for key, path in _ids(exchange):
            produced.setdefault(key, Ref(index, path))
    return produced


def named_in(exchange: RecordedExchange) -> tuple[Key, ...]:
    """The records that a request names, in its address and its body."""
    found: list[Key] = []
    _threaded(exchange, found.append)  # finds nothing, and so leaves the text as it is
    return tuple(key for key in dict.fromkeys(found) if key[0] in ("invoice", "charge", "stripe", "part"))


def _value(wanted: Ref, exchanges: Sequence[RecordedExchange]) -> object:
    value: Any = parsed(exchanges[wanted.answer].answer)
    for step in wanted.path:
        if isinstance(value, dict):
            value = value.get(step)
        else:
            value = value[step] if isinstance(value, list) and isinstance(step, int) else None
    return value if wanted.cut is None and wanted.days is None else wanted.made_of(str(value))


def parsed(body: bytes) -> object:
    """The JSON value, or None when the bytes are no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _singular(name: str) -> str:
    return name.lower().removesuffix("s")


def _collection(url: str) -> str:
    """`invoice` for any address under `/billing/invoices`: the last name in the path that a number may follow."""
    names = [part for part in urlsplit(url).path.split("/") if part and not part.isdigit()]
    known = [name for name in names if name in ("invoices", "charges")]
    return _singular((known or names or [""])[-1])


def _ids(exchange: RecordedExchange) -> Iterator[tuple[Key, Path]]:
    """Every id in the answer: its kind and value, and its path; breadth first, so that the plainest path wins."""
    waiting: list[tuple[str, Path, object]] = [(_collection(exchange.url), (), parsed(exchange.answer))]
    for kind, path, value in waiting:
        if isinstance(value, list):
            waiting += [(kind, (*path, place), item) for place, item in enumerate(value)]
        elif isinstance(value, dict):
            for name, item in value.items():
                if name == "id" and isinstance(item, int | str) and not isinstance(item, bool):
                    # What a list shows was made by another answer, or was there before.
                    if "data" not in path:
                        yield (kind, str(item)), (*path, name)
                elif isinstance(item, str) and _STRIPE.fullmatch(item):
                    yield ("stripe", item), (*path, name)
                elif isinstance(item, dict | list):
                    waiting.append((kind if name == "data" else _singular(name), (*path, name), item))


def _threaded(exchange: RecordedExchange, look: _Look) -> Threaded:
    url = _in_text(exchange.url, look, _collection(exchange.url))
    if exchange.body is None:
        return Threaded(url, (), None)
    try:
        text = exchange.body.decode("utf-8")
    except UnicodeDecodeError:
        return Threaded(url, (), exchange.body)
    if any("form-urlencoded" in value for name, value in exchange.headers if name.lower() == "content-type"):
        return Threaded(url, _in_text(text, look, ""), None)
    return Threaded(url, _in_json(text, look, _collection(exchange.url)), None)


def _in_text(text: str, look: _Look, queried: str) -> Parts:
    """The ids in an address or a form; `queried` is the kind that a search for `id` means."""
    parts: list[Part] = []
    end = 0
    for found in _IN_URL.finditer(text):
        group = next(name for name in ("id", "query", "value", "part", "day", "stripe") if found[name])
        kind = {
            "id": _singular(found["kind"] or ""),
            "query": queried,
            "value": _kind_of_key(found["form"] or "", ""),
            "part": "part",
            "day": "day",
            "stripe": "stripe",
        }[group]
        place = look((kind, found[group]))
        start = found.start(group)
        if place is None and group == "query" and found[group].startswith("0"):
            # Zeros before an id say nothing.
            bare = found[group].lstrip("0")
            place, start = look((kind, bare)), found.end(group) - len(bare)
        if place is not None:
            parts += [text[end:start], place]
            end = found.end(group)
    return tuple(part for part in (*parts, text[end:]) if part != "")


def _kind_of_key(key: str, of: str) -> str:
    """`charge` for `charge_ids`, `charge_id` and `charges`; for `id` that of what it stands in."""
    return of if key.lower() == "id" else _singular(re.sub(r"_ids?$", "", key.lower()))


def _in_json(text: str, look: _Look, collection: str) -> Parts:
    """The ids in a body; one by itself is of the `collection` that the request is sent to."""
    value = parsed(text.encode())
    if not isinstance(value, dict):
        return (text,)
    found: dict[str, Parts] = {}
    marked = json.dumps(_marked(collection, value, look, found))
    if not found:
        return (text,)
    pieces = re.split("(" + "|".join(re.escape(mark) for mark in found) + ")", marked)
    return tuple(part for piece in pieces if piece for part in found.get(piece, (piece,)))


def _marked(kind: str, value: object, look: _Look, found: dict[str, Parts]) -> object:
    """`value` with a marker, free of anything that was recorded, in the place of each produced id.

    What stands for it is put into `found`; a minus before it is that of a cast that does away with it.
    """
    if isinstance(value, list):
        return [_marked(kind, item, look, found) for item in value]
    if isinstance(value, dict):
        return {name: _marked(_kind_of_key(name, kind), item, look, found) for name, item in value.items()}
    if kind not in _RECORDS or not isinstance(value, int | str) or isinstance(value, bool):
        return value
    sign, digits = ("-", str(-value)) if isinstance(value, int) and value < 0 else ("", str(value))
    place = look((kind, digits))
    if place is None:
        return value
    name = f"\x1f{len(found)}\x1f"
    written = json.dumps(name)
    # A number's marker takes the quotation marks with it, a string's leaves them.
    found[written if isinstance(value, int) else written[1:-1]] = (sign, place) if sign else (place,)
    return name
