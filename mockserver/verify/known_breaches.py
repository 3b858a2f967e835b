"""The file of known breaches: shown but not failing, until their date; and told when they no longer happen."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mockserver.core.input import Schema, check
from mockserver.core.text import did_you_mean, shown
from mockserver.core.yaml_lines import read_document
from mockserver.verify.events import Breach

SCHEMA = Path(__file__).with_name("known_breaches.schema.json")


@dataclass(frozen=True, slots=True)
class KnownBreach:
    """One entry. `until` is the last day that it is accepted on; `identity` narrows it to one fault of the rule."""

    rule: str
    reason: str
    until: date | None = None
    identity: str | None = None

    def covers(self, breach: Breach, today: date) -> bool:
        return (
            self.rule == breach.rule
            and self.identity in (None, breach.identity)
            and (self.until is None or today <= self.until)
        )

    def words(self) -> str:
        """Why, and for how long."""
        return self.reason if self.until is None else f"{self.reason} (until {self.until.isoformat()})"


@dataclass(frozen=True, slots=True)
class KnownBreaches:
    """All entries of a file."""

    entries: tuple[KnownBreach, ...] = ()

    def accepting(self, breach: Breach, today: date) -> KnownBreach | None:
        return next((entry for entry in self.entries if entry.covers(breach, today)), None)

    def remarks(self, breaches: Sequence[Breach], held: Collection[str], today: date) -> list[str]:
        """What a reader of the file should know: what is over, and what has expired."""
        remarks = []
        for entry in self.entries:
            met = [
                breach for breach in breaches if breach.rule == entry.rule and entry.identity in (None, breach.identity)
            ]
            if not met and entry.rule in held:
                remarks.append(
                    f"the known breach of {entry.rule} no longer happens; take it out of the file ({entry.reason})"
                )
            elif met and entry.until is not None and today > entry.until:
                remarks.append(
                    f"the known breach of {entry.rule} was accepted until {entry.until.isoformat()} "
                    f"and fails again ({entry.reason})"
                )
        return remarks


def read_known_breaches(path: Path, rules: Collection[str]) -> KnownBreaches:
    """The entries of a YAML file, a list of mappings; raises `Unusable` with every mistake, by file and line."""
    document = read_document(path)
    mistakes = check(document, Schema(json.loads(SCHEMA.read_text(encoding="utf-8"))))
    rows = document.value if isinstance(document.value, list) else []
    for number, row in enumerate(rows):
        if isinstance(row, dict) and not mistakes.within((number, "rule")) and (rule := row["rule"]) not in rules:
            mistakes.add((number, "rule"), f"no rule is called {shown(rule)}: {did_you_mean(rule, rules)}")
    mistakes.refuse()
    return KnownBreaches(tuple(_entry(**row) for row in rows))


def _entry(*, rule: str, reason: str, until: str | None = None, identity: str | None = None) -> KnownBreach:
    return KnownBreach(rule, reason, None if until is None else date.fromisoformat(until), identity)
