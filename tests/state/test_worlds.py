"""Worlds: isolated, cheap, dropped when idle, listed and deleted."""

from __future__ import annotations

import ssl
import threading
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.core.errors import InvalidRequest
from mockserver.server.process import Running
from mockserver.state.fixtures.load import load_fixture
from mockserver.state.world import Blueprint
from mockserver.state.worlds import COMMON, Worlds
from tests import plain
from tests.calls import calls
from tests.conftest import Api
from tests.properties import examples

CROWD = 200


@pytest.fixture(scope="module")
def blueprint() -> Blueprint:
    return load_fixture("default")


class Time:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def used_once(worlds: Worlds, name: str) -> None:
    worlds.leave(worlds.enter(name))


def test_making_a_world_hardly_costs_more_where_more_is_in_it() -> None:
    def cost(fixture: str) -> int:
        worlds = Worlds(load_fixture(fixture), most=1000, idle=60)
        used_once(worlds, "first")
        return calls(lambda: used_once(worlds, "second"))

    assert cost("large:2000") < 3 * cost("large:20")


def test_a_thousand_worlds_take_little_memory(blueprint: Blueprint) -> None:
    worlds = Worlds(blueprint, most=2000, idle=60)
    tracemalloc.start()
    try:
        for number in range(1000):
            used_once(worlds, f"w{number}")
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 50_000_000


def test_idle_worlds_are_dropped_when_another_is_made(blueprint: Blueprint) -> None:
    now = Time()
    worlds = Worlds(blueprint, most=100, idle=60, time=now)
    used_once(worlds, "old")
    now.now = 50
    used_once(worlds, "fresh")
    now.now = 70
    used_once(worlds, "new")
    assert worlds.names() == [COMMON, "fresh", "new"]


def test_the_longest_unused_world_makes_room(blueprint: Blueprint) -> None:
    worlds = Worlds(blueprint, most=3, idle=1e9, time=Time())
    for name in ("a", "b", "c", "a", "d"):
        used_once(worlds, name)
    assert worlds.names() == [COMMON, "c", "a", "d"]


def test_a_world_in_use_is_never_dropped(blueprint: Blueprint) -> None:
    now = Time()
    worlds = Worlds(blueprint, most=1, idle=1, time=now)
    busy = worlds.enter("busy")
    now.now = 1000
    used_once(worlds, "other")
    used_once(worlds, "another")
    assert worlds.names() == [COMMON, "busy", "another"]
    assert worlds.enter("busy") is busy


def test_a_world_that_was_dropped_starts_anew(blueprint: Blueprint) -> None:
    worlds = Worlds(blueprint, most=10, idle=60)
    world = worlds.enter("w")
    world.state.store.next_invoice_id()
    assert worlds.drop("w")
    assert world.closed
    assert worlds.enter("w").state.store.last_ids == blueprint.state.store.last_ids


@pytest.mark.parametrize("name", ["x" * 201, "a\nb", ""])
def test_what_can_not_name_a_world_is_refused(blueprint: Blueprint, name: str) -> None:
    with pytest.raises(InvalidRequest):
        Worlds(blueprint, most=10, idle=60).enter(name)


def test_the_common_world_and_those_named_are_listed(api: Api) -> None:
    api.get("/billing/invoices")
    rows = {row["name"]: row for row in api.control("GET", "/worlds").json()["data"]}
    assert next(iter(rows)) == COMMON
    assert list(rows)[1] == api.world, "the last used one comes first"
    assert rows[api.world]["in_use"], "the call itself is in it"


def test_a_deleted_world_is_made_anew(api: Api) -> None:
    untouched = api.everything()
    api.draft()
    assert api.everything() != untouched
    answer = api.http.delete(f"{api.server.control}/worlds/{api.world}")
    assert answer.status_code == 200, answer.text
    assert api.everything() == untouched


def test_a_world_that_does_not_exist_can_not_be_deleted(api: Api) -> None:
    answer = api.control("DELETE", "/worlds/nobody-was-here")
    assert answer.status_code == 404
    assert "nobody-was-here" in answer.json()["message"]


def test_the_common_world_can_not_be_deleted(api: Api) -> None:
    answer = api.control("DELETE", f"/worlds/{COMMON}")
    assert answer.status_code == 400
    assert "world" in answer.json()["errors"]


