"""Every mistake that a fixture file can have is told with its line and key, and once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mockserver.core.errors import Unusable
from tests.state.fixture_texts import OPEN_CHARGE, PEOPLE, QUEUE, invoice

MISTAKES = {
    "unknown key": ("merchant: []\n", 1, "merchant", "did you mean merchants?"),
    "no mapping": ("- 1\n", 1, "", "must be a mapping of keys to values, got [1]"),
    "description": ("description: 5\n", 1, "description", 'write it in quotes, "5"'),
    "provider": ("provider: {id: one}\n", 1, "provider.id", 'must be a whole number, got "one"'),
    "quoted number": ('provider: {id: "1"}\n', 1, "provider.id", "write it without quotes"),
    "provider's key": ("provider:\n  nmae: X\n", 2, "provider.nmae", "did you mean name?"),
    "no list": ("merchants: 3\n", 1, "merchants", "begin each row with a dash"),
    "no row": ("merchants:\n  - 3\n", 2, "merchants.0", "must be a mapping"),
    "merchant without id": ("merchants:\n  - {name: A, currency: USD}\n", 2, "merchants.0.id", "is missing"),
    "null": ("merchants:\n  - {id: null, name: A, currency: USD}\n", 2, "merchants.0.id", "must not be null"),
    "zero id": ("merchants:\n  - {id: 0, name: A, currency: USD}\n", 2, "merchants.0.id", "must be at least 1, got 0"),
    "huge id": ("merchants:\n  - {id: 9007199254740993, name: A, currency: USD}\n", 2, "merchants.0.id", "at most"),
    "true id": ("merchants:\n  - {id: yes, name: A, currency: USD}\n", 2, "merchants.0.id", 'got "yes"'),
    "empty name": ('merchants:\n  - {id: 1, name: " ", currency: USD}\n', 2, "merchants.0.name", "must not be empty"),
    "same id": (
        PEOPLE + "  - {id: 1, name: C, currency: USD}\n",
        4,
        "merchants.2.id",
        "of merchants.0 (line 2) already",
    ),
    "currency": ("merchants:\n  - {id: 1, name: A, currency: usd}\n", 2, "merchants.0.currency", "did you mean USD?"),
    "no minor unit": ("merchants:\n  - {id: 1, name: A, currency: XAU}\n", 2, "merchants.0.currency", "ISO 4217"),
    "card": (
        "merchants:\n  - id: 1\n    name: A\n    currency: USD\n    card: pm_card_viza\n",
        5,
        "merchants.0.card",
        "did you mean pm_card_visa?",
    ),
    "type": (
        "merchants:\n  - {id: 1, name: A, currency: USD, type: x}\n",
        2,
        "merchants.0.type",
        "merchant or team",
    ),
    "token's merchant": (PEOPLE + "tokens:\n  a: [1, 7]\n", 5, "tokens.a", "there is no merchant 7"),
    "token's reach": (
        PEOPLE + "tokens:\n  a: every\n",
        5,
        "tokens.a",
        'must be all, or a list of merchant ids, got "ev',
    ),
    "token of nothing": (PEOPLE + "tokens:\n  a:\n", 5, "tokens.a", "must be all, or a list"),
    "numeric token": (PEOPLE + "tokens:\n  7: all\n", 5, "tokens.7", 'write it in quotes, "7"'),
    "token with a world": (PEOPLE + "tokens:\n  a@b: all\n", 5, "tokens.a@b", "without spaces and @"),
    "tokens": (PEOPLE + "tokens: all\n", 4, "tokens", "must be a mapping"),
    "charge's merchant": (OPEN_CHARGE.replace("merchant: 1", "merchant: 3"), 5, "charges.0.merchant", "no merchant 3"),
    "no time": (OPEN_CHARGE.replace("2026-01-01T00:00:00Z", "soon"), 5, "charges.0.created_at", "2026-01-15T10:00:00Z"),
    "no zone": (OPEN_CHARGE.replace("00:00Z", "00:00"), 5, "charges.0.created_at", "ISO 8601 time in UTC"),
    "number as time": (OPEN_CHARGE.replace("2026-01-01T00:00:00Z", "7"), 5, "charges.0.created_at", "got 7"),
    "no amount": (OPEN_CHARGE.replace(", amount: 1", ""), 5, "charges.0.amount", "is missing"),
    "amount": (
        OPEN_CHARGE.replace("amount: 1", "amount: much"),
        5,
        "charges.0.amount",
        'must be a number such as 12.50, got "much"',
    ),
    "not finite": (OPEN_CHARGE.replace("amount: 1", "amount: .nan"), 5, "charges.0.amount", ".nan is no number"),
    "octal amount": (OPEN_CHARGE.replace("amount: 1", "amount: 0100"), 5, "charges.0.amount", "0100 begins with a 0"),
    "octal text": (OPEN_CHARGE.replace("amount: 1", "amount: '0100'"), 5, "charges.0.amount", 'got "0100"'),
    "sexagesimal": (OPEN_CHARGE.replace("amount: 1", "amount: 1:30"), 5, "charges.0.amount", 'got "1:30"'),
    "underscores": (OPEN_CHARGE.replace("amount: 1", "amount: 1_000"), 5, "charges.0.amount", 'got "1_000"'),
    "other digits": (OPEN_CHARGE.replace("amount: 1", "amount: '\u0663'"), 5, "charges.0.amount", "must be a number"),
    "lost digits": (
        OPEN_CHARGE.replace("amount: 1", "amount: 1234567890123.4567"),
        5,
        "charges.0.amount",
        "1234567890123.4567 has more digits than a number keeps",
    ),
    "octal id": ("merchants:\n  - {id: 010, name: A, currency: USD}\n", 2, "merchants.0.id", "010 begins with a 0"),
    "id by its exponent": ("merchants:\n  - {id: 1.50, name: A, currency: USD}\n", 2, "merchants.0.id", "got 1.50"),
    "name that is a number": ("merchants:\n  - {id: 1, name: 1.50, currency: USD}\n", 2, "merchants.0.name", '"1.50"'),
    "decimal comma": (
        OPEN_CHARGE.replace("amount: 1", "amount: 12,50").replace("00:00Z", "00:00"),
        5,
        "charges.0.50",
        'a key must be text, got 50: write it in quotes, "50"',
    ),
    "merge": (
        "provider: &p {name: X}\nmerchants:\n  - {<<: *p, id: 1, currency: USD}\n",
        3,
        "merchants.0",
        "<< merges nothing here",
    ),
    "too fine": (OPEN_CHARGE.replace("amount: 1", "amount: 1.005"), 5, "charges.0.amount", "at most 2 decimals in USD"),
    "too large": (OPEN_CHARGE.replace("amount: 1", "amount: 1e99"), 5, "charges.0.amount", "must be at most 100000000"),
    "charge's status": (
        OPEN_CHARGE.replace("amount: 1", "amount: 1, status: open"),
        5,
        "charges.0.status",
        "mean Open?",
    ),
}


MISTAKES |= {
    "no such charge": (invoice("charges: [9]"), 7, "invoices.0.charges", "there is no charge 9"),
    "charge twice": (invoice("charges: [1, 1]"), 7, "invoices.0.charges", "charge 1 is listed twice"),
    "charge on two": (
        invoice("charges: [1]") + "  - {id: 2, merchant: 1, created_at: 2026-01-02T00:00:00Z, charges: [1]}\n",
        8,
        "invoices.1.charges",
        "charge 1 is on invoice 1 already",
    ),
    "charges no ids": (invoice("charges: [x]"), 7, "invoices.0.charges.0", "must be a whole number"),
    "void charge": (invoice("charges: [1]", charge="amount: 1, status: Void"), 7, "invoices.0.charges", "is void"),
    "open charge": (invoice("charges: [1]", charge="amount: 1, status: Open"), 5, "charges.0.status", "leave the"),
    "lone charge": (invoice("charges: []", charge="amount: 1, status: Invoiced"), 5, "charges.0.status", "no invoice"),
    "other invoice": (invoice("charges: [1]", charge="amount: 1, invoice: 2"), 5, "charges.0.invoice", "1 does"),
    "foreign charge": (
        invoice("charges: [1]").replace("merchant: 1, created_at: 2026-01-02", "merchant: 2, created_at: 2026-01-02"),
        7,
        "invoices.0.charges",
        "charge 1 is of merchant 1, not of 2",
    ),
    "currencies": (invoice("charges: [1], currency: EUR"), 7, "invoices.0.charges", "is in USD, the invoice in EUR"),
    "total": (invoice("charges: [1], total: 1.01"), 7, "invoices.0.total", "the exact sum of the charges, 1.00"),
    "draft on Stripe": (
        invoice("charges: [1], stripe_invoice_id: in_1, stripe_invoice_status: open"),
        7,
        "invoices.0.stripe_invoice_id",
        "a draft is not on Stripe",
    ),
    "no Stripe status": (
        invoice("charges: [1], finalized_at: 2026-01-03, stripe_invoice_id: in_1"),
        7,
        "invoices.0.stripe_invoice_status",
        "is missing: an invoice on Stripe is draft or open or paid",
    ),
    "no Stripe id": (
        invoice("charges: [1], finalized_at: 2026-01-03, stripe_invoice_status: paid"),
        7,
        "invoices.0.stripe_invoice_id",
        "is missing",
    ),
    "Stripe status": (
        invoice("charges: [1], finalized_at: 2026-01-03, stripe_invoice_id: in_1, stripe_invoice_status: payed"),
        7,
        "invoices.0.stripe_invoice_status",
        "did you mean paid?",
    ),
    "voided": (invoice("charges: [1], voided_at: 2026-01-03"), 7, "invoices.0.voided_at", "status is void"),
    "same Stripe id": (
        PEOPLE
        + "invoices:\n"
        + "".join(
            f"  - {{id: {number}, merchant: 1, created_at: 2026-01-01, finalized_at: 2026-01-02, "
            "stripe_invoice_id: in_1, stripe_invoice_status: open}\n"
            for number in (1, 2)
        ),
        6,
        "invoices.1.stripe_invoice_id",
        "is that of invoice 1 already",
    ),
    "two clocks": ("clock: {frozen_at: 2026-01-01, ahead: 1}\n", 1, "clock.ahead", "give one of both"),
    "far clock": ("clock: {ahead: 1e15}\n", 1, "clock.ahead", "out of the years 1 to 9999"),
    "next id": (OPEN_CHARGE + "next_ids: {charge: 1}\n", 6, "next_ids.charge", "must be above 1"),
    "forced outcome": ("stripe:\n  forced: [decline]\n", 2, "stripe.forced", "generic_decline"),
    "queued draft": (invoice("charges: []") + QUEUE, 8, "stripe.queue.0.invoice", "is a draft"),
    "queued stranger": (QUEUE, 1, "stripe.queue.0.invoice", "no invoice 1"),
    "ledger": ("stripe:\n  ledger:\n    - {invoice: 1}\n", 3, "stripe.ledger.0.outcome", "is missing"),
    "charged and not paid": (
        invoice("charges: [1], finalized_at: 2026-01-03, stripe_invoice_id: in_1, stripe_invoice_status: open")
        + "stripe:\n  ledger:\n    - {invoice: 1, at: 2026-01-04, amount: 100, outcome: succeeded}\n",
        10,
        "stripe.ledger.0.outcome",
        "has charged invoice 1, which must be paid on Stripe",
    ),
    "other id on Stripe": (
        invoice("charges: [1], finalized_at: 2026-01-03, stripe_invoice_id: in_1, stripe_invoice_status: paid")
        + "stripe:\n  ledger:\n"
        + "    - {invoice: 1, at: 2026-01-04, amount: 100, outcome: succeeded, stripe_invoice_id: in_2}\n",
        10,
        "stripe.ledger.0.stripe_invoice_id",
        "is not that of invoice 1, which has in_1",
    ),
    "settled": ("stripe: {settled: 1}\n", 1, "stripe.settled", "must be a list, got 1"),
    "generated count": ("generate: {merchants: many}\n", 1, "generate.merchants", "must be a whole number"),
    "too many": ("generate: {merchants: 1, invoices: 100000000000}\n", 1, "generate.invoices", "at most 10000000"),
    "generated for nobody": ("generate: {invoices: 3}\n", 1, "generate.merchants", "need merchants"),
    "generated backwards": ("generate: {from: 2026-02-01, until: 2026-01-01}\n", 1, "generate.until", "later"),
    "generated long ago": ("generate: {from: 1000-02-01}\n", 1, "generate.from", "1970-01-01"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_with_file_line_and_key_and_with_what_would_be_right(
    case: str, load: Any, tmp_path: Path
) -> None:
    text, line, key, hint = MISTAKES[case]
    with pytest.raises(Unusable) as caught:
        load(text)
    place = f"{tmp_path}/world.yaml:{line}: {key}"
    assert any(problem.startswith(place) and hint in problem for problem in caught.value.problems), caught.value


def test_all_mistakes_are_told_at_once_by_their_lines_and_none_is_told_twice(load: Any) -> None:
    with pytest.raises(Unusable) as caught:
        load(
            "tokens: {a: [5]}\nmerchants:\n  - {id: 1, name: A, currency: dollars}\ncharges:\n"
            "  - {id: 1, merchant: 1, created_at: x, amount: 1}\n"
            "invoices:\n  - {id: 1, merchant: 1, created_at: 2026-01-01, charges: [1]}\n"
        )
    assert [problem.split(":")[1] for problem in caught.value.problems] == ["1", "3", "5"]


def test_one_mistake_is_told_once_and_causes_no_other(load: Any) -> None:
    for name, (text, _, _, _) in MISTAKES.items():
        with pytest.raises(Unusable) as caught:
            load(text)
        assert len(caught.value.problems) == (4 if name == "ledger" else 1), name


@pytest.mark.parametrize("code", ["XAU", "XAV"])
def test_no_currency_is_guessed_that_would_be_refused_as_well(load: Any, code: str) -> None:
    with pytest.raises(Unusable) as caught:
        load(f"merchants:\n  - {{id: 1, name: A, currency: {code}}}\n")
    [problem] = caught.value.problems
    assert "XAU" not in problem.partition("ISO 4217")[2]
