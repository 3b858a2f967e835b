"""The open choices of a server, as far as traffic shows them that nobody made for the purpose."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache

from mockserver.billing.profile import CHOICES, Value
from mockserver.verify.claims.values import Row, when
from mockserver.watch.judging.sight import Sight

_moment = lru_cache(maxsize=4096)(when)
"""Pages show the same records again and again."""


class Choices:
    """Gathers how often each value was seen."""

    def __init__(self) -> None:
        self._seen: defaultdict[str, Counter[Value]] = defaultdict(Counter)
        self._watch: dict[str, Callable[[Sight], Iterator[tuple[str, Value]]]] = {
            "listInvoices": _of_list,
            "createInvoice": _of_create,
            "finalizeInvoice": _of_action,
            "collectInvoice": _of_action,
        }

    def see(self, sight: Sight) -> None:
        if (watch := self._watch.get(sight.operation.id)) is None:
            return
        for key, value in watch(sight):
            seen = self._seen.get(key, ())
            if value in seen or CHOICES[key].accepts(value):
                self._seen[key][value] += 1

    def measured(self) -> dict[str, Value]:
        """The value of each choice that was seen, the one seen most where it was not always the same."""
        return {key: self._seen[key].most_common(1)[0][0] for key in CHOICES if key in self._seen}

    def evidence(self, key: str) -> str:
        """What a value was measured by; why not, where it was not."""
        seen = self._seen.get(key)
        if seen is None:
            return "the traffic did not show it"
        total = sum(seen.values())
        most = seen.most_common(1)[0][1]
        return f"seen {total:,} times" + ("" if most == total else f", otherwise {total - most:,} times")


def _of_list(sight: Sight) -> Iterator[tuple[str, Value]]:
    if not sight.ok:
        return
    rows, size, page = sight.rows, sight.figure("per_page"), sight.figure("current_page")
    first = sight.figure("from")
    if rows and size and page and first is not None:
        yield "range_base", first - (page - 1) * size
    asked = sight.reading.query.get("per_page")
    if asked is not None and size is not None and size < int(asked):
        yield "per_page_max", size
        yield "per_page_above_max", "clamp"
    moments = [moment for row in rows if (moment := _moment(str(row.get("created_at")))) is not None]
    if (order := _order(moments)) is not None:
        yield "list_order", order
    for row in rows[:1]:
        yield from _of_row(row)
    for row in rows:
        yield from _label(row)
    if sight.plain and not sight.passing.merchant and len({str(row.get("chargee_id")) for row in rows}) > 1:
        yield "merchant_header", "optional"
    yield from _of_links(sight)


def _of_links(sight: Sight) -> Iterator[tuple[str, Value]]:
    if (sight.figure("last_page") or 0) < 2 or not sight.reading.query.keys() - {"page"}:
        return
    links = [sight.mapping.get(name) for name in ("next_page_url", "prev_page_url")]
    texts = [link for link in links if isinstance(link, str)]
    if "next_page_url" not in sight.mapping:
        yield "page_links", "absent"
    elif texts:
        kept = all(name in texts[0] for name in sight.reading.query.keys() - {"page"})
        yield "page_links", "keep_query" if kept else "drop_query"


def _of_row(row: Row) -> Iterator[tuple[str, Value]]:
    yield "party_id_type", "integer" if isinstance(row.get("chargee_id"), int) else "string"
    fraction = re.search(r"\.(\d+)", str(row.get("created_at")))
    if fraction is None:
        yield "created_at_precision", "seconds"
    else:
        yield "created_at_precision", "zero_microseconds" if not int(fraction[1]) else "microseconds"


def _label(row: Row) -> Iterator[tuple[str, Value]]:
    if row.get("status") in ("Finalized", "Open"):
        yield "finalized_label", row["status"]


def _of_create(sight: Sight) -> Iterator[tuple[str, Value]]:
    if sight.ok:
        yield "create_status", sight.passing.status
        yield from _of_row(sight.part("invoice"))


def _of_action(sight: Sight) -> Iterator[tuple[str, Value]]:
    action = sight.operation.id.removesuffix("Invoice")
    if sight.ok:
        yield f"{action}_status", sight.passing.status
        yield "action_body", "message_and_invoice" if sight.part("invoice") else "message"
        yield from _label(sight.part("invoice"))
    elif action == "collect" and sight.passing.status == 402:
        yield "declined_status", 402


def _order(moments: list[datetime]) -> Value:
    if not moments or moments[0] == moments[-1]:
        return None
    backwards = moments[0] > moments[-1]
    if moments != sorted(moments, reverse=backwards):
        return None
    return "newest_first" if backwards else "oldest_first"
