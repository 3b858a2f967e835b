"""A running world written as a fixture: the text that loads into an equal world."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from mockserver.billing import INVOICED, OPEN, Charge, Invoice, Merchant
from mockserver.clock import LATEST, MICROSECONDS, ClockState, render_time
from mockserver.money import to_major
from mockserver.store import MemoryStore
from mockserver.stripe import Attempt
from mockserver.world import State, World

_WORDS = frozenset("y n yes no on off true false null".split())
"""What YAML takes for something other than text."""


_PLAIN = re.compile(r"[A-Za-z][\w.'()&/ -]*(?<! )", re.ASCII)
"""Texts that need no quotes, unless YAML has a meaning for them."""
_ESCAPED = re.compile("[\x7f-\xa0\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""Characters beside those that JSON escapes which YAML does not take as they are."""


class _Bare(str):
    """A text that is safe without quotes, as it is ours: an id, a time, a state."""

    __slots__ = ()


def dump_fixture(world: World) -> str:
    """The world's present state as a fixture file's text; loading it makes an equal world.

    It is written here rather than by a YAML library because that takes minutes for the records of a large world.
    """
    with world.lock:
        return "".join(_lines(world))


def _lines(world: World) -> Iterator[str]:
    blueprint, state, store = world.blueprint, world.state, world.state.store
    provider, merchants = blueprint.provider, store.merchants()
    everyone = frozenset(merchant.id for merchant in merchants)
    yield f"description: {_scalar(blueprint.description)}\n"
    yield f"provider: {_row(id=provider.id, name=provider.name, type=provider.type)}\n"
    yield "\ntokens:\n"
    for token, reach in blueprint.tokens.items():
        yield f"  {_scalar(token)}: {'all' if reach == everyone else _list(sorted(reach))}\n"
    yield from _listed("merchants", map(_merchant, merchants))
    yield from _listed("charges", (_charge(charge, store) for charge in store.charges()))
    yield from _listed("invoices", map(_invoice, store.invoices()))
    if state.clock.state != ClockState():
        yield f"\nclock: {_clock(state.clock.state)}\n"
    last_charge, last_invoice = store.last_ids
    yield f"\nnext_ids: {_row(charge=last_charge + 1, invoice=last_invoice + 1)}\n"
    yield from _stripe(state)


def _listed(key: str, rows: Iterable[str], indent: str = "") -> Iterator[str]:
    """The list of these rows under the key; nothing where there are none."""
    heading = f"{key}:\n" if indent else f"\n{key}:\n"
    for row in rows:
        yield f"{indent}{heading}" if heading else ""
        heading = ""
        yield f"{indent}  - {row}\n"


def _merchant(merchant: Merchant) -> str:
    return _row(id=merchant.id, name=merchant.name, currency=merchant.currency, card=merchant.card, type=merchant.type)


def _charge(charge: Charge, store: MemoryStore) -> str:
    """The charge without what an invoice that lists it tells already."""
    merchant = store.merchant(charge.merchant)
    return _row(
        id=charge.id,
        merchant=charge.merchant,
        created_at=_time(charge.created_at),
        currency=charge.currency if merchant is None or charge.currency != merchant.currency else None,
        amount=_Bare(f"{to_major(charge.amount, charge.currency):f}"),
        category=charge.category,
        description=charge.description,
        status=charge.status if charge.status not in (OPEN, INVOICED) else None,
        stripe_invoice_item_id=charge.stripe_invoice_item_id,
    )


def _invoice(invoice: Invoice) -> str:
    return _row(
        id=invoice.id,
        merchant=invoice.merchant,
        created_at=_time(invoice.created_at),
        currency=invoice.currency,
        charges=_list(invoice.charges),
        description=invoice.description,
        finalized_at=_time(invoice.finalized_at),
        stripe_invoice_id=invoice.stripe_invoice_id,
        stripe_invoice_status=invoice.stripe_invoice_status,
        voided_at=_time(invoice.voided_at),
    )


def _clock(clock: ClockState) -> str:
    if clock.frozen_at is not None:
        return _row(frozen_at=_time(clock.frozen_at))
    return _row(ahead=f"{Decimal(clock.offset) / MICROSECONDS:f}")


def _stripe(state: State) -> Iterator[str]:
    stripe = state.stripe
    yield f"\nstripe:\n  seed: {stripe.identifiers.seed}\n  given: {stripe.identifiers.given}\n"
    # Nothing is due later than a clock can ever show.
    queue = (_row(invoice=invoice, due=_time(min(due, LATEST))) for due, invoice in state.queue)
    yield from _listed("queue", queue, "  ")
    yield from _listed("ledger", map(_attempt, stripe.ledger), "  ")
    yield from _listed("settled", map(_scalar, sorted(stripe.settled)), "  ")
    answered = (_row(invoice=invoice, attempts=attempts) for invoice, attempts in stripe.answered.items())
    yield from _listed("answered", answered, "  ")
    yield from _listed("forced", (_scalar(outcome.name) for outcome in stripe.forced), "  ")


def _attempt(attempt: Attempt) -> str:
    """The attempt without what its invoice and its outcome tell already."""
    return _row(
        at=_time(attempt.at),
        invoice=attempt.invoice,
        stripe_invoice_id=attempt.stripe_invoice_id,
        amount=attempt.amount,
        card=attempt.card,
        outcome=attempt.outcome,
        idempotency_key=attempt.idempotency_key,
    )


def _time(moment: int | None) -> _Bare | None:
    return None if moment is None else _Bare(render_time(moment))


def _row(**values: int | str | None) -> str:
    """A mapping on one line, without what is None."""
    return "{" + ", ".join([f"{key}: {_scalar(value)}" for key, value in values.items() if value is not None]) + "}"


def _list(numbers: Iterable[int]) -> _Bare:
    return _Bare(f"[{', '.join(map(str, numbers))}]")


def _scalar(value: int | str) -> str:
    if not isinstance(value, str) or isinstance(value, _Bare):
        return str(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return _ESCAPED.sub(_escaped, json.dumps(value, ensure_ascii=False))


def _escaped(character: re.Match[str]) -> str:
    return f"\\u{ord(character[0]):04x}"
