"""Bad input gets a 4xx in the API's form, never a 5xx, and changes nothing (GEN-5, GEN-6)."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Api
from tests.properties import examples

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

BODIES: dict[str, tuple[dict[str, str], bytes]] = {
    "no JSON": (JSON, b"{"),
    "an array": (JSON, b"[1]"),
    "null": (JSON, b"null"),
    "a wrong type": (JSON, b'{"charge_ids": "1"}'),
    "wrong items": (JSON, b'{"charge_ids": [1, "x", 2.5, null, true, {}]}'),
    "null for the array": (JSON, b'{"charge_ids": null}'),
    "a huge number": (JSON, b'{"charge_ids": [' + b"9" * 5000 + b"]}"),
    "an unending float": (JSON, b'{"charge_ids": [1e999]}'),
    "NaN": (JSON, b'{"charge_ids": [NaN]}'),
    "NUL": (JSON, b'{"charge_ids": ["\\u0000"]}'),
    "a lone surrogate": (JSON, b'{"charge_ids": ["\\ud800"]}'),
    "a key twice": (JSON, b'{"charge_ids": [1], "charge_ids": [2]}'),
    "deep nesting": (JSON, b'{"charge_ids": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    "no UTF-8": (JSON, b'{"charge_ids": ["\xff"]}'),
    "a wrong content type": ({"Content-Type": "text/plain"}, b'{"charge_ids": [1]}'),
    "no content type": ({}, b'{"charge_ids": [1]}'),
    "a form with words": (FORM, b"charge_ids[]=one"),
    "a form badly encoded": (FORM, b"charge_ids[]=%zz"),
    "a form without UTF-8": (FORM, b"charge_ids[]=%ff"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_refused_and_changes_nothing(api: Api, name: str) -> None:
    headers, body = BODIES[name]
    before = api.everything()
    answer = api.post("/billing/invoices", headers=headers, content=body)
    assert 400 <= answer.status_code < 500, answer.text
    assert isinstance(answer.json()["message"], str)
    assert api.everything() == before


def test_a_refusal_names_field_fault_and_remedy(api: Api) -> None:
    answer = api.post("/billing/invoices", json={"charge_ids": [1, 2, "x"]})
    assert answer.json()["errors"] == {"charge_ids.2": ['charge_ids.2 must be an integer, got "x"']}


def test_a_body_above_the_limit_gets_413(api: Api) -> None:
    answer = api.post("/billing/invoices", headers=JSON, content=b'{"charge_ids": [' + b"1," * 5_000_000 + b"1]}")
    assert answer.status_code == 413
    assert "bytes" in answer.json()["message"]


def test_a_header_with_an_underscore_is_as_if_it_was_not_sent(api: Api) -> None:
    fee = {"json": {"amount": 1, "description": "A fee"}}
    path = "/billing/charges/quick-adjustment"
    without = api.post(path, **fee)
    answer = api.post(path, headers={"X_Selected_Client_Id": "1"}, **fee)
    assert (answer.status_code, answer.json()) == (without.status_code, without.json())
    others = {"Content_Type": "text/plain", "Transfer_Encoding": "chunked", "X_Selected_Client_Id": "9"}
    assert api.post(path, headers={"X-Selected-Client-Id": "1", **others}, **fee).status_code == 200
    assert api.get("/billing/charges", headers={"Content_Length": "9" * 5000}).status_code == 200
    sent = api.control("GET", "/journal").json()["data"][-2]["request"]["headers"]
    assert (sent["content-type"], sent["x-selected-client-id"]) == ("application/json", "1")


QUERIES = [
    "page=x", "page=1.5", "page=" + "9" * 30, "page=-1", "per_page=0", "per_page=-5", "per_page=" + "9" * 5000,
    "page=1&page=2", "q=%zz", "q=%ff", "q=%00", "page=%31%zz", "q=" + "(" * 5000, "q=id%3A%22" + "9" * 5000 + "%22",
    "page=1_000", "page=%EF%BC%91", "page=+1", "page=true", "page[]=1",
]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
def test_a_bad_query_is_no_failure_of_ours(api: Api, query: str) -> None:
    status, body = _raw(api, "GET", f"/billing/invoices?{query}")
    assert status < 500
    if status != 200:
        assert isinstance(json.loads(body)["message"], str)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/billing/nothing", 404),
        ("GET", "/", 404),
        ("GET", "", 404),
        ("GET", "/billing/invoices/", 404),
        ("DELETE", "/billing/invoices", 405),
        ("BREW", "/billing/invoices", 405),
        ("GET", "/billing/invoices/1/finalize", 405),
        ("POST", "/billing/invoices/one/finalize", 422),
        ("POST", "/billing/invoices/1.5/finalize", 422),
        ("POST", "/billing/invoices/%ff/finalize", 422),
        ("POST", "/billing/invoices/-1/finalize", 404),
        ("POST", "/billing/invoices/" + "9" * 4000 + "/finalize", 422),
    ],
)
def test_unknown_paths_methods_and_ids_are_refused_in_the_apis_form(
    api: Api, method: str, path: str, status: int
) -> None:
    answered, body = _raw(api, method, path)
    assert answered == status, body
    assert isinstance(json.loads(body)["message"], str)


def test_the_methods_allowed_are_named(api: Api) -> None:
    answer = api.request("DELETE", "/billing/invoices")
    assert {one.strip() for one in answer.headers["Allow"].split(",")} >= {"GET", "POST"}


@examples(60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_no_json_makes_the_server_fail(api: Api, body: Any) -> None:
    content = json.dumps(body).encode()
    for path in ("/billing/invoices", "/billing/charges/quick-adjustment"):
        answer = api.post(path, headers={**JSON, "X-Selected-Client-Id": "1"}, content=content)
        assert answer.status_code < 500, answer.text


@examples(60)
@given(st.text(max_size=200))
def test_no_search_makes_the_server_fail(api: Api, q: str) -> None:
    answer = api.get("/billing/invoices", params={"q": q.encode("utf-8", "surrogatepass")})
    assert answer.status_code in (200, 422), answer.text


def _raw(api: Api, method: str, target: str) -> tuple[int, bytes]:
    """A request that no client library has tidied up."""
    where = urlsplit(api.server.api)
    head = (
        f"{method} {where.path}{target} HTTP/1.1\r\nHost: {where.netloc}\r\nConnection: close\r\n"
        f"Authorization: Bearer {api.token}@{api.world}\r\nAccept: application/json\r\n\r\n"
    )
    with socket.create_connection((where.hostname or "", where.port or 80), timeout=60) as connection:
        connection.sendall(head.encode("latin-1"))
        answer = b""
        while part := connection.recv(65536):
            answer += part
    headers, _, body = answer.partition(b"\r\n\r\n")
    return int(headers.split(b" ", 2)[1]), body
