"""A server that keeps its worlds in a database may be killed at any moment: what was answered is there, and no half."""

from __future__ import annotations

import time
from random import Random

import pytest

from mockserver.core.net import API, CONTROL
from tests import plain
from tests.state.kept.billing import Books, Client, agree, billing, queued_work_goes_on
from tests.state.kept.killed import killable
from tests.state.kept.receiving import receiver

WORLDS = ("mine", "yours")
USUAL_KILLS = 2
"""`--kills 300` does it more often."""


def test_a_server_killed_at_random_forgets_nothing_halves_nothing_and_bills_nobody_twice(
    address: str, pytestconfig: pytest.Config
) -> None:
    kills = pytestconfig.getoption("--kills")
    chance = Random(None if kills else 1)
    with killable("--state", address, "--stripe-delay", "0.2") as server:
        known = Books(server.base, "untouched")
        clients = [Client(server.base, world, merchant, Random(merchant)) for world in WORLDS for merchant in (1, 2)]
        with billing(clients):
            for _ in range(kills or USUAL_KILLS):
                time.sleep(chance.uniform(0.1, 1.5))
                server.kill()
                server.start()
            patience = time.monotonic() + 60
            while not all(client.paid for client in clients):
                assert time.monotonic() < patience
                time.sleep(0.05)
        server.kill()
        server.start()
        for world in WORLDS:
            queued_work_goes_on(server.base, world)
            agree(Books(server.base, world), known, [client for client in clients if client.world == world])


def test_events_go_out_after_a_restart_though_nobody_asks_for_their_world(address: str) -> None:
    with killable("--state", address) as server, receiver() as (url, received):
        headers = {"Authorization": "Bearer provider@mine"}
        with plain.Client(base_url=server.base, headers=headers, timeout=60) as http:
            assert http.put(CONTROL + "/webhooks", json={"url": url, "delay": 2}).status_code == 200
            assert http.post(API + "/billing/invoices", headers={"X-Selected-Client-Id": "1"}).status_code == 200
        server.kill()
        server.start()
        assert b"invoice.created" in received.get(timeout=60)
