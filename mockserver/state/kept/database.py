"""The database that the worlds of a server are kept in: opened, listed, and relieved of those that are dropped."""

from __future__ import annotations

import time
from collections.abc import Collection

from sqlalchemy import Connection, delete, func, select, update

from mockserver.core.clock import MICROSECONDS
from mockserver.core.errors import Unavailable, Unusable
from mockserver.state.kept import schema, statements
from mockserver.state.kept.bases import Bases, drop_unused
from mockserver.state.kept.connecting import Connections, reason
from mockserver.state.kept.keeper import WorldKeeper
from mockserver.state.outbox import Subscription
from mockserver.state.worlds import KeptWorld

OVERDUE_AFTER = MICROSECONDS // 2
"""By then whoever has made an event has mostly begun to deliver it."""


def open_database(text: str) -> Database:
    """The database at that address, with the present schema; raises `Unusable` with the reason why it can't be used."""
    connections = Connections(text)
    called = connections.called
    try:
        with connections.transaction() as connection:
            schema.migrate(connection, called=called)
            # While no server ran nobody could use them, and that time does not count.
            since_last_use = _now() - select(func.max(_WORLDS.used)).scalar_subquery()
            connection.execute(update(schema.worlds).values(used=_WORLDS.used + since_last_use))
    except Unavailable as gone:
        why = reason(gone.__cause__ or gone)
        raise Unusable(f"--state {called} can't be used: {why}") from gone
    finally:
        # The server may fork before it answers, and connections don't survive that.
        connections.close()
    return Database(connections)


class Database:
    """Keeps the worlds of one server, or of several, each of which has a `Database` of its own."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._bases = Bases()

    @property
    def called(self) -> str:
        """Its address, without the password."""
        return self._connections.called

    def close(self) -> None:
        """Let go of all connections; another is made when it is needed."""
        self._connections.close()

    def keeper(self, name: str, usual: Subscription) -> WorldKeeper:
        return WorldKeeper(self._connections, self._bases, name, usual)

    def has(self, name: str) -> bool:
        return self._connections.version(name) is not None

    def kept(self) -> list[KeptWorld]:
        listed = select(_WORLDS.name, _WORLDS.charges, _WORLDS.invoices, _WORLDS.used).order_by(_WORLDS.used.desc())
        with self._connections.reading() as connection:
            now = _now()
            return [
                KeptWorld(name, charges, invoices, max(0, now - used) / MICROSECONDS)
                for name, charges, invoices, used in connection.execute(listed)
            ]

    def overdue(self) -> list[str]:
        with self._connections.reading() as connection:
            statement = statements.OVERDUE[connection.dialect.name]
            return [name for (name,) in connection.execute(statement, {"now": _now() - OVERDUE_AFTER})]

    def use(self, names: Collection[str]) -> None:
        with self._connections.transaction() as connection:
            schema.line_up(connection)
            connection.execute(update(schema.worlds).where(_WORLDS.name.in_(names)).values(used=_now()))

    def forget(self, name: str) -> None:
        with self._connections.transaction() as connection:
            connection.execute(delete(schema.worlds).where(_WORLDS.name == name))
            _forget_parts(name, connection)

    def forget_unused(self, idle: float, most: int, never: str) -> None:
        listed = select(_WORLDS.name, _WORLDS.used).where(_WORLDS.name != never).order_by(_WORLDS.used.desc())
        before = _now() - round(idle * MICROSECONDS)
        with self._connections.transaction() as connection:
            schema.line_up(connection)
            for place, (name, used) in enumerate(connection.execute(listed).all()):
                if place < most and used > before:
                    continue
                gone = connection.execute(delete(schema.worlds).where(_WORLDS.name == name, _WORLDS.used == used))
                # Otherwise somebody has used it just then.
                if gone.rowcount:
                    _forget_parts(name, connection)
        with self._connections.transaction() as connection:
            drop_unused(connection)


_WORLDS = schema.worlds.c
_PARTS = (schema.rows, schema.snapshots, schema.senders)


def _forget_parts(world: str, connection: Connection) -> None:
    """Delete all that belongs to a world that is deleted itself, so that nobody else can change it meanwhile."""
    for table in _PARTS:
        connection.execute(delete(table).where(table.c.world == world))


def _now() -> int:
    return time.time_ns() // 1000
