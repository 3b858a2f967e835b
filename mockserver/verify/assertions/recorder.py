"""Keeps the record of a run: how often each rule was put to the test, what broke, and why the rest was not tried."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from mockserver.verify.claims.claims import Claim
from mockserver.verify.events import (
    Breach,
    BreachFound,
    ChoiceMeasured,
    DriftFound,
    Event,
    Listener,
    Note,
    RecordedExchange,
    RuleFinished,
    RunFinished,
)

FoundBy = Literal["scenario", "property", "model", "race", "fuzzing", "traffic"]
MOST_FAULTS = 40
"""Faults of one rule that are kept; a server that answers nonsense breaks it in ever new ways."""

MOST_WORDS = 4_000
"""Characters of what is told of a breach; an answer may be quoted in it."""


@dataclass(slots=True)
class Recorder:
    """Collects evidence, from several threads if need be, and tells listeners of it."""

    listeners: Sequence[Listener]
    seed: int | None
    rules: frozenset[str]
    """The rules that are judged in this run; evidence about others is dropped."""
    exercised: Counter[str] = field(default_factory=Counter)
    breaches: dict[str, Breach] = field(default_factory=dict)
    """By identity."""
    spares: dict[str, Breach] = field(default_factory=dict)
    """By identity: the shortest sighting that makes records of its own, where the best does without."""
    sightings: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    excused: set[str] = field(default_factory=set)
    """Rules that may stay unexercised."""
    has_drifted: bool = False
    """Whether a choice was measured to be another than the recorded one."""
    found_by: FoundBy = "scenario"
    hide: Callable[[str], str] = str
    """Takes the secrets out of a text."""
    _pending: dict[str, Breach] | None = None
    _full: set[str] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def emit(self, event: Event) -> None:
        with self._lock:
            event = self._without_secrets(event)
            for listener in self.listeners:
                listener(event)

    def _without_secrets(self, event: Event) -> Event:
        """A server may give a secret back wherever it likes; what was sent and came is redacted already."""
        match event:
            case Note():
                return replace(event, text=self.hide(event.text))
            case ChoiceMeasured() | DriftFound():
                return replace(event, evidence=self.hide(event.evidence))
            case RuleFinished():
                return replace(event, reason=self.hide(event.reason))
            case RunFinished():
                return replace(event, stop_reason=self.hide(event.stop_reason))
            case _:
                return event

    def note(self, text: str, *, warning: bool = False, about_money: bool = False) -> None:
        self.emit(Note(text, "money" if about_money else "warning" if warning else "info"))

    def drift(self, key: str, recorded: str | int | None, measured: str | int | None, evidence: str) -> None:
        """A choice was measured to be another than the recorded one."""
        self.has_drifted = True
        self.emit(DriftFound(key, recorded, measured, evidence))

    def held(self, *rules: str) -> None:
        """Each of `rules` was put to the test once, and held."""
        with self._lock:
            for rule in rules:
                if rule in self.rules:
                    self.exercised[rule] += 1

    def breach(
        self,
        rule: str,
        *,
        kind: str,
        expected: str,
        actual: str,
        exchanges: Iterable[RecordedExchange],
        check: Claim,
        proves: bool = False,
        from_nothing: bool = True,
        found_by: FoundBy | None = None,
    ) -> None:
        """Records a breach; of several sightings of one fault the one with the shortest sequence is kept and told.

        `kind` names the kind of difference, without ids or times; with the rule it is the fault's identity.
        """
        with self._lock:
            if rule not in self.rules:
                return
            self.exercised[rule] += 1
            identity = f"{rule}:{kind}"
            self.sightings[identity] += 1
            if self._is_one_too_many(rule, identity):
                return
            breach = Breach(
                rule=rule,
                expected=self._told(expected),
                actual=self._told(actual),
                exchanges=tuple(exchanges),
                seed=self.seed,
                identity=identity,
                found_by=found_by or self.found_by,
                check=check,
                proves=proves,
                from_nothing=from_nothing,
            )
            spare = self.spares.get(identity)
            makes = any(one.method == "POST" for one in breach.exchanges[:-1])
            if makes and (spare is None or _size(breach) < _size(spare)):
                self.spares[identity] = breach
            known = self.breaches.get(identity) or (self._pending or {}).get(identity)
            if known is not None and _size(known) <= _size(breach):
                return
            if self._pending is not None and identity not in self.breaches:
                self._pending[identity] = breach
            else:
                self._tell(breach)

    def _told(self, text: str) -> str:
        hidden = self.hide(text)
        return hidden if len(hidden) <= MOST_WORDS else f"{hidden[:MOST_WORDS]}…"

    def replace(self, breach: Breach) -> None:
        """Tells a breach that is known already in a better way, however long its sequence is."""
        with self._lock:
            self._tell(breach)

    def _tell(self, breach: Breach) -> None:
        if breach.reproduction is not None:
            breach = replace(breach, reproduction=replace(breach.reproduction, why=self._told(breach.reproduction.why)))
        self.breaches[breach.identity] = breach
        self.emit(BreachFound(breach, self.sightings[breach.identity]))

    def count_up(self) -> None:
        """Tells for the last time how often each fault was seen."""
        with self._lock:
            for breach in self.breaches.values():
                self._tell(breach)

    def _is_one_too_many(self, rule: str, identity: str) -> bool:
        kept = self.breaches.keys() | (self._pending or {}).keys()
        if identity in kept or sum(name.startswith(f"{rule}:") for name in kept) < MOST_FAULTS:
            return False
        if rule not in self._full:
            self._full.add(rule)
            self.note(f"{rule} is broken in more than {MOST_FAULTS} ways; the further ones are not told", warning=True)
        return True

    def begin(self) -> None:
        """Keeps new breaches back until `commit` or `rollback`."""
        with self._lock:
            self._pending = {}

    @property
    def has_pending(self) -> bool:
        return bool(self._pending)

    def commit(self) -> None:
        """Lets the breaches count that were kept back."""
        with self._lock:
            pending, self._pending = self._pending or {}, None
            for breach in pending.values():
                self._tell(breach)

    def rollback(self) -> None:
        """Forgets the breaches that were kept back."""
        with self._lock:
            for identity, breach in (self._pending or {}).items():
                self.exercised[breach.rule] -= self.sightings.pop(identity, 0)
            self._pending = None

    def skipped(self, reason: str, rules: Iterable[str], *, matters: bool = True) -> None:
        """`rules` could not be put to the test in one place, and why; another place may still do it."""
        with self._lock:
            if not matters:
                self.excused.update(rules)
            for rule in rules:
                known = self.reasons.setdefault(rule, [])
                if reason not in known:
                    known.append(reason)


def _size(breach: Breach) -> tuple[bool, bool, int, int]:
    """Better than any short sequence is one that makes its own records, and one that is no race."""
    is_race = any(one.race for one in breach.exchanges)
    letters = sum(len(one.url) + len(one.body or b"") for one in breach.exchanges)
    return not breach.from_nothing, is_race, len(breach.exchanges), letters
