"""A world that was seen, written as a fixture file and a profile; what could not be known is said in comments."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from mockserver.billing.money import LARGEST_AMOUNT, exponent, to_major
from mockserver.billing.records import STRIPE_STATUSES
from mockserver.core.clock import from_datetime, render_time
from mockserver.state.fixtures.fields import LARGEST_ID
from mockserver.verify.claims.values import Row, when
from mockserver.watch.judging.memory import amount_of
from mockserver.watch.recording.disguise import Disguise
from mockserver.watch.recording.gather import SeenWorld
from mockserver.watch.recording.sweeps import Kin, Swept, find_swept, is_void, kin_of

DECLINES = "pm_card_visa_chargeDeclined"
QUEUED = timedelta(hours=1)
"""How long what waits for Stripe goes on to wait, after it is written."""


@dataclass(slots=True)
class WorldWriter:
    """Writes one world."""

    seen: SeenWorld
    disguise: Disguise
    others: int = 0
    """Other worlds that were seen and are not written."""
    invoices: int = 0
    """How many are written, once the text is made."""
    charges: int = 0
    """How many of those that were seen."""
    _parties: dict[str, int] = field(default_factory=dict)
    _charges: dict[int, dict[str, Any]] = field(default_factory=dict)
    _owner: dict[int, int] = field(default_factory=dict)
    _left_out: Counter[str] = field(default_factory=Counter)
    _stand_ins: int = 0
    _on_stripe: set[str] = field(default_factory=set)
    _swept: Swept = field(default_factory=Swept)

    def text(self) -> str:
        """The fixture file."""
        invoices = {number: one.row for number, one in sorted(self.seen.invoices.newest(len(self.seen.invoices)))}
        charges = {number: one.row for number, one in sorted(self.seen.charges.newest(len(self.seen.charges)))}
        invoices = {number: row for number, row in invoices.items() if self._is_usable(row, "total")}
        charges = {number: row for number, row in charges.items() if self._is_usable(row, "amount")}
        for row in (*invoices.values(), *charges.values()):
            self._party(row)
        for number, row in charges.items():
            self._charges[number] = self._charge(number, row)
        owned = self._shared_out(invoices, charges)
        rows = [self._invoice(number, row, owned[number]) for number, row in invoices.items()]
        self.invoices, self.charges = len(rows), len(self._charges) - self._stand_ins
        return "\n".join(self._lines(rows, invoices, charges)) + "\n"

    # --- which charges are on which invoice ---------------------------------------------------------------------

    def _shared_out(self, invoices: Mapping[int, Row], charges: Mapping[int, Row]) -> dict[int, list[int]]:
        """The charges of each invoice: those that its create named, others that fit, and one for what is not known."""
        owned: dict[int, list[int]] = {number: [] for number in invoices}
        self._swept = find_swept(self.seen, invoices, charges)
        for number, invoice in invoices.items():
            for charge in self.seen.named.get(number) or self._swept.taken.get(number) or ():
                row = charges.get(charge)
                if row is not None and charge not in self._owner and _alike(row, invoice) and not is_void(row):
                    self._give(charge, number, owned)
        rooms = _Rooms(invoices, {number: self._rest(invoices[number], owned[number], charges) for number in invoices})
        for charge, row in charges.items():
            if charge in self._owner or row.get("status") != "Invoiced":
                continue
            home = rooms.take(row)
            if home is None:
                self._left_out["charges on invoices that were not seen"] += 1
                del self._charges[charge]
            else:
                self._give(charge, home, owned)
        following = max([*charges, *(one for named in self._all_named() for one in named)], default=0)
        for number, row in invoices.items():
            rest = self._rest(row, owned[number], charges)
            if rest:
                following += 1
                self._charges[following] = self._stand_in(following, row, rest)
                owned[number].append(following)
        return owned

    def _all_named(self) -> Iterator[tuple[int, ...]]:
        for _, named in self.seen.named.newest(len(self.seen.named)):
            yield named

    def _give(self, charge: int, invoice: int, owned: dict[int, list[int]]) -> None:
        self._owner[charge] = invoice
        owned[invoice].append(charge)

    def _rest(self, invoice: Row, owned: list[int], charges: Mapping[int, Row]) -> Decimal:
        """What of its total these charges leave."""
        known = sum((amount_of(charges[one], "amount") or Decimal(0) for one in owned), Decimal(0))
        return (amount_of(invoice, "total") or Decimal(0)) - known

    # --- rows ---------------------------------------------------------------------------------------------------

    def _is_usable(self, row: Row, amount: str) -> bool:
        """Whether a fixture can hold it."""
        value, currency = amount_of(row, amount), row.get("currency")
        try:
            exact = value is not None and value == round(value, exponent(str(currency)))
        except ValueError:
            exact = False
        if not exact or when(row.get("created_at")) is None or row.get("chargee_id") is None:
            self._left_out["records without a sound amount, currency, merchant or time"] += 1
            return False
        number, largest = row.get("id"), to_major(LARGEST_AMOUNT, str(currency))
        if abs(value or Decimal(0)) > largest or not (isinstance(number, int) and 0 < number < LARGEST_ID):
            self._left_out["records whose amount or id is larger than a fixture can hold"] += 1
            return False
        return True

    def _party(self, row: Row) -> int:
        """The merchant's id; one of our own where it is no integer."""
        text = str(row.get("chargee_id"))
        if text not in self._parties:
            taken = set(self._parties.values())
            number = _party_id(text)
            while number in taken:
                number += 1
            self._parties[text] = number
        return self._parties[text]

    def _charge(self, number: int, row: Row) -> dict[str, Any]:
        amount = amount_of(row, "amount") or Decimal(0)
        return {
            "id": number,
            "merchant": self._party(row),
            "created_at": self._time(row),
            "currency": row["currency"],
            "amount": f"{self.disguise.amount(amount, number, exponent(str(row['currency']))):f}",
            "category": row.get("category") if isinstance(row.get("category"), str) else None,
            "description": self.disguise.text(row.get("description")),
            "status": "Void" if is_void(row) else None,
            "stripe_invoice_item_id": self.disguise.stripe(row.get("stripe_invoice_item_id")),
        }

    def _stand_in(self, number: int, invoice: Row, amount: Decimal) -> dict[str, Any]:
        self._stand_ins += 1
        return {
            "id": number,
            "merchant": self._party(invoice),
            "created_at": self._time(invoice),
            "currency": invoice["currency"],
            "amount": f"{self.disguise.amount(amount, number, exponent(str(invoice['currency']))):f}",
            "description": "Stands for charges that were not seen",
        }

    def _invoice(self, number: int, row: Row, charges: list[int]) -> dict[str, Any]:
        is_draft = row.get("status") == "Draft"
        stripe_id = None if is_draft else self.disguise.stripe(row.get("stripe_invoice_id"))
        if stripe_id in self._on_stripe:
            # Of two that are one on Stripe, which is a breach, a fixture can hold but one.
            self._left_out["Stripe ids that another invoice has"] += 1
            stripe_id = None
        elif stripe_id is not None:
            self._on_stripe.add(stripe_id)
        status = row.get("stripe_invoice_status")
        known = status if status in STRIPE_STATUSES else "open"
        return {
            "id": number,
            "merchant": self._party(row),
            "created_at": self._time(row),
            "currency": row["currency"],
            "charges": sorted(charges),
            "description": self.disguise.text(row.get("description")),
            "finalized_at": None if is_draft else self._time(row),
            "stripe_invoice_id": stripe_id,
            "stripe_invoice_status": known if stripe_id else None,
            "voided_at": self._time(row) if stripe_id and known == "void" else None,
        }

    def _time(self, row: Row) -> str:
        moment = when(row.get("created_at")) or datetime(2026, 1, 1, tzinfo=UTC)
        return render_time(from_datetime(moment + self.disguise.shift))

    # --- the file -----------------------------------------------------------------------------------------------

    def _lines(
        self, rows: list[dict[str, Any]], invoices: Mapping[int, Row], charges: Mapping[int, Row]
    ) -> Iterator[str]:
        yield f"# What traffic with {self.seen.base} showed."
        yield "# Descriptions, names and Stripe's ids are made up. Ids, states and categories are as they were seen,"
        yield "# and so are amounts and times, unless they were jittered."
        yield from (f"# {note}" for note in self.unknown())
        yield "description: A world that was recorded."
        everybody = [*invoices.values(), *charges.values()]
        charger = next((str(row.get("charger_id")) for row in everybody if row.get("charger_id") is not None), "1")
        yield f"provider: {_row({'id': _party_id(charger), 'name': self.disguise.company(0)})}"
        yield "\ntokens:\n  provider: all"
        for number in sorted(self._parties.values()):
            yield f"  merchant{number}: [{number}]"
        yield from _listed("merchants", [self._merchant(text, everybody) for text in self._parties])
        yield from _listed("charges", [self._charges[number] for number in sorted(self._charges)])
        yield from _listed("invoices", rows)
        yield from self._next_ids(invoices)
        waiting = [row["id"] for row in rows if row["finalized_at"] and not row["stripe_invoice_id"]]
        if waiting:
            due = render_time(from_datetime(datetime.now(UTC) + QUEUED))
            queue = ", ".join(_row({"invoice": number, "due": due}) for number in waiting)
            yield f"\nstripe: {{queue: [{queue}]}}"

    def _merchant(self, text: str, everybody: list[Row]) -> dict[str, Any]:
        own = [row for row in everybody if str(row.get("chargee_id")) == text]
        currency = Counter(str(row["currency"]) for row in own).most_common(1)[0][0]
        number = self._parties[text]
        return {
            "id": number,
            "name": self.disguise.company(number),
            "currency": currency,
            "card": DECLINES if text in self.seen.declined else None,
            "type": "team" if own[0].get("chargee_type") == "team" else None,
        }

    def _next_ids(self, invoices: Mapping[int, Row]) -> Iterator[str]:
        charge, invoice = max(self._charges, default=0) + 1, max(invoices, default=0) + 1
        yield f"\nnext_ids: {_row({'charge': charge, 'invoice': invoice})}"

    def unknown(self) -> Iterator[str]:
        """What the traffic did not tell, a sentence each, once the text is made."""
        if self._stand_ins:
            yield f"Of {self._stand_ins:,} invoices not all charges were seen: one stands for the rest of each total."
        if self._swept.guessed:
            guess = "the charges that were open before are guessed to be on their invoices"
            yield f"{self._swept.guessed:,} creates took all that was open: {guess}."
        if self._swept.unknown:
            yield f"{self._swept.unknown:,} creates took all that was open: what is open here may be on an invoice."
        yield "When invoices were finalized and voided was not seen: they count as finalized when they were created."
        yield "How a card behaves was not seen, save where it declined: all others pay."
        for what, count in self._left_out.items():
            yield f"Left out: {count:,} {what}."
        if self.others:
            yield f"Records of {self.others:,} other worlds, or servers, were seen too and are not here."
        if self.seen.gone:
            yield "This is what was seen before the world was last set back: no records were seen after that."
        elif self.seen.lost:
            yield "What was seen before the world was last set back is not here."


