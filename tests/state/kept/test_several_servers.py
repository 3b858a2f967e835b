"""Several servers may have the same world: each answers for what all have done, and nothing is lost or done twice."""

from __future__ import annotations

import socket
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from random import Random
from time import sleep
from typing import Any

import pytest

from mockserver.core.errors import Unavailable
from mockserver.core.net import API, CONTROL
from mockserver.server.webhook_worker import WebhookWorker
from mockserver.state import world as world_module
from mockserver.state.kept.bases import Bases
from mockserver.state.kept.connecting import Connections
from mockserver.state.kept.keeper import WorldKeeper
from mockserver.state.outbox import NOBODY
from mockserver.state.world import World
from tests import plain
from tests.state.kept.billing import Books, Client, agree, billing, headers_of, queued_work_goes_on
from tests.state.kept.databases import Postgres
from tests.state.kept.killed import killable
from tests.state.kept.receiving import receiver
from tests.state.kept.test_kept_worlds import same
from tests.state.kept.used import DOINGS, Used

MERCHANT = {"x-selected-client-id": "1"}


def test_what_one_server_has_done_the_others_answer_for(address: str) -> None:
    one, other = Used(address, "mine"), Used(address, "mine")
    assert other.api("GET", "/billing/invoices").status == 200
    charge = one.charge(7).body["charge"]["id"]
    assert other.api("GET", f"/billing/charges/{charge}").status == 200
    invoice = other.api("POST", "/billing/invoices", {"charge_ids": [charge]}).body["invoice"]["id"]
    assert one.api("POST", "/billing/invoices", {"charge_ids": [charge]}).status == 422
    assert one.api("POST", f"/billing/invoices/{invoice}/finalize").status == 200
    assert other.api("POST", f"/billing/invoices/{invoice}/collect").status == 200
    assert len(one.control("GET", "/stripe/ledger").body["data"]) == len(other.world.state.stripe.ledger)


def test_control_at_one_server_holds_at_the_others(address: str) -> None:
    one, other = Used(address, "mine"), Used(address, "mine")
    assert other.control("PUT", "/snapshots/before", {}).status == 200
    assert one.control("POST", "/clock/freeze", {"at": "2030-01-15T10:00:00Z"}).status == 200
    assert other.control("GET", "/clock").body == {"now": "2030-01-15T10:00:00.000000Z", "frozen": True}
    assert one.control("POST", "/faults", {"kind": "status", "status": 429, "count": 1}).status == 201
    assert [server.api("GET", "/billing/invoices").status for server in (other, one, other)] == [429, 200, 200]
    other.charge()
    assert one.control("POST", "/snapshots/before/restore").status == 200
    assert not other.control("GET", "/clock").body["frozen"]
    same(one.world, other.world)


def test_what_one_server_has_shown_as_done_stays_so_when_the_clock_is_set_back_at_another(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'team.db'}"
    one, other = Used(address, "mine"), Used(address, "mine")
    charge = one.charge(7).body["charge"]["id"]
    invoice = one.api("POST", "/billing/invoices", {"charge_ids": [charge]}).body["invoice"]["id"]
    assert one.api("POST", f"/billing/invoices/{invoice}/finalize").status == 200
    assert one.control("POST", "/clock/advance", {"by": 3599.9}).status == 200
    sleep(0.15)
    shown = _stripe_id(one, invoice)
    assert shown is not None
    assert other.control("POST", "/clock/freeze", {"at": "2020-01-15T10:00:00Z"}).status == 200
    for server in (one, other, Used(address, "mine")):
        assert _stripe_id(server, invoice) == shown


def _stripe_id(server: Used, invoice: int) -> Any:
    (row,) = (one for one in server.api("GET", "/billing/invoices").body["data"] if one["id"] == invoice)
    return row["stripe_invoice_id"]


def test_a_world_that_one_server_drops_is_new_at_the_others(address: str) -> None:
    one, other = Used(address, "mine"), Used(address, "mine")
    before = one.world.state.store.sizes
    one.charge()
    other.charge()
    assert one.control("DELETE", "/worlds/mine").status == 200
    assert one.charge().status == 200
    assert other.control("GET", "/world").body["counts"]["charges"] == before[0] + 1


