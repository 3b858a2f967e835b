"""A database of another version, or that is none."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, create_engine

from mockserver.cli.main import main
from mockserver.core.errors import Unusable
from mockserver.server.service import open_service
from mockserver.server.settings import Settings
from mockserver.state.kept import schema
from tests.state.kept.test_kept_worlds import same
from tests.state.kept.used import Used


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
