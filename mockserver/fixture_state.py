"""What a fixture may tell of a world beside its rows: its clock, next ids, Stripe account and the queue to it."""

from __future__ import annotations

import heapq
from functools import partial

from mockserver.clock import EARLIEST, LATEST, MICROSECONDS, Clock, ClockState, Identifiers
from mockserver.fixture_fields import Fields, nearest, shown
from mockserver.fixture_rows import CARD, Rows
from mockserver.store import MemoryStore
from mockserver.stripe import CARDS, NO_CARD, NOTHING_DUE, OUTCOMES, REPEATED, SUCCEEDS, TOO_SMALL, Attempt, Stripe

STATE_KEYS = ("clock", "next_ids", "stripe")
_ENDS = {**OUTCOMES, **{one.name: one for one in (NO_CARD, TOO_SMALL, NOTHING_DUE, REPEATED)}}
LEDGER_KEYS = ("at", "invoice", "stripe_invoice_id", "amount", "card", "outcome", "idempotency_key")
_LARGEST = 10**18


def read_clock(top: Fields) -> Clock:
    """The clock as the fixture sets it: frozen, ahead of the real time by some seconds, or the real time."""
    part = top.part("clock", ("frozen_at", "ahead"))
    frozen_at, ahead = part.time("frozen_at"), part.decimal("ahead")
    if ahead is None:
        return Clock(ClockState(frozen_at=frozen_at))
    if frozen_at is not None:
        part.wrong("ahead", "a clock is either frozen or runs ahead: give one of both")
    offset = round(ahead * MICROSECONDS) if abs(ahead) < _LARGEST else _LARGEST
    # A clock that runs past the last moment stays there, so how far ahead it is may be more than is left by now.
    if offset > LATEST - EARLIEST or Clock().now() + offset < EARLIEST:
        part.wrong(
            "ahead", f"leads out of the years 1 to 9999, which a clock can show, got {shown(part.values['ahead'])}"
        )
    return Clock(ClockState(offset=offset))


def read_next_ids(top: Fields, store: MemoryStore) -> None:
    """Let the store give out the ids that the fixture asks for; they must be above all that it has."""
    part = top.part("next_ids", ("charge", "invoice"))
    charge, invoice = part.integer("charge"), part.integer("invoice")
    for key, asked, last in zip(("charge", "invoice"), (charge, invoice), store.last_ids, strict=True):
        if asked is not None and asked <= last:
            part.wrong(key, f"must be above {last}, the highest id of any {key} here")
    store.reserve_ids(charge=(charge or 1) - 1, invoice=(invoice or 1) - 1)


def read_stripe(top: Fields, rows: Rows, *, seed: int | None) -> tuple[Stripe, list[tuple[int, int]]]:
    """The Stripe account, and the heap of (due, invoice id) that wait for their creation there.

    `seed` stands above the fixture's own.
    """
    part = top.part("stripe", ("seed", "given", "queue", "ledger", "settled", "answered", "forced"))
    own = part.integer("seed", least=-_LARGEST, most=_LARGEST)
    stripe = Stripe(Identifiers(seed if seed is not None else own or 0, part.integer("given", least=0) or 0))
    for row in part.rows("ledger", LEDGER_KEYS):
        attempt = _attempt(row, len(stripe.ledger) + 1, rows)
        if not row.bad:
            stripe.ledger.append(attempt)
    stripe.settled.update(part.texts("settled"))
    for row in part.rows("answered", ("invoice", "attempts")):
        number = _invoice_of(row, rows)
        stripe.answered[number] = row.need("attempts", row.integer, 0)
    for index, name in enumerate(part.texts("forced")):
        if name in OUTCOMES:
            stripe.forced.append(OUTCOMES[name])
        else:
            part.wrong("forced", f"item {index} must not be {shown(name)}: {nearest(name, OUTCOMES)}")
    return stripe, _queue(part, rows)


def _queue(part: Fields, rows: Rows) -> list[tuple[int, int]]:
    queue: list[tuple[int, int]] = []
    for row in part.rows("queue", ("invoice", "due")):
        number = _invoice_of(row, rows)
        due = row.need("due", row.time, 0)
        invoice = rows.invoices.get(number)
        if invoice is not None and invoice.draft:
            row.wrong("invoice", f"invoice {number} is a draft: only a finalized one is queued for Stripe")
        heapq.heappush(queue, (due, number))
    return queue


def _invoice_of(row: Fields, rows: Rows) -> int:
    number = row.need("invoice", row.integer, 0)
    if number and number not in rows.declared_invoices:
        row.wrong("invoice", f"there is no invoice {number}")
    return number


def _attempt(row: Fields, number: int, rows: Rows) -> Attempt:
    """A line of the ledger. What its invoice and its outcome tell already need not be repeated."""
    invoice_id = _invoice_of(row, rows)
    invoice = rows.invoices.get(invoice_id)
    outcome = _ENDS[row.need("outcome", partial(row.one_of, words=_ENDS), SUCCEEDS.name)]
    return Attempt(
        number=number,
        at=row.need("at", row.time, 0),
        invoice=invoice_id,
        stripe_invoice_id=row.text("stripe_invoice_id"),
        merchant=invoice.merchant if invoice else 0,
        amount=row.need("amount", partial(row.integer, least=-_LARGEST, most=_LARGEST), 0),
        currency=invoice.currency if invoice else "",
        card=row.one_of("card", CARDS) or CARD,
        outcome=outcome.name,
        code=outcome.code,
        decline_code=outcome.decline_code,
        idempotency_key=row.need("idempotency_key", row.text, ""),
        charged=outcome.charges,
    )
