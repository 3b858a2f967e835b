"""The dashboard in a real browser: what one sees and does there is what happens in the world."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Route, expect

from mockserver.core.health import is_ready
from mockserver.server.process import Running, running
from tests import plain
from tests.conftest import Api
from tests.server.dashboard.conftest import Opening
from tests.server.dashboard.steps import LIST, PARTS, at, exchanges, objections, turn_to


def test_a_collect_is_declined_by_two_clicks_and_seen_in_the_journal(api: Api, opened: Opening) -> None:
    invoice = api.finalized(12.5)["id"]
    page = opened(at(api, "invoices"))
    page.get_by_label("Next collect").select_option("insufficient_funds")
    expect(page.locator("#said")).to_contain_text("insufficient funds")
    page.get_by_role("button", name=f"Collect invoice {invoice}", exact=True).click()
    # Both are said, and which one last is the stream's to decide.
    expect(page.locator("#said")).to_contain_text(re.compile("answered 402|ended as insufficient funds, as was chosen"))
    expect(page.get_by_role("row").filter(has_text="declined").first).to_be_visible()
    turn_to(page, "Journal")
    expect(page.get_by_label("Next collect")).to_have_value("")
    exchanges(page).filter(has_text=f"{invoice}/collect").click()
    detail = page.get_by_role("region", name="The exchange")
    expect(detail).to_contain_text("collectInvoice")
    detail.get_by_role("button", name="outcome:insufficient_funds").click()
    expect(detail).to_contain_text("no money moves")
    detail.get_by_role("button", name="COLLECT-3").click()
    expect(detail).to_contain_text("COLLECT-3 · derived")
    [attempt] = api.control("GET", f"/stripe/ledger?invoice={invoice}").json()["data"]
    assert attempt["outcome"] == "insufficient_funds"


def test_the_life_of_an_invoice_is_shown(api: Api, opened: Opening) -> None:
    invoice = api.finalized(12.5)["id"]
    api.collect(invoice)
    page = opened(at(api, "invoices"))
    page.get_by_role("button", name=f"Invoice {invoice}", exact=True).click()
    life = page.get_by_role("list", name="Its life")
    steps = life.get_by_role("listitem")
    expect(steps).to_have_count(5)
    told = [text.split("\n")[0] for text in steps.all_inner_texts()]
    assert told[:2] == ["created as a draft", "finalized"]
    assert told[3:] == ["attempt 1: succeeded, charged", "paid"]


def test_another_card_declines_until_it_is_changed(api: Api, opened: Opening) -> None:
    page = opened(at(api, "merchants"))
    page.get_by_label("Card of merchant 1", exact=True).select_option("pm_card_chargeDeclinedExpiredCard")
    expect(page.locator("#said")).to_contain_text("expired card")
    assert api.collect(api.finalized()["id"]).status_code == 402
    page.get_by_role("button", name="Stripe is down").click()
    expect(page.get_by_role("button", name="Stripe is down", pressed=True)).to_be_visible()
    assert api.collect(api.finalized()["id"]).status_code == 502


def test_a_click_shows_a_line_that_does_the_same(api: Api, opened: Opening) -> None:
    page = opened(at(api, "merchants"))
    page.get_by_label("Card of merchant 1", exact=True).select_option("pm_card_radarBlock")
    line = page.get_by_role("region", name="curl line").inner_text()
    api.control("POST", "/reset")
    done = subprocess.run(["sh", "-c", line + " --silent --fail"], capture_output=True, text=True, check=True)
    assert '"fraudulent"' in done.stdout
    [first] = [one for one in api.control("GET", "/merchants").json()["data"] if one["id"] == 1]
    assert first["card"] == "pm_card_radarBlock"
    fetched = page.get_by_role("region", name="fetch line").inner_text()
    api.control("POST", "/reset")
    assert page.evaluate(f"(async () => ({fetched}).status)()") == 200


def test_a_fault_is_armed_and_seen_to_strike(api: Api, opened: Opening) -> None:
    page = opened(at(api, "faults"))
    page.get_by_label("what goes wrong").select_option("status")
    page.get_by_label("status", exact=True).fill("429")
    page.get_by_label("at most so many times").fill("1")
    page.get_by_role("button", name="Add the fault").click()
    row = page.get_by_role("row").filter(has_text="429")
    expect(row).to_contain_text("in force")
    assert api.get(LIST).status_code == 429
    expect(row).to_contain_text("1 of 1")
    expect(row).to_contain_text("struck out")
    row.get_by_role("button").click()
    expect(page.get_by_text("Nothing is planned to go wrong.")).to_be_visible()


def test_what_a_fault_cannot_be_is_told(api: Api, opened: Opening) -> None:
    page = opened(at(api, "faults"))
    page.get_by_label("status", exact=True).fill("200")
    page.get_by_role("button", name="Add the fault").click()
    expect(page.locator("#said")).to_contain_text("status must be a status from 400 to 599")


def test_the_clock_is_moved_frozen_and_set(api: Api, opened: Opening) -> None:
    page = opened(at(api, "time"))
    page.get_by_role("button", name="Freeze").click()
    expect(page.get_by_text("stands still", exact=True)).to_be_visible()
    before = api.control("GET", "/clock").json()["now"]
    page.get_by_role("button", name="+3 days").click()
    expect(page.locator("#said")).to_contain_text("+3 days")
    after = api.control("GET", "/clock").json()
    assert after["frozen"] and after["now"][:10] > before[:10] and after["now"][10:] == before[10:]
    page.get_by_label("The time to set").fill("2031-05-06T07:08:09Z")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.locator(".clock")).to_contain_text("2031-05-06 07:08:09")


def test_a_snapshot_is_taken_compared_and_restored(api: Api, opened: Opening) -> None:
    page = opened(at(api, "time"))
    page.get_by_label("name", exact=True).fill("quiet")
    page.get_by_role("button", name="Save a snapshot").click()
    page.get_by_role("button", name="Compare quiet").click()
    expect(page.get_by_text("Nothing differs.")).to_be_visible()
    charge = api.charge(77)["id"]
    page.get_by_role("button", name="Compare quiet").click()
    expect(page.get_by_text(f"+ charge {charge}")).to_be_visible()
    page.get_by_role("button", name="Restore quiet").click()
    expect(page.locator("#said")).to_contain_text("as quiet has it")
    assert api.get(f"/billing/charges/{charge}").status_code == 404


def test_another_world_is_another_journal_and_stays_in_the_address(api: Api, opened: Opening) -> None:
    api.get(f"{LIST}?per_page=7")
    page = opened(at(api))
    expect(exchanges(page)).to_have_count(1)
    other = f"{api.world}-other"
    page.get_by_role("combobox", name="World").fill(other)
    page.get_by_role("combobox", name="World").press("Enter")
    expect(page.get_by_text("Nothing was said yet")).to_be_visible()
    Api(api.server, other, api.token, api.http).get(f"{LIST}?per_page=9")
    expect(exchanges(page)).to_contain_text("per_page=9")
    assert f"world={other}" in page.url
    turn_to(page, "Worlds")
    page.get_by_role("button", name=f"Open the world {api.world}", exact=True).click()
    turn_to(page, "Journal")
    expect(exchanges(page)).to_contain_text("per_page=7")


def test_a_wrong_search_is_told_at_the_character(api: Api, opened: Opening) -> None:
    page = opened(at(api, "invoices"))
    page.get_by_role("searchbox").fill('id:"1" und id:"2"')
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".wrong pre")).to_have_text('id:"1" und id:"2"\n       ^')
    page.get_by_role("searchbox").fill('id:"2"')
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("button", name="Invoice 2", exact=True)).to_be_visible()
    expect(page.locator(".wrong pre")).to_have_count(0)


def test_exchanges_show_as_they_come_filtered_paused_and_marked(api: Api, opened: Opening) -> None:
    page = opened(at(api))
    expect(page.get_by_text("Nothing was said yet")).to_be_visible()
    expect(page.locator("#stream")).to_have_text("live")
    page.get_by_role("button", name="Send a request from here").click()
    expect(exchanges(page)).to_have_count(1)
    page.get_by_role("button", name="Mark").click()
    expect(exchanges(page).filter(has_text="mark 1")).to_be_visible()
    api.get(f"{LIST}?per_page=abc")
    page.get_by_label("invalid only").check()
    expect(exchanges(page).filter(has_text="invalid")).to_have_count(1)
    page.get_by_label("invalid only").uncheck()
    page.get_by_role("button", name="Pause").click()
    api.get(LIST)
    page.get_by_role("button", name="Pause").click()
    expect(exchanges(page)).to_have_count(4)
    page.get_by_label("Filter").fill("per_page=abc")
    expect(exchanges(page).filter(has_text="per_page=abc")).to_be_visible()
    expect(page.locator(".count")).to_have_text("2 of 4")


def test_fifty_requests_a_second_are_all_shown_once_and_in_order(api: Api, opened: Opening) -> None:
    page = opened(at(api))
    expect(page.locator("#stream")).to_have_text("live")
    many = 200

    def send() -> None:
        for page in range(1, many + 1):
            api.get(f"{LIST}?per_page=1&page={page}")
            time.sleep(0.02)

    sender = threading.Thread(target=send)
    sender.start()
    # Meanwhile the page can be used.
    turn_to(page, "Merchants")
    expect(page.get_by_label("Card of merchant 1", exact=True)).to_be_visible()
    turn_to(page, "Journal")
    sender.join()
    expect(page.locator(".count")).to_have_text(f"{many} of {many}")
    shown = [int(number) for number in re.findall(r"&page=(\d+)", page.get_by_role("listbox").inner_text())]
    assert len(shown) > 5
    assert shown == list(range(shown[0], shown[0] + len(shown)))
    turn_to(page, "Figures")
    expect(page.get_by_role("row").filter(has_text="listInvoices")).to_contain_text(str(many))


def test_html_in_a_description_is_shown_as_text(api: Api, opened: Opening) -> None:
    evil = "<img src=x onerror=alert(1)><b>bold</b>"
    body = {"amount": 5, "description": evil}
    api.post("/billing/charges/quick-adjustment", json=body, headers={"X-Selected-Client-Id": "1"})
    page = opened(at(api, "invoices"))
    expect(page.get_by_role("cell", name=evil)).to_be_visible()
    turn_to(page, "Journal")
    exchanges(page).click()
    expect(page.get_by_role("region", name="Request body")).to_contain_text(evil)
    assert page.locator("img, b").count() == 0


def test_ten_thousand_exchanges_are_a_few_rows_in_the_page(api: Api, opened: Opening) -> None:
    many = 10_000
    line = (
        '{"number":%d,"at":"2026-01-01T00:00:00Z","seconds":0.001,"operation":"listInvoices","method":"GET",'
        '"path":"/billing/invoices","query":"per_page=%d","status":200,"valid":true,"because":"LIST-1","faults":[],'
        '"warnings":0,"invoice":null}'
    )
    events = "".join(f"event: exchange\nid: 5f.{n}\ndata: {line % (n, n)}\n\n" for n in range(1, many + 1))

    def answer(route: Route) -> None:
        first = "last-event-id" not in route.request.headers
        route.fulfill(status=200, content_type="text/event-stream", body=events if first else ":\n\n")

    page = opened("/docs/")
    page.route("**/_mock/journal/stream", answer)
    page.goto(f"{api.server.control}{at(api)}")
    expect(page.locator(".count")).to_have_text(f"{many} of {many}")
    expect(exchanges(page).filter(has_text=f"per_page={many}")).to_be_visible()
    assert exchanges(page).count() < 80
    page.get_by_role("listbox").press("Home")
    expect(page.locator("[aria-posinset='1']")).to_be_visible()
    assert exchanges(page).count() < 80
    # What stays in sight is not built anew, or scrolling would falter.
    page.evaluate("window.seen = document.querySelector('[aria-posinset=\"9\"]')")
    page.evaluate("document.querySelector('[role=listbox]').scrollTop = 100")
    expect(page.locator("[aria-posinset='1']")).to_have_count(1)
    expect(page.locator("[aria-posinset='25']")).to_have_count(1)
    assert page.evaluate("window.seen === document.querySelector('[aria-posinset=\"9\"]')")
    page.get_by_role("listbox").press("End")
    expect(page.locator(f"[aria-posinset='{many}']")).to_be_visible()


@contextmanager
def restarted(server: Running) -> Iterator[None]:
    """The same address, answered by a server that was started anew."""
    port = server.base.rpartition(":")[2]
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "mockserver", "serve", "--port", port],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as child:
        try:
            while not is_ready(server.control):
                assert child.poll() is None
                time.sleep(0.05)
            yield
        finally:
            child.terminate()


def test_the_page_comes_back_after_the_server_was_started_again(opened: Opening) -> None:
    with running() as server, plain.Client(timeout=60) as http:
        api = Api(server, "mine", "provider", http)
        api.get(f"{LIST}?per_page=3")
        page = opened(at(api), base=server.base)
        expect(exchanges(page)).to_contain_text("per_page=3")
    expect(page.locator("#stream")).to_contain_text("coming back")
    with restarted(server), plain.Client(timeout=60) as http:
        api = Api(server, "mine", "provider", http)
        api.get(f"{LIST}?per_page=4")
        expect(page.locator("#stream")).to_have_text("live")
        expect(exchanges(page)).to_have_count(1)
        expect(exchanges(page)).to_contain_text("per_page=4")


def test_beyond_this_machine_the_control_token_is_asked_for_and_kept_nowhere(opened: Opening) -> None:
    with running("--control-token", "sesame", host="0.0.0.0") as server:
        page = opened("/#merchants", base=server.base.replace("0.0.0.0", "127.0.0.1"))
        asked = page.get_by_label("This server wants its control token")
        asked.fill("wrong")
        page.get_by_role("button", name="Open", exact=True).click()
        expect(asked).to_be_visible()
        asked.fill("sesame")
        page.get_by_role("button", name="Open", exact=True).click()
        expect(page.get_by_label("Card of merchant 1", exact=True)).to_be_visible()
        expect(page.locator("#stream")).to_have_text("live")
        kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])")
        assert "sesame" not in kept
        page.reload()
        expect(asked).to_be_visible()


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_no_part_is_wider_than_the_page_and_axe_finds_nothing(
    api: Api, opened: Opening, width: int, dark: bool
) -> None:
    invoice = api.finalized()["id"]
    api.collect(invoice)
    api.get(f"{LIST}?perpage=1&q=id%3A1")
    api.control("POST", "/faults", json={"kind": "malformed", "count": 1})
    api.control("PUT", "/snapshots/one")
    page = opened(at(api), width=width, dark=dark)
    for part in PARTS:
        page.goto(f"{api.server.control}{at(api, part)}")
        expect(page.locator("#main table, #main [role=option], #main figure").first).to_be_visible()
        if part == "journal":
            exchanges(page).first.click()
            page.get_by_role("button", name="GEN-9").click()
        if part == "invoices":
            page.get_by_role("button", name=f"Invoice {invoice}", exact=True).click()
            expect(page.get_by_role("list", name="Its life")).to_be_visible()
        if part == "merchants":
            page.get_by_label("Card of merchant 2", exact=True).select_option("none")
            expect(page.locator("#said")).to_contain_text("no card on file")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, part
        assert objections(page) == [], part
