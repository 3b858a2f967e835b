"""The HTML page in a browser: nothing is cut on a phone, and the button copies commands that can be pasted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mockserver.verify.reports import make
from tests.verify.report_streams import BILLED_TWICE, RULES, Ticking, mixed, run

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")


@pytest.fixture
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


def address(directory: Path, stream: list[Any]) -> str:
    (report,) = make(["html"], directory, rules=RULES, clock=Ticking())
    for event in stream:
        report(event)
    return (directory / "report.html").as_uri()


def test_the_button_copies_the_commands_of_its_card(browser: Any, tmp_path: Path) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(address(tmp_path, run(BILLED_TWICE)))
    page.get_by_role("button", name="Copy the commands").click()
    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("charge_1=$(curl -sS -X POST http://127.0.0.1:8000/api/billing/charges/quick-adjustment")
    assert copied.count("curl") == 3
    assert "201 Created" not in copied


def test_without_the_right_to_copy_the_commands_are_selected(browser: Any, tmp_path: Path) -> None:
    page = browser.new_page()
    page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error('no'))")
    page.goto(address(tmp_path, run(BILLED_TWICE)))
    page.get_by_role("button", name="Copy the commands").click()
    page.get_by_role("button", name="Selected").wait_for()
    assert "quick-adjustment" in page.evaluate("getSelection().toString()")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_cut_at_any_width(browser: Any, tmp_path: Path, width: int, scheme: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(address(tmp_path, mixed()))
    assert page.evaluate("document.documentElement.scrollWidth") == width
    beyond = "[...document.querySelectorAll('main *')].filter(one => one.getBoundingClientRect().right > innerWidth)"
    assert page.evaluate(f"{beyond}.map(one => one.outerHTML)") == []
    assert complaints == [], "the page's own policy refuses nothing of it"
