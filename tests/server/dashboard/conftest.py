"""A browser, and pages in it that may ask nobody but their own server and may say nothing to the console."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from mockserver.server.process import Running
from tests.chromium import CHROMIUM, MISSING, chromium

Opening = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip(MISSING)
    # A machine under load takes its time.
    expect.set_options(timeout=60_000)
    with chromium() as browser:
        yield browser


@pytest.fixture
def opened(browser: Browser, server: Running) -> Iterator[Opening]:
    """Opens a page below `/_mock`; fails the test if it says something to the console or asks another address."""
    said: list[str] = []
    contexts = []

    def heard(message: ConsoleMessage) -> None:
        # An answer that is no success is told there, whatever the page makes of it.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            said.append(message.text)

    def open_page(path: str = "/", *, base: str | None = None, width: int = 1280, dark: bool = False) -> Page:
        scheme = "dark" if dark else "light"
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        own = (base or server.base) + "/"

        def asked(request: Request) -> None:
            if not request.url.startswith((own, "data:", "blob:")):
                said.append(f"asked for {request.url}")

        page.on("console", heard)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", asked)
        page.goto(f"{own}_mock{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
