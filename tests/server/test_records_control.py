"""The records of a world as the control interface shows them: merchants, invoices, charges, and what the world is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Api


def seen(api: Api, path: str, **query: Any) -> Any:
    answer = api.control("GET", path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def state(api: Api, invoice: int) -> str:
    return str(seen(api, f"/invoices/{invoice}")["invoice"]["state"])


def test_the_merchants_are_shown_with_their_cards_and_what_is_next(api: Api) -> None:
    api.charge(merchant=2)
    before = {one["id"]: one for one in seen(api, "/merchants")["data"]}
    api.control("PUT", "/merchants/2/card", json={"card": "pm_card_chargeDeclinedExpiredCard"})
    api.control("POST", "/stripe/next", json={"outcome": "lost_answer"})
    after = {one["id"]: one for one in seen(api, "/merchants")["data"]}
    assert after[2]["card"] == "pm_card_chargeDeclinedExpiredCard"
    assert (after[2]["outcome"], after[2]["next_outcome"]) == ("expired_card", "lost_answer")
    assert before[2]["outcome"] == before[2]["next_outcome"] == "succeeded"
    assert list(after) == sorted(after)
    charges = {
        one["id"]
        for one in seen(api, "/charges", per_page=1000)["data"]
        if (one["merchant"], one["status"]) == (2, "Open")
    }
    assert after[2]["open_charges"] == len(charges)
    api.post("/billing/invoices", headers={"X-Selected-Client-Id": "2"})
    [now] = [one for one in seen(api, "/merchants")["data"] if one["id"] == 2]
    assert (now["open_charges"], now["invoices"]) == (0, after[2]["invoices"] + 1)


def test_an_invoice_is_shown_where_it_stands_all_its_life(api: Api) -> None:
    draft = api.draft(25)
    assert state(api, draft["id"]) == "draft"
    api.finalize(draft["id"])
    shown = seen(api, f"/invoices/{draft['id']}")
    assert shown["invoice"]["state"] == "queued"
    assert shown["due"] > shown["invoice"]["finalized_at"] >= shown["invoice"]["created_at"]
    api.control("POST", "/clock/advance", json={"by": "PT2M"})
    assert state(api, draft["id"]) == "on_stripe"
    api.control("POST", "/stripe/next", json={"outcome": "insufficient_funds"})
    api.collect(draft["id"])
    assert state(api, draft["id"]) == "declined"
    api.collect(draft["id"])
    shown = seen(api, f"/invoices/{draft['id']}")
    assert shown["invoice"]["state"] == "paid"
    assert shown["due"] is None
    assert [one["outcome"] for one in shown["attempts"]] == ["insufficient_funds", "succeeded"]
    assert [one["id"] for one in shown["charges"]] == shown["invoice"]["charges"]
    assert [one["invoice"] for one in shown["charges"]] == [draft["id"]]


def test_the_lists_come_in_pages_the_newest_first_and_leave_no_trace(api: Api) -> None:
    made = [api.draft()["id"] for _ in range(3)]
    count = seen(api, "/journal")["cursor"]
    first, second = (seen(api, "/invoices", page=page, per_page=2) for page in (1, 2))
    assert [one["id"] for one in first["data"]] == [made[2], made[1]]
    assert second["data"][0]["id"] == made[0]
    assert first["total"] == second["total"] >= 3
    assert first["last_page"] == -(-first["total"] // 2)
    assert seen(api, "/charges", per_page=1)["data"][0]["invoice"] == made[2]
    assert seen(api, "/journal")["cursor"] == count


def test_a_search_finds_what_the_api_finds_and_a_wrong_one_says_where(api: Api) -> None:
    draft = api.draft()
    [found] = seen(api, "/invoices", q=f'id:"{draft["id"]}"')["data"]
    assert {**found, **draft} == found
    answer = api.control("GET", "/invoices", params={"q": f'id:"{draft["id"]}" und id>"1"'})
    assert answer.status_code == 400
    assert answer.json()["errors"]["q"][0].startswith(f"position {len(str(draft['id'])) + 7}: ")


def test_an_invoice_that_is_not_there_is_missing(api: Api) -> None:
    assert api.control("GET", "/invoices/999999").status_code == 404


@pytest.mark.parametrize("query", [{"page": 0}, {"per_page": 0}, {"per_page": 1001}, {"page": "x"}])
def test_pages_that_cant_be_are_refused(api: Api, query: dict[str, Any]) -> None:
    assert api.control("GET", "/charges", params=query).status_code == 400


def test_a_world_says_what_it_is_and_how_much_is_in_it(api: Api) -> None:
    before = seen(api, "/world")
    assert (before["name"], before["fixture"]) == (api.world, "default")
    assert {"token": "merchant2", "merchants": [2]} in before["tokens"]
    draft = api.draft()
    api.finalize(draft["id"])
    api.collect(draft["id"])
    api.control("POST", "/faults", json={"kind": "malformed", "count": 1})
    api.control("PUT", "/snapshots/one")
    after = seen(api, "/world")
    grown = {name: after["counts"][name] - count for name, count in before["counts"].items()}
    assert grown == {
        "merchants": 0, "charges": 1, "invoices": 1, "attempts": 1,
        "exchanges": 4, "faults": 1, "deliveries": 1, "snapshots": 1,
    }  # fmt: skip


def test_the_worlds_are_listed_with_their_sizes(api: Api) -> None:
    counts = seen(api, "/world")["counts"]
    api.draft()
    [found] = [one for one in seen(api, "/worlds")["data"] if one["name"] == api.world]
    assert (found["charges"], found["invoices"]) == (counts["charges"] + 1, counts["invoices"] + 1)
    assert found["exchanges"] == counts["exchanges"] + 2
