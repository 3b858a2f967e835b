"""What a part is drawn anew for, as things happen, leaves alone what the hand and the eye are at."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.conftest import Api
from tests.server.dashboard.conftest import Opening
from tests.server.dashboard.steps import at


def test_an_unfolded_body_and_a_scrolled_table_outlast_a_new_row(api: Api, opened: Opening) -> None:
    api.draft()
    page = opened(at(api, "webhooks"), width=390)
    page.get_by_role("row").get_by_text("body", exact=True).click()
    expect(page.locator("details pre")).to_be_visible()
    page.evaluate("document.querySelector('.scroll').scrollLeft = 150")
    api.draft()
    expect(page.get_by_role("cell", name="invoice.created")).to_have_count(2)
    expect(page.locator("details[open] pre")).to_have_count(1)
    assert page.evaluate("document.querySelector('.scroll').scrollLeft") == 150


def test_the_snapshot_to_compare_with_stays_chosen_while_the_clock_runs(api: Api, opened: Opening) -> None:
    for name in ("one", "two"):
        api.control("PUT", f"/snapshots/{name}")
    page = opened(at(api, "time"))
    page.get_by_label("Compare one with").select_option("two")
    for _ in range(2):
        with page.expect_response("**/_mock/snapshots"):
            api.get("/billing/invoices")
    expect(page.get_by_label("Compare one with")).to_have_value("two")
    page.get_by_role("button", name="Compare one").click()
    expect(page.get_by_role("heading", name="From one to two")).to_be_visible()


def test_a_row_that_changed_is_drawn_anew_and_keeps_the_focus(api: Api, opened: Opening) -> None:
    invoice = api.draft()["id"]
    page = opened(at(api, "invoices"))
    page.get_by_role("button", name=f"Finalize invoice {invoice}", exact=True).press("Enter")
    collect = page.get_by_role("button", name=f"Collect invoice {invoice}", exact=True)
    expect(collect).to_be_focused()
    collect.press("Enter")
    expect(page.get_by_role("row").filter(has_text="paid").first).to_be_visible()
    expect(page.get_by_role("region", name="Invoices")).to_be_focused()


def test_an_invoice_is_collected_where_its_life_is_seen(api: Api, opened: Opening) -> None:
    invoice = api.finalized(12.5)["id"]
    page = opened(at(api, "invoices"))
    page.get_by_label("Next collect").select_option("expired_card")
    page.get_by_role("button", name=f"Invoice {invoice}", exact=True).click()
    life = page.get_by_role("region", name="The invoice", exact=True)
    life.get_by_role("button", name="Collect").click()
    expect(life.get_by_role("listitem").filter(has_text="attempt 1: expired card")).to_be_visible()
    expect(life).to_contain_text("USD 12.50")


def test_that_the_chosen_outcome_has_come_is_told_where_it_was_chosen(api: Api, opened: Opening) -> None:
    invoice = api.finalized(12.5)["id"]
    page = opened(at(api))
    chosen = page.get_by_label("Next collect")
    chosen.focus()
    chosen.select_option("expired_card")
    expect(page.locator("#said")).to_contain_text("The next collect of this world ends as expired card")
    assert api.collect(invoice).status_code == 402
    expect(page.locator("#said")).to_contain_text("A collect ended as expired card")
    expect(chosen).to_have_value("")
    expect(chosen).to_be_focused()
