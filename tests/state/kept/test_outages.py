"""A database that is away, that is of another version, or that is none."""

from __future__ import annotations

import os
import select
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, create_engine

from mockserver.cli.main import main
from mockserver.core.errors import Unavailable, Unusable
from mockserver.core.messages import Reply
from mockserver.server.service import open_service
from mockserver.server.settings import Settings
from mockserver.state import world
from mockserver.state.kept import connecting, listening, schema
from mockserver.state.kept.keeper import WorldKeeper
from tests import plain
from tests.state.kept.databases import Postgres, held
from tests.state.kept.killed import killable
from tests.state.kept.relay import relay
from tests.state.kept.test_kept_worlds import same
from tests.state.kept.used import Used

CHANGE = (
    b"POST /api/billing/charges/quick-adjustment HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer provider\r\n"
    b"X-Selected-Client-Id: 1\r\nContent-Type: application/json\r\nContent-Length: 35\r\n\r\n"
    b'{"amount": 5, "description": "any"}'
)


def _away(reply: Reply) -> None:
    """Fails unless it says that the database is away, and when to try again."""
    assert (reply.status, reply.headers.get("Retry-After")) == (503, "1"), reply
    assert "the world is as it was" in reply.body["message"]


def _changes_nothing_while_away(used: Used, address: str, away: Callable[[], Iterator[None]]) -> None:
    before = used.world.state.store.sizes
    last = used.charge(1).body["charge"]["id"]
    with contextmanager(away)():
        _away(used.charge(2))
        _away(used.api("GET", "/billing/invoices"))
        _away(used.control("POST", "/reset"))
        _away(used.control("GET", "/clock"))
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
        _away(used.control(method, path))
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
    _away(reply)
    assert "database or disk is full" in reply.body["message"]
    sizes = used.world.state.store.sizes
    _away(used.charge(1))
    assert used.world.state.store.sizes == sizes


def test_while_postgresql_is_stopped_nothing_changes_and_then_it_goes_on(postgresql: Postgres) -> None:
    address = postgresql.new_database()

    def away() -> Iterator[None]:
        postgresql.stop()
        yield
        postgresql.start()

    _changes_nothing_while_away(Used(address, "mine"), address, away)


class Lost:
    """A driver's connection that breaks when a transaction is to end; `end` is what becomes of that end."""

    def __init__(self, driver: Any, end: Callable[[Any], object]) -> None:
        self._driver = driver
        self._end = end

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    def execute(self, text: str, *values: Any) -> Any:
        if text != "COMMIT":
            return self._driver.execute(text, *values)
        self._end(self._driver)
        raise _lost(self._driver)


def _lost(driver: Any) -> Exception:
    kind = sqlite3.OperationalError if isinstance(driver, sqlite3.Connection) else psycopg.OperationalError
    return kind("server closed the connection unexpectedly")


@contextmanager
def losing(end: Callable[[Any], object]) -> Iterator[None]:
    """The next connection that a transaction is to end on breaks then."""
    plain_driver, broken = connecting._driver, list[bool]()

    def once(driver: Any) -> None:
        broken.append(True)
        end(driver)

    def driver_of(connection: Connection) -> Any:
        driver = plain_driver(connection)
        return driver if broken else Lost(driver, once)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connecting, "_driver", driver_of)
        yield
    assert broken


def _commit(driver: Any) -> None:
    driver.execute("COMMIT")


def _roll_back(driver: Any) -> None:
    driver.execute("ROLLBACK")


def _not_known(reply: Reply) -> None:
    """Fails unless it says that nobody can know whether the change was kept, and asks for no second one."""
    assert reply.status == 503
    assert "Retry-After" not in reply.headers
    assert "It is not known whether this was kept" in reply.body["message"]


@pytest.mark.parametrize("kept", [True, False])
def test_a_change_whose_keeping_was_not_answered_is_looked_up(address: str, kept: bool) -> None:
    used = Used(address, "mine")
    used.charge(1)
    before = used.world.state.store.sizes[0]
    with losing(_commit if kept else _roll_back):
        reply = used.charge(2)
    if kept:
        assert reply.status == 200
    else:
        _away(reply)
    assert used.world.state.store.sizes[0] == before + kept
    assert used.charge(3).status == 200
    same(used.world, Used(address, "mine").world)


