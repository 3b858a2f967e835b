"""What a real browser recorded of its session, and the forms in which other programs export theirs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result
from playwright.sync_api import Page

from mockserver.cli.main import main
from mockserver.server.process import running as fake
from tests.chromium import CHROMIUM, MISSING, chromium
from tests.mutants.catalogue.every import FAULTS
from tests.mutants.server import running
from tests.watch.traffic import finalized, invoice, page

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
WORK = """
async (token) => {
  const ask = async (method, path, body) => {
    const headers = { Accept: "application/json", Authorization: `Bearer ${token}`, "X-Selected-Client-Id": "1" };
    if (body) headers["Content-Type"] = "application/json";
    const answer = await fetch(`/api/billing/${path}`, { method, headers, body: body && JSON.stringify(body) });
    return answer.json();
  };
  const { charge } = await ask("POST", "charges/quick-adjustment", { amount: 12.5, description: "Relabelling" });
  const { invoice } = await ask("POST", "invoices", { charge_ids: [charge.id] });
  await ask("GET", "invoices");
  await ask("POST", `invoices/${invoice.id}/finalize`);
  await ask("POST", `invoices/${invoice.id}/collect`);
  await ask("POST", "invoices", { charge_ids: [charge.id] });
  return ask("GET", "invoices?q=" + encodeURIComponent(`id:"${invoice.id}"`));
}
"""


@contextmanager
def recording(file: Path) -> Iterator[Page]:
    """A page whose traffic is in the file afterwards."""
    with chromium() as browser:
        context = browser.new_context(record_har_path=file)
        yield context.new_page()
        context.close()


def checked(file: Path) -> Result:
    return CliRunner().invoke(main, ["check", str(file)])


@needs_chromium
def test_the_session_of_a_real_browser_is_judged_and_sound(tmp_path: Path) -> None:
    file = tmp_path / "session.har"
    with fake("--stripe-delay", "0") as server, recording(file) as browser:
        browser.goto(f"{server.base}/_mock/docs/")
        found = browser.evaluate(WORK, "provider")
    assert found["data"][0]["stripe_invoice_status"] == "paid"
    result = checked(file)
    assert result.exit_code == 0, result.output
    assert "7 exchanges with the API were judged" in result.output
    assert "not of the API" in result.output


@needs_chromium
def test_the_session_of_a_real_browser_gives_a_faulty_server_away(tmp_path: Path) -> None:
    file = tmp_path / "session.har"
    with running(FAULTS["invoiced_charges_are_taken_again"]) as server, recording(file) as browser:
        browser.goto(server.url)
        browser.evaluate(WORK, "merchant1")
    result = checked(file)
    assert result.exit_code == 1, result.output
    assert "CREATE-4" in result.output


def _firefox(second: int, row: dict[str, Any]) -> dict[str, Any]:
    """As the network panel of Firefox saves it: local time, HTTP/2, sizes of what was packed."""
    text = orjson.dumps(page([row])).decode()
    return {
        "startedDateTime": f"2026-11-02T11:00:{second:02}.123+01:00",
        "request": {
            "bodySize": 0,
            "method": "GET",
            "url": "https://portal.example.com/api/billing/invoices",
            "httpVersion": "HTTP/2",
            "headers": [
                {"name": "Host", "value": "portal.example.com"},
                {"name": "Accept", "value": "application/json, text/plain, */*"},
                {"name": "Authorization", "value": "Bearer hush-hush"},
            ],
            "cookies": [],
            "queryString": [],
            "headersSize": 480,
        },
        "response": {
            "status": 200,
            "statusText": "",
            "httpVersion": "HTTP/2",
            "headers": [
                {"name": "content-type", "value": "application/json"},
                {"name": "content-encoding", "value": "br"},
                {"name": "X-Firefox-Spdy", "value": "h2"},
            ],
            "cookies": [],
            "content": {"mimeType": "application/json", "size": len(text), "text": text},
            "redirectURL": "",
            "headersSize": 310,
            "bodySize": 420,
        },
        "cache": {},
        "timings": {"blocked": 0, "dns": 0, "connect": 0, "ssl": 0, "send": 0, "wait": 41, "receive": 0},
        "time": 41,
        "_securityState": "secure",
        "serverIPAddress": "192.0.2.7",
        "connection": "443",
        "pageref": "page_1",
    }


def _mitmproxy(second: int, row: dict[str, Any]) -> dict[str, Any]:
    """As `save.har` of mitmproxy writes it: microseconds, times with fractions, HTTP/2 without its pseudo-headers."""
    text = orjson.dumps(page([row])).decode()
    return {
        "startedDateTime": f"2026-11-02T10:00:{second:02}.123456+00:00",
        "time": 41.53227806091309,
        "request": {
            "method": "GET",
            "url": "https://portal.example.com/api/billing/invoices",
            "httpVersion": "HTTP/2.0",
            "cookies": [],
            "headers": [
                {"name": "accept", "value": "application/json"},
                {"name": "authorization", "value": "Bearer hush-hush"},
            ],
            "queryString": [],
            "headersSize": 231,
            "bodySize": 0,
        },
        "response": {
            "status": 200,
            "statusText": "",
            "httpVersion": "HTTP/2.0",
            "cookies": [],
            "headers": [{"name": "content-type", "value": "application/json"}],
            "content": {"size": len(text), "compression": 0, "mimeType": "application/json", "text": text},
            "redirectURL": "",
            "headersSize": 205,
            "bodySize": len(text),
        },
        "cache": {},
        "timings": {"connect": -1.0, "ssl": -1.0, "send": 0.4, "receive": 0.2, "wait": 40.9},
        "serverIPAddress": "192.0.2.7",
    }


@pytest.mark.parametrize("form", [_firefox, _mitmproxy])
@pytest.mark.parametrize(
    ("rows", "code"),
    [((invoice(1), finalized(1)), 0), ((finalized(1), invoice(1)), 1)],
    ids=["sound", "broken"],
)
def test_what_other_programs_recorded_is_judged(
    form: Any, rows: tuple[dict[str, Any], ...], code: int, tmp_path: Path
) -> None:
    file = tmp_path / "session.har"
    entries = [form(second, row) for second, row in enumerate(rows, 1)]
    log = {"version": "1.2", "creator": {"name": form.__name__, "version": "1"}, "pages": [], "entries": entries}
    file.write_bytes(orjson.dumps({"log": log}))
    result = checked(file)
    assert result.exit_code == code, result.output
    assert "2 exchanges with the API were judged" in result.output
    assert "hush-hush" not in result.output
