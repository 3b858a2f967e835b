"""The part on webhooks in a browser: who is told, how well that goes, and another try."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.conftest import Api
from tests.server.dashboard.conftest import Opening
from tests.server.dashboard.steps import at
from tests.server.receiving import receiving


def test_events_go_where_and_as_the_page_says_and_go_out_again(api: Api, opened: Opening) -> None:
    page = opened(at(api, "webhooks"))
    with receiving() as receiver:
        page.get_by_label("address").fill(receiver.url)
        page.get_by_text("How well that goes").click()
        page.get_by_label("secret", exact=True).fill("1234")
        page.get_by_label("copies of each").fill("2")
        page.get_by_label("delay", exact=True).fill("PT0.01S")
        page.get_by_role("button", name="Post events there").click()
        expect(page.locator("#said")).to_contain_text(receiver.url)
        told = api.control("GET", "/webhooks").json()
        assert (told["secret"], told["copies"], told["delay"], told["attempts"]) == ("1234", 2, 0.01, 6)
        api.draft()
        expect(page.get_by_role("cell", name="delivered")).to_have_count(2)
        page.get_by_role("button", name="Redeliver 1", exact=True).click()
        attempts = page.get_by_role("row").filter(has=page.get_by_role("button", name="Redeliver 1", exact=True))
        expect(attempts.get_by_role("listitem")).to_have_count(2)
        receiver.wait(3)
        page.get_by_role("button", name="Tell nobody").click()
        expect(page.get_by_text("Nobody is told of events")).to_be_visible()
        assert api.control("GET", "/webhooks").json()["url"] is None


def test_how_well_it_goes_stays_when_only_the_address_is_changed(api: Api, opened: Opening) -> None:
    api.control("PUT", "/webhooks", json={"url": "http://127.0.0.1:9/x", "reorder": 3, "hold": 7.5, "secret": "mine"})
    page = opened(at(api, "webhooks"))
    expect(page.get_by_label("address")).to_have_value("http://127.0.0.1:9/x")
    page.get_by_label("address").fill("http://127.0.0.1:9/y")
    page.get_by_role("button", name="Post events there").click()
    expect(page.get_by_text("posted to http://127.0.0.1:9/y")).to_be_visible()
    told = api.control("GET", "/webhooks").json()
    assert (told["reorder"], told["hold"], told["secret"]) == (3, 7.5, "mine")


def test_a_setting_that_cannot_be_is_told(api: Api, opened: Opening) -> None:
    page = opened(at(api, "webhooks"))
    page.get_by_text("How well that goes").click()
    page.get_by_label("delay", exact=True).fill("soon")
    page.get_by_role("button", name="Post events there").click()
    expect(page.locator("#said")).to_contain_text("soon")
