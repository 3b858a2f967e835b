"""The arithmetic of one page: what its figures must say of each other and of what was asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard
from urllib.parse import parse_qsl

from mockserver.verify.assertions.statements import Statement, Subject

FIGURES = ("current_page", "per_page", "last_page", "total")
DEFAULT_PER_PAGE = 15
SIZES = frozenset({"default per_page", "per_page"})
"""The kinds of flaws in what was made of the page size that was asked for, or not."""


@dataclass(frozen=True, slots=True)
class PageFlaw:
    """Something about a page that does not hold."""

    kind: str
    because: str
    statement: Statement
    rule: str = "LIST-3"


def asked_for(target: str) -> tuple[str | None, str | None]:
    """`page` and `per_page` as the request gave them."""
    query = dict(parse_qsl(target.partition("?")[2], keep_blank_values=True))
    return query.get("page"), query.get("per_page")


def list_flaws(operation: str, seen: Subject, target: str | None) -> list[PageFlaw]:
    """What is wrong with a page of `listInvoices` or `listCharges`; `target` as for `page_flaws`."""
    found = [*page_flaws(seen, target), *repeated_ids(seen)]
    # How many charges a page has, and whether that can be asked for, nothing says.
    unknown = SIZES if operation == "listCharges" else frozenset()
    return [flaw for flaw in found if flaw.kind not in unknown]


def page_flaws(seen: Subject, target: str | None) -> list[PageFlaw]:
    """Where a page contradicts itself or the request, judged only by figures that are integers.

    Without `target`, where it is open what was asked for, the page is held against itself alone.
    """
    page = seen.value()
    if any(not _whole(page.get(name)) for name in FIGURES) or not isinstance(page.get("data"), list):
        return []
    due = [] if target is None else [*_echoes(seen, *asked_for(target))]
    if page["per_page"] >= 1 and page["current_page"] >= 1:
        due += [*_sizes(seen, page), *_range(seen, page)]
    return [flaw for flaw in due if not flaw.statement.is_true()]


def repeated_ids(seen: Subject) -> list[PageFlaw]:
    """A record that stands on one page twice."""
    if not isinstance(seen.at("data").value(), list):
        return []
    ids = seen.each("id")
    if any(number is None for number in ids.value()):
        return []
    unique = PageFlaw(
        "repeated row", "a page shows each record once", ids.count().equals(ids.distinct().count()), "LIST-4"
    )
    return [] if unique.statement.is_true() else [unique]


def _sizes(seen: Subject, page: Mapping[str, Any]) -> Iterator[PageFlaw]:
    total, size, current = seen.at("total"), seen.at("per_page"), seen.at("current_page")
    pages = total.calc("pages", size).calc("most", 1)
    told = f"{page['total']} matches at {page['per_page']} a page"
    yield PageFlaw("last_page", f"{told} are {pages.value()} pages", seen.at("last_page").equals(pages))
    due = total.calc("-", current.calc("-", 1).calc("*", size)).calc("least", size).calc("most", 0)
    beyond = page["current_page"] > max(page["last_page"], pages.value())
    yield PageFlaw(
        "rows past the last page" if beyond else "rows",
        f"page {page['current_page']} of {told} holds {due.value()} rows",
        seen.at("data").count().equals(due),
        "LIST-4" if beyond else "LIST-3",
    )


def _echoes(seen: Subject, page: str | None, per_page: str | None) -> Iterator[PageFlaw]:
    current, size = seen.at("current_page"), seen.at("per_page")
    if page is None:
        yield PageFlaw("default page", "without `page` the first page comes", current.equals(1), "LIST-2")
    elif _digits(page) and int(page) >= 1:
        yield PageFlaw("current_page", f"page {page} comes when it is asked for", current.equals(int(page)))
    if per_page is None:
        because = f"per_page defaults to {DEFAULT_PER_PAGE}"
        yield PageFlaw("default per_page", because, size.equals(DEFAULT_PER_PAGE), "LIST-2")
    elif _digits(per_page) and int(per_page) >= 1:
        yield PageFlaw("per_page", f"per_page is the {per_page} that was asked for", size.compares("<=", int(per_page)))


def _range(seen: Subject, page: Mapping[str, Any]) -> Iterator[PageFlaw]:
    """What `from` and `to` say of a page that has rows."""
    if not page["data"]:
        return
    first, last, rows = seen.at("from"), seen.at("to"), seen.at("data").count()
    if not _whole(page.get("from")) or not _whole(page.get("to")):
        wrong = first if not _whole(page.get("from")) else last
        because = "a page with rows says from where to where they go"
        yield PageFlaw("from and to", because, wrong.compares("is a", "integer"))
        return
    before = seen.at("current_page").calc("-", 1).calc("*", seen.at("per_page"))
    begins = first.calc("-", before).is_one_of(0, 1)
    yield PageFlaw("from", f"the page's first row is number {before.value() + 1} of the matches", begins)
    if begins.is_true():
        # Counted from 1, `to` is the last row; counted from 0, as in the vendor's example, it is one past that.
        told = "to - from + 1" if page["from"] > before.value() else "counted from 0, to - from"
        yield PageFlaw(
            "from and to", f"{told} is the number of rows, {len(page['data'])}", last.calc("-", before).equals(rows)
        )


def _whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
