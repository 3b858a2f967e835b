"""Which verdicts of the fuzzer are breaches on this API, and which say nothing against a server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

import pytest

from mockserver.verify.fuzz.exemptions import FORM_FAILURES, Known, Verdict, open_cause
from mockserver.verify.transport.billing_client import FORM_TYPE, JSON_TYPE
from mockserver.verify.transport.messages import Outgoing

KNOWN = Known(token="right", merchant="1", digits=2, most=Decimal("99999.99"))
INVOICES = "/billing/invoices"
ADJUSTMENT = "/billing/charges/quick-adjustment"
HEADERS = {"Accept": JSON_TYPE, "Authorization": "Bearer right", "X-Selected-Client-Id": "1"}
METHODS = {"listInvoices": "GET", "listCharges": "GET", "getCharge": "GET"}


def verdict(
    failure: str,
    operation: str,
    target: str,
    body: Any = None,
    *,
    status: int,
    kind: str = JSON_TYPE,
    title: str = "",
    probed: bool = False,
    method: str | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Verdict:
    content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    given = {**HEADERS, **({} if content is None else {"Content-Type": kind}), **headers}
    outgoing = Outgoing(method or METHODS.get(operation, "POST"), target, tuple(given.items()), content)
    return Verdict(failure, operation, outgoing, status, title, probed)


def refused(operation: str, target: str, body: Any = None, *, status: int = 422, **more: Any) -> bool:
    """Whether a refusal of the request, which its schema allows, is a breach."""
    return open_cause(verdict("RejectedPositiveData", operation, target, body, status=status, **more), KNOWN) is None


def accepted(operation: str, target: str, body: Any = None, *, status: int = 200, **more: Any) -> bool:
    """Whether accepting the request, which its schema does not allow, is a breach."""
    return open_cause(verdict("AcceptedNegativeData", operation, target, body, status=status, **more), KNOWN) is None


@pytest.mark.parametrize(
    "body",
    [
        {"amount": 0, "description": "nothing"},
        {"amount": -3, "description": "a credit"},
        {"amount": 1.005, "description": "too fine"},
        {"amount": 100_000, "description": "more than was ever accepted"},
        {"amount": 5, "description": ""},
        {"amount": 5, "description": "long " * 50 + "text"},
        {"amount": 5, "description": "odd \u0000"},
        {"amount": 5, "description": "plain", "beside": {"\u0000": "\ud800"}},
    ],
)
def test_an_adjustment_that_a_server_may_refuse_is_no_breach(body: dict[str, Any]) -> None:
    assert not refused("createQuickAdjustment", ADJUSTMENT, body)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"amount": 12.5, "description": "Relabelling"}, JSON_TYPE),
        (b"amount=12.5&description=Relabelling+of+25+units", FORM_TYPE),
    ],
)
def test_a_plain_adjustment_that_is_refused_is_one(body: Any, kind: str) -> None:
    assert refused("createQuickAdjustment", ADJUSTMENT, body, kind=kind)
    assert not refused("createQuickAdjustment", ADJUSTMENT, body, kind=kind, headers={"X-Selected-Client-Id": "2"})
    assert not refused("createQuickAdjustment", ADJUSTMENT, body, kind=kind, headers={"X-Other": "2"})
    assert not refused("createQuickAdjustment", ADJUSTMENT, body, kind=kind, status=405)
    assert not refused("createQuickAdjustment", ADJUSTMENT, body, kind=kind, status=413)


@pytest.mark.parametrize(
    ("query", "breach"),
    [
        ("page=0", False),
        ("page=1001", False),
        ("per_page=-5", False),
        ("per_page=50", False),
        ("q=nonsense", False),
        ("q=id%3A%227%22", False),
        ("api_token=%00", False),
        ("api_token=right", False),
        ("foo=1", False),
        ("page=1&page=1", False),
        ("page=2", True),
        ("page=2&per_page=10", True),
        ("", True),
    ],
)
def test_a_list_refused_for_what_is_odd_is_no_breach(query: str, breach: bool) -> None:
    assert refused("listInvoices", f"{INVOICES}?{query}" if query else INVOICES) is breach
    if "q=" not in query and "per_page" not in query:
        assert refused("listCharges", f"/billing/charges?{query}" if query else "/billing/charges") is breach


def test_whether_a_page_of_charges_can_be_asked_for_by_its_size_is_open() -> None:
    assert not refused("listCharges", "/billing/charges?per_page=7")


@pytest.mark.parametrize(
    ("content_type", "breach"),
    [("application/problem+json", False), ("text/json; charset=utf-8", False), ("text/html", True), ("", True)],
)
def test_json_goes_by_several_names(content_type: str, breach: bool) -> None:
    found = verdict("UndefinedContentType", "createInvoice", INVOICES, {"charge_ids": ["x"]}, status=422)
    assert (open_cause(replace(found, content_type=content_type), KNOWN) is None) is breach


@pytest.mark.parametrize("operation", ["createInvoice", "finalizeInvoice", "collectInvoice", "getCharge"])
def test_whether_a_record_is_in_the_right_state_is_no_matter_of_form(operation: str) -> None:
    path = {"createInvoice": INVOICES, "getCharge": "/billing/charges/7"}.get(operation, f"{INVOICES}/7/finalize")
    assert not refused(operation, path, status=409)


@pytest.mark.parametrize(
    ("body", "breach"),
    [
        ({"charge_ids": "all"}, True),
        ({"charge_ids": ["x"]}, True),
        ({"charge_ids": ["2abc"]}, True),
        ({"charge_ids": [2, 2.5]}, True),
        ({"charge_ids": [[2]]}, True),
        ({"charge_ids": [2, {"id": 2}]}, True),
        (b'{"charge_ids": [2, 25e-1]}', True),
        # Open: empty_charge_ids, loose_integers, numeric_strings, unreadable_body, and what is not documented.
        ({"charge_ids": None}, False),
        ({"charge_ids": ""}, False),
        ({"charge_ids": 2}, False),
        ({"charge_ids": {"a": 2}}, False),
        ({"charge_ids": {"a": "x"}}, False),
        ({"charge_ids": ["2"]}, False),
        ({"charge_ids": ["+2", " 2 ", "2.0", "2e0", "0x2"]}, False),
        ({"charge_ids": [2.0, True, None, ""]}, False),
        ({"charge_ids[]": ["x"]}, False),
        ({"charges": ["x"]}, False),
        (b'{"charge_ids": ["x"], "charge_ids": [2]}', False),
        (b'{"charge_ids": [2', False),
        (b'["x"]', False),
        (b"null", False),
    ],
)
def test_a_create_that_may_be_read_in_some_lenient_way_is_no_breach(body: Any, breach: bool) -> None:
    assert accepted("createInvoice", INVOICES, body) is breach


@pytest.mark.parametrize(
    ("body", "breach"),
    [
        (b"charge_ids[]=2&charge_ids[]=x", True),
        (b"charge_ids[]=2.5x", True),
        (b"charge_ids[]=", False),
        (b"charge_ids=x", False),
        (b"charge_ids[]=x&charge_ids=2", False),
        (b"charge_ids[0]=x", False),
        (b"charge_ids[]=%202", False),
    ],
)
def test_the_same_for_a_form(body: bytes, breach: bool) -> None:
    assert accepted("createInvoice", INVOICES, body, kind=FORM_TYPE) is breach


@pytest.mark.parametrize(
    ("body", "breach"),
    [
        (b"", True),
        ({}, True),
        ({"amount": 5}, True),
        ({"description": "x"}, True),
        ({"amount": None, "description": "x"}, True),
        ({"amount": "much", "description": "x"}, True),
        ({"amount": [5], "description": "x"}, True),
        ({"amount": 5, "description": {"a": "x"}}, True),
        ({"amount": "12.50", "description": "x"}, False),
        ({"amount": True, "description": "x"}, False),
        ({"amount": 5, "description": 0}, False),
        ({"amount": 5, "description": "x", "beside": {}}, False),
        (b"[5]", False),
        (b'{"amount": 5', False),
    ],
)
def test_an_adjustment_that_no_reading_makes_sound_is_a_breach(body: Any, breach: bool) -> None:
    assert accepted("createQuickAdjustment", ADJUSTMENT, body) is breach


@pytest.mark.parametrize(
    ("spelling", "breach"),
    [("abc", True), ("2abc", True), ("null%2Cnull", True), ("02", False), ("2.0", False), ("%202", False), ("", False)],
)
def test_what_is_no_integer_names_no_record(spelling: str, breach: bool) -> None:
    assert accepted("finalizeInvoice", f"{INVOICES}/{spelling}/finalize") is breach
    assert accepted("getCharge", f"/billing/charges/{spelling}") is breach


@pytest.mark.parametrize("query", ["page=first", "per_page=", "q[]=x", "foo=1", "page=1&page=x", "api_token[]=x"])
def test_a_list_may_be_lenient(query: str) -> None:
    assert not accepted("listInvoices", f"{INVOICES}?{query}")


def test_whatever_is_odd_beside_it_leaves_open_what_is_wrong() -> None:
    assert accepted("createInvoice", INVOICES, {"charge_ids": ["x"]})
    assert not accepted("createInvoice", f"{INVOICES}?charge_ids[]=2", {"charge_ids": ["x"]})
    assert not accepted("createInvoice", INVOICES, {"charge_ids": ["x"]}, headers={"X-Selected-Client-Id": "abc"})


@pytest.mark.parametrize("status", [402, 405, 409, 413, 415, 429])
def test_which_status_refuses_is_open(status: int) -> None:
    assert not accepted("createInvoice", INVOICES, {"charge_ids": ["x"]}, status=status)


def test_a_server_error_is_a_breach_whatever_was_asked_save_where_stripe_may_be_the_trouble() -> None:
    def is_breach(operation: str, target: str, status: int = 500, **more: Any) -> bool:
        return open_cause(verdict("ServerError", operation, target, status=status, **more), KNOWN) is None

    assert is_breach("listInvoices", INVOICES)
    assert is_breach("listInvoices", f"{INVOICES}?q[]=%FF&api_token=x")
    assert is_breach("getCharge", "/billing/charges/%00")
    assert is_breach("listInvoices", INVOICES, method="PUT")
    assert not is_breach("listInvoices", INVOICES, 501, method="PUT")
    assert not is_breach("collectInvoice", f"{INVOICES}/1/collect", 503)


@pytest.mark.parametrize("failure", sorted(FORM_FAILURES))
def test_a_wrong_form_is_a_breach_whatever_was_asked_save_where_a_web_server_may_have_answered(failure: str) -> None:
    def is_breach(target: str, status: int) -> bool:
        return open_cause(verdict(failure, "getCharge", target, status=status), KNOWN) is None

    assert is_breach("/billing/charges/7", 200)
    assert is_breach("/billing/charges/7?api_token=x", 422)
    assert is_breach("/billing/charges/%00", 200)
    assert not is_breach("/billing/charges/%00", 400)
    assert not is_breach("/billing/charges/7", 414)


@pytest.mark.parametrize("status", [200, 204, 404, 405])
def test_what_an_undocumented_method_does_is_open(status: int) -> None:
    for failure in ("UnsupportedMethodResponse", "AllowHeaderMismatch"):
        assert open_cause(verdict(failure, "listInvoices", INVOICES, status=status, method="PUT"), KNOWN)


def test_a_stranger_who_is_let_in_is_a_breach() -> None:
    def is_breach(target: str = INVOICES, **more: Any) -> bool:
        return open_cause(verdict("IgnoredAuth", "listInvoices", target, status=200, **more), KNOWN) is None

    wrong = {"Authorization": "Bearer wrong"}
    assert is_breach(headers=wrong)
    assert is_breach(f"{INVOICES}?page=first", headers=wrong)
    assert not is_breach()
    # Which of two tokens counts is open; here one of them is right.
    assert not is_breach(f"{INVOICES}?api_token=right", headers=wrong)
    assert not is_breach(f"{INVOICES}?api_token=wrong")


def test_a_probe_without_its_token_may_fail_for_what_else_is_odd() -> None:
    def is_breach(target: str, title: str) -> bool:
        return (
            open_cause(verdict("IgnoredAuth", "listInvoices", target, status=200, title=title, probed=True), KNOWN)
            is None
        )

    accepts, unexpected = "API accepts requests without authentication", "Unexpected response to a request"
    assert is_breach(INVOICES, accepts)
    assert is_breach(INVOICES, unexpected)
    assert is_breach(f"{INVOICES}?page=first", accepts)
    assert not is_breach(f"{INVOICES}?page=first", unexpected)


def test_other_checks_are_judged_on_canonical_requests_of_our_own_merchant_alone() -> None:
    def is_breach(target: str, **more: Any) -> bool:
        found = verdict("EnsureResourceAvailability", "getCharge", target, status=404, **more)
        return open_cause(found, KNOWN) is None

    assert is_breach("/billing/charges/7")
    assert not is_breach("/billing/charges/07")
    assert not is_breach("/billing/charges/7", headers={"X-Selected-Client-Id": "2"})


def test_a_form_of_more_than_it_is_documented_for_is_no_alarm() -> None:
    body = urlencode([("amount", "5"), ("description", "x"), ("beside", "1")]).encode()
    assert not refused("createQuickAdjustment", ADJUSTMENT, body, kind=FORM_TYPE)
