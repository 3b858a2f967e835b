"""Where the scenarios run: the server's address, its choices, and clients of its merchants."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.mutants.client import Answer, Talk
from tests.mutants.config import CURRENCIES, PROVIDER, ServerConfig
from tests.mutants.reference.choices import Choices, choose
from tests.mutants.reference.money import decimals

Check = Callable[["TestBed"], None]
CHECKS: dict[str, Check] = {}
"""Rule to scenario, filled by the rooms of this folder."""
SIZE = 25
"""Rows on a page: no choice of a maximum is below it."""


@dataclass(frozen=True, slots=True)
class TestBed:
    """`mine` and `other` send their merchant's header, `plain` and `whole` send none.

    `whole` has the widest token that the configuration hands to the verifier: the provider's, or again merchant 1's.
    """

    url: str
    config: ServerConfig
    choices: Choices
    mine: Talk
    other: Talk
    plain: Talk
    whole: Talk
    nobody: Talk
    stranger: Talk
    opened: list[Talk]
    """All of these and those that were made later; closed at the end."""

    def talk(self, token: str | None, merchant: object = None) -> Talk:
        """One more client."""
        talk = Talk(self.url, token, merchant)
        self.opened.append(talk)
        return talk

    @property
    def has_provider(self) -> bool:
        return self.whole.token == "provider"

    @property
    def currency(self) -> str:
        return (CURRENCIES | dict(self.config.currencies))[1]

    @property
    def pays(self) -> bool:
        return 1 not in self.config.cards

    def money(self, minor: int) -> int | float:
        """An amount to send, of so many minor units."""
        digits = decimals(self.currency)
        return float(Decimal(minor).scaleb(-digits)) if digits else minor

    def exact(self, *minor: int) -> Decimal:
        """What they add up to."""
        return Decimal(sum(minor)).scaleb(-decimals(self.currency))

    def charge(self, minor: int = 1_000) -> int:
        return self.mine.charge(self.money(minor))

    def draft(self, *minor: int) -> object:
        """The id of a new draft of these amounts."""
        return self.mine.create(*[self.charge(amount) for amount in minor or (1_000,)]).invoice.get("id", -1)

    def locked(self, *minor: int) -> object:
        """The id of a new finalized invoice."""
        number = self.draft(*minor)
        succeeded(self.mine.finalize(number), self.choices.finalize_status)
        return number

    def paid(self, *minor: int) -> object:
        number = self.locked(*minor)
        if self.pays:
            succeeded(self.mine.collect(number), self.choices.collect_status)
        return number

    def on_stripe(self, number: object) -> dict[str, Any]:
        """The invoice once it has an id on Stripe."""
        delay = self.config.stripe_delay + (3 if "late_queue" in self.config.nuisances else 0)
        until = time.monotonic() + min(delay, 3) + 1
        while time.monotonic() < until:
            row = self.mine.look(number)
            if row.get("stripe_invoice_id"):
                return row
            time.sleep(0.05)
        raise AssertionError(f"invoice {number} does not get to Stripe")

    def status_of(self, charge: int) -> Any:
        return self.mine.get_charge(charge).charge.get("status")

    def open_charges(self) -> list[Any]:
        """All open charges of merchant 1, newest first."""
        last = self.mine.charges(per_page=SIZE).document["last_page"]
        pages = [self.mine.charges(page=page, per_page=SIZE).rows for page in range(1, last + 1)]
        return [row for rows in pages for row in rows if row["status"] == "Open"]


def rule(name: str) -> Callable[[Check], Check]:
    """Takes the decorated scenario as that of the rule."""

    def take(check: Check) -> Check:
        CHECKS[name] = check
        return check

    return take


def succeeded(answer: Answer, status: int) -> Answer:
    assert answer.status == status, f"{answer.status} in place of {status}: {answer.content[:200]!r}"
    return answer


def refused(answer: Answer) -> Answer:
    """A 4xx in the form of the API."""
    assert answer.refused, f"{answer.status} in place of a refusal: {answer.content[:200]!r}"
    assert "json" in answer.headers["content-type"], f"a refusal in {answer.headers['content-type']}"
    assert isinstance(answer.document, dict) and isinstance(answer.document.get("message"), str), answer.document
    return answer


def invalid(answer: Answer) -> Answer:
    """A refusal that says which fields were wrong."""
    errors = refused(answer).document.get("errors")
    assert isinstance(errors, dict) and errors, answer.document
    for texts in errors.values():
        assert isinstance(texts, list) and all(isinstance(text, str) for text in texts), errors
    return answer


@contextmanager
def bed_at(url: str, config: ServerConfig) -> Iterator[TestBed]:
    """Clients of a running server; closed at the end."""
    widest = "provider" if config.arguments[1] == PROVIDER[1] else "merchant1"
    talks = {
        "mine": Talk(url, widest, 1),
        "other": Talk(url, "merchant2", 2),
        "plain": Talk(url, "merchant1"),
        "whole": Talk(url, widest),
        "nobody": Talk(url, None, 1),
        "stranger": Talk(url, "nobody-knows-me", 1),
    }
    bed = TestBed(url, config, choose(config.choices), **talks, opened=list(talks.values()))
    try:
        yield bed
    finally:
        for talk in bed.opened:
            talk.close()
