"""What the judge concludes from traffic that it did not make."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.watch.judging.memory import Memory
from tests.watch.traffic import TOKEN, Traffic, charge, finalized, invoice, page

PAID = {"stripe_invoice_id": "in_1abcd", "stripe_invoice_status": "paid"}


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
    traffic.lists(invoice(1), invoice(2))
    traffic.lists(invoice(2))
    traffic.lists(invoice(2))
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


def test_a_row_that_a_search_excludes_is_a_breach() -> None:
    traffic = Traffic()
    traffic.say("GET", "/billing/invoices?q=id%3A%227%22", page([invoice(8)]))
    assert traffic.broken == {"SEARCH-3"}


def test_a_500_is_a_breach() -> None:
    traffic = Traffic()
    traffic.say("GET", "/billing/invoices", {"message": "Server Error"}, 500)
    assert traffic.broken == {"GEN-5"}


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
