"""The statements of each change, built once: SQLAlchemy takes longer to build one than SQLite to execute it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Executable,
    Select,
    Table,
    bindparam,
    delete,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from mockserver.state.kept.schema import bases, rows, senders, snapshots, worlds

NAME: BindParameter[str] = bindparam("its_name")
VERSION: BindParameter[int] = bindparam("its_version")
PLACE: BindParameter[int] = bindparam("its_place")
"""What the parameters are called that rows are found by; those that are written are called as their columns are."""

CHANGE_WORLD = (
    update(worlds)
    .where(worlds.c.name == NAME, worlds.c.version == VERSION)
    .values({name: bindparam(name) for name in ("version", "head", "charges", "invoices", "used", "due")})
)
REBASE_WORLD = CHANGE_WORLD.values(base=bindparam("base"))
# Held, so that nobody changes it while its rows are read.
READ_WORLD = select(worlds).where(worlds.c.name == NAME).with_for_update()
READ_VERSION = select(worlds.c.version).where(worlds.c.name == NAME)
HOLD_WORLD = READ_VERSION.with_for_update()

READ_ROWS = select(rows.c.kind, rows.c.id, rows.c.data).where(rows.c.world == NAME).order_by(rows.c.kind, rows.c.id)
DROP_ROWS = delete(rows).where(rows.c.world == NAME)
DROP_ROW = DROP_ROWS.where(rows.c.kind == bindparam("its_kind"), rows.c.id == bindparam("its_id"))


def _put_rows(dialect: type[sqlite.Insert] | type[postgresql.Insert]) -> sqlite.Insert | postgresql.Insert:
    new = dialect(rows)
    return new.on_conflict_do_update(rows.primary_key, set_={"data": new.excluded.data})


def _add(dialect: type[sqlite.Insert] | type[postgresql.Insert], table: Table) -> Executable:
    return dialect(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)


ADD_WORLD = {"sqlite": _add(sqlite.Insert, worlds), "postgresql": _add(postgresql.Insert, worlds)}
ADD_BASE = {"sqlite": _add(sqlite.Insert, bases), "postgresql": _add(postgresql.Insert, bases)}
"""Inserts, unless another server was quicker."""
PUT_ROWS = {"sqlite": _put_rows(sqlite.Insert), "postgresql": _put_rows(postgresql.Insert)}
"""Inserts or replaces, as the dialect of that name does it."""

READ_SNAPSHOTS = (
    select(snapshots.c.place, snapshots.c.base, snapshots.c.data)
    .where(snapshots.c.world == NAME)
    .order_by(snapshots.c.place)
)
ADD_SNAPSHOT = insert(snapshots)
DROP_SNAPSHOT = delete(snapshots).where(snapshots.c.world == NAME, snapshots.c.place == PLACE)

HAS_BASE = select(bases.c.id).where(bases.c.id == NAME)
READ_BASE = select(bases.c.data).where(bases.c.id == NAME)

CLOCK = {
    "sqlite": literal_column("CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)", BigInteger),
    "postgresql": literal_column("CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)", BigInteger),
}
"""Microseconds since 1970 by the clock of the database, which is one for all servers."""


def _take_over(dialect: type[sqlite.Insert] | type[postgresql.Insert], clock: ColumnElement[int]) -> Executable:
    new = dialect(senders).values(
        world=NAME, owner=bindparam("owner"), until=clock + bindparam("span", type_=BigInteger)
    )
    free = (senders.c.owner == new.excluded.owner) | (senders.c.until < clock)
    own = new.on_conflict_do_update(
        senders.primary_key, set_={"owner": new.excluded.owner, "until": new.excluded.until}, where=free
    )
    return own.execution_options(preserve_rowcount=True)


TAKE_OVER = {
    "sqlite": _take_over(sqlite.Insert, CLOCK["sqlite"]),
    "postgresql": _take_over(postgresql.Insert, CLOCK["postgresql"]),
}
"""Makes somebody the sender of a world for so long, unless another is."""
HAND_OVER = delete(senders).where(senders.c.world == NAME, senders.c.owner == bindparam("owner"))


def _overdue(clock: ColumnElement[int]) -> Select[Any]:
    sent = select(senders.c.world).where(senders.c.until >= clock)
    return select(worlds.c.name).where(worlds.c.due < bindparam("now"), worlds.c.name.not_in(sent))


OVERDUE = {name: _overdue(clock) for name, clock in CLOCK.items()}
"""Worlds that events are to be delivered from, and nobody does."""
