"""The statements of each change, built once: SQLAlchemy takes longer to build one than SQLite to execute it."""

from __future__ import annotations

from sqlalchemy import BindParameter, Executable, Table, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mockserver.state.kept.schema import bases, rows, snapshots, worlds

NAME: BindParameter[str] = bindparam("its_name")
VERSION: BindParameter[int] = bindparam("its_version")
PLACE: BindParameter[int] = bindparam("its_place")
"""What the parameters are called that rows are found by; those that are written are called as their columns are."""

CHANGE_WORLD = (
    update(worlds)
    .where(worlds.c.name == NAME, worlds.c.version == VERSION)
    .values({name: bindparam(name) for name in ("version", "head", "pending", "charges", "invoices")})
)
REBASE_WORLD = CHANGE_WORLD.values(base=bindparam("base"))
# Held, so that nobody changes it while its rows are read.
READ_WORLD = select(worlds).where(worlds.c.name == NAME).with_for_update()
READ_VERSION = select(worlds.c.version).where(worlds.c.name == NAME)

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
