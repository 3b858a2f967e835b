"""The tables that worlds are kept in, and the steps that bring an older database to the present form."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    func,
    insert,
    select,
    update,
)

from mockserver.core.errors import Unusable

metadata = MetaData()

schema = Table("mockserver_schema", metadata, Column("version", Integer, nullable=False))
"""One row: how many of the steps were taken."""

bases = Table(
    "mockserver_bases",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)
"""What fixtures made, each once, by its SHA-256; worlds and snapshots hold only what differs from theirs."""

worlds = Table(
    "mockserver_worlds",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("base", String(64), nullable=False),
    Column("head", Text, nullable=False),
    Column("charges", Integer, nullable=False),
    Column("invoices", Integer, nullable=False),
    Column("used", BigInteger, nullable=False, server_default="0"),
    Column("due", BigInteger),
)
"""Each world, with all of it that is in no rows; `version` counts the changes, so that none is made to an old one.

`used` and `due` are microseconds since 1970 of real time: about when the world was last asked for, and from when on
events are to be delivered from it.
"""

rows = Table(
    "mockserver_rows",
    metadata,
    Column("world", String(200), primary_key=True),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("data", Text, nullable=False),
)
"""Charges, invoices, attempts to charge and deliveries of events, where they differ from the base."""

snapshots = Table(
    "mockserver_snapshots",
    metadata,
    Column("world", String(200), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("base", String(64), nullable=False),
    Column("data", LargeBinary, nullable=False),
)
"""Snapshots of each world in their order."""

senders = Table(
    "mockserver_senders",
    metadata,
    Column("world", String(200), primary_key=True),
    Column("owner", String(32), nullable=False),
    Column("until", BigInteger, nullable=False),
)
"""Who delivers the events of a world at present: one server, until that time of the database's own clock."""


def _begin(connection: Connection) -> None:
    first = MetaData()
    for table in (bases, rows, snapshots):
        table.to_metadata(first)
    Table(
        worlds.name,
        first,
        *(worlds.c[name]._copy() for name in ("name", "version", "base", "head")),
        Column("pending", Boolean, nullable=False),
        *(worlds.c[name]._copy() for name in ("charges", "invoices")),
    )
    first.create_all(connection)


def _know_what_is_due(connection: Connection) -> None:
    for change in ("ADD COLUMN used BIGINT NOT NULL DEFAULT 0", "ADD COLUMN due BIGINT"):
        connection.exec_driver_sql(f"ALTER TABLE {worlds.name} {change}")
    connection.exec_driver_sql(f"UPDATE {worlds.name} SET due = 0 WHERE pending")
    connection.exec_driver_sql(f"ALTER TABLE {worlds.name} DROP COLUMN pending")
    senders.create(connection)


STEPS: tuple[Callable[[Connection], None], ...] = (_begin, _know_what_is_due)
"""Each takes a database one version further. A step that others have taken never changes again."""


_LOCK = int.from_bytes(b"mock")
"""Names what is locked to PostgreSQL."""


def line_up(connection: Connection) -> None:
    """Wait until nobody else changes more than one world in a transaction: two who do might wait for each other."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def migrate(connection: Connection, *, called: str) -> None:
    """Bring the database to the present version, in the caller's transaction, which has lined up then.

    Raises `Unusable` for one that a newer program made.
    """
    # Several servers may start at the same time.
    line_up(connection)
    schema.create(connection, checkfirst=True)
    version = connection.execute(select(schema.c.version)).scalar()
    if version is None:
        connection.execute(insert(schema).values(version=0))
    if (version or 0) > len(STEPS):
        raise Unusable(
            f"--state {called}: its schema has version {version}, made by a newer mockserver; this one knows "
            f"{len(STEPS)}. Start that one, or name another database"
        )
    for step in STEPS[version or 0 :]:
        step(connection)
    connection.execute(update(schema).values(version=len(STEPS)))
