"""The one function that says which requests have a meaning, tried on a table of spellings, plain and odd."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.verify.monitor.canonical import (
    Part,
    RequestReading,
    charges_within,
    ids_in_path,
    may_be_turned_away,
    read_request,
)
from mockserver.verify.transport.billing_client import FORM_TYPE, JSON_TYPE
from mockserver.verify.transport.messages import Outgoing

PATHS = {
    "listInvoices": ("GET", "/billing/invoices"),
    "createInvoice": ("POST", "/billing/invoices"),
    "finalizeInvoice": ("POST", "/billing/invoices/7/finalize"),
    "collectInvoice": ("POST", "/billing/invoices/7/collect"),
    "listCharges": ("GET", "/billing/charges"),
    "getCharge": ("GET", "/billing/charges/7"),
    "createQuickAdjustment": ("POST", "/billing/charges/quick-adjustment"),
}
PLAIN = {"Accept": JSON_TYPE, "User-Agent": "a test", "Authorization": "Bearer t0k-en", "X-Selected-Client-Id": "1"}


def sent(operation: str, target: str = "", body: bytes | None = None, kind: str | None = None, **more: Any) -> Outgoing:
    """A request to the operation; `target` in place of the plain one, or a query to be added to it."""
    method, path = PATHS[operation]
    headers = PLAIN | ({} if kind is None else {"Content-Type": kind}) | more.get("headers", {})
    pairs = tuple((name, value) for name, value in headers.items() if value is not None)
    if not target or target.startswith("?"):
        target = path + target
    return Outgoing(more.get("method", method), target, (*pairs, *more.get("extra", ())), body)


def read(
    operation: str, target: str = "", body: bytes | None = None, kind: str | None = None, **more: Any
) -> RequestReading:
    return read_request(operation, sent(operation, target, body, kind, **more))


def odd(reading: RequestReading) -> set[Part]:
    return set(reading.odd)


@pytest.mark.parametrize("operation", sorted(set(PATHS) - {"createQuickAdjustment"}))
def test_what_the_verifier_sends_by_itself_is_canonical(operation: str) -> None:
    reading = read(operation)
    assert reading.canonical
    assert (reading.token, reading.merchant) == ("t0k-en", "1")
    assert reading.record == (7 if "7" in PATHS[operation][1] else None)


def test_an_operation_that_is_none_is_never_canonical() -> None:
    assert not read_request("deleteInvoice", sent("getCharge")).canonical


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("?page=2&per_page=50", {"page": "2", "per_page": "50"}),
        ("?q=id%3A%227%22", {"q": 'id:"7"'}),
        ("?q=id%3E%3D%227%22+AND+id%21%3A%229%22", {"q": 'id>="7" AND id!:"9"'}),
        ("?q=created_at%24DATE%3C%3D%222026-02-28%22", {"q": 'created_at$DATE<="2026-02-28"'}),
        ("?q=stripe_invoice_id%7E%22in_1%22%20OR%20id:%227%22", {"q": 'stripe_invoice_id~"in_1" OR id:"7"'}),
    ],
)
def test_plain_queries(query: str, values: dict[str, str]) -> None:
    reading = read("listInvoices", query)
    assert reading.canonical
    assert dict(reading.query) == values


@pytest.mark.parametrize(
    "query",
    [
        "?page=first",
        "?page=0",
        "?page=-1",
        "?page=+1",
        "?page=01",
        "?page=1.0",
        "?page=1e1",
        "?page=",
        "?page",
        "?page=9999999999",
        "?page=%D9%A1",
        "?page=1&page=2",
        "?page[]=1",
        "?Page=1",
        "?page=1&",
        "?&page=1",
        "?page=1;per_page=2",
        "?per_page=many",
        "?sort=id",
        "?q=",
        "?q[]=id%3A%227%22",
        "?q=nonsense",
        "?q=id%3A7",
        "?q=id%3A%2207%22",
        "?q=id%3A%22seven%22",
        "?q=id%7E%227%22",
        "?q=ID%3A%227%22",
        "?q=total%3A%227%22",
        "?q=created_at%3A%222026-02-28%22",
        "?q=created_at%24DATE%3A%222026-02-30%22",
        "?q=created_at%24DATE%3A%22tomorrow%22",
        "?q=id%3A%227%22+and+id%3A%229%22",
        "?q=id%3A%227%22++AND+id%3A%229%22",
        "?q=(id%3A%227%22)",
        "?q=id%3A%227%22+AND",
        "?q=%00",
        "?q=%FF",
        "?q=%zz",
        "?q=é",
    ],
)
def test_odd_queries_leave_the_caller_known(query: str) -> None:
    reading = read("listInvoices", query)
    assert odd(reading) == {"query"}
    assert reading.query == {}
    assert reading.token == "t0k-en"


@pytest.mark.parametrize("operation", ["createInvoice", "finalizeInvoice", "getCharge"])
def test_where_no_parameter_is_documented_any_is_odd(operation: str) -> None:
    assert odd(read(operation, "?page=1")) == {"query"}


@pytest.mark.parametrize(
    "target",
    [
        "/billing/invoices/007/finalize",
        "/billing/invoices/%37/finalize",
        "/billing/invoices/7abc/finalize",
        "/billing/invoices/7.0/finalize",
        "/billing/invoices/+7/finalize",
        "/billing/invoices/-7/finalize",
        "/billing/invoices/0/finalize",
        "/billing/invoices/%207/finalize",
        "/billing/invoices/7%00/finalize",
        "/billing/invoices/99999999999999999999/finalize",
        "/billing/invoices/7/finalize/",
        "/billing//invoices/7/finalize",
    ],
)
def test_odd_paths_name_no_record(target: str) -> None:
    reading = read("finalizeInvoice", target)
    assert odd(reading) == {"path"}
    assert reading.record is None


@pytest.mark.parametrize(
    ("more", "parts"),
    [
        ({"headers": {"Authorization": None}}, set()),
        ({"headers": {"Authorization": None}, "target": "?api_token=t0k-en"}, set()),
        ({"headers": {"X-Selected-Client-Id": None}}, set()),
        ({"target": "?api_token=t0k-en"}, {"caller"}),
        ({"target": "?api_token="}, {"caller"}),
        ({"target": "?api_token[]=x"}, {"caller", "query"}),
        ({"headers": {"Authorization": None}, "target": "?api_token=a&api_token=b"}, {"caller", "query"}),
        ({"headers": {"Authorization": "bearer t0k-en"}}, {"caller"}),
        ({"headers": {"Authorization": "Bearer"}}, {"caller"}),
        ({"headers": {"Authorization": "Basic dDprLWVu"}}, {"caller"}),
        ({"headers": {"X-Selected-Client-Id": "01"}}, {"caller"}),
        ({"headers": {"X-Selected-Client-Id": "abc"}}, {"caller"}),
        ({"headers": {"X-Selected-Client-Id": ""}}, {"caller"}),
        ({"extra": (("x-selected-client-id", "2"),)}, {"caller", "headers"}),
        ({"extra": (("Cookie", "session=1"),)}, {"caller", "headers"}),
        ({"extra": (("X-HTTP-Method-Override", "DELETE"),)}, {"headers"}),
        ({"headers": {"Accept": "text/html"}}, {"headers"}),
        ({"method": "HEAD"}, {"method"}),
        ({"body": b"{}", "kind": JSON_TYPE}, {"body"}),
        ({"kind": JSON_TYPE}, {"body"}),
    ],
)
def test_callers_and_headers(more: dict[str, Any], parts: set[Part]) -> None:
    assert odd(read("listInvoices", **more)) == parts


@pytest.mark.parametrize(
    ("body", "kind", "charges"),
    [
        (None, None, None),
        (b"{}", JSON_TYPE, None),
        (b'{"charge_ids": []}', JSON_TYPE, None),
        (b'{"charge_ids": [383, 384]}', JSON_TYPE, (383, 384)),
        (b' {"charge_ids":\n[383]} ', "application/json; charset=utf-8", (383,)),
        (b'{"charge_ids": [1882594211553346396]}', JSON_TYPE, (1882594211553346396,)),
        (b"charge_ids%5B%5D=383&charge_ids%5B%5D=384", FORM_TYPE, (383, 384)),
        (b"charge_ids[]=383", FORM_TYPE, (383,)),
    ],
)
def test_plain_creates(body: bytes | None, kind: str | None, charges: tuple[int, ...] | None) -> None:
    reading = read("createInvoice", "", body, kind)
    assert reading.canonical
    assert reading.charges == charges


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        # What PHP, a framework of lists and one that refuses read in three ways.
        (b"charge_ids[]=383&charge_ids=384", FORM_TYPE),
        (b"charge_ids=383", FORM_TYPE),
        (b"charge_ids[0]=383", FORM_TYPE),
        (b"charge_ids[]=383&charge_ids[]=383", FORM_TYPE),
        (b"charge_ids[]=0383", FORM_TYPE),
        (b"charge_ids[]=+383", FORM_TYPE),
        (b"charge_ids[]=", FORM_TYPE),
        (b"charge_ids[]=383&", FORM_TYPE),
        (b"charge_ids[]=383&status=Paid", FORM_TYPE),
        (b"", FORM_TYPE),
        (b"charge_ids[]=383", JSON_TYPE),
        (b'{"charge_ids": [383]}', FORM_TYPE),
        (b'{"charge_ids": [383]}', None),
        (b'{"charge_ids": [383]}', "text/plain"),
        (b'{"charge_ids": [383]}', "application/json; charset=utf-16"),
        (None, JSON_TYPE),
        (b"[383]", JSON_TYPE),
        (b"null", JSON_TYPE),
        (b'{"charge_ids": [', JSON_TYPE),
        (b'\xef\xbb\xbf{"charge_ids": [383]}', JSON_TYPE),
        (b'{"charge_ids": null}', JSON_TYPE),
        (b'{"charge_ids": ""}', JSON_TYPE),
        (b'{"charge_ids": 383}', JSON_TYPE),
        (b'{"charge_ids": {"a": 383}}', JSON_TYPE),
        (b'{"charge_ids": ["383"]}', JSON_TYPE),
        (b'{"charge_ids": ["+383"]}', JSON_TYPE),
        (b'{"charge_ids": [383.0]}', JSON_TYPE),
        (b'{"charge_ids": [3.83e2]}', JSON_TYPE),
        (b'{"charge_ids": [true]}', JSON_TYPE),
        (b'{"charge_ids": [-383]}', JSON_TYPE),
        (b'{"charge_ids": [0]}', JSON_TYPE),
        (b'{"charge_ids": [383, 383]}', JSON_TYPE),
        (b'{"charge_ids": [383], "charge_ids": [384]}', JSON_TYPE),
        (b'{"charge_ids": [383], "status": "Paid"}', JSON_TYPE),
        (b'{"charge_\\u0069ds": [383]}', JSON_TYPE),
        (b'{"charge_ids": [99999999999999999999]}', JSON_TYPE),
        (b'{"charge_ids": [NaN]}', JSON_TYPE),
        (b"[" * 100_000, JSON_TYPE),
        (b"\xff", JSON_TYPE),
    ],
)
def test_odd_creates_name_no_charge(body: bytes | None, kind: str | None) -> None:
    reading = read("createInvoice", "", body, kind)
    assert odd(reading) == {"body"}
    assert reading.charges is None


def test_a_token_in_a_body_leaves_open_whose_request_it_is() -> None:
    assert odd(read("createInvoice", "", b'{"api_token": "x"}', JSON_TYPE)) == {"caller", "body"}


@pytest.mark.parametrize(
    ("body", "kind", "amount"),
    [
        (b'{"amount": 12.5, "description": "Relabelling of 25 units"}', JSON_TYPE, "12.5"),
        (b'{"description": "a credit", "amount": -3}', JSON_TYPE, "-3"),
        (b"amount=12.50&description=by+form", FORM_TYPE, "12.50"),
    ],
)
def test_plain_adjustments(body: bytes, kind: str, amount: str) -> None:
    reading = read("createQuickAdjustment", "", body, kind)
    assert reading.canonical
    assert str(reading.amount) == amount


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (None, None),
        (b"{}", JSON_TYPE),
        (b'{"amount": 5}', JSON_TYPE),
        (b'{"amount": "5", "description": "x"}', JSON_TYPE),
        (b'{"amount": 5e0, "description": "x"}', JSON_TYPE),
        (b'{"amount": true, "description": "x"}', JSON_TYPE),
        (b'{"amount": -0, "description": "x"}', JSON_TYPE),
        (b'{"amount": 5, "description": 0}', JSON_TYPE),
        (b'{"amount": 5, "description": ""}', JSON_TYPE),
        (b'{"amount": 5, "description": " x "}', JSON_TYPE),
        ('{"amount": 5, "description": "é"}'.encode(), JSON_TYPE),
        (b'{"amount": 5, "description": "a\\tb"}', JSON_TYPE),
        (b'{"amount": 5, "description": "x", "beside": 1}', JSON_TYPE),
        (b"amount=5&amount=6&description=x", FORM_TYPE),
        (b"amount=5,00&description=x", FORM_TYPE),
        (b"amount=5", FORM_TYPE),
    ],
)
def test_odd_adjustments(body: bytes | None, kind: str | None) -> None:
    assert odd(read("createQuickAdjustment", "", body, kind)) == {"body"}


@pytest.mark.parametrize(
    ("target", "status", "by_itself"),
    [
        ("/billing/charges/%00", 400, True),
        ("/billing/charges/%00", 404, True),
        ("/billing/charges/%00", 500, False),
        ("/billing/charges/%00", 200, False),
        ("/billing/charges/a%2Fb", 404, True),
        ("/billing/charges/a%5Cb", 400, True),
        ("/billing/charges/%FF", 400, True),
        ("/billing/charges/..%2F7", 404, True),
        ("/billing/charges/abc", 404, False),
        ("/billing/charges/%C3%A9", 404, False),
        ("/billing/charges/7", 413, True),
        ("/billing/charges/7", 414, True),
        ("/billing/charges/7", 431, True),
        ("/billing/charges/7", 422, False),
        ("/billing/charges/", 301, True),
        ("/billing/charges", 302, False),
        ("/billing/charges?page=" + "9" * 3_000, 400, True),
        ("/billing/charges?page=%00", 422, False),
        ("/billing/charges?q=%27;+--", 403, True),
        ("/billing/charges?q=5+or+1", 406, True),
        ("/billing/charges?q=%27;+--", 422, False),
        ("/billing/charges?q=id%3E%3D%225%22", 403, False),
        ("/billing/charges", 403, False),
    ],
)
def test_what_a_web_server_in_front_turns_away(target: str, status: int, by_itself: bool) -> None:
    assert may_be_turned_away(sent("listCharges", target), status) is by_itself


@pytest.mark.parametrize("value", ["é", "1\x00", "1" * 5_000])
def test_a_header_may_be_what_a_web_server_turns_away(value: str) -> None:
    assert may_be_turned_away(sent("listCharges", headers={"X-Selected-Client-Id": value}), 400)


@pytest.mark.parametrize(
    ("body", "kind", "target", "ids"),
    [
        (b"charge_ids[]=383&charge_ids=384", FORM_TYPE, "", {383, 384}),
        (b"charge_ids%5B0%5D=5abc&amount=7", FORM_TYPE, "", {5}),
        (b'{"charge_ids": [383], "charge_ids": ["+384"], "amount": 7}', JSON_TYPE, "", {383, 384}),
        (b'{"charge_ids": {"a": "0385"}}', JSON_TYPE, "", {385}),
        (b'{"data": {"charge_ids": [3]}}', JSON_TYPE, "", {3}),
        (b"[5, 6]", JSON_TYPE, "", {5, 6}),
        (b'{"charge_ids": [5', JSON_TYPE, "", {5}),
        ('{"charge_ids": ["٣٨٣"]}'.encode(), JSON_TYPE, "", {383}),
        (None, None, "?charge_ids[]=8", {8}),
        (None, None, "", set()),
    ],
)
def test_every_charge_that_some_server_may_read(
    body: bytes | None, kind: str | None, target: str, ids: set[int]
) -> None:
    assert charges_within(sent("createInvoice", target, body, kind)) == ids


@pytest.mark.parametrize("spelling", ["7", "07", "%37", "7abc", "+7", "7%00", "%C2%A07"])
def test_every_id_that_some_server_may_read_in_a_path(spelling: str) -> None:
    assert ids_in_path(sent("getCharge", f"/billing/invoices/{spelling}/finalize")) == {7}
