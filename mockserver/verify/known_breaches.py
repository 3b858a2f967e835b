"""The file of known breaches: shown but not failing, until their date; and told when they no longer happen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mockserver.core.errors import Unusable
from mockserver.core.yaml_lines import Document, read_document
from mockserver.verify.events import Breach

_KEYS = frozenset({"rule", "reason", "until", "identity"})


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
    if document.value is None:
        return KnownBreaches()
    if not isinstance(document.value, list):
        raise Unusable(f"{path}: expected a list of known breaches, each with rule and reason")
    problems: list[str] = []
    entries = [_entry(document, number, rules, problems) for number in range(len(document.value))]
    if problems:
        raise Unusable(*problems)
    return KnownBreaches(tuple(entry for entry in entries if entry is not None))


def _entry(document: Document, number: int, rules: Collection[str], problems: list[str]) -> KnownBreach | None:
    value, where = document.value[number], document.where(number)
    if not isinstance(value, dict):
        problems.append(f"{where}: expected a mapping with rule and reason")
        return None
    problems += [
        f"{document.where(number, key)}: unknown key {key!r}; there are {', '.join(sorted(_KEYS))}"
        for key in value
        if key not in _KEYS
    ]
    rule, reason = value.get("rule"), value.get("reason")
    if rule not in rules:
        problems.append(f"{document.where(number, 'rule')}: no rule is called {rule!r}")
    if not isinstance(reason, str) or not reason.strip():
        problems.append(f"{where}: a known breach needs a reason")
    until = None
    if value.get("until") is not None:
        try:
            until = date.fromisoformat(str(value["until"]))
        except ValueError:
            problems.append(
                f"{document.where(number, 'until')}: until must be a date such as 2027-01-31, got {value['until']!r}"
            )
    identity = value.get("identity")
    return KnownBreach(str(rule), str(reason), until, None if identity is None else str(identity))
