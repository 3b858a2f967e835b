"""What the journals of a server may hold together, in bytes, and what reading them takes."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from mockserver.contract.contract import Contract
from mockserver.core.messages import Reply, Request
from mockserver.server.control.interface import DOCUMENT
from mockserver.server.process import Running, running
from mockserver.traffic.journal import MOST_KEPT_OF_A_BODY, Exchange, Journal
from mockserver.traffic.journal_budget import JournalBudget
from tests import plain
from tests.conftest import Api
from tests.ports import listener

BUDGET = 20_000_000
LONG = "x" * 900_000


def exchange(size: int = 10_000) -> Exchange:
    return Exchange(Request("POST", "/", body=b"x" * size), "", Reply(200, None))


def record(journal: Journal, count: int) -> None:
    for _ in range(count):
        journal.record(exchange(), at=0, seconds=0)


def test_who_holds_most_makes_room_and_the_others_lose_nothing() -> None:
    budget = JournalBudget(1_000_000)
    quiet, noisy = Journal(1000, budget), Journal(1000, budget)
    record(quiet, 10)
    record(noisy, 500)
    kept, lost = noisy.read()
    assert len(quiet.read()[0]) == 10
    assert quiet.held + noisy.held <= 1_000_000
    assert (len(kept) + lost, kept[-1].number) == (500, 500)
    assert len(kept) > 50


def test_the_journal_of_a_world_that_is_gone_takes_nothing() -> None:
    budget = JournalBudget(1_000_000)
    for _ in range(6):
        record(Journal(1000, budget), 50)
        gc.collect()
    last = Journal(1000, budget)
    record(last, 50)
    assert len(last.read()[0]) == 50


def test_a_journal_that_is_emptied_takes_nothing() -> None:
    budget = JournalBudget(1_000_000)
    first, second = Journal(1000, budget), Journal(1000, budget)
    record(first, 60)
    first.clear()
    record(second, 60)
    assert (first.held, len(second.read()[0])) == (0, 60)


def test_an_exchange_larger_than_the_budget_is_kept_alone() -> None:
    journal = Journal(10, JournalBudget(100))
    record(journal, 3)
    assert [one.number for one in journal.read()[0]] == [3]


HEADERS: dict[str, Callable[[int], dict[str, str]]] = {
    "long names": lambda n: {f"x-{n}-{i}-{'n' * 60_000}": "v" for i in range(5)},
    "long values": lambda n: {f"x-{n}-{i}": f"{n}{'v' * 60_000}" for i in range(5)},
    "many": lambda n: {f"x-{n}-{i}": f"{n}-{i}" for i in range(95)},
    "a long host": lambda n: {"host": "h" * 10},
}


@pytest.mark.parametrize("name", HEADERS)
def test_what_the_budget_counts_is_about_what_is_held(name: str) -> None:
    journal = Journal(1000)
    tracemalloc.start()
    try:
        for number in range(100):
            address = f"http://{number}{'h' * 60_000 if 'host' in name else ''}/api/billing/invoices"
            request = Request("GET", f"/billing/{number}", headers=HEADERS[name](number))
            told = [f"problem {number}-{one}" for one in range(20)]
            journal.record(Exchange(request, address, Reply(200, None), objections=told), at=0, seconds=0)
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held / 1.5 < journal.held < held * 2


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running("--journal-bytes", str(BUDGET)) as live:
        yield live


def test_large_bodies_take_no_more_than_the_budget_and_are_read_piece_by_piece(server: Running) -> None:
    process = listener(server.base)
    with plain.Client(timeout=60) as http:
        api = Api(server, "large", "provider", http)
        fee = {"amount": 1, "description": LONG}
        for _ in range(3):
            api.post("/billing/charges/quick-adjustment", json=fee, headers={"X-Selected-Client-Id": "1"})
        for kind in ("json", "har", "curl", "pytest"):
            api.control("GET", "/journal", params={"format": kind})
        before = process.memory_info().rss
        for _ in range(400):
            assert len(api.get("/billing/charges?per_page=1").content) > len(LONG)
        for kind in ("json", "har", "curl", "pytest"):
            length = 0
            with http.stream(
                "GET",
                f"{server.control}/journal?format={kind}",
                headers={"Authorization": "Bearer provider@large"},
            ) as answer:
                assert answer.status_code == 200
                for piece in answer.iter_bytes():
                    length += len(piece)
            assert length > 10_000
        # Without a budget the answers alone take 360 MB.
        assert process.memory_info().rss - before < 5 * BUDGET
        told = api.control("GET", "/journal").json()
    assert told["lost"] > 0
    assert len(told["data"]) * MOST_KEPT_OF_A_BODY < BUDGET * 1.1
    assert len(told["data"][-1]["response"]["body"]) == MOST_KEPT_OF_A_BODY


def test_what_is_sent_piece_by_piece_is_as_the_document_says(server: Running) -> None:
    contract = Contract.parse(DOCUMENT.read_text(), path=DOCUMENT)
    with plain.Client(timeout=60) as http:
        api = Api(server, "judged", "provider", http)
        for count in range(3):
            for kind in ("json", "har"):
                answer = api.control("GET", "/journal", params={"format": kind})
                assert answer.headers["Content-Type"] == "application/json"
                body = json.loads(answer.text)
                contract.check(contract.operations["getJournal"], 200, body)
                assert len(body["data"] if kind == "json" else body["log"]["entries"]) == count
            api.get("/billing/invoices", headers={"Prefer": "fault=malformed"} if count else {})
