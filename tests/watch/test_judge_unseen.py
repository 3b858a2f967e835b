"""What somebody may have done unseen explains what comes after, and nothing else does."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from tests.watch.traffic import Traffic, charge, finalized, invoice, page


def test_a_wrong_sum_is_a_breach_once_nobody_elses_edit_explains_it() -> None:
    traffic = Traffic()
    for number in (1, 2):
        traffic.charges(charge(number))
        assert not traffic.broken
        traffic.creates(invoice(number, total=12.49), [number])
    assert traffic.broken == {"CREATE-5"}


LATER = (3600.0, 3601.0)
"""After lunch, when the first exchanges of a `Traffic` are long over."""


def _edited_and_finalized(traffic: Traffic) -> None:
    traffic.lists(invoice(2), invoice(1))
    traffic.lists(finalized(2, total=20), finalized(1, total=30))


def _edited_and_finalized_one_by_one(traffic: Traffic) -> None:
    traffic.lists(invoice(2), invoice(1))
    traffic.lists(finalized(2, total=20), invoice(1))
    traffic.lists(finalized(2, total=20), finalized(1, total=30))


def _edited_by_others_and_finalized_here(traffic: Traffic) -> None:
    traffic.lists(invoice(2), invoice(1))
    for number in (1, 2):
        traffic.acts("finalize", number, at=(3600.0 * number, 3600.0 * number + 1))
        second = finalized(2, total=30) if number == 2 else invoice(2)
        traffic.lists(second, finalized(1, total=30), at=(3600.0 * number + 2, 3600.0 * number + 3))


def _removed(traffic: Traffic) -> None:
    for number in (1, 2, 3):
        traffic.creates(invoice(number))
    traffic.lists()


def _removed_one_by_one(traffic: Traffic) -> None:
    for number in (1, 2, 3):
        traffic.creates(invoice(number), at=(3600.0 * number, 3600.0 * number + 1))
        traffic.lists(at=(3600.0 * number + 1800, 3600.0 * number + 1801))


def _new_drafts_edited(traffic: Traffic) -> None:
    traffic.creates(invoice(1))
    traffic.creates(invoice(2))
    traffic.lists(invoice(2, total=99), invoice(1, total=98))


def _new_drafts_edited_one_by_one(traffic: Traffic) -> None:
    for number in (1, 2):
        traffic.creates(invoice(number))
        traffic.lists(invoice(number, total=99), at=(3600.0 * number, 3600.0 * number + 1))


def _new_charges_corrected(traffic: Traffic) -> None:
    traffic.charges(charge(1))
    traffic.charges(charge(2))
    rows = [charge(2, amount=9, price=9), charge(1, amount=8, price=8)]
    traffic.say("GET", "/billing/charges", page(rows))


def _new_charges_corrected_one_by_one(traffic: Traffic) -> None:
    for number in (1, 2):
        traffic.charges(charge(number))
        shown = {"charge": charge(number, amount=9, price=9), "charge_items": []}
        traffic.say("GET", f"/billing/charges/{number}", shown, at=(3600.0 * number, 3600.0 * number + 1))


def _priced_anew(traffic: Traffic) -> None:
    traffic.say("GET", "/billing/charges", page([charge(2), charge(1)]))
    traffic.creates(invoice(1, total=13), [1], at=LATER)
    traffic.creates(invoice(2, total=13), [2], at=(3602, 3603))


@pytest.mark.parametrize(
    "work",
    [
        _edited_and_finalized,
        _edited_and_finalized_one_by_one,
        _edited_by_others_and_finalized_here,
        _removed,
        _removed_one_by_one,
        _new_drafts_edited,
        _new_drafts_edited_one_by_one,
        _new_charges_corrected,
        _new_charges_corrected_one_by_one,
        _priced_anew,
    ],
    ids=lambda work: work.__name__.strip("_"),
)
def test_what_others_did_unseen_is_no_breach_however_often(work: Callable[[Traffic], None]) -> None:
    traffic = Traffic()
    work(traffic)
    assert not traffic.broken


@pytest.mark.parametrize(
    ("second", "told"),
    [
        ({}, {"CREATE-5"}),
        ({"base": "https://other.example.com/api"}, set()),
        ({"source": "b.har"}, set()),
        ({"at": (-math.inf, math.inf)}, set()),
        ({"at": (20.0, 21.0)}, set()),
    ],
    ids=["again", "another server", "another recording", "at an unknown time", "the same exchange"],
)
def test_only_what_goes_wrong_again_on_the_same_server_is_several_in_a_row(
    second: dict[str, Any], told: set[str]
) -> None:
    traffic = Traffic()
    where = {name: value for name, value in second.items() if name != "at"}
    traffic.charges(charge(1), at=(10.0, 11.0))
    traffic.charges(charge(2), at=(12.0, 13.0), **where)
    traffic.creates(invoice(1, total=13), [1], at=(20.0, 21.0))
    traffic.creates(invoice(2, total=13), [2], **{"at": (22.0, 23.0), **second})
    assert traffic.broken == told


def test_a_new_draft_or_charge_that_is_each_time_shown_otherwise_is_a_breach() -> None:
    traffic = Traffic()
    for number in (1, 2):
        assert not traffic.broken
        traffic.charges(charge(number))
        traffic.say("GET", f"/billing/charges/{number}", {"charge": charge(number, amount=9), "charge_items": []})
        traffic.creates(invoice(number))
        traffic.lists(invoice(number, total=99))
    told = {breach.expected for breach in traffic.breaches.values()}
    assert told == {"the charge keeps its amount, 12.5", "the total stays at 12.5"}


@pytest.mark.parametrize(
    ("method", "target"),
    [("DELETE", "/billing/invoices/1"), ("PATCH", "/billing/charges/5"), ("PUT", "/billing/invoices")],
)
def test_what_changes_records_in_ways_that_nobody_documents_explains_what_comes_after(method: str, target: str) -> None:
    traffic = Traffic()
    for _ in range(4):
        traffic.say("GET", "/billing/charges/5", {"charge": charge(5), "charge_items": []})
        traffic.creates(invoice(1), [5])
        traffic.lists(invoice(1))
        traffic.say(method, target, {"message": "Done."})
        traffic.say("GET", "/billing/charges/5", {"charge": charge(5, amount=20, price=20), "charge_items": []})
        traffic.lists()
        traffic.say(method, target, {"message": "Done."})
    assert traffic.broken == set()


@pytest.mark.parametrize(
    ("method", "status", "told"),
    [
        ("DELETE", 204, set()),
        ("POST", 303, set()),
        ("DELETE", 504, set()),
        ("DELETE", 404, {"CREATE-4"}),
        ("GET", 200, {"CREATE-4"}),
    ],
)
def test_what_nobody_documents_explains_nothing_where_it_was_refused(method: str, status: int, told: set[str]) -> None:
    traffic = Traffic()
    traffic.creates(invoice(1), [5])
    traffic.say(method, "/billing/invoices/1/annul", {"message": "Done."}, status)
    traffic.creates(invoice(2), [5])
    assert traffic.broken == told


def test_a_change_at_an_unknown_time_does_not_end_the_judging() -> None:
    traffic = Traffic()
    traffic.say("DELETE", "/billing/invoices/1", {"message": "Done."}, at=(-math.inf, math.inf))
    assert traffic.say("GET", "/billing/invoices", page([invoice(1)], **{"from": 2})) != []


@pytest.mark.parametrize("between", ["finalized here", "an hour", "refused"])
def test_a_collect_of_what_somebody_may_have_finalized_is_no_breach(between: str) -> None:
    traffic = Traffic()
    for number in range(1, 6):
        traffic.creates(invoice(number))
        if between == "finalized here":
            traffic.acts("finalize", number)
        status = 422 if between == "refused" and number == 3 else 200
        later = {"at": (3600.0 * number, 3600.0 * number + 1)} if between == "an hour" else {}
        paid = finalized(number, stripe_invoice_id=f"in_{number}", stripe_invoice_status="paid")
        traffic.acts("collect", number, paid, status=status, **later)
    assert not traffic.broken


def _sweeps(traffic: Traffic, number: int, **given: Any) -> None:
    swept = {"message": "Created.", "invoice": invoice(number, **given)}
    traffic.say("POST", "/billing/invoices", swept)


def test_charges_that_each_create_of_all_leaves_out_are_a_breach() -> None:
    traffic = Traffic()
    for number in (1, 2):
        assert not traffic.broken
        rows = [charge(10 * number + place) for place in range(3)]
        traffic.say("GET", "/billing/charges", page(rows))
        _sweeps(traffic, number)
        rows[0] = charge(10 * number, status="Invoiced")
        traffic.say("GET", "/billing/charges", page(rows))
    assert traffic.broken == {"CREATE-2"}


@pytest.mark.parametrize("why", ["taken", "another currency", "new since", "another merchant"])
def test_what_a_create_of_all_need_not_take_is_no_breach(why: str) -> None:
    traffic = Traffic()
    other = {"another currency": {"currency": "EUR"}, "another merchant": {"chargee_id": "2"}}.get(why, {})
    for number in range(1, 5):
        if why != "new since":
            traffic.say(
                "GET", f"/billing/charges/{number}", {"charge": charge(number), "charge_items": []}, merchant=None
            )
        given = {"invoice": invoice(number, **other), "message": "Created."}
        traffic.say("POST", "/billing/invoices", given, merchant=other.get("chargee_id", "1"))
        status = "Invoiced" if why == "taken" else "Open"
        after = {"charge": charge(number, status=status), "charge_items": []}
        traffic.say("GET", f"/billing/charges/{number}", after, merchant=None)
    assert not traffic.broken
    assert bool(traffic.watch.recorder.exercised["CREATE-2"]) is (why == "taken")
