"""Expectations of the journal: what was said is verified, and what came nearest is told."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.core.messages import Reply, Request
from mockserver.traffic import expectations
from mockserver.traffic.formats import request_body
from mockserver.traffic.journal import Exchange
from tests.conftest import Api
from tests.traffic.reading import LIST, entries, verify


def test_what_was_expected_is_verified(api: Api) -> None:
    invoice = api.draft()
    api.finalize(invoice["id"])
    api.collect(invoice["id"], headers={"Prefer": "outcome=lost_card"})
    api.collect(invoice["id"])
    verdict = verify(
        api,
        {"operation": "createInvoice", "request": {"charge_ids": [invoice_charge(api, invoice)]}, "at_most": 1},
        {"operation": "collectInvoice", "invoice": invoice["id"], "at_least": 2, "at_most": 2},
        {"operation": "collectInvoice", "status": 402, "because": "outcome:lost_card"},
        {"status": "2xx", "response": {"invoice": {"stripe_invoice_status": "paid"}}},
        {"operation": "listCharges", "at_most": 0},
        {"method": "POST", "path": f"/billing/invoices/{invoice['id']}/finalize"},
        {"headers": {"Prefer": "outcome=lost_card"}},
        {"fault": "outcome"},
    )
    assert verdict["verified"], verdict["message"]
    assert verdict["message"] == ""
    assert [one["matched"] for one in verdict["results"]] == [1, 2, 1, 1, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("expectation", "matched"),
    [
        ({"status": "402"}, 1),
        ({"status": "4xx"}, 1),
        ({"status": "2XX"}, 3),
        ({"status": "403"}, 0),
        ({"method": "post"}, 4),
        ({"path": "/api/billing/invoices"}, 1),
        ({"path": "/billing/invoices"}, 1),
    ],
)
def test_status_method_and_path_may_be_written_as_people_write_them(
    api: Api, expectation: dict[str, Any], matched: int
) -> None:
    api.collect(api.finalized()["id"], headers={"Prefer": "outcome=lost_card"})
    verdict = verify(api, {**expectation, "at_least": matched, "at_most": matched})
    assert verdict["verified"], verdict["message"]


def invoice_charge(api: Api, invoice: Any) -> int:
    created = entries(api, operation="createInvoice", invoice=invoice["id"])
    return int(created[0]["request"]["body"]["charge_ids"][0])


def test_a_failed_expectation_shows_what_came_nearest_field_by_field(api: Api) -> None:
    charge = api.charge()
    api.create(charge["id"])
    api.get(LIST)
    verdict = verify(api, {"operation": "createInvoice", "status": 200, "request": {"charge_ids": [4711]}})
    assert not verdict["verified"]
    (result,) = verdict["results"]
    nearest = result["nearest"][0]
    assert nearest["number"] == 2
    assert nearest["differences"] == [{"field": "request.charge_ids.0", "expected": 4711, "got": charge["id"]}]
    assert f"exchange 2 came near: request.charge_ids.0 is {charge['id']}" in verdict["message"]
    assert len(result["nearest"]) == 3, "the others are further away"


def test_too_many_are_told_by_their_numbers(api: Api) -> None:
    for _ in range(3):
        api.get(LIST)
    (result,) = verify(api, {"operation": "listInvoices", "at_most": 2})["results"]
    assert (result["verified"], result["matched"], result["numbers"]) == (False, 3, [1, 2, 3])
    assert result["complaint"] == "3 were like that; wanted are at most 2"


def test_order_is_verified_on_demand(api: Api) -> None:
    invoice = api.draft()
    api.finalize(invoice["id"])
    api.collect(invoice["id"])
    right = [{"operation": name} for name in ("createInvoice", "finalizeInvoice", "collectInvoice")]
    assert verify(api, *right, in_order=True)["verified"]
    assert verify(api, *reversed(right))["verified"]
    wrong = verify(api, *reversed(right), in_order=True)
    assert not wrong["verified"]
    assert "no exchange was like that after exchange 4" in wrong["message"]


def test_each_body_is_read_once_whatever_is_expected_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def read_body(request: Request) -> Any:
        read.append(request)
        return request_body(request)

    monkeypatch.setattr(expectations, "request_body", read_body)
    said = [Exchange(Request("POST", "/", body=b"{}"), "", Reply(200, None), number=number) for number in range(5)]
    results = expectations.check(said, [{"request": {"charge_ids": [number]}} for number in range(9)], in_order=False)
    assert [len(result.misses) for result in results] == [expectations.NEAREST] * 9
    assert len(read) == 5


def test_a_near_miss_tells_the_beginning_of_what_is_long(api: Api) -> None:
    long = "x" * 50_000
    api.post(LIST, json={"charge_ids": [1], "note": long}, headers={"X-Note": long})
    verdict = verify(api, {"request": {"charge_ids": 1, "note": 1}, "headers": {"X-Note": "y"}}, {"request": 1})
    got = {one["field"]: one["got"] for result in verdict["results"] for one in result["nearest"][0]["differences"]}
    assert got == {
        "request.charge_ids": [1],
        "request.note": "x" * expectations.LONGEST + "...",
        "headers.X-Note": "x" * expectations.LONGEST + "...",
        "request": ('{"charge_ids":[1],"note":"' + long)[: expectations.LONGEST] + "...",
    }


def test_no_more_is_expected_at_once_than_can_be_judged_soon(api: Api) -> None:
    answer = api.control("POST", "/journal/verify", json={"expect": [{"status": 200}] * 1001})
    assert answer.status_code == 400
    assert "at most 1000" in answer.json()["message"]


def test_only_what_follows_a_cursor_can_be_verified(api: Api) -> None:
    api.get(LIST)
    assert verify(api, {"operation": "listInvoices"})["verified"]
    assert not verify(api, {"operation": "listInvoices"}, since=1)["verified"]


@pytest.mark.parametrize(
    "expectation",
    [
        {"operation": "payInvoice"},
        {"colour": "red"},
        {"at_least": -1},
        {"at_least": 2, "at_most": 1},
        {"status": [200]},
        {"status": "abc"},
        {"status": "6xx"},
        {"status": 4020},
    ],
)
def test_an_expectation_that_makes_no_sense_is_refused(api: Api, expectation: dict[str, Any]) -> None:
    answer = api.control("POST", "/journal/verify", json={"expect": [expectation]})
    assert answer.status_code == 400
    assert answer.json()["errors"]
