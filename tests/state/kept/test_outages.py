"""A database that is away, full or silent: nothing is changed by halves, and it goes on afterwards."""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection

from mockserver.core.errors import Unavailable
from mockserver.state.kept import connecting, listening
from mockserver.state.kept.keeper import WorldKeeper
from tests import plain
from tests.state.kept.databases import Postgres, held
from tests.state.kept.killed import killable
from tests.state.kept.refusals import told_away, told_not_known
from tests.state.kept.relay import relay
from tests.state.kept.test_kept_worlds import same
from tests.state.kept.used import Used

CHANGE = (
    b"POST /api/billing/charges/quick-adjustment HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer provider\r\n"
    b"X-Selected-Client-Id: 1\r\nContent-Type: application/json\r\nContent-Length: 35\r\n\r\n"
    b'{"amount": 5, "description": "any"}'
)


def _changes_nothing_while_away(used: Used, address: str, away: Callable[[], Iterator[None]]) -> None:
    before = used.world.state.store.sizes
    last = used.charge(1).body["charge"]["id"]
    with contextmanager(away)():
        told_away(used.charge(2))
        told_away(used.api("GET", "/billing/invoices"))
        told_away(used.control("POST", "/reset"))
        told_away(used.control("GET", "/clock"))
        assert used.control("GET", "/health").status == 200
    assert used.charge(3).body["charge"]["id"] == last + 1
    assert used.world.state.store.sizes == (before[0] + 2, before[1])
    same(used.world, Used(address, "mine").world)


def test_while_a_sqlite_file_is_held_nothing_changes_and_then_it_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "team.db"
    address = f"sqlite:///{path}"

    def away() -> Iterator[None]:
        with held(path):
            yield

    _changes_nothing_while_away(Used(address, "mine"), address, away)


@pytest.mark.parametrize(("method", "path"), [("POST", "/reset"), ("DELETE", "/journal")])
def test_what_could_not_be_done_has_emptied_no_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    monkeypatch.setattr(connecting, "_PATIENCE", 0)
    used = Used(f"sqlite:///{tmp_path / 'team.db'}", "mine")
    assert used.charge(1).status == 200

    def lost(*_: object) -> bool:
        raise Unavailable("the world is as it was", because="state", headers={"Retry-After": "1"})

    with monkeypatch.context() as broken:
        broken.setattr(WorldKeeper, "save", lost)
        told_away(used.control(method, path))
        assert len(used.world.journal) == 1
    assert used.control(method, path).status == 200
    assert len(used.world.journal) == 0


def test_a_full_disk_is_told_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare, most = connecting._prepare_sqlite, 1_000_000

    def limited(connection: Any, record: Any) -> None:
        prepare(connection, record)
        connection.execute(f"PRAGMA max_page_count = {most}")

    monkeypatch.setattr(connecting, "_prepare_sqlite", limited)
    used = Used(f"sqlite:///{tmp_path / 'team.db'}", "mine")
    assert used.charge(1).status == 200
    # No file gets smaller by it: it has all the pages that it may have from the next connection on.
    most = 1
    used.service.worlds.close()
    reply = next(reply for _ in range(1000) if (reply := used.charge(1)).status != 200)
    told_away(reply)
    assert "database or disk is full" in reply.body["message"]
    sizes = used.world.state.store.sizes
    told_away(used.charge(1))
    assert used.world.state.store.sizes == sizes


def test_while_postgresql_is_stopped_nothing_changes_and_then_it_goes_on(postgresql: Postgres) -> None:
    address = postgresql.new_database()

    def away() -> Iterator[None]:
        postgresql.stop()
        yield
        postgresql.start()

    _changes_nothing_while_away(Used(address, "mine"), address, away)


@pytest.mark.parametrize("word", [b"BEGIN", b"UPDATE mockserver_worlds", b"COMMIT"])
def test_a_postgresql_that_falls_silent_is_not_waited_for_for_ever(
    postgresql: Postgres, word: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = postgresql.new_database()
    with relay(address) as way:
        used = Used(way.address, "mine")
        used.charge(1)
        monkeypatch.setattr(listening, "SILENCE", 1.0)
        way.end_at(word)
        reply = used.charge(2)
        if word == b"COMMIT":
            told_not_known(reply)
        else:
            told_away(reply)
        told_away(used.api("GET", "/billing/invoices"))


def test_of_connections_that_were_lost_while_nobody_used_them_one_is_waited_for(
    postgresql: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    with relay(postgresql.new_database()) as way, closing(connecting.Connections(way.address)) as connections:
        with ExitStack() as several:
            for _ in range(5):
                several.enter_context(connections.reading())
        monkeypatch.setattr(listening, "SILENCE", 1.0)
        way.lose()
        with connections.reading() as connection:
            assert connection.exec_driver_sql("SELECT 7").scalar() == 7
            # Whoever closes a connection says so (an X) and waits for no answer.
            assert len([one for one in way.unheard if not one.startswith(b"X")]) == 1


def test_a_connection_that_nobody_uses_is_kept_alive(postgresql: Postgres) -> None:
    with relay(postgresql.new_database()) as way, closing(connecting.Connections(way.address)) as connections:
        with connections.reading() as connection, socket.socket(fileno=os.dup(_descriptor(connection))) as end:
            assert end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            if hasattr(socket, "TCP_KEEPIDLE"):
                assert end.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) < 60


def _descriptor(connection: Connection) -> int:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver.fileno()


def test_health_is_answered_while_a_change_waits_for_the_database(tmp_path: Path) -> None:
    path = tmp_path / "team.db"
    with killable("--state", f"sqlite:///{path}") as server:
        address = ("127.0.0.1", int(server.base.rpartition(":")[2]))
        with held(path):
            for _ in range(3):
                with closing(socket.create_connection(address)) as change:
                    change.sendall(CHANGE)
                    # The change has come to the server before health is asked for.
                    time.sleep(0.1)
                    assert plain.get(f"{server.base}/_mock/health").status_code == 200
                    waits, _, _ = select.select([change], [], [], 0.0)
                    if not waits:
                        return
    pytest.fail("health was asked for three times while a change waited, and was answered after it each time")


def test_a_journal_tells_of_the_outage_and_blames_nobody_else(tmp_path: Path) -> None:
    used = Used(f"sqlite:///{tmp_path / 'team.db'}", "mine")
    used.charge(1)
    with held(tmp_path / "team.db"):
        used.charge(2)
    exchanges, _ = used.world.journal.read()
    assert [one.reply.status for one in exchanges] == [200, 503]
    assert exchanges[1].objections is None
