"""What the open choices of reading let pass: it is ignored, or means just what it converts to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mockserver.server.run import running
from tests import plain
from tests.conftest import Api

SELECTED = {"X-Selected-Client-Id": "2"}
NOW = 'created_at$DATE<"9999-12-31"'
"""A search that everything matches."""


@pytest.fixture(scope="module")
def live() -> Iterator[tuple[Api, Api]]:
    """Clients of a server that lets everything pass, and of one that requires the merchant header."""
    headers = ("--set", "merchant_header=required")
    with (
        running("--profile", "lenient") as lenient,
        running(*headers, "--set", "payment_shown=later", "--payment-delay", "86400") as other,
        plain.Client(timeout=60) as http,
    ):
        yield Api(lenient, "lenient", "provider", http), Api(other, "other", "provider", http)


@pytest.fixture
def lenient(live: tuple[Api, Api]) -> Api:
    live[0].control("POST", "/reset")
    return live[0]


@pytest.fixture
def other(live: tuple[Api, Api]) -> Api:
    live[1].control("POST", "/reset")
    return live[1]


JSON = {"Content-Type": "application/json"}


def _sole_charge(api: Api) -> Any:
    """The only uninvoiced charge of merchant 2."""
    api.post("/billing/invoices", headers=SELECTED, json={})
    return api.charge(7.25, merchant=2)


@pytest.mark.parametrize("body", ['{"charge_ids": [', "[1]", '"charge_ids"', "null", "\xff"])
def test_an_unreadable_body_is_an_empty_one_that_bills_everything(lenient: Api, body: str) -> None:
    _sole_charge(lenient)
    headers = SELECTED | JSON
    answer = lenient.post("/billing/invoices", headers=headers, content=body.encode("latin-1"))
    assert answer.json()["invoice"]["total"] == 7.25
    assert "it counts as an empty one" in answer.headers["X-Mock-Warning"]


@pytest.mark.parametrize(
    "sent",
    [
        {"json": {"charge_ids": None}},
        {"json": {"charge_ids": ""}},
        {"data": {"charge_ids": ""}},
        {"data": {"charge_ids[]": ""}},
    ],
)
def test_empty_charge_ids_are_as_if_left_out(lenient: Api, sent: dict[str, Any]) -> None:
    _sole_charge(lenient)
    answer = lenient.post("/billing/invoices", headers=SELECTED, **sent)
    assert answer.json()["invoice"]["total"] == 7.25
    assert answer.headers["X-Mock-Warning"] == "charge_ids is empty: it counts as left out"


@pytest.mark.parametrize("form", ['{"charge_ids": [%d.0]}', '{"charge_ids": ["+%d"]}', '{"charge_ids": {"x": %d}}'])
def test_a_loose_integer_means_what_it_converts_to(lenient: Api, form: str) -> None:
    lenient.charge(3)
    charge = lenient.charge(5)
    answer = lenient.post("/billing/invoices", content=form % charge["id"], headers=JSON)
    assert answer.json()["invoice"]["total"] == 5


@pytest.mark.parametrize("ids", ['["2abc"]', '["1.5"]', "[1.5]", '[""]', "[null]", '"all"', '["1e2"]'])
def test_what_is_no_integer_is_refused_however_lenient(lenient: Api, ids: str) -> None:
    content = f'{{"charge_ids": {ids}}}'
    answer = lenient.post("/billing/invoices", content=content, headers=JSON)
    assert answer.status_code == 422
    assert any(name.startswith("charge_ids") for name in answer.json()["errors"])


def test_true_is_one(lenient: Api) -> None:
    due = lenient.get("/billing/charges/1").json()["charge"]["amount"]
    assert lenient.post("/billing/invoices", json={"charge_ids": [True]}).json()["invoice"]["total"] == due


@pytest.mark.parametrize(("page", "shown"), [("first", 1), ("", 1), ("1.5", 1), ("+2", 2), ("02", 2), ("-3", 1)])
def test_a_page_that_is_no_number_is_the_first(lenient: Api, page: str, shown: int) -> None:
    answer = lenient.get("/billing/invoices", params={"page": page, "per_page": "many"})
    assert (answer.json()["current_page"], answer.json()["per_page"]) == (shown, 15)


def test_a_page_beyond_all_numbers_is_never_the_first(lenient: Api) -> None:
    assert lenient.get("/billing/invoices", params={"page": "9" * 40}).status_code == 422


@pytest.mark.parametrize(
    ("ignored", "because"),
    [
        ('nonsense:"1"', "profile:unknown_search_field"),
        ('created_at$TIME:"1"', "profile:unknown_search_field"),
        ('created_at$DATE>="2026-13-45"', "profile:bad_search_value"),
        ('id:"2abc"', "profile:bad_search_value"),
        ('id~"1"', "profile:bad_search_syntax"),
    ],
)
def test_an_ignored_clause_is_as_if_it_were_absent(lenient: Api, ignored: str, because: str) -> None:
    one, two = lenient.draft()["id"], lenient.draft()["id"]
    total = lenient.get("/billing/invoices").json()["total"]
    for text, found in (
        (f'id:"{one}" AND {ignored}', 1),
        (f'{ignored} AND id:"{one}"', 1),
        (f'{ignored} OR id:"{one}"', 1),
        (f'id:"{one}" OR {ignored} OR id:"{two}"', 2),
        (ignored, total),
    ):
        answer = lenient.get("/billing/invoices", params={"q": text})
        assert answer.json()["total"] == found, text
        assert answer.headers["X-Mock-Trace"] == because


def test_a_search_that_can_not_be_read_is_ignored_as_a_whole(lenient: Api) -> None:
    total = lenient.get("/billing/invoices").json()["total"]
    answer = lenient.get("/billing/invoices", params={"q": 'id:"1" AND AND'})
    assert answer.json()["total"] == total
    assert answer.headers["X-Mock-Trace"] == "profile:bad_search_syntax"


def test_a_provider_must_select_a_merchant_where_the_header_is_required(other: Api) -> None:
    refused = other.get("/billing/invoices")
    assert refused.status_code == 422
    assert refused.headers["X-Mock-Trace"] == "profile:merchant_header"
    assert "X-Selected-Client-Id" in refused.json()["errors"]
    assert other.get("/billing/invoices", headers=SELECTED).status_code == 200
    assert other.get("/billing/invoices", token="merchant1").status_code == 200


def test_a_payment_shows_only_when_stripe_has_reported_it(other: Api) -> None:
    api = Api(other.server, other.world, "merchant1", other.http)
    number = api.finalized()["id"]
    answer = api.collect(number)
    assert (answer.status_code, answer.json()["invoice"]["stripe_invoice_status"]) == (200, "open")
    again = api.collect(number)
    assert (again.status_code, again.headers["X-Mock-Trace"]) == (422, "profile:recollect")
    exported = api.everything()
    assert "reports:" in exported
    api.control("POST", "/clock/advance", json={"by": "P2D"})
    assert api.invoice(number)["stripe_invoice_status"] == "paid"
    charged = [one for one in api.control("GET", "/stripe/ledger").json()["data"] if one["invoice"] == number]
    assert [one["outcome"] for one in charged] == ["succeeded"]


def test_counted_from_nought_a_page_ends_one_past_its_last_row() -> None:
    with running("--set", "range_base=0") as live, plain.Client(timeout=60) as http:
        page = Api(live, "w", "provider", http).get("/billing/invoices", params={"per_page": 10}).json()
    assert (page["from"], page["to"], len(page["data"])) == (0, 10, 10)
