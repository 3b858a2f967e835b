"""What the judge concludes from traffic that it did not make, and what it leaves open."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.watch.judging.memory import Memory
from tests.watch.traffic import TOKEN, Traffic, charge, finalized, invoice, page

PAID = {"stripe_invoice_id": "in_1abcd", "stripe_invoice_status": "paid"}

NAMES = [*invoice(1), *charge(1), *page([]), "invoice", "charge"]
REQUESTS = [
    ("GET", "/billing/invoices"),
    ("GET", "/billing/invoices?q=id%3E%220%22"),
    ("GET", "/billing/invoices?page=2&per_page=2"),
    ("POST", "/billing/invoices"),
    ("POST", "/billing/invoices/1/finalize"),
    ("POST", "/billing/invoices/1/collect"),
    ("GET", "/billing/charges"),
    ("GET", "/billing/charges/1"),
    ("POST", "/billing/charges/quick-adjustment"),
]


def test_sound_traffic_breaks_nothing_and_puts_rules_to_the_test() -> None:
    traffic = Traffic()
    traffic.charges(charge(5))
    traffic.creates(invoice(1), [5])
    traffic.lists(invoice(1))
    traffic.acts("finalize", 1, finalized(1))
    traffic.lists(finalized(1))
    traffic.acts("collect", 1, finalized(1, **PAID))
    traffic.lists(finalized(1, **PAID))
    assert traffic.ends() == 0
    held = traffic.watch.recorder.exercised
    for rule in ("GEN-1", "GEN-7", "GEN-9", "LIST-1", "LIST-3", "CREATE-4", "CREATE-5", "CREATE-7", "FINALIZE-1"):
        assert held[rule], rule


def test_without_any_traffic_of_the_api_the_end_is_3() -> None:
    traffic = Traffic()
    traffic.say("GET", "/somewhere/else", {})
    assert traffic.ends() == 3


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        (finalized(1), invoice(1), "FINALIZE-1"),
        (finalized(1), finalized(1, total=13), "FINALIZE-1"),
        (finalized(1, **PAID), finalized(1, **{**PAID, "stripe_invoice_status": "open"}), "FINALIZE-4"),
        (finalized(1, **PAID), finalized(1, **{**PAID, "stripe_invoice_id": "in_2"}), "FINALIZE-4"),
        (invoice(1), invoice(1, created_at="2026-03-01T11:00:00.000000Z"), "GEN-9"),
        (invoice(1), invoice(1, charger_id="8"), "GEN-9"),
    ],
    ids=["draft again", "total", "paid no more", "another Stripe invoice", "created_at", "charger"],
)
def test_what_is_for_good_is_a_breach_only_where_the_order_is_sure(
    before: dict[str, object], after: dict[str, object], rule: str
) -> None:
    traffic = Traffic()
    traffic.lists(before)
    [told] = traffic.lists(after)
    assert told.startswith(f"{rule}: ")
    assert traffic.broken == {rule}
    overlapping = Traffic()
    overlapping.lists(before, at=(10, 20))
    overlapping.lists(after, at=(15, 25))
    assert not overlapping.broken


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (invoice(1), invoice(1, total=99)),
        (invoice(1), finalized(1)),
        (finalized(1), finalized(1, **PAID)),
        (invoice(1), finalized(1, total=99)),
        (invoice(1, description=None), invoice(1, description="Written in the portal")),
    ],
    ids=["a draft edited", "finalized", "paid", "edited and finalized", "described"],
)
def test_what_others_may_have_done_meanwhile_is_no_breach(before: dict[str, object], after: dict[str, object]) -> None:
    traffic = Traffic()
    traffic.lists(before)
    traffic.lists(after)
    assert not traffic.broken


def test_a_total_that_each_finalize_changes_is_a_breach() -> None:
    traffic = Traffic()
    for number in (1, 2):
        traffic.lists(invoice(number))
        traffic.acts("finalize", number)
        traffic.lists(finalized(number, total=13))
    assert traffic.broken == {"FINALIZE-1"}


@pytest.mark.parametrize("looks", [0, 1, 2])
def test_a_finalized_invoice_that_is_still_a_draft_is_a_breach(looks: int) -> None:
    traffic = Traffic()
    for _ in range(looks):
        traffic.lists(invoice(1))
    traffic.acts("finalize", 1)
    traffic.lists(invoice(1), at=(1, 500))
    assert not traffic.broken
    traffic.lists(invoice(1))
    assert traffic.broken == {"FINALIZE-1"}


@pytest.mark.parametrize("looks", [0, 1, 2])
def test_a_charge_on_an_invoice_that_is_still_open_is_a_breach(looks: int) -> None:
    traffic = Traffic()
    shown = {"charge": charge(5), "charge_items": []}
    for _ in range(looks):
        traffic.say("GET", "/billing/charges/5", shown)
    traffic.creates(invoice(1), [5])
    traffic.say("GET", "/billing/charges/5", shown, at=(1, 500))
    assert not traffic.broken
    traffic.say("GET", "/billing/charges/5", shown)
    assert traffic.broken == {"CREATE-4"}


@pytest.mark.parametrize("looks", [0, 1, 2])
def test_a_collected_invoice_that_is_still_a_draft_is_a_breach(looks: int) -> None:
    traffic = Traffic()
    for _ in range(looks):
        traffic.lists(invoice(1))
    traffic.acts("collect", 1)
    traffic.lists(invoice(1))
    assert traffic.broken == {"COLLECT-3"}


def test_a_charge_on_two_invoices_is_a_breach_in_whichever_order_they_were_made() -> None:
    traffic = Traffic()
    traffic.creates(invoice(1), [5], at=(10, 20))
    [told] = traffic.creates(invoice(2), [5], at=(5, 25))
    assert told.startswith("CREATE-4")
    assert "invoices 1 and 2" in told


def test_an_invoiced_charge_that_is_taken_once_more_is_a_breach() -> None:
    traffic = Traffic()
    traffic.say("GET", "/billing/charges/5", {"charge": charge(5, status="Invoiced"), "charge_items": []})
    traffic.creates(invoice(1), [5])
    assert traffic.broken == {"CREATE-4"}


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


def test_two_merchants_under_one_header_are_a_breach() -> None:
    traffic = Traffic()
    traffic.lists(invoice(1))
    traffic.lists(invoice(1), invoice(2, chargee_id="2"))
    assert traffic.broken == {"GEN-7"}


def test_two_merchants_without_a_header_are_none() -> None:
    traffic = Traffic()
    traffic.lists(invoice(1), invoice(2, chargee_id="2"), merchant=None)
    assert not traffic.broken


def test_one_stripe_invoice_of_two_is_a_breach() -> None:
    traffic = Traffic()
    traffic.lists(finalized(1, **PAID), finalized(2, **PAID))
    assert traffic.broken == {"FINALIZE-2"}


def test_an_id_that_is_given_twice_is_a_breach() -> None:
    traffic = Traffic()
    traffic.lists(invoice(1))
    traffic.creates(invoice(1))
    assert traffic.broken == {"CREATE-7"}


def test_a_new_invoice_that_somebody_lists_before_the_create_has_answered_is_no_breach() -> None:
    traffic = Traffic()
    traffic.lists(invoice(1), at=(12, 13))
    traffic.creates(invoice(1), at=(11, 14))
    assert not traffic.broken


def test_an_invoice_that_is_missing_in_between_is_a_breach() -> None:
    traffic = Traffic()
    traffic.lists(invoice(1), invoice(2))
    traffic.lists(invoice(2))
    assert not traffic.broken
    traffic.lists(invoice(1), invoice(2))
    assert traffic.broken == {"LIST-4"}


def test_an_invoice_that_is_gone_for_good_may_have_been_removed_by_somebody() -> None:
    traffic = Traffic()
    for _ in range(5):
        traffic.lists(invoice(1), invoice(2))
        traffic.lists(invoice(2))
        traffic.lists(invoice(2))
        break
    assert not traffic.broken


def test_another_callers_list_need_not_hold_it() -> None:
    traffic = Traffic()
    traffic.lists(invoice(1), invoice(2), merchant=None)
    traffic.lists(invoice(2), merchant=None, token="another")
    traffic.lists(invoice(1), invoice(2), merchant=None)
    assert not traffic.broken


def test_pages_that_overlap_each_time_are_a_breach() -> None:
    traffic = Traffic()
    for _ in range(2):
        assert not traffic.broken
        for number, rows in ((1, [invoice(4), invoice(3)]), (2, [invoice(3), invoice(2)])):
            content = page(rows, current_page=number, per_page=2, total=4)
            traffic.say("GET", f"/billing/invoices?page={number}&per_page=2", content)
    assert traffic.broken == {"LIST-4"}


def test_pages_between_which_somebody_created_an_invoice_are_none() -> None:
    traffic = Traffic()
    for _ in range(3):
        first = page([invoice(4), invoice(3)], per_page=2, total=4)
        second = page([invoice(3), invoice(2)], current_page=2, per_page=2, total=5)
        traffic.say("GET", "/billing/invoices?page=1&per_page=2", first)
        traffic.say("GET", "/billing/invoices?page=2&per_page=2", second)
    assert not traffic.broken


def test_figures_that_one_writer_in_between_explains_are_a_breach_the_third_time() -> None:
    traffic = Traffic()
    for _ in range(2):
        traffic.say("GET", "/billing/invoices", page([invoice(1)], total=2))
    assert not traffic.broken
    traffic.say("GET", "/billing/invoices", page([invoice(1)], total=2))
    assert traffic.broken == {"LIST-3"}


def test_a_row_that_came_between_the_count_and_the_rows_spoils_the_range_too() -> None:
    rows = [invoice(number) for number in (1, 2, 3, 4)]
    for told in ({"total": 3, "to": 3, "from": 1}, {"total": 0, "from": None, "to": None}):
        traffic = Traffic()
        assert traffic.say("GET", "/billing/invoices", page(rows, last_page=1, **told)) == []
        assert traffic.lists(*rows) == []
        assert traffic.ends() == 0
    traffic = Traffic()
    assert traffic.say("GET", "/billing/invoices", page(rows, **{"from": 2})) != []


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


@pytest.mark.parametrize("status", [520, 524, 530])
def test_a_network_in_front_of_the_api_is_not_the_api(status: int) -> None:
    traffic = Traffic()
    assert traffic.say("GET", "/billing/invoices", status=status) == []


def test_a_row_that_a_search_excludes_is_a_breach() -> None:
    traffic = Traffic()
    traffic.say("GET", "/billing/invoices?q=id%3A%227%22", page([invoice(8)]))
    assert traffic.broken == {"SEARCH-3"}


@pytest.mark.parametrize("status", [502, 503, 504, 429])
def test_what_stands_in_front_of_the_api_is_not_the_api(status: int) -> None:
    traffic = Traffic()
    traffic.say("GET", "/billing/invoices", "<html>", status)
    assert not traffic.broken
    assert traffic.ends() == 3


def test_a_500_is_a_breach() -> None:
    traffic = Traffic()
    traffic.say("GET", "/billing/invoices", {"message": "Server Error"}, 500)
    assert traffic.broken == {"GEN-5"}


@pytest.mark.parametrize(
    ("status", "header", "told"),
    [
        (403, ("cf-mitigated", "challenge"), set()),
        (403, ("Server", "nginx"), set()),
        (406, ("Server", "nginx"), set()),
        (401, ("WWW-Authenticate", 'Basic realm="staging"'), set()),
        (401, ("WWW-Authenticate", "Negotiate"), set()),
        (401, ("WWW-Authenticate", "Bearer"), {"GEN-1", "GEN-5"}),
        (401, ("Server", "nginx"), {"GEN-1", "GEN-5"}),
        (407, ("Proxy-Authenticate", "Basic"), set()),
        (408, ("Connection", "close"), set()),
        (421, ("Server", "nginx"), set()),
        (425, ("Server", "nginx"), set()),
        (511, ("Server", "nginx"), set()),
        (404, ("Server", "nginx"), {"GEN-1", "GEN-5"}),
        (422, ("Server", "nginx"), {"GEN-1", "GEN-5"}),
    ],
)
def test_a_page_of_what_stands_in_front_of_the_api_is_no_breach(
    status: int, header: tuple[str, str], told: set[str]
) -> None:
    traffic = Traffic()
    sent = (("Content-Type", "text/html"), header)
    traffic.say("GET", "/billing/invoices", status=status, answer_headers=sent, raw=b"<html>")
    assert traffic.broken == told


def test_a_refusal_in_json_is_judged_whoever_may_have_given_it() -> None:
    traffic = Traffic()
    traffic.say("GET", "/billing/invoices", {"error": "no"}, 403)
    assert traffic.broken == {"GEN-5"}


def test_a_page_that_leads_elsewhere_is_told_with_where() -> None:
    traffic = Traffic()
    traffic.say("GET", "/billing/invoices", status=302, answer_headers=(("Location", "/login"),), raw=b"")
    assert [breach.actual for breach in traffic.breaches.values()] == ["it redirects to /login (request 1)"]


@pytest.mark.parametrize("header", ["fault:1:schema", "prefer:outcome=lost_answer"])
def test_what_a_fake_was_told_to_do_wrong_is_no_breach(header: str) -> None:
    traffic = Traffic()
    sent = (("Content-Type", "application/json"), ("X-Mock-Trace", header))
    traffic.say("GET", "/billing/invoices", {"message": "no"}, 500, answer_headers=sent)
    assert not traffic.broken


def test_a_call_without_a_token_must_get_401_where_all_headers_are_known() -> None:
    traffic = Traffic()
    traffic.lists(invoice(1), token=None, whole=False)
    assert not traffic.broken
    traffic.lists(invoice(1), token=None)
    assert traffic.broken == {"GEN-4"}


def test_worlds_of_a_fake_are_told_apart_by_their_tokens() -> None:
    traffic = Traffic()
    traffic.creates(invoice(1), token="provider@one")
    traffic.creates(invoice(1, total=3), token="provider@two")
    assert not traffic.broken


def test_after_a_reset_nothing_is_held_against_what_was_before() -> None:
    traffic = Traffic()
    traffic.lists(finalized(1), token="provider@one")
    traffic.watch.judge.forget("https://portal.example.com/api", "one", at=25.0)
    traffic.creates(invoice(1), token="provider@one")
    traffic.lists(finalized(1), token="provider@one", at=(20, 60))
    traffic.lists(invoice(1), token="provider@one")
    assert not traffic.broken


def test_drafts_that_are_collected_each_time_are_a_breach() -> None:
    traffic = Traffic()
    for number in (1, 2, 3):
        assert not traffic.broken
        traffic.creates(invoice(number))
        traffic.acts("collect", number)
    assert traffic.broken == {"COLLECT-1"}


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


def test_a_payment_holds_only_where_it_is_shown() -> None:
    traffic = Traffic()
    unpaid = {**PAID, "stripe_invoice_status": "open"}
    traffic.lists(finalized(1, **unpaid))
    traffic.acts("collect", 1)
    for shown in (unpaid, PAID):
        assert not traffic.watch.recorder.exercised["COLLECT-3"]
        traffic.lists(finalized(1, **shown))
    assert traffic.watch.recorder.exercised["COLLECT-3"]
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


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ({"status": "Invoiced", "amount": 99, "price": 99}, {"FINALIZE-1"}),
        ({"status": "Invoiced"}, set()),
    ],
)
@pytest.mark.parametrize("locked", [True, False])
def test_the_charges_of_a_finalized_invoice_never_change(after: dict[str, Any], told: set[str], locked: bool) -> None:
    traffic = Traffic()
    traffic.charges(charge(5))
    traffic.creates(invoice(1), [5])
    if locked:
        traffic.acts("finalize", 1, finalized(1))
    for row in (charge(5, status="Invoiced"), charge(5, **after)):
        traffic.say("GET", "/billing/charges/5", {"charge": row, "charge_items": []})
    assert traffic.broken == (told if locked else set())


def test_a_clients_mistake_is_told_and_is_no_breach() -> None:
    traffic = Traffic()
    traffic.say("GET", "/billing/invoices?page=first", {"message": "no", "errors": {"page": ["no"]}}, 422)
    assert traffic.ends() == 0
    assert any(
        "page must be an integer" in str(event) and "a request is not as" in str(event) for event in traffic.events
    )


def test_tokens_are_never_told() -> None:
    traffic = Traffic()
    traffic.lists(invoice(1), merchant=None, token=None, headers=(("Cookie", f"a=b; session={TOKEN}"),))
    secret = (("Accept", "application/json"), ("Authorization", f"Bearer {TOKEN}"), ("X-Api-Key", TOKEN))
    traffic.say("GET", f"/billing/invoices?api_token={TOKEN}", {"message": TOKEN}, 500, headers=secret)
    assert traffic.ends() == 1
    assert TOKEN not in repr(traffic.events)
    assert TOKEN.partition("|")[2] not in repr(traffic.events)


def test_old_records_make_room_for_new_ones() -> None:
    memory = Memory(most=10)
    for number in range(1000):
        memory.on_stripe.set(("", str(number)), number)
    assert len(memory.on_stripe) == 10
    assert memory.on_stripe.get(("", "999")) == 999


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*NAMES, "x"]), inner, max_size=6),
    max_leaves=12,
)


@st.composite
def answers(draw: st.DrawFn) -> object:
    """A sound answer in which something is replaced, or anything at all."""
    row = {**invoice(1), draw(st.sampled_from(NAMES)): draw(JSON)}
    content = draw(st.sampled_from([page([row, invoice(2)]), {"message": "", "invoice": row}, {"charge": charge(1)}]))
    content = {**content, draw(st.sampled_from(NAMES)): draw(JSON)}
    return draw(st.sampled_from([content, draw(JSON)]))


def test_a_row_that_is_no_object_is_told_as_that() -> None:
    traffic = Traffic()
    assert traffic.say("GET", "/billing/invoices", page([invoice(1), []]))  # type: ignore[list-item]
    assert traffic.broken == {"LIST-1"}


@given(st.lists(st.tuples(st.sampled_from(REQUESTS), answers(), st.sampled_from([200, 201, 422, 500])), max_size=6))
def test_no_answer_whatever_is_in_it_breaks_the_judge(exchanges: list[tuple[tuple[str, str], object, int]]) -> None:
    traffic = Traffic()
    for (method, target), content, status in exchanges:
        traffic.say(method, target, content, status)
    assert traffic.ends() in (0, 1, 3)
