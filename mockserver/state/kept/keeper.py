"""Keeps one world in the database, and knows whether another server has changed it there."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection

from mockserver.core.clock import MICROSECONDS
from mockserver.core.errors import Unavailable, Undecided
from mockserver.state.kept import statements
from mockserver.state.kept.bases import Bases
from mockserver.state.kept.changes import Change, Saved
from mockserver.state.kept.connecting import Connections
from mockserver.state.kept.form import KeptRow, dump, read_faults, read_state
from mockserver.state.kept.snapshots import pack_snapshot, unpack_snapshot
from mockserver.state.outbox import Subscription
from mockserver.state.world import World

_AHEAD = 3
"""Seconds beyond what a delivery may take that its sender stays the sender."""


class WorldKeeper:
    """Keeps one world in the database."""

    def __init__(self, connections: Connections, bases: Bases, name: str, usual: Subscription) -> None:
        self._connections = connections
        self._bases = bases
        self._name = name
        self._usual = usual
        self._version: int | None = None
        """What it was there when it was loaded or saved here; None while it was not there."""
        self._change: tuple[int | None, int] | None = None
        """The versions before and after what the transaction has written; None while that is nothing."""
        self._saved: Saved | None = None
        self._owner = secrets.token_hex(8)
        self._sends_until = 0.0
        """By this machine's monotonic clock; 0 while it is not known to be the sender."""
        self._held: Connection | None = None
        """The transaction that nobody else can change the world in."""

    def load(self, world: World) -> None:
        """Make the world what the database has of it; what it has not is new."""
        with self._transaction() as connection:
            row = connection.execute(statements.READ_WORLD, {"its_name": self._name}).one_or_none()
            world.faults, world.snapshots = type(world.faults)(), {}
            if row is None:
                self._version, places = None, {}
                world.begin(world.origin)
            else:
                self._version, places = row.version, self._read(world, row, connection)
        self._saved = Saved.of(world, self._usual, places)

    def is_current(self) -> bool:
        return self._connections.version(self._name) == self._version

    def save(self, world: World) -> bool:
        if self._saved is None:
            raise LookupError(f"the world {self._name} is to be saved before it was loaded")
        change = self._saved.change(world)
        if change is None:
            return self.is_current()
        # By chance, so that nobody else's is ever taken for it.
        version = secrets.randbits(62)
        with self._transaction() as connection:
            if not self._write_world(world, change, version, connection):
                return False
            self._change = self._version, version
            self._write_rows(change, connection)
            self._write_snapshots(change, connection)
        self._version = version
        return True

    def take_over(self, seconds: float) -> bool:
        if time.monotonic() + seconds < self._sends_until:
            return True
        span = seconds + _AHEAD
        began = time.monotonic()
        values = {"its_name": self._name, "owner": self._owner, "span": round(span * MICROSECONDS)}
        with self._connections.transaction() as connection:
            taken = connection.execute(statements.TAKE_OVER[connection.dialect.name], values).rowcount == 1
        self._sends_until = began + span if taken else 0.0
        return taken

    def hand_over(self) -> None:
        if self._sends_until:
            self._sends_until = 0.0
            with self._connections.transaction() as connection:
                connection.execute(statements.HAND_OVER, {"its_name": self._name, "owner": self._owner})

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Loading within it holds the world, where it is there already."""
        with self._transaction() as self._held:
            try:
                yield
            finally:
                self._held = None

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """The one that is held, or a new one, which is looked up if its end was not answered."""
        if self._held is not None:
            yield self._held
            return
        self._change = None
        try:
            with self._connections.transaction() as connection:
                yield connection
        except Undecided as gone:
            self._look_up(gone)

    def _look_up(self, gone: Undecided) -> None:
        """Return if the change is in the database after all; raises `Unavailable` if not, `gone` if nobody can tell."""
        if self._change is None:
            # It was only read.
            raise gone.__cause__ or gone from None
        before, version = self._change
        found = None
        # The database may still be at it: then it holds the world, and is waited for.
        with suppress(Unavailable), self._connections.transaction() as connection:
            found = connection.execute(statements.HOLD_WORLD, {"its_name": self._name}).scalar()
        if found is not None and found == before:
            raise gone.__cause__ or gone from None
        # What is neither was made by somebody else, perhaps of this one. What was not there can't be waited for.
        if found != version:
            raise gone

    def _read(self, world: World, row: Any, connection: Connection) -> dict[str, int]:
        """Reads it all; returns where each snapshot stands."""
        base = self._bases.get(row.base, world.origin, connection)
        rows = connection.execute(statements.READ_ROWS, {"its_name": self._name})
        head = json.loads(row.head)
        read = (KeptRow(kind, number, json.loads(data)) for kind, number, data in rows)
        state = read_state(head["state"], read, base.state, self._usual)
        world.begin(base)
        world.state = state
        world.faults = read_faults(head["faults"])
        places: dict[str, int] = {}
        for place, identifier, data in connection.execute(statements.READ_SNAPSHOTS, {"its_name": self._name}).all():
            own = self._bases.get(identifier, world.origin, connection)
            snapshot = unpack_snapshot(data, own, self._usual)
            world.snapshots[snapshot.name], places[snapshot.name] = snapshot, place
        return places

    def _write_world(self, world: World, change: Change, version: int, connection: Connection) -> bool:
        """Whether it could be written; not if another server has changed it. The world is held from then on."""
        charges, invoices = world.state.store.sizes
        values: dict[str, Any] = {
            "head": change.head,
            "version": version,
            "charges": charges,
            "invoices": invoices,
            "used": time.time_ns() // 1000,
            "due": world.state.next_delivery(),
        }
        whole = change.whole or self._version is None
        if whole:
            values["base"] = self._bases.identifier(world.blueprint.root)
        if self._version is None:
            added = statements.ADD_WORLD[connection.dialect.name]
            done = connection.execute(added, values | {"name": self._name}).rowcount == 1
        else:
            statement = statements.REBASE_WORLD if whole else statements.CHANGE_WORLD
            values |= {"its_name": self._name, "its_version": self._version}
            done = self._connections.execute(statement, values, connection) == 1
        if done and whole:
            self._bases.put(world.blueprint.root, connection)
        return done

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
            self._connections.execute(statements.PUT_ROWS[connection.dialect.name], put, connection)

    def _write_snapshots(self, change: Change, connection: Connection) -> None:
        for place in (*change.lost_snapshots, *change.snapshots):
            connection.execute(statements.DROP_SNAPSHOT, {"its_name": self._name, "its_place": place})
        for place, snapshot in change.snapshots.items():
            base = self._bases.put(snapshot.blueprint.root, connection)
            data = pack_snapshot(snapshot, self._usual)
            values = {"world": self._name, "place": place, "base": base, "data": data}
            connection.execute(statements.ADD_SNAPSHOT, values)
