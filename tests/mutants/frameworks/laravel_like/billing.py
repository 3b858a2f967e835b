"""Making, finalizing and collecting invoices: under a lock of each invoice, in short transactions."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from sqlite3 import Connection, Row
from typing import Any

from tests.mutants.frameworks.choices import Choices
from tests.mutants.frameworks.laravel_like.database import Database, moment
from tests.mutants.frameworks.laravel_like.errors import Invalid, Refused
from tests.mutants.frameworks.laravel_like.validation import invalid
from tests.mutants.frameworks.stripe import Declined, Stripe


class Billing:
    """What can be done to the invoices of one database."""

    def __init__(self, database: Database, choices: Choices) -> None:
        self.database = database
        self.stripe = Stripe()
        self._choices = choices
        self._locks: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)

    def create(self, reachable: Sequence[int], wanted: Sequence[int] | None, *, selected: bool) -> Row:
        """A draft of the wanted charges of these merchants, or of all their open ones.

        Raises:
            Refused: when a charge is not to be had, or there is none, or they are of several merchants.
        """
        choices = self._choices
        marks = ", ".join("?" * len(reachable))
        with self.database.transaction() as rows:
            if wanted is None:
                statement = f"select * from charges where merchant in ({marks}) and invoice is null"
                chosen = rows.execute(statement, reachable).fetchall()
            else:
                chosen = [self._open_charge(rows, reachable, one, key) for key, one in enumerate(wanted)]
            owners = {charge["merchant"] for charge in chosen}
            if len(owners) > 1:
                raise invalid(choices, "charge_ids", "must be of one client; select it by X-Selected-Client-Id")
            if not chosen and (choices.no_charges == "refuse" or not selected):
                raise invalid(choices, "charge_ids", "has nothing to invoice")
            time.sleep(choices.slow_seconds)
            owner = owners.pop() if owners else reachable[0]
            total = sum(charge["amount"] for charge in chosen)
            values = {"merchant": owner, "created_at": moment(), "total": total}
            invoice = self.database.insert(rows, "invoices", values)
            for charge in chosen:
                rows.execute("update charges set invoice = ? where number = ?", (invoice["number"], charge["number"]))
        return invoice

    def _open_charge(self, rows: Connection, reachable: Sequence[int], wanted: int, key: int) -> Row:
        charge: Row | None = rows.execute("select * from charges where id = ?", (wanted,)).fetchone()
        if charge is None or charge["merchant"] not in reachable or charge["invoice"] is not None:
            message = {f"charge_ids.{key}": [f"The selected charge_ids.{key} is invalid."]}
            raise Invalid(self._choices.invalid_request_status, message)
        return charge

    def finalize(self, number: int) -> None:
        """Lock a draft and queue it.

        Raises:
            Refused: when it is no draft, unless that is accepted.
        """
        with self._locks[number]:
            if self._read(number)["status"] != "Draft":
                if self._choices.refinalize == "accept":
                    return
                raise Refused(self._choices.illegal_state_status, "The invoice has already been finalized.")
            time.sleep(self._choices.slow_seconds)
            self._write(number, status="Finalized")
        self._queue(self._choices.queue_seconds, number, self._put_on_stripe)

    def collect(self, number: int) -> None:
        """Charge the merchant's card.

        Raises:
            Refused: for a draft or a paid one, or when the charge is declined.
        """
        choices = self._choices
        with self._locks[number]:
            invoice = self._read(number)
            if invoice["status"] == "Draft":
                raise Refused(choices.illegal_state_status, "The invoice must be finalized before it can be collected.")
            if invoice["paid_at"] is not None:
                if choices.recollect == "accept":
                    return
                raise Refused(choices.illegal_state_status, "The invoice has already been paid.")
            stripe_id = self._put_on_stripe(number)
            time.sleep(choices.slow_seconds)
            try:
                self.stripe.pay(stripe_id, invoice["total"], invoice["currency"], invoice["card"])
            except Declined as error:
                raise Refused(choices.declined_status, str(error)) from error
            self._write(number, paid_at=moment())
            if choices.payment_shown == "at_once":
                self._show_paid(number)
            else:
                self._queue(choices.payment_seconds, number, self._show_paid)

    def _put_on_stripe(self, number: int) -> str:
        """Create an invoice on Stripe unless it is there; its id there. Called under the invoice's lock."""
        known: str | None = self._read(number)["stripe_id"]
        if known is None:
            known = self.stripe.create_invoice()
            self._write(number, stripe_id=known, stripe_status="open")
        return known

    def _show_paid(self, number: int) -> None:
        self._write(number, stripe_status="paid")

    def _read(self, number: int) -> Row:
        with self.database.reading() as rows:
            statement = (
                "select invoices.*, currency, card from invoices join merchants on merchants.id = merchant "
                "where number = ?"
            )
            found: Row = rows.execute(statement, (number,)).fetchone()
        return found

    def _write(self, number: int, **values: object) -> None:
        changes = ", ".join(f"{name} = ?" for name in values)
        with self.database.transaction() as rows:
            rows.execute(f"update invoices set {changes} where number = ?", (*values.values(), number))

    def _queue(self, seconds: float, number: int, job: Callable[[int], Any]) -> None:
        def work() -> None:
            time.sleep(seconds)
            with self._locks[number]:
                job(number)

        threading.Thread(target=work, daemon=True).start()
