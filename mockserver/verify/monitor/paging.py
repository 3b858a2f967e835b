"""The arithmetic of one page: what its figures must say of each other and of what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard
from urllib.parse import parse_qsl

from mockserver.verify.monitor.history import Inconsistency

FIGURES = ("current_page", "per_page", "last_page", "total")
DEFAULT_PER_PAGE = 15
SIZES = frozenset({"default per_page", "per_page"})
"""The kinds of flaws in what was made of the page size that was asked for, or not."""


def asked_for(target: str) -> tuple[str | None, str | None]:
    """`page` and `per_page` as the request gave them."""
    query = dict(parse_qsl(target.partition("?")[2], keep_blank_values=True))
    return query.get("page"), query.get("per_page")


def page_flaws(page: Mapping[str, Any], target: str) -> list[Inconsistency]:
    """Where a page contradicts itself or the request, judged only by figures that are integers."""
    if any(not _whole(page.get(name)) for name in FIGURES) or not isinstance(page.get("data"), list):
        return []
    current, size, last, total = (page[name] for name in FIGURES)
    rows = len(page["data"])
    found = [*_echoes(current, size, *asked_for(target))]
    if size < 1:
        return found
    pages = max(1, -(-total // size))
    if last != pages:
        found.append(_flaw("last_page", f"{total} matches at {size} a page are {pages} pages", f"last_page is {last}"))
    due = max(0, min(size, total - (current - 1) * size))
    if rows != due:
        rule = "LIST-4" if current > max(last, pages) else "LIST-3"
        found.append(
            _flaw(
                "rows past the last page" if rule == "LIST-4" else "rows",
                f"page {current} of {total} matches at {size} a page holds {due} rows",
                f"it holds {rows}",
                rule=rule,
            )
        )
    return found + _range(page, (current - 1) * size, rows)


def repeated_ids(page: Mapping[str, Any]) -> list[Inconsistency]:
    """A record that stands on one page twice."""
    ids = [row.get("id") for row in page.get("data") or [] if isinstance(row, dict)]
    if len(set(map(str, ids))) == len(ids):
        return []
    return [_flaw("repeated row", "a page shows each record once", f"the ids are {ids}", rule="LIST-4")]


def _echoes(current: int, size: int, page: str | None, per_page: str | None) -> list[Inconsistency]:
    found = []
    if page is None and current != 1:
        found.append(
            _flaw("default page", "without `page` the first page comes", f"current_page is {current}", "LIST-2")
        )
    if page is not None and _digits(page) and int(page) >= 1 and current != int(page):
        found.append(_flaw("current_page", f"page {page} comes when it is asked for", f"current_page is {current}"))
    if per_page is None and size != DEFAULT_PER_PAGE:
        found.append(_flaw("default per_page", f"per_page defaults to {DEFAULT_PER_PAGE}", f"it is {size}", "LIST-2"))
    if per_page is not None and _digits(per_page) and size > int(per_page) >= 1:
        found.append(_flaw("per_page", f"per_page is the {per_page} that was asked for", f"it is {size}"))
    return found


def _range(page: Mapping[str, Any], before: int, rows: int) -> list[Inconsistency]:
    first, last = page.get("from"), page.get("to")
    if rows == 0 or (first is None and last is None and rows == 0):
        return []
    if not _whole(first) or not _whole(last):
        return [
            _flaw("from and to", "a page with rows says from where to where they go", f"from is {first}, to is {last}")
        ]
    if first - before not in (0, 1):
        return [_flaw("from", f"the page's first row is number {before + 1} of the matches", f"from is {first}")]
    # Counted from 1, `to` is the last row; counted from 0, as in the vendor's example, it is one past that.
    if last - before != rows:
        due = "to - from + 1" if first > before else "counted from 0, to - from"
        return [_flaw("from and to", f"{due} is the number of rows, {rows}", f"from is {first}, to is {last}")]
    return []


def _flaw(kind: str, expected: str, actual: str, rule: str = "LIST-3") -> Inconsistency:
    return Inconsistency(rule, kind, expected, actual)


def _whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
