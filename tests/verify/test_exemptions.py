"""Which verdicts of the fuzzer are false alarms on this API, and which are not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.verify.fuzz.exemptions import Known, Sent, open_cause

KNOWN = Known(merchant="1", digits=2, profile={"numeric_strings": "refuse"})
ADJUSTMENT = "/billing/charges/quick-adjustment"


def _sent(operation: str, path: str, *, method: str = "POST", body: Any = None, status: int = 422) -> Sent:
    headers = {"X-Selected-Client-Id": "1", "Content-Type": "application/json"}
    return Sent(operation, method, f"http://server/api{path}", headers, json.dumps(body).encode(), status)


def _adjustment(**body: Any) -> tuple[Sent, dict[str, Any]]:
    return _sent("createQuickAdjustment", ADJUSTMENT, body=body), body


@pytest.mark.parametrize(
    "body",
    [
        {"amount": 0, "description": "nothing"},
        {"amount": -3, "description": "a credit"},
        {"amount": 1.005, "description": "too fine"},
        {"amount": 1e9, "description": "too much"},
        {"amount": 5, "description": ""},
        {"amount": 5, "description": "odd \u0000"},
        {"amount": 5, "description": "plain", "beside": {"\u0000": "\ud800"}},
    ],
)
def test_an_adjustment_that_a_server_may_refuse_is_no_alarm(body: dict[str, Any]) -> None:
    sent, given = _adjustment(**body)
    assert open_cause("RejectedPositiveData", "", sent, KNOWN, given)


def test_a_plain_adjustment_that_is_refused_is_one() -> None:
    sent, given = _adjustment(amount=12.5, description="Relabelling")
    assert open_cause("RejectedPositiveData", "", sent, KNOWN, given) is None


@pytest.mark.parametrize(
    ("query", "open_"),
    [
        ("page=0", True),
        ("per_page=-5", True),
        ("q=nonsense", True),
        ("api_token=%00", True),
        ("page=2", False),
        ("", False),
    ],
)
def test_a_list_refused_for_its_page_or_search_is_no_alarm(query: str, open_: bool) -> None:
    sent = _sent("listInvoices", f"/billing/invoices?{query}", method="GET")
    assert bool(open_cause("RejectedPositiveData", "", sent, KNOWN, None)) is open_


def test_strings_for_charge_ids_are_an_alarm_only_where_they_are_refused_otherwise() -> None:
    sent = _sent("createInvoice", "/billing/invoices", body={"charge_ids": ["1"]}, status=200)
    lenient = Known(merchant="1", digits=2, profile={"numeric_strings": "accept"})
    assert open_cause("AcceptedNegativeData", "", sent, lenient, {"charge_ids": ["1"]})
    assert open_cause("AcceptedNegativeData", "", sent, KNOWN, {"charge_ids": ["1"]}) is None


def test_a_server_error_is_an_alarm_save_where_stripe_may_be_the_trouble() -> None:
    collect = _sent("collectInvoice", "/billing/invoices/1/collect", status=503)
    assert open_cause("ServerError", "", collect, KNOWN, None)
    assert open_cause("ServerError", "", _sent("listInvoices", "/billing/invoices", status=500), KNOWN, None) is None


@pytest.mark.parametrize(
    ("operation", "target", "body", "choice"),
    [
        ("listInvoices", "/billing/invoices?page=AAA", None, "page_not_a_number"),
        ("listCharges", "/billing/charges?per_page=null", None, "page_not_a_number"),
        ("createInvoice", "/billing/invoices", [1], "unreadable_body"),
        ("createInvoice", "/billing/invoices", "text", "unreadable_body"),
        ("createInvoice", "/billing/invoices", {"charge_ids": None}, "empty_charge_ids"),
        ("createInvoice", "/billing/invoices", {"charge_ids": ""}, "empty_charge_ids"),
        ("createInvoice", "/billing/invoices", {"charge_ids": {"a": 1}}, "loose_integers"),
        ("createInvoice", "/billing/invoices", {"charge_ids": [True, "+1", 2.0]}, "loose_integers"),
    ],
)
def test_what_a_server_may_let_pass_is_no_alarm_unless_it_refuses_it(
    operation: str, target: str, body: Any, choice: str
) -> None:
    sent = _sent(operation, target, method="GET" if operation.startswith("list") else "POST", body=body, status=200)
    strict = dict.fromkeys(
        ("numeric_strings", "loose_integers", "empty_charge_ids", "unreadable_body", "page_not_a_number"), "refuse"
    )
    for profile, excused in ((strict, False), (strict | {choice: "accept"}, True)):
        known = Known(merchant="1", digits=2, profile=profile)
        assert bool(open_cause("AcceptedNegativeData", "", sent, known, body)) is excused


@pytest.mark.parametrize("ids", ["all", [1.5], ["2abc"], [[1]], [None]])
def test_what_no_leniency_covers_is_an_alarm(ids: Any) -> None:
    sent = _sent("createInvoice", "/billing/invoices", body={"charge_ids": ids}, status=200)
    known = Known(merchant="1", digits=2, profile={})
    assert open_cause("AcceptedNegativeData", "", sent, known, {"charge_ids": ids}) is None