@dataclass(slots=True)
class _Rooms:
    """What of each invoice's total no charge is known for; the oldest invoice that fits takes the next charge."""

    invoices: Mapping[int, Row]
    left: dict[int, Decimal]
    _open: dict[Kin, list[tuple[int, datetime | None]]] = field(init=False)

    def __post_init__(self) -> None:
        self._open = {}
        for number, row in self.invoices.items():
            if self.left[number] > 0:
                self._open.setdefault(kin_of(row), []).append((number, when(row.get("created_at"))))

    def take(self, charge: Row) -> int | None:
        """The invoice that a charge is given to; None where there is none for it."""
        amount, came = amount_of(charge, "amount"), when(charge.get("created_at"))
        rooms = self._open.get(kin_of(charge), [])
        for place, (number, made) in enumerate(rooms):
            if amount is None or amount > self.left[number] or (made is not None and came is not None and came > made):
                continue
            self.left[number] -= amount
            if not self.left[number]:
                del rooms[place]
            return number
        return None


def _party_id(text: str) -> int:
    """A merchant's or a provider's id; 1 where it is no number that a fixture can hold."""
    is_number = text.isascii() and text.isdigit() and len(text) < 17 and 0 < int(text) < LARGEST_ID
    return int(text) if is_number else 1


def _alike(charge: Row, invoice: Row) -> bool:
    return kin_of(charge) == kin_of(invoice)


def _listed(key: str, rows: list[dict[str, Any]]) -> Iterator[str]:
    if rows:
        yield f"\n{key}:"
        yield from (f"  - {_row(row)}" for row in rows)


def _row(row: Mapping[str, Any]) -> str:
    """JSON is YAML, and says of each text that it is one."""
    return "{" + ", ".join(f"{key}: {json.dumps(value)}" for key, value in row.items() if value is not None) + "}"
