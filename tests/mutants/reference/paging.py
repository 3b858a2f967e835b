"""Pages: which rows a page holds, and the figures that go with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.mutants.reference.choices import Choices
from tests.mutants.reference.records import Refusal
from tests.mutants.reference.searching import BadSearch, read_integer

DEFAULT_SIZE = 15
LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Any]
    number: int
    size: int
    total: int


class Pages:
    """Cuts lists into pages as the choices have it."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices

    def cut(self, query: Mapping[str, str], ordered: Sequence[Any]) -> Page:
        """The page of these rows that the query asks for; raises Refusal."""
        number, size = self.number(query), self.size(query)
        return Page(self.rows(ordered, number, size), number, size, self.count(ordered))

    def order(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Invoices, which come oldest first, in the order of the list."""
        return rows if self.choices.list_order == "oldest_first" else rows[::-1]

    def rows(self, ordered: Sequence[Any], number: int, size: int) -> Sequence[Any]:
        start = (number - 1) * size
        return ordered[start : start + size]

    def count(self, ordered: Sequence[Any]) -> int:
        return len(ordered)

    def number(self, query: Mapping[str, str]) -> int:
        number = self.integer(query, "page", 1)
        if number < 1:
            if self.choices.page_below_one == "first_page":
                return 1
            raise self.refuse("page", "must be at least 1")
        return number

    def size(self, query: Mapping[str, str]) -> int:
        size = self.integer(query, "per_page", self.default_size())
        if size < 1 and self.choices.per_page_below_one == "default":
            return self.default_size()
        if size < 1:
            raise self.refuse("per_page", "must be at least 1")
        most = self.choices.per_page_max
        if most is not None and size > most:
            if self.choices.per_page_above_max == "refuse":
                raise self.refuse("per_page", f"must be at most {most}")
            return most
        return size

    def default_size(self) -> int:
        return DEFAULT_SIZE

    def integer(self, query: Mapping[str, str], name: str, default: int) -> int:
        if name not in query:
            return default
        try:
            value = read_integer(query[name])
        except BadSearch:
            return self.no_number(name, default)
        if abs(value) > LARGEST:
            if self.choices.beyond_64_bits == "no_number":
                return self.no_number(name, default)
            raise self.refuse(name, "is too large")
        return value

    def no_number(self, name: str, default: int) -> int:
        if self.choices.page_not_a_number == "default":
            return default
        raise self.refuse(name, "must be an integer")

    def refuse(self, name: str, why: str) -> Refusal:
        return Refusal(self.choices.invalid_request_status, f"{name} {why}.", errors={name: [f"The {name} {why}."]})

    def figures(self, page: Page) -> dict[str, Any]:
        """Everything of the answer but its rows."""
        first = (page.number - 1) * page.size + self.choices.range_base
        start: int | None = first
        end: int | None = (page.number - 1) * page.size + len(page.rows)
        if not page.rows and self.choices.empty_range == "null":
            start = end = None
        return {
            "current_page": page.number,
            "from": start,
            "to": end,
            "total": page.total,
            "last_page": self.last(page),
            "per_page": page.size,
        }

    def last(self, page: Page) -> int:
        return max(1, -(-page.total // page.size))

    def links(self, page: Page, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Addresses of the neighbouring pages, for a server that sends them."""
        kept = {name: value for name, value in query.items() if name not in ("page", "api_token")}
        if self.choices.page_links == "drop_query":
            kept = {}

        def address(number: int) -> str:
            return f"{path}?{urlencode(kept | {'page': str(number)})}"

        last = self.last(page)
        before = address(page.number - 1) if 1 < page.number else None
        after = address(page.number + 1) if page.number < last else None
        numbered = [
            {"url": address(number), "label": str(number), "active": number == page.number}
            for number in range(1, min(last, 10) + 1)
        ]
        return {
            "first_page_url": address(1),
            "last_page_url": address(last),
            "next_page_url": after,
            "prev_page_url": before,
            "path": path,
            "links": [
                {"url": before, "label": "&laquo; Previous", "active": False},
                *numbered,
                {"url": after, "label": "Next &raquo;", "active": False},
            ],
        }
