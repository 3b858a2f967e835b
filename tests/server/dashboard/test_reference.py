"""The API reference in a real browser: rules by each operation, and requests that this server answers."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.conftest import Api
from tests.server.dashboard.conftest import Opening
from tests.server.dashboard.steps import WCAG, objections


def test_an_operation_says_what_holds_for_it_and_how_that_is_known(api: Api, opened: Opening) -> None:
    page = opened(f"/docs/?world={quote(api.world)}")
    block = page.locator(".opblock").filter(has_text="Collect payment for an invoice")
    block.locator(".opblock-summary-control").click()
    expect(block).to_contain_text("Provenance: documented")
    row = block.get_by_role("row").filter(has_text="COLLECT-1")
    expect(row).to_contain_text("documented")


def test_what_is_tried_out_is_answered_by_this_server_in_the_world_chosen(api: Api, opened: Opening) -> None:
    page = opened(f"/docs/?world={quote(api.world)}")
    block = page.locator(".opblock").filter(has_text="List invoices")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Execute").click()
    expect(block.locator(".live-responses-table tbody .response-col_status")).to_contain_text("200")
    [entry] = api.control("GET", "/journal").json()["data"]
    assert entry["operation"] == "listInvoices"
    assert entry["request"]["headers"]["authorization"] == f"Bearer provider@{api.world}"
    assert entry["response"]["status"] == 200


def test_the_control_interface_is_shown_and_tried_out_too(api: Api, opened: Opening) -> None:
    page = opened(f"/docs/?of=control&world={quote(api.world)}")
    block = page.locator(".opblock").filter(has_text="What the world is, and how much is in it")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Execute").click()
    expect(block.locator(".live-responses-table")).to_contain_text(f'"name": "{api.world}"')


def test_the_reference_is_dark_in_the_dark_and_fits_a_phone(opened: Opening) -> None:
    page = opened("/docs/", width=390, dark=True)
    expect(page.locator(".opblock").first).to_be_visible()
    assert page.evaluate("document.documentElement.classList.contains('dark-mode')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(("document", "width", "dark"), [("", 390, True), ("&of=control", 1280, False)])
def test_axe_finds_no_breach_of_wcag_also_where_something_was_tried(
    api: Api, opened: Opening, document: str, width: int, dark: bool
) -> None:
    page = opened(f"/docs/?world={quote(api.world)}{document}", width=width, dark=dark)
    block = page.locator(".opblock").first
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Execute").click()
    expect(block.locator(".live-responses-table")).to_contain_text("200")
    # The order of headings and landmarks is Swagger UI's own.
    assert objections(page, *WCAG) == []
