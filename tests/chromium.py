"""The Chromium that the tests and the benchmarks drive."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.clock import true_time

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MISSING = "no Chromium is installed: apt-get install chromium brings it"


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, for as long as it is used."""
    if CHROMIUM is None:
        raise FileNotFoundError(MISSING)
    # Within a container Chromium's own sandbox can't be set up for root.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with ExitStack() as ending:
        # Under faketime it turns on the spot.
        with true_time():
            playwright = ending.enter_context(sync_playwright())
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        ending.callback(browser.close)
        yield browser
