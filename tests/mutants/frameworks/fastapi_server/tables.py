"""The tables, in SQLAlchemy's mapping; money is kept in minor units, moments as UTC without a zone."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Connection, Engine, ForeignKey, Integer, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from tests.mutants.frameworks import parties
from tests.mutants.frameworks.choices import Choices

_ID = BigInteger().with_variant(Integer, "sqlite")
_LIST_ROOM = {"sqlite_autoincrement": True}


class Base(DeclarativeBase):
    """What all tables share."""


class Merchant(Base):
    """A merchant, of one provider."""

    __tablename__ = "merchants"
    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    provider: Mapped[int]
    name: Mapped[str]
    currency: Mapped[str]
    card: Mapped[str]


class Token(Base):
    """What a caller shows; without a merchant it is the provider's."""

    __tablename__ = "tokens"
    value: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[int]
    merchant_id: Mapped[int | None]


class Invoice(Base):
    """An invoice; `number` tells the order in which they were made, whatever the ids are."""

    __tablename__ = "invoices"
    __table_args__ = _LIST_ROOM
    number: Mapped[int] = mapped_column(_ID, primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, unique=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchants.id"), index=True)
    merchant: Mapped[Merchant] = relationship(lazy="joined")
    charges: Mapped[list[Charge]] = relationship(back_populates="invoice")
    created_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="draft")
    total: Mapped[int] = mapped_column(BigInteger)
    description: Mapped[str | None] = mapped_column(default=None)
    stripe_invoice_id: Mapped[str | None] = mapped_column(default=None)
    stripe_invoice_status: Mapped[str | None] = mapped_column(default=None)


class Charge(Base):
    """A charge, on at most one invoice."""

    __tablename__ = "charges"
    __table_args__ = _LIST_ROOM
    number: Mapped[int] = mapped_column(_ID, primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, unique=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchants.id"), index=True)
    merchant: Mapped[Merchant] = relationship(lazy="joined")
    invoice_number: Mapped[int | None] = mapped_column(ForeignKey("invoices.number"), default=None)
    invoice: Mapped[Invoice | None] = relationship(back_populates="charges")
    created_at: Mapped[datetime]
    amount: Mapped[int] = mapped_column(BigInteger)
    description: Mapped[str]


def now() -> datetime:
    """This moment, as it is stored."""
    return datetime.now(UTC).replace(tzinfo=None)


def add(session: Session, record: Invoice | Charge, *, random_id: bool) -> None:
    """Store a new record under an id that no other had: its number, or one that tells nothing."""
    record.id = -secrets.randbits(62)
    session.add(record)
    session.flush()
    record.id = secrets.randbelow(2**53 - 1) + 1 if random_id else record.number
    session.flush()


def opened(file: Path, choices: Choices) -> Engine:
    """The database in that file, new, with all merchants, tokens and the chosen number of records."""
    engine = create_engine(f"sqlite:///{file}", connect_args={"timeout": 30}, pool_size=40, max_overflow=60)

    @event.listens_for(engine, "connect")
    def by_hand(connection: Any, _: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        for party in parties.merchants(choices):
            session.add(
                Merchant(
                    id=party.id, provider=party.provider, name=party.name, currency=party.currency, card=party.card
                )
            )
        session.flush()
        for party in parties.merchants(choices):
            _fill(session, party, choices)
        for token in parties.TOKENS:
            session.add(Token(value=token.value, provider=token.provider, merchant_id=token.merchant))
    return engine


def _fill(session: Session, party: parties.Merchant, choices: Choices) -> None:
    unit: int = 10 ** parties.PLACES[party.currency]
    random_id = choices.ids == "random"
    for number in reversed(range(choices.invoices)):
        then = now() - timedelta(days=number + 1)
        amount = (number + 3) * unit
        invoice = Invoice(merchant_id=party.id, created_at=then, total=amount)
        if number % 3:
            invoice.state = "finalized" if number % 3 == 1 else "paid"
            invoice.stripe_invoice_id = f"in_kept{party.id}n{number}"
            invoice.stripe_invoice_status = "open" if number % 3 == 1 else "paid"
        add(session, invoice, random_id=random_id)
        charge = Charge(merchant_id=party.id, created_at=then, amount=amount, description="Kept", invoice=invoice)
        add(session, charge, random_id=random_id)
    for number in range(choices.charges):
        charge = Charge(merchant_id=party.id, created_at=now(), amount=(number % 9 + 1) * unit, description="Shelf")
        add(session, charge, random_id=random_id)
