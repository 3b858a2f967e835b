"""Counts what a run leaves behind: it can't be deleted, so that whoever runs it must be told."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from mockserver.verify.transport.messages import Answer, Outgoing

_CHARGE = re.compile(r"/billing/charges/quick-adjustment/?")
_INVOICE = re.compile(r"/billing/invoices/?")
_COLLECT = re.compile(r"/billing/invoices/[^/]+/collect/?")


@dataclass(slots=True)
class Leavings:
    """What was made, by what the answers say."""

    made: Counter[str] = field(default_factory=Counter)
    """`charge` and `invoice`: how many answers say that one was made."""
    paid: set[str] = field(default_factory=set)
    """Paths of the collects that succeeded."""
    lost: int = 0
    """Requests that may have made something, though no answer to them came."""

    def see(self, answer: Answer) -> None:
        """Takes note of one answer."""
        path = answer.outgoing.target.partition("?")[0]
        if answer.outgoing.method != "POST" or not answer.ok:
            return
        if _CHARGE.fullmatch(path):
            self.made["charge"] += 1
        elif _INVOICE.fullmatch(path):
            self.made["invoice"] += 1
        elif _COLLECT.fullmatch(path):
            self.paid.add(path.rstrip("/"))

    def lose(self, outgoing: Outgoing) -> None:
        """Takes note of a request whose answer never came."""
        if outgoing.method not in ("GET", "HEAD", "OPTIONS"):
            self.lost += 1

    def words(self) -> str:
        """In a few words, such as `41 charges and 30 invoices, 4 of them paid`; empty when nothing was made."""
        told = [_count(self.made[name], name) for name in ("charge", "invoice") if self.made[name]]
        if self.paid:
            told[-1:] = [f"{told[-1]}, {len(self.paid):,} of them paid" if self.made["invoice"] else "invoices paid"]
        if self.lost:
            told.append(f"whatever came of {_count(self.lost, 'request')} without an answer")
        return " and ".join(told) + ("; the API can't delete them" if told else "")


def _count(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"
