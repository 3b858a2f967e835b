"""The way to the database of an address: its driver, its connections, and how long they are waited for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from mockserver.core.errors import Unavailable, Unusable
from mockserver.state.kept import statements

_PATIENCE = 3
"""Seconds to wait for a database that doesn't answer, or that another program holds."""
_CONNECTIONS = 16
"""To PostgreSQL for changes; SQLite has one writer at a time, who might as well stand in line here."""
RETRY_AFTER = "1"
"""Seconds after which a client is told to try again while the database is away."""


class Connections:
    """All connections to one database; raises `Unusable` for an address that is none. None is made at once."""

    def __init__(self, text: str) -> None:
        url = _understood(text)
        self.called = url.render_as_string()
        """The address, without the password."""
        make = _sqlite if url.get_backend_name() == "sqlite" else _postgresql
        self.writing = make(url)
        # Looked at in each request: a connection of one's own waits for no writer, and in this mode for nothing else.
        self._reading = make(url, isolation_level="AUTOCOMMIT", pool_pre_ping=False, pool_reset_on_return=None)
        self._read_version = str(statements.READ_VERSION.compile(dialect=self._reading.dialect))

    def close(self) -> None:
        """Let go of all of them; others are made when they are needed."""
        self.writing.dispose()
        self._reading.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All that is done in it is done, or nothing; raises `Unavailable`."""
        try:
            with self.writing.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise _unavailable(error) from error

    def version(self, world: str) -> int | None:
        """The version of the world of that name, None where it is not there; raises `Unavailable`.

        The driver itself is asked: on the way through SQLAlchemy the question takes four times as long.
        """
        try:
            return self._version(world)
        except self._errors:
            # The database may have been away in between, which old connections don't know.
            self._reading.dispose()
        try:
            return self._version(world)
        except self._errors as error:
            raise _unavailable(error) from error

    def _version(self, world: str) -> int | None:
        connection: Any = self._reading.raw_connection()
        try:
            row = connection.execute(self._read_version, {"its_name": world}).fetchone()
        except BaseException:
            connection.invalidate()
            raise
        connection.close()
        return None if row is None else row[0]

    @property
    def _errors(self) -> tuple[type[Exception], ...]:
        return (SQLAlchemyError, self._reading.dialect.loaded_dbapi.Error)


def _understood(text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError:
        raise Unusable("--state: expected an address such as sqlite:///team.db, got what is none") from None
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise Unusable(f"--state: expected sqlite:///FILE or postgresql+psycopg://…, got one of {url.drivername}")
    return url


def _postgresql(url: URL, **options: Any) -> Engine:
    usual = {"connect_timeout": _PATIENCE, "tcp_user_timeout": _PATIENCE * 1000}
    given = {key: value for key, value in usual.items() if key not in url.query}
    try:
        return create_engine(
            url,
            **{"pool_size": _CONNECTIONS, "max_overflow": 0, "pool_pre_ping": True, **options},
            connect_args=given,
            hide_parameters=True,
        )
    except ModuleNotFoundError as error:
        raise Unusable(f"--state: {error.name} is missing; pip install 'prepbusiness-mockserver[state]'") from error


def _sqlite(url: URL, **options: Any) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise Unusable("--state: sqlite:// names no file; give one, such as sqlite:///team.db")
    engine = create_engine(
        url,
        **{"pool_size": 1, "max_overflow": 0, **options},
        # As PostgreSQL's driver has it.
        paramstyle="named",
        connect_args={"timeout": _PATIENCE},
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: Any) -> None:
    # sqlite3 begins no transaction for what defines tables, so that it must leave them to us.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    # A process that is killed loses nothing with it; a machine that loses power may lose the last moments, but no half.
    connection.execute("PRAGMA synchronous=NORMAL")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _unavailable(error: Exception) -> Unavailable:
    why = f"the database of --state is away: {reason(error)}"
    message = f"This could not be kept, and the world is as it was: {why}. Try again."
    return Unavailable(message, because="state", headers={"Retry-After": RETRY_AFTER})


def reason(error: Exception) -> str:
    """The first line of what the driver says."""
    return str(getattr(error, "orig", None) or error).strip().split("\n", 1)[0]
