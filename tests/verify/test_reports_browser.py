"""The HTML page in a browser: nothing is cut on a phone, and the button copies commands that can be pasted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mockserver.verify.reports import make
from tests.chromium import CHROMIUM, MISSING, chromium
from tests.verify.report_streams import BILLED_TWICE, RULES, Ticking, mixed, run

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)


@pytest.fixture
def browser() -> Iterator[Any]:
    with chromium() as launched:
        yield launched


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
