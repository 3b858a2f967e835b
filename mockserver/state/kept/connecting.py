"""The connections to the database of an address, and the transactions on them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Semaphore
from typing import Any, TypeAlias

from sqlalchemy import URL, ClauseElement, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from mockserver.core.errors import Unavailable, Undecided, Unusable
from mockserver.state.kept import statements

_PATIENCE = 3
"""Seconds to wait for a database that doesn't answer, or that another program holds."""
_HOLD = 15
"""Seconds after which PostgreSQL ends a transaction in which a server no longer does anything."""
_WRITERS = {"sqlite": 1, "postgresql": 16}
"""Transactions at the same time; SQLite has one writer, so that the others might as well stand in line here."""
_BEGIN = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN"}
RETRY_AFTER = "1"
"""Seconds after which a client is told to try again while the database is away."""

Values: TypeAlias = dict[str, Any]
"""What a statement's parameters are."""


class Connections:
    """All connections to one database; raises `Unusable` for an address that is none. None is made at once.

    They are SQLAlchemy's, but what each request does is handed to the driver itself, and so are the beginning and the
    end of each transaction: the way through SQLAlchemy takes longer than SQLite takes for a change.
    """

    def __init__(self, text: str) -> None:
        url = _understood(text)
        self.called = url.render_as_string()
        """The address, without the password."""
        self._engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
        self._errors = (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error)
        self._turns = Semaphore(_WRITERS[self._engine.dialect.name])
        self._idle: list[Connection] = []
        """Those that nobody uses at the moment."""
        self._texts: dict[ClauseElement, str] = {}

    def close(self) -> None:
        """Let go of all of them; others are made when they are needed."""
        with suppress(IndexError):
            while True:
                _drop(self._idle.pop())

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All that is done in it is done, or nothing; raises `Unavailable`, or `Undecided` if its end is not known."""
        ends = False
        try:
            with self._turns, self._used(_BEGIN[self._engine.dialect.name]) as connection:
                try:
                    yield connection
                except BaseException as error:
                    # With what the database refuses its connection is dropped. A full disk has ended the transaction
                    # already, and a ROLLBACK would tell of that alone.
                    if not isinstance(error, self._errors):
                        _driver(connection).execute("ROLLBACK")
                    raise
                ends = True
                _driver(connection).execute("COMMIT")
        except Unavailable as gone:
            if not ends:
                raise
            message = f"It is not known whether this was kept, so look before you try again: {_why(gone.__cause__)}."
            raise Undecided(message, because="state") from gone

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """To look at what is there, and to wait for nobody; raises `Unavailable`."""
        with self._used("SELECT 1") as connection:
            yield connection

    def version(self, world: str) -> int | None:
        """The version of the world of that name, None where it is not there; raises `Unavailable`."""
        try:
            connection, cursor = self._executed(self._text(statements.READ_VERSION), {"its_name": world})
            row = cursor.fetchone()
        except self._errors as error:
            raise _unavailable(error) from error
        self._idle.append(connection)
        return None if row is None else row[0]

    def execute(self, statement: ClauseElement, values: Values | list[Values], connection: Connection) -> int:
        """Execute a statement, with each of the values if they are several; about how many rows it was, if with one."""
        cursor = _driver(connection).cursor()
        if isinstance(values, list):
            cursor.executemany(self._text(statement), values)
        else:
            cursor.execute(self._text(statement), values)
        count: int = cursor.rowcount
        cursor.close()
        return count

    @contextmanager
    def _used(self, first: str) -> Iterator[Connection]:
        """A connection on which this was executed first; raises `Unavailable`."""
        try:
            connection, _ = self._executed(first, ())
            try:
                yield connection
            except self._errors:
                _drop(connection)
                raise
            except BaseException:
                self._idle.append(connection)
                raise
            self._idle.append(connection)
        except self._errors as error:
            raise _unavailable(error) from error

    def _executed(self, text: str, values: Values | tuple[()]) -> tuple[Connection, Any]:
        while True:
            try:
                connection, idle = self._idle.pop(), True
            except IndexError:
                connection, idle = self._engine.connect(), False
            driver = _driver(connection)
            try:
                return connection, driver.execute(text, values)
            except self._engine.dialect.loaded_dbapi.Error as error:
                # The database may have been away while nobody used the connection.
                dead = idle and self._engine.dialect.is_disconnect(error, driver, None)
                _drop(connection)
                if not dead:
                    raise
                # The others are mostly dead by then as well, and each might be waited for.
                self.close()

    def _text(self, statement: ClauseElement) -> str:
        text = self._texts.get(statement)
        if text is None:
            text = self._texts[statement] = str(statement.compile(dialect=self._engine.dialect))
        return text


def _why(error: BaseException | None) -> str:
    return f"the database of --state is away: {reason(error)}"


def _unavailable(error: Exception) -> Unavailable:
    message = f"This could not be kept, and the world is as it was: {_why(error)}. Try again."
    return Unavailable(message, because="state", headers={"Retry-After": RETRY_AFTER})


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _drop(connection: Connection) -> None:
    with suppress(SQLAlchemyError):
        connection.invalidate()
        connection.close()


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


def _postgresql(url: URL) -> Engine:
    usual = {
        "connect_timeout": _PATIENCE,
        "tcp_user_timeout": _PATIENCE * 1000,
        # A host that is gone has nothing to acknowledge while it is waited for, and what lies between forgets a
        # connection that nobody uses for minutes; the system itself asks after two hours.
        "keepalives_idle": _PATIENCE,
        "keepalives_interval": 1,
        "keepalives_count": _PATIENCE,
    }
    given = {key: value for key, value in usual.items() if key not in url.query}
    try:
        engine = _engine(url, connect_args=given)
        # Imported only where it is used: SQLite needs no driver.
        connect = importlib.import_module("mockserver.state.kept.listening").ListeningConnection.connect
    except ModuleNotFoundError as error:
        raise Unusable(f"--state: {error.name} is missing; pip install 'prepbusiness-mockserver[state]'") from error
    event.listen(engine, "do_connect", lambda _dialect, _record, given, options: connect(*given, **options))
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _sqlite(url: URL) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise Unusable("--state: sqlite:// names no file; give one, such as sqlite:///team.db")
    # Parameters are named as PostgreSQL's driver has them. A connection is used by one thread after the other.
    arguments = {"timeout": _PATIENCE, "check_same_thread": False}
    engine = _engine(url, paramstyle="named", connect_args=arguments)
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _engine(url: URL, **options: Any) -> Engine:
    return create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True, **options)


def _prepare_postgresql(connection: Any, _: Any) -> None:
    # Another server may hang while it holds a world. What waits for it gives up, and in the end it loses its hold.
    connection.execute(f"SET lock_timeout = '{_PATIENCE}s'")
    connection.execute(f"SET idle_in_transaction_session_timeout = '{_HOLD}s'")


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    # A process that is killed loses nothing with it; a machine that loses power may lose the last moments, but no half.
    connection.execute("PRAGMA synchronous=NORMAL")


def reason(error: BaseException | None) -> str:
    """The first line of what the driver says."""
    return str(getattr(error, "orig", None) or error).strip().split("\n", 1)[0]
