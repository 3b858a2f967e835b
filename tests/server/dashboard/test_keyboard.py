"""The dashboard by the keyboard alone."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.conftest import Api
from tests.server.dashboard.conftest import Opening
from tests.server.dashboard.steps import LIST, at, exchanges

MOST = 80
"""Times that Tab is pressed at most to come to something."""


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has that name, by its label or its text, has the focus."""
    script = """() => {
        const one = document.activeElement;
        const label = one.labels?.[0]?.querySelector("span")?.textContent;
        return one.getAttribute("aria-label") ?? label ?? one.textContent;
    }"""
    passed = []
    for _ in range(MOST):
        page.keyboard.press("Tab")
        passed.append(page.evaluate(script))
        if passed[-1] == name:
            return
    raise AssertionError(f"Tab never came to {name}, but to {passed}")


def test_the_keyboard_alone_reaches_everything(api: Api, opened: Opening) -> None:
    for number in (1, 2, 3):
        api.get(f"{LIST}?per_page={number}")
    page = opened(at(api))
    expect(exchanges(page)).to_have_count(3)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    for _ in range(60):
        if page.evaluate("document.activeElement.getAttribute('role')") == "listbox":
            break
        page.keyboard.press("Tab")
    expect(page.get_by_role("listbox")).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[role=option][aria-selected=true]")).to_contain_text("per_page=2")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="The exchange")).to_be_focused()
    page.get_by_role("button", name="Close").press("Enter")
    expect(page.get_by_role("listbox")).to_be_focused()
    page.keyboard.press("m")
    expect(exchanges(page).filter(has_text="mark 1")).to_be_visible()


def test_a_card_is_declined_by_keys(api: Api, opened: Opening) -> None:
    invoice = api.finalized()["id"]
    page = opened(at(api))
    expect(page.get_by_label("Next collect")).to_contain_text("generic decline")
    tab_to(page, "Next collect")
    page.keyboard.type("insufficient")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("insufficient funds")
    tab_to(page, "Invoices")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=f"Collect invoice {invoice}", exact=True)).to_be_visible()
    tab_to(page, f"Collect invoice {invoice}")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text(re.compile("answered 402|as was chosen"))


def test_a_fault_is_armed_and_the_clock_moved_by_keys(api: Api, opened: Opening) -> None:
    page = opened(at(api, "faults"))
    expect(page.get_by_label("status", exact=True)).to_have_value("503")
    tab_to(page, "status")
    page.keyboard.press("Control+A")
    page.keyboard.type("429")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row").filter(has_text="429")).to_contain_text("in force")
    assert api.get(LIST).status_code == 429
    tab_to(page, "Clock & snapshots")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Freeze")).to_be_visible()
    tab_to(page, "Freeze")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Let it run")).to_be_focused()
    assert api.control("GET", "/clock").json()["frozen"]