def test_people_of_a_snapshot_that_one_server_restores_are_let_in_by_the_others(address: str) -> None:
    one, other = Used(address, "mine"), Used(address, "mine")
    strangers = "merchants: [{id: 5, name: Fifth, currency: USD}]\ntokens: {stranger: [5], provider: [5]}\n"
    assert other.charge().status == 200
    assert one.control("PUT", "/snapshots/a", {"fixture": strangers}).status == 200
    assert one.control("POST", "/snapshots/a/restore").status == 200
    assert other.api("GET", "/billing/invoices", authorization="Bearer stranger@mine").status == 200


@pytest.mark.parametrize("seed", range(2))
def test_servers_that_take_turns_hold_the_same(address: str, seed: int) -> None:
    chance = Random(seed)
    servers = [Used(address, "mine") for _ in range(2)]
    for name in chance.choices(list(DOINGS), k=60):
        DOINGS[name](chance.choice(servers), chance)
    for server in servers:
        server.world.refresh()
        same(server.world, Used(address, "mine").world)


def test_who_comes_too_late_again_and_again_gets_a_turn(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between a load and a save the other server has always changed the world, unless it is kept away."""
    one, other = Used(address, "mine"), Used(address, "mine")
    one.charge()
    save = WorldKeeper.save
    late = other.world

    def overtaken(keeper: WorldKeeper, world: World) -> bool:
        if world is late and keeper._held is None:
            one.charge()
        return save(keeper, world)

    monkeypatch.setattr(WorldKeeper, "save", overtaken)
    before = late.state.store.sizes[0]
    assert other.charge().status == 200
    assert late.state.store.sizes[0] == before + 2


def test_a_server_that_holds_a_world_for_long_is_not_waited_for_any_longer(address: str) -> None:
    one, other = Used(address, "mine"), Used(address, "mine")
    one.charge()
    held = one.world
    before = other.world.state.store.sizes
    with held.lock, closing(Connections(address)) as connections:
        keeper = WorldKeeper(connections, Bases(), "mine", NOBODY)
        with keeper.alone():
            keeper.load(held)
            reply = other.charge()
            assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
    assert other.charge().status == 200
    assert other.world.state.store.sizes[0] == before[0] + 1


def test_several_servers_may_start_at_the_same_time(address: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        servers = list(pool.map(lambda name: Used(address, name), ("a", "b", "c", "d")))
    assert all(server.charge().status == 200 for server in servers)


def test_a_world_that_others_change_all_the_time_is_told_of_and_left_alone(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = Used(address, "mine")
    used.charge()
    before = used.world.state.store.sizes
    with monkeypatch.context() as patch:
        patch.setattr(WorldKeeper, "save", lambda keeper, world: False)
        reply = used.charge()
        assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
        with pytest.raises(Unavailable):
            used.world.change(lambda: None)
    assert used.world.state.store.sizes == before


def test_only_one_server_delivers_the_events_of_a_world(address: str) -> None:
    one, other = Used(address, "mine").world, Used(address, "mine").world
    assert one.take_over(0.2)
    assert one.take_over(0.2)
    assert not other.take_over(0.2)
    one.hand_over()
    assert other.take_over(0.2)
    other.hand_over()


def test_a_server_that_has_no_turn_to_send_yet_keeps_no_other_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    take_over = WorldKeeper.take_over

    def note(keeper: WorldKeeper, seconds: float) -> bool:
        taken.append(keeper._name)
        return take_over(keeper, seconds)

    monkeypatch.setattr(WorldKeeper, "take_over", note)
    monkeypatch.setattr(WebhookWorker, "AT_ONCE", 1)
    slow = Used(f"sqlite:///{tmp_path / 'team.db'}", "slow")
    with socket.create_server(("127.0.0.1", 0)) as deaf, receiver() as (url, received):
        hangs = f"http://127.0.0.1:{deaf.getsockname()[1]}/hook"
        for used, to in ((slow, hangs), (slow.at("next"), url)):
            assert used.control("PUT", "/webhooks", {"url": to, "timeout": 60}).status == 200
        assert slow.api("POST", "/billing/invoices", **MERCHANT).status == 200
        deaf.settimeout(60)
        with deaf.accept()[0]:
            assert slow.at("next").api("POST", "/billing/invoices", **MERCHANT).status == 200
            sleep(0.3)
            assert taken == ["slow"]
            # Gone, so that nobody is waited for any more, and the next has the turn.
            deaf.close()
        assert b"invoice.created" in received.get(timeout=60)
    assert taken[1] == "next"


def test_who_starts_and_who_holds_a_world_do_not_wait_for_each_other(
    postgresql: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = postgresql.new_database()
    used = Used(address, "mine")
    used.charge()
    save = WorldKeeper.save
    with ThreadPoolExecutor(1) as pool:
        started: list[Future[Used]] = []

        def save_late(keeper: WorldKeeper, world: World) -> bool:
            if not started:
                started.append(pool.submit(Used, address, "mine"))
                sleep(0.7)
            return save(keeper, world)

        monkeypatch.setattr(world_module, "_TRIES", (True,))
        monkeypatch.setattr(WorldKeeper, "save", save_late)
        assert used.charge().status == 200
        assert started[0].result().charge().status == 200


def test_the_events_of_a_server_that_is_gone_are_delivered_by_another(address: str) -> None:
    with receiver() as (url, received), killable("--state", address) as one, killable("--state", address):
        with plain.Client(base_url=one.base, headers=headers_of("mine"), timeout=60) as http:
            assert http.put(CONTROL + "/webhooks", json={"url": url, "delay": 2}).status_code == 200
            assert http.post(API + "/billing/invoices", headers={"X-Selected-Client-Id": "1"}).status_code == 200
        one.kill()
        assert b"invoice.created" in received.get(timeout=60)


def test_no_event_goes_out_twice_though_several_servers_have_the_world(address: str) -> None:
    with receiver() as (url, received), ExitStack() as stack:
        servers = [stack.enter_context(killable("--state", address)) for _ in range(2)]
        clients = [
            stack.enter_context(plain.Client(base_url=server.base, headers=headers_of("mine"), timeout=60))
            for server in servers
        ]
        assert clients[0].put(CONTROL + "/webhooks", json={"url": url}).status_code == 200
        for number in range(20):
            charge = clients[number % 2].post(
                API + "/billing/charges/quick-adjustment",
                json={"amount": 5, "description": "any"},
                headers={"X-Selected-Client-Id": "1"},
            )
            ids = {"charge_ids": [charge.json()["charge"]["id"]]}
            assert clients[number % 2].post(API + "/billing/invoices", json=ids).status_code == 200
        came = [received.get(timeout=60) for _ in range(20)]
        sleep(1)
        assert received.empty()
        assert len(set(came)) == 20


def test_servers_with_the_same_world_under_load_lose_nothing_and_do_nothing_twice(address: str) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(killable("--state", address, "--stripe-delay", "0.2")) for _ in range(2)]
        known = Books(servers[0].base, "untouched")
        clients = [Client(server.base, "mine", merchant, Random(merchant)) for server in servers for merchant in (1, 2)]
        with billing(clients):
            sleep(1)
        queued_work_goes_on(servers[0].base, "mine")
        for server in servers:
            agree(Books(server.base, "mine"), known, clients)
        assert all(client.paid for client in clients)


def test_threads_of_two_servers_number_what_they_make_without_a_gap(address: str) -> None:
    servers = [Used(address, "mine") for _ in range(2)]
    last = servers[0].charge().body["charge"]["id"]

    def charges(server: Used) -> list[int]:
        return [server.charge().body["charge"]["id"] for _ in range(15)]

    with ThreadPoolExecutor(4) as pool:
        made = sorted(number for numbers in pool.map(charges, servers * 2) for number in numbers)
    assert made == list(range(last + 1, last + 61))
