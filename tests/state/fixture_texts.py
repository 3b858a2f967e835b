"""Beginnings of fixture files."""

from __future__ import annotations

PEOPLE = """\
merchants:
  - {id: 1, name: One, currency: USD}
  - {id: 2, name: Two, currency: EUR}
"""
OPEN_CHARGE = PEOPLE + "charges:\n  - {id: 1, merchant: 1, created_at: 2026-01-01T00:00:00Z, amount: 1}\n"
"""A charge on line 5."""
QUEUE = "stripe: {queue: [{invoice: 1, due: 2026-01-01}]}\n"


def invoice(more: str, *, charge: str = "amount: 1") -> str:
    """A world with one charge, on line 5, and an invoice, on line 7."""
    row = "  - {id: 1, merchant: 1, created_at: 2026-01-02T00:00:00Z"
    return OPEN_CHARGE.replace("amount: 1", charge) + f"invoices:\n{row}, {more}}}\n"
