"""The database that worlds are kept in: opened, written in one transaction for each change, and read again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from mockserver.core.errors import Unavailable, Unusable
from mockserver.state.kept import schema, statements
from mockserver.state.kept.changes import Change, Saved
from mockserver.state.kept.connecting import make_engine, reason
from mockserver.state.kept.form import KeptRow, dump, read_faults, read_state
from mockserver.state.kept.snapshots import pack_base, pack_snapshot, unpack_base, unpack_snapshot
from mockserver.state.outbox import Subscription
from mockserver.state.world import Blueprint, World
from mockserver.state.worlds import KeptWorld

RETRY_AFTER = "1"
"""Seconds after which a client is told to try again while the database is away."""


def open_database(text: str) -> Database:
    """The database at that address, with the present schema; raises `Unusable` with the reason why it can't be used."""
    url, engine = make_engine(text)
    called = url.render_as_string()
    try:
        with engine.begin() as connection:
            schema.migrate(connection, called=called)
            _drop_unused_bases(connection)
            found = [KeptWorld(*row) for row in connection.execute(select(*_LISTED).order_by(schema.worlds.c.name))]
    except SQLAlchemyError as error:
        raise Unusable(f"--state {called} can't be used: {reason(error)}") from error
    finally:
        # The server may fork before it answers, and connections don't survive that.
        engine.dispose()
    return Database(engine, called, found)


class Database:
    """Keeps the worlds of one server. Several servers must not share one: they would not see each other's changes."""

    def __init__(self, engine: Engine, called: str, found: list[KeptWorld]) -> None:
        self.called = called
        """Its address, without the password."""
        self.found = found
        self._engine = engine
        self._ids: WeakKeyDictionary[Blueprint, tuple[str, bytes]] = WeakKeyDictionary()
        self._bases: WeakValueDictionary[str, Blueprint] = WeakValueDictionary()

    def close(self) -> None:
        """Let go of all connections; another is made when it is needed."""
        self._engine.dispose()

    def keeper(self, name: str, usual: Subscription) -> WorldKeeper:
        return WorldKeeper(self, name, usual)

    def forget(self, names: Collection[str]) -> None:
        with self.transaction() as connection:
            for table, column in _PARTS:
                connection.execute(delete(table).where(column.in_(names)))

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All that is done in it is done, or nothing; raises `Unavailable`."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except IntegrityError as error:
            raise _unavailable(_ANOTHER) from error
        except SQLAlchemyError as error:
            raise _unavailable(f"the database of --state is away: {reason(error)}") from error

    def put_base(self, blueprint: Blueprint, connection: Connection) -> str:
        """The identifier of what a fixture made, which is in the database from then on."""
        identifier, data = self._identified(blueprint)
        if connection.execute(statements.HAS_BASE, {"its_name": identifier}).scalar() is None:
            connection.execute(statements.ADD_BASE, {"id": identifier, "data": data})
        return identifier

    def base(self, identifier: str, likely: Blueprint, connection: Connection) -> Blueprint:
        """What a fixture made; `likely` is looked at first, as it mostly is what the server has loaded anyway."""
        self._identified(likely)
        base = self._bases.get(identifier)
        if base is None:
            data = connection.execute(statements.READ_BASE, {"its_name": identifier}).scalar_one()
            base = self._bases[identifier] = unpack_base(data)
            self._ids[base] = identifier, data
        return base

    def _identified(self, blueprint: Blueprint) -> tuple[str, bytes]:
        known = self._ids.get(blueprint)
        if known is None:
            data = pack_base(blueprint)
            known = self._ids[blueprint] = hashlib.sha256(data).hexdigest(), data
            self._bases[known[0]] = blueprint
        return known


