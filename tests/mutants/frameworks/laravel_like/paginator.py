"""Pages with their links, as the framework's paginator writes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from sqlite3 import Connection, Row
from typing import Any
from urllib.parse import quote

from tests.mutants.frameworks.laravel_like import validation
from tests.mutants.frameworks.laravel_like.request import Request

_EACH_SIDE = 3


def paginate(
    request: Request, rows: Connection, source: str, values: Sequence[object], show: Callable[[Row], Any]
) -> dict[str, Any]:
    """The page that a request asks for of the records that `from …` names."""
    choices = request.choices
    page, size = validation.page_and_size(request)
    total: int = rows.execute(f"select count(*) {source}", values).fetchone()[0]
    offset = (page - 1) * size
    found: list[Row] = []
    if offset < total:
        order = "desc" if choices.list_order == "newest_first" else "asc"
        statement = f"select * {source} order by number {order} limit ? offset ?"
        found = rows.execute(statement, (*values, min(size, total), offset)).fetchall()
    last = max(1, -(-total // size))
    shown: dict[str, Any] = {
        "current_page": page,
        "data": [show(row) for row in found],
        "from": offset + choices.range_base if found else None,
        "last_page": last,
        "per_page": size,
        "to": offset + len(found) if found else None,
        "total": total,
    }
    if choices.page_links != "absent":
        shown |= _links(request, page, last)
    return shown


def _links(request: Request, page: int, last: int) -> dict[str, Any]:
    kept = ""
    if request.choices.page_links == "keep_query":
        said = {name: value for name, value in request.query.items() if name not in ("page", "api_token")}
        kept = "".join(f"{quote(str(name))}={quote(value)}&" for name, value in said.items() if isinstance(value, str))

    def address(number: int) -> str:
        return f"{request.url}?{kept}page={max(number, 1)}"

    before = address(page - 1) if page > 1 else None
    after = address(page + 1) if page < last else None
    links: list[dict[str, object]] = [{"url": before, "label": "&laquo; Previous", "active": False}]
    for number in _window(page, last):
        if number is None:
            links.append({"url": None, "label": "...", "active": False})
        else:
            links.append({"url": address(number), "label": str(number), "active": number == page})
    links.append({"url": after, "label": "Next &raquo;", "active": False})
    return {
        "first_page_url": address(1),
        "last_page_url": address(last),
        "next_page_url": after,
        "path": request.url,
        "prev_page_url": before,
        "links": links,
    }


def _window(page: int, last: int) -> list[int | None]:
    """The numbers that are shown; None stands for a gap."""
    if last < _EACH_SIDE * 2 + 8:
        return list(range(1, last + 1))
    window = _EACH_SIDE + 4
    if page <= window:
        return [*range(1, window + _EACH_SIDE + 1), None, last - 1, last]
    if page > last - window:
        return [1, 2, None, *range(last - window - _EACH_SIDE + 1, last + 1)]
    return [1, 2, None, *range(page - _EACH_SIDE, page + _EACH_SIDE + 1), None, last - 1, last]
