"""The way to the database of an address: its driver, its connections, and how long they are waited for."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from mockserver.core.errors import Unusable

_PATIENCE = 3
"""Seconds to wait for a database that doesn't answer, or that another program holds."""
_CONNECTIONS = 16
"""To PostgreSQL; SQLite has one writer at a time, who might as well stand in line here."""


def make_engine(text: str) -> tuple[URL, Engine]:
    """The address as it is understood, and an engine for it; raises `Unusable`. Nothing is connected yet."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise Unusable("--state: expected an address such as sqlite:///team.db, got what is none") from None
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise Unusable(f"--state: expected sqlite:///FILE or postgresql+psycopg://…, got one of {url.drivername}")
    return url, (_sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url))


def _postgresql(url: URL) -> Engine:
    usual = {"connect_timeout": _PATIENCE, "tcp_user_timeout": _PATIENCE * 1000}
    given = {key: value for key, value in usual.items() if key not in url.query}
    try:
        return create_engine(
            url,
            pool_size=_CONNECTIONS,
            max_overflow=0,
            pool_pre_ping=True,
            connect_args=given,
            hide_parameters=True,
        )
    except ModuleNotFoundError as error:
        raise Unusable(f"--state: {error.name} is missing; pip install 'prepbusiness-mockserver[state]'") from error


def _sqlite(url: URL) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise Unusable("--state: sqlite:// names no file; give one, such as sqlite:///team.db")
    engine = create_engine(url, pool_size=1, max_overflow=0, connect_args={"timeout": _PATIENCE}, hide_parameters=True)
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


def reason(error: SQLAlchemyError) -> str:
    """The first line of what the driver says."""
    return str(getattr(error, "orig", None) or error).strip().split("\n", 1)[0]
