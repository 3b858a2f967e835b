"""The database, in plain SQL: its tables, what they hold to begin with, and its transactions."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.mutants.frameworks import parties
from tests.mutants.frameworks.choices import Choices

_TABLES = """
create table merchants (id integer primary key, provider integer, name text, currency text, card text);
create table tokens (value text primary key, provider integer, merchant integer);
create table invoices (
    number integer primary key autoincrement, id integer unique, merchant integer not null, created_at text not null,
    status text not null default 'Draft', total integer not null, description text, stripe_id text, stripe_status text,
    paid_at text
);
create table charges (
    number integer primary key autoincrement, id integer unique, merchant integer not null, created_at text not null,
    amount integer not null, description text not null, invoice integer references invoices (number)
);
create index charges_of_merchant on charges (merchant, invoice);
"""


class Database:
    """One file, opened anew for each transaction."""

    def __init__(self, file: Path, choices: Choices) -> None:
        self._file = file
        self._random = choices.ids == "random"
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("pragma journal_mode = wal")
        with self.transaction() as rows:
            for statement in filter(str.strip, _TABLES.split(";")):
                rows.execute(statement)
            for token in parties.TOKENS:
                rows.execute("insert into tokens values (?, ?, ?)", (token.value, token.provider, token.merchant))
            for party in parties.merchants(choices):
                self._fill(rows, party, choices)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its start."""
        yield from self._open("begin immediate")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction that sees one state of the database."""
        yield from self._open("begin")

    def _open(self, begin: str) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._file, timeout=30, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("pragma synchronous = off")
            connection.execute(begin)
            yield connection
            connection.execute("commit")

    def insert(self, rows: sqlite3.Connection, table: str, values: dict[str, object]) -> sqlite3.Row:
        """Store a record under an id that no other ever had."""
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        made = rows.execute(f"insert into {table} ({names}) values ({marks})", tuple(values.values())).lastrowid
        identity = secrets.randbelow(2**53 - 1) + 1 if self._random else made
        rows.execute(f"update {table} set id = ? where number = ?", (identity, made))
        stored: sqlite3.Row = rows.execute(f"select * from {table} where number = ?", (made,)).fetchone()
        return stored

    def _fill(self, rows: sqlite3.Connection, party: parties.Merchant, choices: Choices) -> None:
        values = (party.id, party.provider, party.name, party.currency, party.card)
        rows.execute("insert into merchants values (?, ?, ?, ?, ?)", values)
        unit: int = 10 ** parties.PLACES[party.currency]
        for place in reversed(range(choices.invoices)):
            then = moment(timedelta(days=place + 1))
            invoice: dict[str, object] = {"merchant": party.id, "created_at": then, "total": (place + 2) * unit}
            if place % 3:
                invoice |= {"status": "Finalized", "stripe_id": f"in_seed{party.id}q{place}", "stripe_status": "open"}
            if place % 3 == 2:
                invoice |= {"stripe_status": "paid", "paid_at": then}
            made = self.insert(rows, "invoices", invoice)["number"]
            charge = {"merchant": party.id, "created_at": then, "amount": invoice["total"], "description": "Old"}
            self.insert(rows, "charges", {**charge, "invoice": made})
        for place in range(choices.charges):
            amount = (place % 5 + 1) * unit
            charge = {"merchant": party.id, "created_at": moment(), "amount": amount, "description": "Bin"}
            self.insert(rows, "charges", charge)


def moment(ago: timedelta = timedelta(0)) -> str:
    """A moment as it is stored: UTC, microseconds."""
    return (datetime.now(UTC) - ago).strftime("%Y-%m-%d %H:%M:%S.%f")
