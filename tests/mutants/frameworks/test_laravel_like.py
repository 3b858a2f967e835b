"""The server that reads input as Laravel does has the habits that the contract lists, so that a verifier meets them."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests import plain
from tests.mutants.frameworks.laravel_like import php
from tests.mutants.frameworks.starting import Running, running

_JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running("laravel_like", {"charges": "6", "invoices": "5"}) as started:
        yield started


@pytest.fixture
def caller(server: Running) -> Iterator[httpx.Client]:
    headers = {
        "Accept": "application/json",
        "Authorization": f"Bearer {server.token}",
        "X-Selected-Client-Id": str(server.merchant),
    }
    with plain.Client(base_url=server.base_url, headers=headers, timeout=20) as client:
        yield client


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        (b"charge_ids[]=1&charge_ids=2", {"charge_ids": "2"}),
        (b"charge_ids=2&charge_ids[]=1", {"charge_ids": {0: "1"}}),
        (b"a[]=1&a[7]=2&a[]=3", {"a": {0: "1", 7: "2", 8: "3"}}),
        (b"a.b c=1&d[e][f]=2", {"a_b_c": "1", "d": {"e": {"f": "2"}}}),
        (b"a[b=1", {"a_b": "1"}),
        (b"page=1&page=2", {"page": "2"}),
    ],
)
def test_variables_are_made_as_php_makes_them(text: bytes, variables: php.Array) -> None:
    assert php.parse_str(text) == variables


@pytest.mark.parametrize(
    ("value", "number"),
    [("+1", 1), (" 1 ", 1), (True, 1), ("01", None), ("1.0", None), (False, None), ("", None), (str(2**63), None)],
)
def test_integers_are_taken_as_php_takes_them(value: object, number: int | None) -> None:
    assert php.whole(value) == number


def test_a_page_that_is_no_number_is_the_first(caller: httpx.Client) -> None:
    answer = caller.get("/billing/invoices", params={"page": "first", "per_page": "many"})
    assert (answer.status_code, answer.json()["current_page"], answer.json()["per_page"]) == (200, 1, 15)


def test_links_drop_the_query_and_have_the_labels_of_the_framework(caller: httpx.Client) -> None:
    page = caller.get("/billing/invoices", params={"per_page": 2}).json()
    assert page["next_page_url"].endswith("/billing/invoices?page=2")
    # How many pages there are is other tests' doing as well.
    numbers = [str(number) for number in range(1, page["last_page"] + 1)]
    assert len(numbers) > 2
    assert [link["label"] for link in page["links"]] == ["&laquo; Previous", *numbers, "Next &raquo;"]


def test_moments_have_six_zeros(caller: httpx.Client) -> None:
    assert all(row["created_at"].endswith(".000000Z") for row in caller.get("/billing/invoices").json()["data"])


def test_json_that_cannot_be_read_is_an_empty_body(caller: httpx.Client) -> None:
    answer = caller.post("/billing/invoices", content=b'{"charge_ids": [', headers=_JSON)
    assert (answer.status_code, answer.json()["invoice"]["total"]) == (200, 16)


@pytest.mark.parametrize("written", ['["%d"]', '["+%d"]', "[%d.0]", '{"one": %d}'])
def test_loose_values_pass_for_integers(caller: httpx.Client, written: str) -> None:
    made = caller.post("/billing/charges/quick-adjustment", json={"amount": 4, "description": "Label"})
    body = '{"charge_ids": %s}' % (written % made.json()["charge"]["id"])
    answer = caller.post("/billing/invoices", content=body, headers=_JSON)
    assert (answer.status_code, answer.json()["invoice"]["total"]) == (200, 4)


def test_the_token_of_the_query_goes_before_that_of_the_header(caller: httpx.Client) -> None:
    assert caller.get("/billing/invoices", params={"api_token": "tok-of-nobody"}).status_code == 401


def test_who_does_not_accept_json_is_sent_to_sign_in(server: Running) -> None:
    answer = plain.get(f"{server.base_url}/billing/invoices", headers={"Accept": "*/*"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login")


def test_the_web_server_refuses_in_html_what_does_not_reach_the_application(caller: httpx.Client) -> None:
    answers = [
        caller.post("/billing/invoices/%00/finalize"),
        caller.get("/billing/invoices", params={"q": "x" * 9000}),
        caller.post("/billing/invoices", content=b" " * 1_100_000, headers=_JSON),
        caller.get("/billing/invoices", headers={"X-Trace": "x" * 9000}),
    ]
    assert [answer.status_code for answer in answers] == [400, 414, 413, 431]
    assert all("nginx" in answer.text for answer in answers)
