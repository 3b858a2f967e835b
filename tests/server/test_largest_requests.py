"""The longest request that is let in keeps nobody waiting, and nothing of it is kept for good."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from mockserver.billing.render import page_links
from mockserver.server.service import Current, open_service
from mockserver.server.settings import Settings
from mockserver.server.web.app import create_app
from mockserver.server.web.front import LARGEST_BODY
from mockserver.server.web.request_log import RequestLog

LIST = "/api/billing/invoices"
TOKEN = {"Authorization": "Bearer provider"}
JSON = {"Content-Type": "application/json"}
SHORT = 1.5
"""Seconds of this thread's own work: many times what any of these takes, and a part of what they took once."""


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    application = create_app(Current(open_service(Settings(journal_size=1))), RequestLog(None, "text"))
    with httpx.Client(transport=httpx.WSGITransport(app=application), base_url="http://127.0.0.1") as client:
        yield client


@contextmanager
def soon() -> Iterator[None]:
    before = time.thread_time()
    yield
    assert time.thread_time() - before < SHORT


def keys(count: int) -> str:
    return ",".join(f'"k{number}":0' for number in range(count))


def below_a_long_key(values: str) -> str:
    # Only a text with an escape in it is looked through.
    return '{"' + "k" * 490_000 + '\\u0041":' + values + "}"


BODIES = {
    "the last of many keys twice": f'{{{keys(40_000)},"k39999":0}}',
    "a token, and the last of many keys twice": f'{{"api_token":"nobody",{keys(40_000)},"k39999":0}}',
    "many numbers below a long key": below_a_long_key(f"[0{',0' * 240_000}]"),
}


@pytest.mark.parametrize("name", BODIES)
def test_the_largest_body_is_refused_soon(client: httpx.Client, name: str) -> None:
    body = BODIES[name].encode()
    assert LARGEST_BODY * 0.4 < len(body) <= LARGEST_BODY
    with soon():
        answer = client.post(LIST, headers=JSON if "a token" in name else {**JSON, **TOKEN}, content=body)
    assert answer.status_code == (401 if "a token" in name else 422)


@pytest.mark.parametrize("preference", ['fault=reset; a="' + ";" * 100_000, "a," * 50_000, "a=" + " " * 100_000 + '"'])
def test_the_longest_preference_is_refused_soon(client: httpx.Client, preference: str) -> None:
    with soon():
        answer = client.get(LIST, headers={**TOKEN, "Prefer": preference})
    assert answer.status_code == 400


def test_what_is_long_is_not_kept_for_the_next_time(client: httpx.Client) -> None:
    def ask(number: int) -> None:
        long = f"{number}{'x' * 60_000}"
        answer = client.get(f"{LIST}?x={long}&per_page=2&page=5", headers=TOKEN)
        assert long in answer.json()["last_page_url"]
        client.post(LIST, headers={**TOKEN, "Content-Type": f"text/plain; a={long * 5}"}, content=b"x")

    ask(0)
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(20):
            ask(number)
        gc.collect()
        # This client remembers addresses, 2 MB of them. Links would be 20 MB, media types 6.
        assert tracemalloc.get_traced_memory()[0] < 4_000_000
    finally:
        tracemalloc.stop()


def test_a_page_of_very_many_takes_no_more_than_one_of_few() -> None:
    tracemalloc.start()
    try:
        links = page_links("http://127.0.0.1/api/billing/invoices", "per_page=1", 500_000, 1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
    labels = [one["label"] for one in links["links"][1:-1]]
    assert labels == ["1", "2", "...", *map(str, range(499_997, 500_004)), "...", "999999", "1000000"]


@pytest.mark.parametrize(
    ("number", "last_page", "labels"),
    [(1, 1, "1"), (1, 2, "1 2"), (7, 2, "1 2"), (3, 3, "1 2 3"), (10**20, 5, "1 2 ... 4 5"), (1, 7, "1 2 3 4 ... 6 7")],
)
def test_only_pages_that_there_are_have_a_link(number: int, last_page: int, labels: str) -> None:
    links = page_links("http://127.0.0.1/api/billing/invoices", "", number, last_page)["links"]
    assert " ".join(one["label"] for one in links[1:-1]) == labels
