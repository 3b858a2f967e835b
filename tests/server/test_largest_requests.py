"""The longest request that is let in keeps nobody waiting: what it costs grows with its length and no faster."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

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
    application = create_app(Current(open_service(Settings())), RequestLog(None, "text"))
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
