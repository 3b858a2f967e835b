"""Several servers behind HAProxy: each world stays on one of them, and comes to another when that one is gone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from mockserver.core.net import API, CONTROL
from tests import plain
from tests.ports import own_port
from tests.state.kept.billing import CONTROL_TOKEN, Books, Client, agree, billing, headers_of, queued_work_goes_on
from tests.state.kept.databases import Postgres
from tests.state.kept.killed import Killed

pytestmark = pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed")

CONFIGURATION = Path(__file__).parents[3] / "deploy" / "haproxy.cfg"
WORLDS = [f"world-{number}" for number in range(6)]


class Balanced:
    """Three servers, and the address that HAProxy listens at in front of them."""

    def __init__(self, address: str) -> None:
        options = ("--state", address, "--stripe-delay", "0.2", "--control-token", CONTROL_TOKEN)
        self.servers = [Killed(*options) for _ in range(3)]
        self.base = f"http://127.0.0.1:{own_port()}"

    def variables(self) -> dict[str, str]:
        places = {f"SERVER{number}": one.base.removeprefix("http://") for number, one in enumerate(self.servers, 1)}
        return {**os.environ, **places, "LISTEN": self.base.removeprefix("http://")}

    def home(self, world: str) -> Killed:
        """The server that has answered for this world."""
        [home] = [one for one in self.servers if one.running and self.exchanges(one).get(world)]
        return home

    def exchanges(self, server: Killed) -> dict[str, int]:
        """How many were answered in each world by that server itself."""
        listed = plain.get(f"{server.base}{CONTROL}/worlds", headers=headers_of("any"), timeout=60).json()["data"]
        return {one["name"]: one["exchanges"] for one in listed}


@pytest.fixture
def balanced(postgresql: Postgres) -> Iterator[Balanced]:
    several = Balanced(postgresql.new_database())
    try:
        for server in several.servers:
            server.start()
        with in_front(several.variables()):
            yield several
    finally:
        for server in several.servers:
            server.kill()


@contextmanager
def in_front(variables: dict[str, str]) -> Iterator[None]:
    """HAProxy, once it listens."""
    host, _, port = variables["LISTEN"].partition(":")
    with subprocess.Popen(["haproxy", "-db", "-f", CONFIGURATION], env=variables, stderr=subprocess.DEVNULL) as child:
        try:
            while True:
                assert child.poll() is None, "haproxy ended"
                with socket.socket() as probe:
                    if probe.connect_ex((host, int(port))) == 0:
                        break
                time.sleep(0.02)
            yield
        finally:
            child.kill()


def test_all_that_names_a_world_leads_to_the_server_that_has_it(balanced: Balanced) -> None:
    with plain.Client(base_url=balanced.base, timeout=60) as http:
        for world in WORLDS:
            for token in ("provider", "merchant1"):
                headers = {"Authorization": f"Bearer {token}@{world}"}
                assert http.get(f"{API}/billing/invoices", headers=headers).status_code == 200
            parameters = {"api_token": f"merchant2@{world}"}
            assert http.get(f"{API}/billing/invoices", params=parameters).status_code == 200
            # Control goes the same way: the journal that it shows is in the memory of that server.
            told = http.get(f"{CONTROL}/journal", headers=headers_of(world)).json()
            assert len(told["data"]) == 3
        assert len({balanced.home(world).base for world in WORLDS}) > 1


def test_the_worlds_of_a_server_that_is_gone_are_answered_for_by_another(balanced: Balanced) -> None:
    with plain.Client(base_url=balanced.base, headers=headers_of(WORLDS[0]), timeout=60) as http:
        made = http.post(f"{API}/billing/invoices", headers={"X-Selected-Client-Id": "1"}).json()["invoice"]["id"]
        balanced.home(WORLDS[0]).kill()
        gone = time.monotonic()
        while (answer := http.post(f"{API}/billing/invoices/{made}/finalize")).status_code != 200:
            assert answer.status_code in (502, 503)
            # It takes a fraction of a second, on a machine that is not as busy as this one may be.
            assert time.monotonic() < gone + 20
            time.sleep(0.02)


STORY = """
import time

import httpx
import pytest


@pytest.mark.parametrize("number", range(15))
def test_a_story(mock_world, number):
    with httpx.Client(base_url=mock_world.url, headers=mock_world.headers, timeout=30) as api:
        adjustment = {"amount": 5 + number, "description": "of a run in which servers are restarted"}
        merchant = {"X-Selected-Client-Id": "1"}
        charge = api.post("/billing/charges/quick-adjustment", json=adjustment, headers=merchant).json()["charge"]
        invoice = api.post("/billing/invoices", json={"charge_ids": [charge["id"]]}).json()["invoice"]
        time.sleep(0.1)
        assert api.post(f"/billing/invoices/{invoice['id']}/finalize").status_code == 200
        with mock_world.control.declines("expired_card"):
            assert api.post(f"/billing/invoices/{invoice['id']}/collect").status_code == 402
        time.sleep(0.1)
        assert api.post(f"/billing/invoices/{invoice['id']}/collect").status_code == 200
        rows = api.get("/billing/invoices", params={"q": f'id:"{invoice["id"]}"'}).json()["data"]
        assert [row["total"] for row in rows] == [5 + number]
"""


def test_a_test_run_notices_nothing_of_servers_that_are_restarted_one_after_the_other(
    balanced: Balanced, tmp_path: Path
) -> None:
    (tmp_path / "test_story.py").write_text(STORY)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--mockserver-url", balanced.base]
    environment = {**os.environ, "MOCKSERVER_CONTROL_TOKEN": CONTROL_TOKEN}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as run:
        restarts = 0
        while run.poll() is None:
            balanced.servers[restarts % 3].restart()
            restarts += 1
            # HAProxy, too, must have seen that it is there again.
            time.sleep(1)
        told, _ = run.communicate()
    assert run.returncode == 0, told
    assert restarts > 1


def test_servers_that_go_and_come_under_load_lose_nothing_and_do_nothing_twice(balanced: Balanced) -> None:
    first, second, third = balanced.servers
    third.kill()
    known = Books(balanced.base, "untouched")
    clients = [Client(balanced.base, world, 1, Random(place)) for place, world in enumerate(WORLDS)]
    with billing(clients):
        for leaving, coming in ((None, third), (first, None), (second, first)):
            if coming is not None:
                coming.start()
            time.sleep(0.5)
            if leaving is not None:
                leaving.kill()
        patience = time.monotonic() + 60
        while not all(client.paid for client in clients):
            assert time.monotonic() < patience
            time.sleep(0.05)
    for client in clients:
        queued_work_goes_on(balanced.base, client.world)
        agree(Books(balanced.base, client.world), known, [client])
