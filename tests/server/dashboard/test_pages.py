"""The files of the pages: where they stand, how they are sent, and what is not in them."""

from __future__ import annotations

import re
from contextlib import closing
from http.client import HTTPConnection
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from mockserver.server.process import Running, running
from tests import plain

STATIC = Path(str(files("mockserver.server.dashboard"))) / "static"
SOURCES = sorted(path for path in STATIC.rglob("*") if path.suffix in (".js", ".html", ".css"))


def test_a_browser_is_led_to_the_dashboard_and_a_client_is_not(server: Running) -> None:
    browser = plain.get(server.base, headers={"Accept": "text/html,*/*;q=0.8"})
    assert (browser.status_code, browser.headers["Location"]) == (303, "/_mock/")
    client = plain.get(server.base, headers={"Accept": "application/json"})
    assert client.status_code == 404
    assert "/api" in client.json()["message"]


@pytest.mark.parametrize(("path", "to"), [("", "/_mock/"), ("/docs", "/_mock/docs/")])
def test_a_page_without_its_slash_is_at_the_one_with_it(server: Running, path: str, to: str) -> None:
    answer = plain.get(server.control + path)
    assert (answer.status_code, answer.headers["Location"]) == (308, to)


@pytest.mark.parametrize("path", ["/", "/docs/", "/ui/app.js", "/ui/lib/dom.js", "/docs/swagger/swagger-ui-bundle.js"])
def test_every_part_is_sent_with_a_strict_policy_and_kept_as_long_as_it_is_the_same(server: Running, path: str) -> None:
    answer = plain.get(server.control + path)
    policy = answer.headers["Content-Security-Policy"]
    assert answer.status_code == 200
    assert "default-src 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    again = plain.get(server.control + path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = httpx.head(server.control + path)
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("path", ["/", "/docs/"])
def test_a_script_within_the_page_or_from_elsewhere_is_not_run(server: Running, browser: Browser, path: str) -> None:
    page = browser.new_page()
    page.route("http://elsewhere.test/**", lambda route: route.fulfill(body="window.ran = true"))
    page.goto(server.control + path)
    page.evaluate("""() => new Promise((done) => {
        const script = (of) => document.body.append(Object.assign(document.createElement("script"), of));
        script({ textContent: "window.ran = true" });
        script({ src: "http://elsewhere.test/x.js", onload: done, onerror: done });
    })""")
    assert not page.evaluate("window.ran")
    page.close()


@pytest.mark.parametrize(
    "path",
    ["/ui/", "/ui/lib/", "/ui/pages.py", "/ui/../pages.py", "/ui/%2e%2e/pages.py", "/ui/lib/../app.js",
     "/docs/swagger/x", "/docs/swagger/../__init__.py", "/x/app.js", "/ui/nowhere/app.js"],
)  # fmt: skip
def test_no_other_file_is_reachable(server: Running, path: str) -> None:
    address = httpx.URL(server.base)
    # Others tidy the path up, which would hide what a hostile client sends.
    connection = HTTPConnection(address.host, address.port, timeout=60)
    with closing(connection):
        connection.request("GET", f"/_mock{path}")
        assert connection.getresponse().status == 404


def test_the_pages_need_no_control_token_and_tell_nothing() -> None:
    with running("--control-token", "sesame", host="0.0.0.0") as server:
        base = server.base.replace("0.0.0.0", "127.0.0.1")
        for path in ("/", "/docs/", "/ui/app.js"):
            assert plain.get(f"{base}/_mock{path}").status_code == 200
        for path in ("/world", "/merchants", "/journal/stream"):
            assert plain.get(f"{base}/_mock{path}").status_code == 401


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_nothing_is_put_in_as_markup_and_no_foreign_address_is_named(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|DOMParser", text)
    for address in re.findall(r"https?://[^\s\"'`)]+", text):
        assert address.startswith(("http://www.w3.org/2000/svg", "http://127.0.0.1:3000/webhooks")), address
    if path.suffix == ".html":
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", text)


def test_the_modules_are_small_and_say_what_they_are_for() -> None:
    for path in SOURCES:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 260, path.name
        if path.suffix == ".js":
            assert lines[0].startswith("// ") and lines[0].endswith("."), path.name
