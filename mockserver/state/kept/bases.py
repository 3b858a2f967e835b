"""What fixtures made, each kept once in the database, however many worlds and snapshots grew from it."""

from __future__ import annotations

import hashlib
from weakref import WeakKeyDictionary, WeakValueDictionary

from sqlalchemy import Connection, delete, select

from mockserver.state.kept import schema, statements
from mockserver.state.kept.snapshots import pack_base, unpack_base
from mockserver.state.world import Blueprint


class Bases:
    """Those of one database, as far as they were needed here."""

    def __init__(self) -> None:
        self._ids: WeakKeyDictionary[Blueprint, tuple[str, bytes]] = WeakKeyDictionary()
        self._known: WeakValueDictionary[str, Blueprint] = WeakValueDictionary()

    def identifier(self, blueprint: Blueprint) -> str:
        return self._identified(blueprint)[0]

    def put(self, blueprint: Blueprint, connection: Connection) -> str:
        """The identifier of what a fixture made, which is in the database from then on.

        A world that names it must have been written before: see `drop_unused`.
        """
        identifier, data = self._identified(blueprint)
        if connection.execute(statements.HAS_BASE, {"its_name": identifier}).scalar() is None:
            connection.execute(statements.ADD_BASE[connection.dialect.name], {"id": identifier, "data": data})
        return identifier

    def get(self, identifier: str, likely: Blueprint, connection: Connection) -> Blueprint:
        """What a fixture made; `likely` is looked at first, as it mostly is what the server has loaded anyway."""
        self._identified(likely)
        base = self._known.get(identifier)
        if base is None:
            data = connection.execute(statements.READ_BASE, {"its_name": identifier}).scalar_one()
            base = self._known[identifier] = unpack_base(data)
            self._ids[base] = identifier, data
        return base

    def _identified(self, blueprint: Blueprint) -> tuple[str, bytes]:
        known = self._ids.get(blueprint)
        if known is None:
            data = pack_base(blueprint)
            known = self._ids[blueprint] = hashlib.sha256(data).hexdigest(), data
            self._known[known[0]] = blueprint
        return known


def drop_unused(connection: Connection) -> None:
    """Delete those that nothing grew from any more, in a transaction that holds nothing yet.

    Whoever has changed a world and not yet committed is waited for, and waits for nothing that is held here.
    """
    used = select(schema.worlds.c.base).union(select(schema.snapshots.c.base))
    unused = schema.bases.c.id.not_in(used)
    # Mostly there are none, and then nobody has to be waited for.
    if connection.execute(select(schema.bases.c.id).where(unused).limit(1)).first() is None:
        return
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"LOCK TABLE {schema.worlds.name} IN SHARE MODE")
    connection.execute(delete(schema.bases).where(unused))