def test_a_change_that_the_database_still_keeps_after_the_connection_broke_is_waited_for(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = Used(address, "mine")
    used.charge(1)
    before = used.world.state.store.sizes[0]
    late: list[threading.Timer] = []

    def end(driver: Any) -> None:
        late.append(threading.Timer(0.2, driver.execute, ["COMMIT"]))
        late[0].start()

    # The other end goes on with what it was told last, though this end is gone.
    monkeypatch.setattr(connecting, "_drop", lambda connection: left.append(connection))
    left: list[Connection] = []
    with losing(end):
        reply = used.charge(2)
    late[0].join()
    monkeypatch.undo()
    assert reply.status == 200
    assert used.world.state.store.sizes[0] == before + 1
    same(used.world, Used(address, "mine").world)


@pytest.mark.parametrize("end", [_commit, _roll_back])
def test_a_change_that_another_server_went_on_from_is_not_known_to_be_lost(
    address: str, end: Callable[[Any], object]
) -> None:
    used, other = Used(address, "mine"), Used(address, "mine")
    used.charge(1)

    def end_and_go_on(driver: Any) -> None:
        end(driver)
        assert other.charge(3).status == 200

    with losing(end_and_go_on):
        _not_known(used.charge(2))
    same(used.world, Used(address, "mine").world)


@pytest.mark.parametrize("kept", [True, False])
def test_a_change_that_others_were_kept_away_from_is_looked_up_as_well(
    address: str, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = Used(address, "mine")
    used.charge(1)
    before = used.world.state.store.sizes[0]
    monkeypatch.setattr(world, "_TRIES", (True,))
    with losing(_commit if kept else _roll_back):
        reply = used.charge(2)
    if kept:
        assert reply.status == 200
    else:
        _away(reply)
    assert used.world.state.store.sizes[0] == before + kept
    same(used.world, Used(address, "mine").world)


def test_whoever_only_reads_is_told_to_try_again_when_that_could_not_be_ended(address: str) -> None:
    used, other = Used(address, "mine"), Used(address, "mine")
    used.charge(1)
    other.charge(2)
    with losing(_commit):
        _away(used.api("GET", "/billing/invoices"))
    assert used.api("GET", "/billing/invoices").status == 200


def test_where_it_can_not_be_looked_up_that_is_said(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    used = Used(address, "mine")
    used.charge(1)
    before = used.world.state.store.sizes[0]

    def end(driver: Any) -> None:
        driver.execute("COMMIT")
        monkeypatch.setattr(connecting.Connections, "_executed", away)

    def away(*_: Any) -> Any:
        raise sqlite3.OperationalError if address.startswith("sqlite") else psycopg.OperationalError

    with losing(end):
        reply = used.charge(2)
    monkeypatch.undo()
    _not_known(reply)
    assert used.world.state.store.sizes[0] == before + 1


def test_the_first_change_of_a_world_is_not_known_to_be_lost_where_it_is_not_there(address: str) -> None:
    for end in (_roll_back, _commit):
        used = Used(address, f"mine{end.__name__}")
        assert used.api("GET", "/billing/invoices").status == 200
        with losing(end):
            reply = used.charge(1)
        if end is _roll_back:
            _not_known(reply)
        else:
            assert reply.status == 200


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
            _not_known(reply)
        else:
            _away(reply)
        _away(used.api("GET", "/billing/invoices"))


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


def test_an_older_database_is_carried_over(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    used = Used(address, "mine")
    used.charge()

    def add_a_column(connection: Connection) -> None:
        connection.exec_driver_sql("ALTER TABLE mockserver_worlds ADD COLUMN colour VARCHAR(20)")

    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, add_a_column))
    carried = Used(address, "mine")
    same(used.world, carried.world)
    assert carried.charge().status == 200
    same(carried.world, Used(address, "mine").world)


def test_a_database_of_the_first_version_is_carried_over(address: str) -> None:
    used = Used(address, "mine")
    used.charge()
    engine = create_engine(address)
    with engine.begin() as connection:
        for change in ("ADD COLUMN pending BOOLEAN NOT NULL DEFAULT false", "DROP COLUMN used", "DROP COLUMN due"):
            connection.exec_driver_sql(f"ALTER TABLE mockserver_worlds {change}")
        connection.exec_driver_sql("DROP TABLE mockserver_senders")
        connection.exec_driver_sql("UPDATE mockserver_schema SET version = 1")
    engine.dispose()
    carried = Used(address, "mine")
    same(used.world, carried.world)
    assert carried.charge().status == 200


def test_a_newer_database_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(schema, "STEPS", (*schema.STEPS, lambda _: None))
        Used(address, "mine").charge()
    with pytest.raises(Unusable, match="its schema has version 3, made by a newer mockserver; this one knows 2"):
        Used(address, "mine")


def test_a_step_that_fails_leaves_the_database_as_it_was(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    used = Used(address, "mine")
    used.charge()

    def half(connection: Connection) -> None:
        connection.exec_driver_sql("DROP TABLE mockserver_rows")
        connection.exec_driver_sql("no SQL at all")

    with monkeypatch.context() as newer:
        newer.setattr(schema, "STEPS", (*schema.STEPS, half))
        with pytest.raises(Unusable, match="can't be used"):
            Used(address, "mine")
    same(used.world, Used(address, "mine").world)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("team.db", "expected an address such as sqlite:///team.db"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("mysql://localhost/x", "expected sqlite:///FILE or postgresql"),
        ("sqlite:////dev/null/team.db", "unable to open database file"),
        ("postgresql://someone:secret@127.0.0.1:1/x", "someone:***@127.0.0.1:1/x can't be used"),
    ],
)
def test_a_database_that_cannot_be_used_ends_the_start_with_a_line_that_says_why(address: str, says: str) -> None:
    ended = CliRunner().invoke(main, ["serve", "--port", "0", "--state", address])
    assert ended.exit_code == 2
    assert says in ended.output
    assert "secret" not in ended.output
    assert "Traceback" not in ended.output


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("Not a database. " * 100)
    with pytest.raises(Unusable, match="file is not a database"):
        open_service(Settings(state=f"sqlite:///{file}"))
    assert file.read_text().startswith("Not a database.")


def test_without_the_extra_the_start_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "mockserver.state.kept.database", None)
    with pytest.raises(Unusable, match=r"pip install 'prepbusiness-mockserver\[state\]'"):
        open_service(Settings(state=f"sqlite:///{tmp_path / 'team.db'}"))


def test_another_programs_tables_are_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "shared.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE worlds (name TEXT)")
    Used(f"sqlite:///{file}", "mine").charge()
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM worlds").fetchone() == (0,)
