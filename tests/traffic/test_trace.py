"""Every answer says in a header what decided it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Api


@pytest.mark.parametrize(
    ("method", "path", "kwargs", "trace"),
    [
        ("GET", "/billing/invoices", {}, "LIST-1"),
        ("GET", '/billing/invoices?q=id:"1"', {}, "SEARCH-6"),
        ("GET", "/billing/invoices", {"token": "stranger"}, "GEN-4"),
        ("GET", "/billing/nothing", {}, "GEN-5"),
        ("GET", "/billing/invoices?page=0", {}, "profile:page_below_one"),
        ("POST", "/billing/invoices/4711/finalize", {}, "FINALIZE-3 COLLECT-5"),
        ("POST", "/billing/invoices", {"json": {"charge_ids": [1, 1]}}, "profile:duplicate_charge_ids"),
        ("GET", "/billing/charges/1", {"headers": {"Prefer": "code=500"}}, "prefer:code=500"),
    ],
)
def test_the_trace_names_what_decided(api: Api, method: str, path: str, kwargs: dict[str, Any], trace: str) -> None:
    assert api.request(method, path, **kwargs).headers["X-Mock-Trace"] == trace


def test_the_trace_names_the_outcome(api: Api) -> None:
    assert api.collect(api.finalized()["id"]).headers["X-Mock-Trace"] == "COLLECT-3 outcome:succeeded"


def test_the_trace_names_the_faults_and_what_chance_chose(api: Api) -> None:
    for fault in ({"kind": "latency", "delay": 0}, {"kind": "schema", "way": "shape"}):
        assert api.control("POST", "/faults", json=fault).status_code == 201
    trace = api.get("/billing/invoices").headers["X-Mock-Trace"]
    assert trace == "LIST-1 fault:1:latency fault:2:schema:shape"


def test_pages_of_other_origins_may_read_the_trace(api: Api) -> None:
    answer = api.get("/billing/invoices", headers={"Origin": "https://app.example"})
    exposed = answer.headers["Access-Control-Expose-Headers"]
    assert {"X-Mock-Trace", "X-Mock-Warning", "Preference-Applied", "Retry-After"} <= set(exposed.split(", "))
