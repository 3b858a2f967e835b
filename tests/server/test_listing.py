"""Pages of invoices and charges (LIST-1 to LIST-4), and searching them (SEARCH-1 to SEARCH-6)."""

from __future__ import annotations

from collections.abc import Callable
from operator import eq, ge, gt, le, lt
from typing import Any

import pytest

from tests.conftest import Api

COMPARISONS: dict[str, Callable[[str, str], bool]] = {":": eq, ">": gt, ">=": ge, "<": lt, "<=": le}
LISTS = ["/billing/invoices", "/billing/charges"]


def _page(api: Api, path: str = "/billing/invoices", **params: Any) -> Any:
    answer = api.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("path", LISTS)
def test_the_first_page_has_fifteen_rows_by_default(api: Api, path: str) -> None:
    page = _page(api, path)
    assert (page["current_page"], page["per_page"], len(page["data"])) == (1, 15, 15)
    assert (page["from"], page["to"]) == (1, 15)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("per_page", [1, 7, 15, 100])
def test_the_pages_partition_the_rows(api: Api, path: str, per_page: int) -> None:
    first = _page(api, path, per_page=per_page)
    assert first["last_page"] == -(-first["total"] // per_page)
    ids: list[int] = []
    for number in range(1, min(first["last_page"], 40) + 1):
        page = _page(api, path, per_page=per_page, page=number)
        rows = page["data"]
        assert page["from"] == len(ids) + 1
        assert page["to"] - page["from"] + 1 == len(rows)
        ids += [row["id"] for row in rows]
    assert len(set(ids)) == len(ids)
    if first["last_page"] <= 40:
        assert len(ids) == first["total"]


@pytest.mark.parametrize("path", LISTS)
def test_a_page_past_the_last_is_empty(api: Api, path: str) -> None:
    page = _page(api, path, page=10**6)
    assert page["data"] == []
    assert page["current_page"] == 10**6
    assert page["total"] > 0


def test_an_empty_list_has_one_page(api: Api) -> None:
    page = _page(api, q='id:"0"')
    assert (page["total"], page["last_page"], page["data"]) == (0, 1, [])


def test_newer_invoices_come_first(api: Api) -> None:
    times = [row["created_at"] for row in _page(api, per_page=100)["data"]]
    assert times == sorted(times, reverse=True)
    newest = api.draft()
    assert _page(api)["data"][0]["id"] == newest["id"]


def test_the_links_lead_to_the_neighbours(api: Api) -> None:
    page = _page(api, per_page=5, page=2, q='id>"0"')
    assert page["prev_page_url"].endswith("page=1")
    following = api.http.get(page["next_page_url"], headers={"Authorization": f"Bearer provider@{api.world}"}).json()
    assert following["current_page"] == 3
    assert following["per_page"] == 5
    assert [link["label"] for link in page["links"] if link["active"]] == ["2"]


def test_a_search_counts_its_matches_alone(api: Api) -> None:
    ids = sorted(row["id"] for row in _page(api, per_page=100)["data"])
    middle = ids[len(ids) // 2]
    page = _page(api, q=f'id>"{middle}"', per_page=100)
    assert sorted(row["id"] for row in page["data"]) == [one for one in ids if one > middle]
    assert page["total"] == len(page["data"])


def test_clauses_are_joined_from_left_to_right(api: Api) -> None:
    one, two, three = (api.draft()["id"] for _ in range(3))
    q = f'id:"{one}" OR id:"{two}" AND id!:"{one}" OR id:"{three}"'
    assert {row["id"] for row in _page(api, q=q)["data"]} == {two, three}


def test_days_are_utc_and_end_at_midnight(api: Api) -> None:
    day = _page(api)["data"][-1]["created_at"][:10]
    rows = _page(api, per_page=100)["data"]
    for operator, holds in COMPARISONS.items():
        found = _page(api, q=f'created_at$DATE{operator}"{day}"', per_page=100)["data"]
        assert {row["id"] for row in found} == {row["id"] for row in rows if holds(row["created_at"][:10], day)}


def test_a_stripe_id_can_be_searched_for(api: Api) -> None:
    paid = api.collect(api.finalized()["id"]).json()["invoice"]
    page = _page(api, q=f'stripe_invoice_id:"{paid["stripe_invoice_id"]}"')
    assert page["data"] == [paid]
    part = paid["stripe_invoice_id"][5:20]
    assert paid in _page(api, q=f'stripe_invoice_id~"{part}"')["data"]
    draft = api.draft()
    assert draft in _page(api, q=f'stripe_invoice_id!~"{part}"')["data"]


def test_a_mistake_in_a_search_is_told_by_its_place(api: Api) -> None:
    answer = api.get("/billing/invoices", params={"q": "created_at$DATE>=2026-01-15"})
    assert answer.status_code == 422
    assert "position 18: expected a value in double quotes" in answer.json()["errors"]["q"][0]
    answer = api.get("/billing/invoices", params={"q": 'created_at>="2026-01-15"'})
    assert "did you mean created_at$DATE?" in answer.json()["message"]


def test_an_empty_search_is_no_search(api: Api) -> None:
    assert _page(api, q="")["total"] == _page(api)["total"]


def test_a_misspelt_parameter_is_warned_about(api: Api) -> None:
    answer = api.get("/billing/invoices", params={"perpage": 5})
    assert answer.status_code == 200
    assert answer.headers["X-Mock-Warning"] == 'unknown query parameter "perpage": did you mean per_page?'


def test_the_links_of_a_page_are_labelled_as_the_vendor_shows_them(api: Api) -> None:
    links = api.get("/billing/invoices?per_page=20").json()["links"]
    assert [one["label"] for one in links] == ["&laquo; Previous", "1", "2", "Next &raquo;"]


def test_a_quick_adjustment_has_a_category_that_public_clients_can_read(api: Api) -> None:
    assert api.charge()["category"] == "Adjustment"
