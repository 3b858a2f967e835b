"""A change whose keeping was not answered is looked up, and never told as undone when it was done."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection

from mockserver.state import world
from mockserver.state.kept import connecting
from tests.state.kept.refusals import told_away, told_not_known
from tests.state.kept.test_kept_worlds import same
from tests.state.kept.used import Used


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


@pytest.mark.parametrize("tries", [world._TRIES, (True,)], ids=["beside others", "others kept away"])
@pytest.mark.parametrize("kept", [True, False])
def test_a_change_whose_keeping_was_not_answered_is_looked_up(
    address: str, kept: bool, tries: tuple[bool, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    used = Used(address, "mine")
    used.charge(1)
    before = used.world.state.store.sizes[0]
    monkeypatch.setattr(world, "_TRIES", tries)
    with losing(_commit if kept else _roll_back):
        reply = used.charge(2)
    if kept:
        assert reply.status == 200
    else:
        told_away(reply)
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
        told_not_known(used.charge(2))
    same(used.world, Used(address, "mine").world)


def test_whoever_only_reads_is_told_to_try_again_when_that_could_not_be_ended(address: str) -> None:
    used, other = Used(address, "mine"), Used(address, "mine")
    used.charge(1)
    other.charge(2)
    with losing(_commit):
        told_away(used.api("GET", "/billing/invoices"))
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
    told_not_known(reply)
    assert used.world.state.store.sizes[0] == before + 1


def test_the_first_change_of_a_world_is_not_known_to_be_lost_where_it_is_not_there(address: str) -> None:
    for end in (_roll_back, _commit):
        used = Used(address, f"mine{end.__name__}")
        assert used.api("GET", "/billing/invoices").status == 200
        with losing(end):
            reply = used.charge(1)
        if end is _roll_back:
            told_not_known(reply)
        else:
            assert reply.status == 200
