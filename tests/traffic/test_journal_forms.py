"""The journal in other forms: as HAR, as curl commands, as tests; each says the same again."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Api
from tests.traffic.reading import LIST, entries


def test_the_har_has_all_that_har_1_2_asks_for(api: Api) -> None:
    api.create(api.charge()["id"])
    api.get(f"{LIST}?q=id:%221%22&page=1")
    with pytest.raises(httpx.TransportError):
        api.get(LIST, headers={"Prefer": "fault=empty"})
    log = api.control("GET", "/journal", params={"format": "har"}).json()["log"]
    assert log["version"] == "1.2"
    assert set(log["creator"]) == {"name", "version"}
    assert len(log["entries"]) == 4
    for entry in log["entries"]:
        assert datetime.fromisoformat(entry["startedDateTime"])
        assert entry["time"] == sum(entry["timings"].values())
        assert set(entry["timings"]) == {"send", "wait", "receive"}
        assert entry["cache"] == {}
        request, response = entry["request"], entry["response"]
        asked = {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"}
        assert asked <= set(request) <= asked | {"postData"}
        answered = {"status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL"}
        assert set(response) == answered | {"headersSize", "bodySize"}
        assert all(set(pair) == {"name", "value"} for pair in request["headers"] + response["headers"])
        assert {"size", "mimeType"} <= set(response["content"])
    _, created, listed, cut = log["entries"]
    assert created["request"]["postData"]["mimeType"] == "application/json"
    assert json.loads(created["request"]["postData"]["text"])["charge_ids"]
    assert json.loads(created["response"]["content"]["text"])["invoice"]["status"] == "Draft"
    pairs = [{"name": "q", "value": 'id:"1"'}, {"name": "page", "value": "1"}]
    assert listed["request"]["queryString"] == pairs
    assert (cut["response"]["status"], cut["response"]["content"]["text"]) == (0, "")


@pytest.mark.parametrize(
    ("method", "path", "kwargs"),
    [
        ("GET", f"{LIST}?q=id:%22{{}}%22", {}),
        ("POST", "/billing/charges/quick-adjustment", {"json": {"amount": 1, "description": "It's Zoë's $5 `box`\n@"}}),
        ("POST", "/billing/charges/quick-adjustment", {"data": {"amount": 1, "description": "a&b=c ü"}}),
        ("POST", LIST, {"content": b"\xff\x00\n'"}),
        ("POST", LIST, {"json": {"charge_ids": [22]}}),
        ("HEAD", LIST, {}),
        ("GET", "/billing/charges/a%20b%25%3F%C3%BC%23", {}),
    ],
)
def test_a_curl_command_asks_the_same_again(api: Api, method: str, path: str, kwargs: dict[str, Any]) -> None:
    api.request(method, path, headers={"X-Selected-Client-Id": "1", "X-Empty": ""}, **kwargs)
    answer = api.control("GET", "/journal", params={"format": "curl"})
    assert answer.headers["Content-Type"].startswith("text/plain")
    subprocess.run(["sh", "-c", answer.text.strip()], check=True, capture_output=True, timeout=60)
    first, second = entries(api)
    ours = {"accept-encoding", "connection", "content-length"}
    for entry in (first, second):
        entry["request"]["headers"] = {k: v for k, v in entry["request"]["headers"].items() if k not in ours}
    assert first["request"] == second["request"]


def test_the_journal_as_tests_sends_the_same_requests_and_finds_the_same_answers(api: Api, tmp_path: Path) -> None:
    api.get("/billing/invoices", params={"q": 'id:"1"', "per_page": 2})
    api.charge(12.5)
    form = {"amount": "7", "description": "ein “Stück” <b>\\'\"\n"}
    api.post("/billing/charges/quick-adjustment", data=form, headers={"X-Selected-Client-Id": "1"})
    api.post("/billing/invoices", content=b'{"charge_ids": [', headers={"Content-Type": "application/json"})
    api.post("/billing/invoices/1/collect")
    with pytest.raises(httpx.TransportError):
        api.get("/billing/invoices", headers={"Prefer": "fault=reset"})
    answer = api.control("GET", "/journal", params={"format": "pytest"})
    assert answer.headers["Content-Type"].startswith("text/plain")
    [alone] = re.findall(r"(def test_\w+)\(", api.control("GET", "/journal/1", params={"format": "pytest"}).text)
    assert alone == "def test_list_invoices_1"
    file = tmp_path / "test_again.py"
    file.write_text(answer.text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--mockserver-url", api.server.base]
    again = subprocess.run(
        [*command, "-o", "mockserver_token=provider", str(file)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert "6 passed" in again.stdout, again.stdout
