"""What differs between two states of a world, told in the API's own words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Any, Protocol, TypeVar

from mockserver.billing import render
from mockserver.billing.profile import Profile
from mockserver.billing.records import Charge, Invoice, Merchant
from mockserver.billing.stripe import Attempt
from mockserver.core.clock import render_time
from mockserver.state.world import Blueprint, State

JSON = dict[str, Any]


class _Numbered(Protocol):
    @property
    def id(self) -> int: ...


Record = TypeVar("Record", bound=_Numbered)
_Show = Callable[[Any, Blueprint, Profile], JSON]


def compare(before: Blueprint, after: Blueprint, profile: Profile) -> JSON:
    """What was added, removed and changed on the way from one to the other, as records and as readable lines."""
    one, other = before.state, after.state
    found: JSON = {
        "merchants": _records(one.store.merchants(), other.store.merchants(), _merchant, before, after, profile),
        "charges": _records(one.store.charges(), other.store.charges(), charge_body, before, after, profile),
        "invoices": _records(one.store.invoices(), other.store.invoices(), invoice_body, before, after, profile),
        "attempts": _log(one.stripe.ledger, other.stripe.ledger, attempt_body),
        "queue": _log(_waiting(one), _waiting(other), _queued),
        "next_ids": _changes(_next_ids(before), _next_ids(after)),
    }
    lines = [line for kind in ("merchant", "charge", "invoice") for line in _lines(kind, found[f"{kind}s"])]
    lines += [
        f"{sign} attempt {line['number']} to charge for invoice {line['invoice']}: {line['outcome']}"
        for sign, key in (("-", "removed"), ("+", "added"))
        for line in found["attempts"][key]
    ]
    lines += [
        f"{sign} invoice {line['invoice']} waits for its creation on Stripe"
        for sign, key in (("-", "removed"), ("+", "added"))
        for line in found["queue"][key]
    ]
    lines += [f"~ next {key} id: {change['from']} -> {change['to']}" for key, change in found["next_ids"].items()]
    return {"same": not lines, "lines": lines, **found}


def attempt_body(attempt: Attempt) -> JSON:
    """An attempt to charge as the control interface shows it."""
    return {**asdict(attempt), "at": render_time(attempt.at)}


def _records(
    ones: Iterable[Record], others: Iterable[Record], show: _Show, before: Blueprint, after: Blueprint, profile: Profile
) -> JSON:
    was, now = {record.id: record for record in ones}, {record.id: record for record in others}
    changed = []
    for number, record in now.items():
        # A record that nobody has saved anew is the very same object: millions of them are passed over quickly.
        if (old := was.get(number)) is not None and old is not record and old != record:
            changes = _changes(show(old, before, profile), show(record, after, profile))
            changed.append({"id": number, "changes": changes})
    return {
        "added": [show(record, after, profile) for number, record in now.items() if number not in was],
        "removed": [show(record, before, profile) for number, record in was.items() if number not in now],
        "changed": changed,
    }


def _log(was: list[Any], now: list[Any], show: Callable[[Any], JSON]) -> JSON:
    known, present = set(was), set(now)
    return {
        "added": [show(one) for one in now if one not in known],
        "removed": [show(one) for one in was if one not in present],
    }


def _changes(was: JSON, now: JSON) -> JSON:
    return {key: {"from": was.get(key), "to": now.get(key)} for key in now if was.get(key) != now.get(key)}


def _lines(kind: str, found: JSON) -> Iterator[str]:
    for row in found["removed"]:
        yield f"- {kind} {row['id']}{_gist(row)}"
    for row in found["changed"]:
        changes = (f"{key} {_word(one['from'])} -> {_word(one['to'])}" for key, one in row["changes"].items())
        yield f"~ {kind} {row['id']}: {', '.join(changes)}"
    for row in found["added"]:
        yield f"+ {kind} {row['id']}{_gist(row)}"


def _word(value: object) -> str:
    return "null" if value is None else str(value)


def _gist(row: JSON) -> str:
    amount = row.get("total", row.get("amount"))
    if amount is None:
        return f": {row['name']}, {row['card']}"
    return f": {row['status']}, {amount} {row['currency']}, merchant {row['chargee_id']}"


def _merchant(record: Merchant, blueprint: Blueprint, profile: Profile) -> JSON:
    return asdict(record)


def charge_body(record: Charge, blueprint: Blueprint, profile: Profile) -> JSON:
    """A charge as the API shows it, with the invoice that it is on."""
    shown = render.charge(record, _whose(record, blueprint), blueprint.provider, profile)
    return {**shown, "invoice": record.invoice}


def invoice_body(record: Invoice, blueprint: Blueprint, profile: Profile) -> JSON:
    """An invoice as its webhook shows it, its charges by their ids, and whether its payment is yet to be reported."""
    shown = render.invoice_in_event(record, (), _whose(record, blueprint), blueprint.provider, profile)
    return {**shown, "charges": list(record.charges), "payment_pending": record.payment_pending}


def _whose(record: Charge | Invoice, blueprint: Blueprint) -> Merchant:
    merchant = blueprint.state.store.merchant(record.merchant)
    if merchant is None:
        raise LookupError(f"the store has records of merchant {record.merchant}, but not the merchant")
    return merchant


def _waiting(state: State) -> list[tuple[int, int]]:
    """The entries of the queue to Stripe that still have something to do."""
    found = ((due, number, state.store.invoice(number)) for due, number in sorted(state.queue))
    return [(due, number) for due, number, invoice in found if invoice and invoice.stripe_invoice_id is None]


def _queued(entry: tuple[int, int]) -> JSON:
    due, invoice = entry
    return {"invoice": invoice, "due": render_time(due)}


def _next_ids(blueprint: Blueprint) -> JSON:
    charge, invoice = blueprint.state.store.last_ids
    return {"charge": charge + 1, "invoice": invoice + 1}
