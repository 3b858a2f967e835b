"""The database that the worlds of a server are kept in: opened, listed, and relieved of those that are dropped."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError

from mockserver.core.errors import Unusable
from mockserver.state.kept import schema
from mockserver.state.kept.bases import Bases, drop_unused
from mockserver.state.kept.connecting import Connections, reason
from mockserver.state.kept.keeper import WorldKeeper
from mockserver.state.outbox import Subscription
from mockserver.state.worlds import KeptWorld


def open_database(text: str) -> Database:
    """The database at that address, with the present schema; raises `Unusable` with the reason why it can't be used."""
    connections = Connections(text)
    called = connections.called
    try:
        with connections.writing.begin() as connection:
            schema.migrate(connection, called=called)
            drop_unused(connection)
            found = [KeptWorld(*row) for row in connection.execute(select(*_LISTED).order_by(schema.worlds.c.name))]
    except SQLAlchemyError as error:
        raise Unusable(f"--state {called} can't be used: {reason(error)}") from error
    finally:
        # The server may fork before it answers, and connections don't survive that.
        connections.close()
    return Database(connections, found)


class Database:
    """Keeps the worlds of one server, or of several, each of which has a `Database` of its own."""

    def __init__(self, connections: Connections, found: list[KeptWorld]) -> None:
        self.found = found
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

    def forget(self, names: Collection[str]) -> None:
        with self._connections.transaction() as connection:
            for table, column in _PARTS:
                connection.execute(delete(table).where(column.in_(names)))


_LISTED = (schema.worlds.c.name, schema.worlds.c.charges, schema.worlds.c.invoices, schema.worlds.c.pending)
_PARTS = tuple((table, table.c[column]) for table, column in (
    (schema.worlds, "name"), (schema.rows, "world"), (schema.snapshots, "world"),
))  # fmt: skip
"""Where worlds are, and what names them there; a world itself comes first, as whoever changes it holds it then."""