class WorldKeeper:
    """Keeps one world in the database."""

    def __init__(self, database: Database, name: str, usual: Subscription) -> None:
        self._database = database
        self._name = name
        self._usual = usual
        self._version = 0
        """How often the world was changed there; 0 while it is not there."""
        self._saved: Saved | None = None

    def load(self, world: World) -> None:
        """Make the world what the database has of it; what it has not is new."""
        with self._database.transaction() as connection:
            row = connection.execute(statements.READ_WORLD, {"its_name": self._name}).one_or_none()
            world.faults, world.snapshots = type(world.faults)(), {}
            if row is None:
                self._version, places = 0, {}
                world.begin(world.origin)
            else:
                self._version, places = row.version, self._read(world, row, connection)
        self._saved = Saved.of(world, self._usual, places)

    def save(self, world: World) -> None:
        """Write what has changed; nothing is written if nothing has."""
        if self._saved is None:
            raise LookupError(f"the world {self._name} is to be saved before it was loaded")
        change = self._saved.change(world)
        if change is not None:
            with self._database.transaction() as connection:
                self._write(world, change, connection)
            self._version += 1

    def _read(self, world: World, row: Any, connection: Connection) -> dict[str, int]:
        """Reads it all; returns where each snapshot stands."""
        base = self._database.base(row.base, world.origin, connection)
        rows = connection.execute(statements.READ_ROWS, {"its_name": self._name})
        head = json.loads(row.head)
        read = (KeptRow(kind, number, json.loads(data)) for kind, number, data in rows)
        state = read_state(head["state"], read, base.state, self._usual)
        world.begin(base)
        world.state = state
        world.faults = read_faults(head["faults"])
        places: dict[str, int] = {}
        for place, identifier, data in connection.execute(statements.READ_SNAPSHOTS, {"its_name": self._name}).all():
            own = self._database.base(identifier, world.origin, connection)
            snapshot = unpack_snapshot(data, own, self._usual)
            world.snapshots[snapshot.name], places[snapshot.name] = snapshot, place
        return places

    def _write(self, world: World, change: Change, connection: Connection) -> None:
        charges, invoices = world.state.store.sizes
        values: dict[str, Any] = {
            "head": change.head,
            "version": self._version + 1,
            "pending": bool(world.state.outbox.pending),
            "charges": charges,
            "invoices": invoices,
        }
        if change.whole or not self._version:
            values["base"] = self._database.put_base(world.blueprint.root, connection)
        if self._version:
            statement = statements.REBASE_WORLD if change.whole else statements.CHANGE_WORLD
            found = {"its_name": self._name, "its_version": self._version}
            if connection.execute(statement, values | found).rowcount != 1:
                raise _unavailable(_ANOTHER)
        else:
            connection.execute(statements.ADD_WORLD, values | {"name": self._name})
        self._write_rows(change, connection)
        self._write_snapshots(change, connection)

    def _write_rows(self, change: Change, connection: Connection) -> None:
        name = {"its_name": self._name}
        if change.whole:
            connection.execute(statements.DROP_ROWS, name)
        if change.gone:
            gone = [name | {"its_kind": one.kind, "its_id": one.id} for one in change.gone]
            connection.execute(statements.DROP_ROW, gone)
        if change.rows:
            put = [
                {"world": self._name, "kind": kind, "id": number, "data": dump(values)}
                for kind, number, values in change.rows
            ]
            connection.execute(statements.PUT_ROWS[connection.dialect.name], put)

    def _write_snapshots(self, change: Change, connection: Connection) -> None:
        for place in (*change.lost_snapshots, *change.snapshots):
            connection.execute(statements.DROP_SNAPSHOT, {"its_name": self._name, "its_place": place})
        for place, snapshot in change.snapshots.items():
            base = self._database.put_base(snapshot.blueprint.root, connection)
            data = pack_snapshot(snapshot, self._usual)
            values = {"world": self._name, "place": place, "base": base, "data": data}
            connection.execute(statements.ADD_SNAPSHOT, values)


_ANOTHER = "another server has changed this world, and only one may use the database"
_LISTED = (schema.worlds.c.name, schema.worlds.c.charges, schema.worlds.c.invoices, schema.worlds.c.pending)
_PARTS = tuple((table, table.c[column]) for table, column in (
    (schema.worlds, "name"), (schema.rows, "world"), (schema.snapshots, "world"),
))  # fmt: skip
"""Where worlds are, and what names them there."""


def _drop_unused_bases(connection: Connection) -> None:
    used = select(schema.worlds.c.base).union(select(schema.snapshots.c.base))
    connection.execute(delete(schema.bases).where(schema.bases.c.id.not_in(used)))


def _unavailable(why: str) -> Unavailable:
    message = f"This could not be kept, and the world is as it was: {why}. Try again."
    return Unavailable(message, because="state", headers={"Retry-After": RETRY_AFTER})
