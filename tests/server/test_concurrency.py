"""Fifty threads do the same things at once: nothing is billed or paid twice (CREATE-4, COLLECT-4)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.conftest import Api

THREADS = 50


def _at_once(work: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> httpx.Response:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def test_a_charge_is_billed_once_however_many_ask(api: Api) -> None:
    charges = [api.charge(1)["id"] for _ in range(20)]
    answers = _at_once(lambda number: api.create(*charges[number % 10 : number % 10 + 5]))
    created = [answer.json()["invoice"] for answer in answers if answer.status_code == 200]
    billed = sum(invoice["total"] for invoice in created)
    taken = [one for one in charges if api.get(f"/billing/charges/{one}").json()["charge"]["status"] == "Invoiced"]
    assert created
    assert len({invoice["id"] for invoice in created}) == len(created)
    assert billed == len(taken)


def test_an_invoice_is_finalized_and_paid_once_however_many_ask(api: Api) -> None:
    invoice = api.draft(30)
    finalized = _at_once(lambda _: api.finalize(invoice["id"]))
    assert [answer.status_code for answer in finalized].count(200) == 1
    collected = _at_once(lambda _: api.collect(invoice["id"]))
    assert [answer.status_code for answer in collected].count(200) == 1
    ledger = api.control("GET", "/stripe/ledger", params={"invoice": invoice["id"]}).json()["data"]
    assert [attempt["charged"] for attempt in ledger] == [True]


def test_everything_at_once_keeps_the_books(api: Api) -> None:
    charges = [api.charge(1)["id"] for _ in range(30)]

    def work(number: int) -> httpx.Response:
        answer = api.create(charges[number % 30])
        if answer.status_code == 200:
            invoice_id = answer.json()["invoice"]["id"]
            api.finalize(invoice_id)
            api.collect(invoice_id)
        return answer

    created = [answer.json()["invoice"]["id"] for answer in _at_once(work) if answer.status_code == 200]
    assert len(created) == 30
    ledger = api.control("GET", "/stripe/ledger").json()["data"]
    paid = [attempt["invoice"] for attempt in ledger if attempt["charged"]]
    assert sorted(set(paid) & set(created)) == sorted(created)
    assert len(paid) == len(set(paid))
