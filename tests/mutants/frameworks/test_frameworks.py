"""Each of the correct servers does what the contract says, races included, before it is used to judge the verifier."""

from __future__ import annotations

import dataclasses
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import plain
from tests.mutants.frameworks.choices import Choices
from tests.mutants.frameworks.starting import Running, missing, running
from tests.mutants.frameworks.variants import VARIANTS

_SERVERS = ("django_server", "fastapi_server", "laravel_like", "express_like")


@dataclass(frozen=True, slots=True)
class _Place:
    """A server, and the connections to it."""

    server: Running
    http: httpx.Client

    def client(self, merchant: int | None = None, token: str | None = None) -> _Client:
        """A caller, by default the provider on behalf of its paying merchant."""
        return _Client(self, merchant or self.server.merchant, token or self.server.token)

    def payments(self, invoice: dict[str, Any]) -> int:
        """How often an invoice, which is on Stripe once, was charged for there."""
        ledger = self.http.get(self.server.stripe_url).json()
        assert ledger["invoices"].count(invoice["stripe_invoice_id"]) == 1
        count: int = ledger["charges"].get(invoice["stripe_invoice_id"], 0)
        return count


@pytest.fixture(scope="module", params=_SERVERS)
def place(request: pytest.FixtureRequest) -> Iterator[_Place]:
    lack = missing(request.param)
    if lack is not None:
        pytest.skip(lack)
    quick = {"payment_seconds": "0.3", "slow_seconds": "0.01"}
    with running(request.param, quick) as server, plain.Client(timeout=20) as http:
        yield _Place(server, http)
        assert server.log.read_text("utf-8") == ""


class _Client:
    """A caller on behalf of one merchant."""

    def __init__(self, place: _Place, merchant: int, token: str) -> None:
        self._http = place.http
        self._base = f"{place.server.base_url}/billing"
        self._headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {token}",
            "X-Selected-Client-Id": str(merchant),
        }

    def charge(self, amount: float, description: str = "Pallets") -> int:
        answer = self.post("charges/quick-adjustment", {"amount": amount, "description": description})
        assert answer.status_code in (200, 201), answer.text
        made: int = answer.json()["charge"]["id"]
        return made

    def create(self, *charges: int) -> dict[str, Any]:
        answer = self.post("invoices", {"charge_ids": charges})
        assert answer.status_code in (200, 201), answer.text
        made: dict[str, Any] = answer.json()["invoice"]
        return made

    def post(self, path: str, body: object = None) -> httpx.Response:
        return self._http.post(f"{self._base}/{path}", json=body, headers=self._headers)

    def list(self, **query: str | int) -> dict[str, Any]:
        answer = self._http.get(f"{self._base}/invoices", params=query, headers=self._headers)
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        return page

    def invoice(self, identity: int) -> dict[str, Any]:
        (found,) = self.list(q=f'id:"{identity}"')["data"]
        shown: dict[str, Any] = found
        return shown

    def until(self, identity: int, **wanted: object) -> dict[str, Any]:
        """The invoice, once it looks as is wanted."""
        deadline = time.monotonic() + 5
        while True:
            shown = self.invoice(identity)
            if all(shown[name] == value for name, value in wanted.items()) or time.monotonic() > deadline:
                return shown
            time.sleep(0.02)


def test_a_charge_is_invoiced_finalized_and_collected(place: _Place) -> None:
    client = place.client()
    charges = [client.charge(0.1) for _ in range(10)]
    draft = client.create(*charges)
    assert (draft["total"], draft["status"]) == (1.0, "Draft")
    assert (draft["stripe_invoice_id"], draft["stripe_invoice_status"]) == (None, None)
    identity = draft["id"]
    assert 400 <= client.post(f"invoices/{identity}/collect").status_code < 500
    assert client.invoice(identity) == draft
    assert client.post(f"invoices/{identity}/finalize").status_code in (200, 202)
    assert client.invoice(identity)["status"] != "Draft"
    assert client.post(f"invoices/{identity}/collect").status_code == 200
    paid = client.until(identity, stripe_invoice_status="paid")
    assert (paid["stripe_invoice_status"], paid["total"]) == ("paid", 1.0)
    assert place.payments(paid) == 1
    assert client.list()["data"][0]["id"] == identity


