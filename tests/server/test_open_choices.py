"""Every open choice changes what the server does: each value of each key, seen from outside."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mockserver.billing.profile import CHOICES
from mockserver.server.run import running
from tests import plain
from tests.conftest import Api

BUSIEST = max(len(choice.values) for choice in CHOICES.values())
Probe = Callable[[Api], Any]


def _nth(key: str, number: int) -> Any:
    """The value that server `number` has for the key: together the servers have every value."""
    values = CHOICES[key].values
    value = values[number % len(values)]
    return 7 if value == 100 and number else value


@pytest.fixture(scope="module", params=range(BUSIEST))
def choosing(request: pytest.FixtureRequest) -> Iterator[tuple[int, Api]]:
    number = request.param
    options: list[str] = []
    for key in CHOICES.keys() - {"merchant_header"}:
        value = _nth(key, number)
        options += ["--set", f"{key}={'null' if value is None else value}"]
    with running("--stripe-delay", "60", "--payment-delay", "0.3", *options) as live, plain.Client(timeout=60) as http:
        yield number, Api(live, "choices", "provider", http)


def _status(answer: httpx.Response) -> int:
    return answer.status_code


def _refused_or(word: str, answer: httpx.Response) -> str:
    return "refuse" if answer.status_code >= 400 else word


def _paid(api: Api) -> int:
    invoice_id = int(api.draft()["id"])
    api.finalize(invoice_id)
    api.collect(invoice_id)
    return invoice_id


def _final(api: Api) -> int:
    invoice_id = int(api.draft()["id"])
    api.finalize(invoice_id)
    return invoice_id


def _per_page_max(api: Api) -> Any:
    if (answer := api.get("/billing/invoices", params={"per_page": 8})).status_code >= 400:
        return 7
    per_page = answer.json()["per_page"]
    if per_page == 7:
        return 7
    answer = api.get("/billing/invoices", params={"per_page": 101})
    return None if answer.status_code == 200 and answer.json()["per_page"] == 101 else 100


def _above_max(api: Api) -> Any:
    return _refused_or("clamp", api.get("/billing/invoices", params={"per_page": 10**6}))


def _order(api: Api) -> str:
    first, second = api.draft()["id"], api.draft()["id"]
    rows = api.get("/billing/invoices", params={"q": f'id:"{first}" OR id:"{second}"'}).json()["data"]
    return "oldest_first" if rows[0]["id"] == first else "newest_first"


def _nothing_left(api: Api) -> httpx.Response:
    api.post("/billing/invoices", token="merchant2", json={})
    return api.post("/billing/invoices", token="merchant2", json={})


def _payment_shown(api: Api) -> str:
    invoice_id = _paid(api)
    shown = api.invoice(invoice_id)["stripe_invoice_status"]
    until = time.monotonic() + 5
    while api.invoice(invoice_id)["stripe_invoice_status"] != "paid":
        assert time.monotonic() < until
        time.sleep(0.05)
    return "at_once" if shown == "paid" else "later"


def _as_body(api: Api, **kwargs: Any) -> httpx.Response:
    """A create for a merchant with something to invoice, if that is what the body asks for."""
    headers = {"X-Selected-Client-Id": "1", "Content-Type": "application/json"}
    api.charge()
    return api.post("/billing/invoices", headers=headers, **kwargs)


def _links(api: Api) -> str:
    page = api.get("/billing/invoices", params={"q": 'id>"0"', "per_page": 1}).json()
    if "links" not in page:
        return "absent"
    return "keep_query" if "q=" in page["first_page_url"] else "drop_query"


def _search(api: Api, text: str) -> str:
    return _refused_or("ignore", api.get("/billing/invoices", params={"q": text}))


def _precision(text: str) -> str:
    if "." not in text:
        return "seconds"
    return "zero_microseconds" if text.endswith(".000000Z") else "microseconds"


def _declined(api: Api) -> int:
    invoice = api.create(api.charge(0.01)["id"]).json()["invoice"]
    api.finalize(invoice["id"])
    return api.collect(invoice["id"]).status_code


PROBES: dict[str, Probe] = {
    "create_status": lambda api: _status(api.create(api.charge()["id"])),
    "finalize_status": lambda api: _status(api.finalize(api.draft()["id"])),
    "collect_status": lambda api: _status(api.collect(_final(api))),
    "invalid_request_status": lambda api: _status(api.create(10**9)),
    "illegal_state_status": lambda api: _status(api.collect(api.draft()["id"])),
    "declined_status": _declined,
    "foreign_invoice_status": lambda api: _status(api.finalize(api.draft(merchant=2)["id"], token="merchant1")),
    "unknown_merchant_status": lambda api: _status(
        api.get("/billing/invoices", headers={"X-Selected-Client-Id": "987654"})
    ),
    "refinalize": lambda api: _refused_or("accept", api.finalize(_final(api))),
    "recollect": lambda api: _refused_or("accept", api.collect(_paid(api))),
    "finalized_label": lambda api: api.invoice(_final(api))["status"],
    "action_body": lambda api: "_and_".join(api.finalize(api.draft()["id"]).json()),
    "list_order": _order,
    "per_page_max": _per_page_max,
    "per_page_above_max": _above_max,
    "page_below_one": lambda api: _refused_or("first_page", api.get("/billing/invoices", params={"page": 0})),
    "range_base": lambda api: api.get("/billing/invoices").json()["from"],
    "no_charges": lambda api: _refused_or("empty_draft", _nothing_left(api)),
    "duplicate_charge_ids": lambda api: _refused_or("collapse", api.create(*[api.charge()["id"]] * 2)),
    "numeric_strings": lambda api: _refused_or(
        "accept", api.post("/billing/invoices", json={"charge_ids": [str(api.charge()["id"])]})
    ),
    "payment_shown": _payment_shown,
    "page_not_a_number": lambda api: _refused_or("default", api.get("/billing/invoices", params={"page": "first"})),
    "page_links": _links,
    "empty_charge_ids": lambda api: _refused_or("as_omitted", _as_body(api, json={"charge_ids": None})),
    "unreadable_body": lambda api: _refused_or("as_empty", _as_body(api, content=b'{"charge_ids": [')),
    "loose_integers": lambda api: _refused_or(
        "accept", api.post("/billing/invoices", json={"charge_ids": {"a": api.charge()["id"]}})
    ),
    "unknown_search_field": lambda api: _search(api, 'nonsense:"1"'),
    "bad_search_value": lambda api: _search(api, 'created_at$DATE:"2026-02-30"'),
    "bad_search_syntax": lambda api: _search(api, "nonsense"),
    "date_without_modifier": lambda api: _refused_or(
        "accept", api.get("/billing/invoices", params={"q": 'created_at>="2026-01-01"'})
    ),
    "party_id_type": lambda api: {str: "string", int: "integer"}[type(api.draft()["chargee_id"])],
    "created_at_precision": lambda api: _precision(api.draft()["created_at"]),
}


def test_every_key_has_its_probe() -> None:
    assert {*PROBES, "merchant_header"} == set(CHOICES)


@pytest.mark.parametrize("key", PROBES)
def test_the_choice_is_seen_from_outside(choosing: tuple[int, Api], key: str) -> None:
    number, api = choosing
    if key == "per_page_above_max" and _nth("per_page_max", number) is None:
        pytest.skip("without a largest page nothing is above it")
    assert PROBES[key](api) == _nth(key, number)


def test_every_key_is_read_by_the_code() -> None:
    package = Path(__file__).parents[2] / "mockserver"
    read: set[str] = set()
    for file in package.rglob("*.py"):
        if file.name != "profile.py" and not {"verify", "client"} & set(file.parts):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Attribute):
                    read.add(node.attr)
                elif isinstance(node, ast.Constant):
                    read.add(str(node.value))
    assert set(CHOICES) <= read
