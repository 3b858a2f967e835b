"""How one gets about in the dashboard, and what axe says of it."""

from __future__ import annotations

from urllib.parse import quote

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page

from tests.conftest import Api

PARTS = ("journal", "invoices", "merchants", "faults", "time", "webhooks", "worlds", "figures")
LIST = "/billing/invoices"


def at(api: Api, part: str = "journal") -> str:
    return f"/?world={quote(api.world)}#{part}"


def turn_to(page: Page, name: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=name).click()


def exchanges(page: Page) -> Locator:
    return page.get_by_role("listbox").get_by_role("option")


WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa")


def objections(page: Page, *tags: str) -> list[str]:
    """What axe has against the page by its rules of these kinds: without any, of WCAG 2.1 and of good practice."""
    only = {"runOnly": {"type": "tag", "values": tags}} if tags else {}
    found = Axe().run(page, options={"resultTypes": ["violations"], **only}).response["violations"]
    return [f"{one['id']}: {node['html'][:200]} {node['failureSummary']}" for one in found for node in one["nodes"]]