def test_a_finalized_invoice_comes_to_be_on_stripe_by_itself(place: _Place) -> None:
    client = place.client()
    identity = client.create(client.charge(5))["id"]
    client.post(f"invoices/{identity}/finalize")
    assert client.until(identity, stripe_invoice_status="open")["stripe_invoice_id"].startswith("in_")


def test_a_declined_payment_can_be_collected_again(place: _Place) -> None:
    client = place.client(place.server.declining_merchant)
    identity = client.create(client.charge(5))["id"]
    client.post(f"invoices/{identity}/finalize")
    answers = [client.post(f"invoices/{identity}/collect") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [402, 402]
    assert client.invoice(identity)["stripe_invoice_status"] == "open"


def test_racing_creates_put_a_charge_on_one_invoice(place: _Place) -> None:
    client = place.client()
    for _ in range(3):
        charge = client.charge(3)
        answers = _race(lambda charge: client.post("invoices", {"charge_ids": [charge]}), charge)
        assert sum(answer.status_code < 300 for answer in answers) == 1


def test_racing_finalizes_and_collects_pay_once(place: _Place) -> None:
    client = place.client()

    def finalize_and_collect(identity: int) -> httpx.Response:
        client.post(f"invoices/{identity}/finalize")
        return client.post(f"invoices/{identity}/collect")

    for _ in range(3):
        identity = client.create(client.charge(8))["id"]
        answers = _race(finalize_and_collect, identity)
        assert all(answer.status_code < 500 for answer in answers)
        paid = client.until(identity, stripe_invoice_status="paid")
        assert place.payments(paid) == 1


def test_nobody_reaches_the_records_of_others(place: _Place) -> None:
    identity = place.client().create(charge := place.client().charge(4))["id"]
    stranger = place.client(place.server.other_merchant, place.server.other_token)
    assert stranger.post(f"invoices/{identity}/finalize").status_code == 404
    assert 400 <= stranger.post("invoices", {"charge_ids": [charge]}).status_code < 500
    assert stranger.list(q=f'id:"{identity}"')["total"] == 0
    assert place.client(token="tok-of-nobody").post("invoices").status_code == 401


def test_searches_are_read_from_left_to_right(place: _Place) -> None:
    client = place.client()
    first, second = (client.create(client.charge(2))["id"] for _ in range(2))
    today = client.invoice(first)["created_at"][:10]
    both = f'id:"{first}" OR id:"{second}"'
    assert client.list(q=f'{both} AND created_at$DATE<"{today}"')["total"] == 0
    assert client.list(q=f'created_at$DATE<"{today}" AND {both}')["total"] == 1
    assert client.list(q=f'{both} AND created_at$DATE<="{today}"')["total"] == 2


def test_pages_partition_the_list(place: _Place) -> None:
    client = place.client()
    for _ in range(3):
        client.create(client.charge(2))
    total = client.list()["total"]
    pages = [client.list(page=number, per_page=2) for number in range(1, total // 2 + 3)]
    met = [row["id"] for page in pages for row in page["data"]]
    assert len(met) == len(set(met)) == total
    assert pages[-1]["data"] == []


def test_variants_are_many_and_each_can_be_read() -> None:
    assert len(VARIANTS) >= 40
    assert len({variant.name for variant in VARIANTS}) == len(VARIANTS)
    for variant in VARIANTS:
        Choices().changed(variant.choices)


@pytest.mark.parametrize("name", _SERVERS)
def test_each_server_heeds_every_choice(name: str) -> None:
    folder = Path(__file__).with_name(name)
    sources = [file for file in folder.iterdir() if file.suffix in (".py", ".js") and file.name != "__main__.py"]
    words = set(re.findall(r"\w+", "".join(file.read_text("utf-8") for file in sources)))
    assert [field.name for field in dataclasses.fields(Choices) if field.name not in words] == []


def _race(call: Callable[[int], httpx.Response], identity: int) -> list[httpx.Response]:
    """The answers of eight calls at the same time."""
    barrier = threading.Barrier(8)

    def run(_: int) -> httpx.Response:
        barrier.wait(10)
        return call(identity)

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(run, range(8)))