Step = tuple[str, int]
LIVES = st.lists(
    st.tuples(st.sampled_from(["charge", "draft", "finalize", "advance", "reset"]), st.integers(1, 99)),
    min_size=3,
    max_size=6,
)


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    limits = httpx.Limits(max_connections=32, max_keepalive_connections=32)
    with plain.Client(limits=limits, timeout=120) as client:
        yield client


def lead(server: Running, http: httpx.Client, name: str, life: list[Step]) -> Any:
    """Live that life in a world of its own: what the world's clients were told, and what is in it in the end."""
    headers = {"Authorization": f"Bearer provider@{name}", "X-Selected-Client-Id": "1"}

    def ask(method: str, address: str, **kwargs: Any) -> Any:
        answer = http.request(method, address, headers=headers, **kwargs)
        assert answer.status_code < 500, answer.text
        return answer.json()

    ask("POST", f"{server.control}/clock/freeze", json={"at": "2026-12-01T00:00:00Z"})
    told, last = [], 0
    for step, number in life:
        if step == "charge":
            body = {"amount": number, "description": f"Charge of {number}"}
            told.append(ask("POST", f"{server.api}/billing/charges/quick-adjustment", json=body))
        elif step == "draft":
            told.append(ask("POST", f"{server.api}/billing/invoices", json={}))
            last = told[-1].get("invoice", {}).get("id", last)
        elif step == "finalize":
            told.append(ask("POST", f"{server.api}/billing/invoices/{last}/finalize"))
        elif step == "advance":
            told.append(ask("POST", f"{server.control}/clock/advance", json={"by": number}))
        else:
            told.append(ask("POST", f"{server.control}/reset")["message"].replace(name, "NAME"))
            ask("POST", f"{server.control}/clock/freeze", json={"at": "2026-12-01T00:00:00Z"})
    told.append(ask("GET", f"{server.api}/billing/invoices", params={"per_page": 100})["data"])
    told.append(ask("GET", f"{server.control}/webhooks/deliveries")["data"])
    return told


@given(st.data())
@examples(2)
def test_two_hundred_clients_in_two_hundred_worlds_do_not_see_each_other(
    server: Running, http: httpx.Client, data: st.DataObject
) -> None:
    """Each of 200 lives at once goes exactly as the same life goes alone."""
    lives = data.draw(st.lists(LIVES, min_size=4, max_size=4, unique_by=str))
    stamp = f"{time.monotonic_ns()}"
    alone = [lead(server, http, f"alone-{stamp}-{number}", life) for number, life in enumerate(lives)]
    start = threading.Barrier(20)

    def crowded(number: int) -> Any:
        if number < start.parties:
            start.wait(120)
        return lead(server, http, f"crowd-{stamp}-{number}", lives[number % len(lives)])

    with ThreadPoolExecutor(20) as pool:
        together = list(pool.map(crowded, range(CROWD)))
    for number, told in enumerate(together):
        assert told == alone[number % len(lives)]


def test_two_hundred_parallel_clients_have_a_world_each(server: Running) -> None:
    """All at the same moment: everyone gets the same fresh id, and finds just its own charge."""

    def first_charge(number: int) -> tuple[Any, Any]:
        headers = {"Authorization": f"Bearer provider@moment-{number}", "X-Selected-Client-Id": "2"}
        with httpx.Client(headers=headers, timeout=60, verify=tls) as client:
            body = {"amount": number + 1, "description": f"of {number}"}
            start.wait(60)
            made = client.post(f"{server.api}/billing/charges/quick-adjustment", json=body).json()["charge"]
            newest = client.get(f"{server.api}/billing/charges", params={"per_page": 1}).json()["data"][0]
        assert newest == made
        assert made["description"] == f"of {number}"
        return made["id"], made["amount"]

    start = threading.Barrier(CROWD)
    tls = ssl.create_default_context()  # to read the certificates 200 times takes 15 s
    with ThreadPoolExecutor(CROWD) as pool:
        made = list(pool.map(first_charge, range(CROWD)))
    assert {number for number, _ in made} == {made[0][0]}
    assert [amount for _, amount in made] == list(range(1, CROWD + 1))
