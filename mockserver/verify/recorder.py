"""Keeps the record of a run: how often each rule was put to the test, what broke, and why the rest was not tried."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from mockserver.verify.events import Breach, BreachFound, Event, Listener, Note, RecordedExchange

FoundBy = Literal["scenario", "property", "model", "race", "fuzzing"]
MOST_EXCHANGES = 40
"""A sequence longer than this is shown by its beginning and its end."""


@dataclass(slots=True)
class Recorder:
    """Collects evidence, from several threads if need be, and tells listeners of it."""

    listeners: Sequence[Listener]
    seed: int
    rules: frozenset[str]
    """The rules that are judged in this run; evidence about others is dropped."""
    exercised: Counter[str] = field(default_factory=Counter)
    breaches: dict[str, Breach] = field(default_factory=dict)
    """By identity."""
    sightings: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    excused: set[str] = field(default_factory=set)
    """Rules that may stay unexercised."""
    found_by: FoundBy = "scenario"
    _pending: dict[str, Breach] | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def emit(self, event: Event) -> None:
        with self._lock:
            for listener in self.listeners:
                listener(event)

    def note(self, text: str, *, warning: bool = False, about_money: bool = False) -> None:
        self.emit(Note(text, "money" if about_money else "warning" if warning else "info"))

    def held(self, *rules: str) -> None:
        """Each of `rules` was put to the test once, and held."""
        with self._lock:
            self.exercised.update(rule for rule in rules if rule in self.rules)

    def breach(
        self,
        rule: str,
        *,
        kind: str,
        expected: str,
        actual: str,
        exchanges: Iterable[RecordedExchange],
        check: str = "",
        found_by: FoundBy | None = None,
    ) -> None:
        """Records a breach; of several sightings of one fault the one with the shortest sequence is kept.

        `kind` names the kind of difference, without ids or times; with the rule it is the fault's identity.
        """
        with self._lock:
            if rule not in self.rules:
                return
            self.exercised[rule] += 1
            identity = f"{rule}:{kind}"
            self.sightings[identity] += 1
            shown = _shortened(tuple(exchanges))
            known = self.breaches.get(identity) or (self._pending or {}).get(identity)
            if known is not None and _size(known.exchanges) <= _size(shown):
                return
            breach = Breach(
                rule=rule,
                expected=expected,
                actual=actual,
                exchanges=shown,
                seed=self.seed,
                identity=identity,
                found_by=found_by or self.found_by,
                check=check,
            )
            if self._pending is not None and (known is None or identity in self._pending):
                self._pending[identity] = breach
                return
            self.breaches[identity] = breach
            if known is None:
                self.emit(BreachFound(breach))

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
            for identity, breach in pending.items():
                self.breaches[identity] = breach
                self.emit(BreachFound(breach))

    def rollback(self) -> None:
        """Forgets the breaches that were kept back."""
        with self._lock:
            for breach in (self._pending or {}).values():
                self.exercised[breach.rule] -= 1
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

    def is_broken(self, rule: str) -> bool:
        return any(breach.rule == rule for breach in self.breaches.values())


def _size(exchanges: Sequence[RecordedExchange]) -> tuple[int, int]:
    return len(exchanges), sum(len(one.url) + len(one.body or b"") for one in exchanges)


def _shortened(exchanges: tuple[RecordedExchange, ...]) -> tuple[RecordedExchange, ...]:
    """Without exact repetitions in a row, as polling makes them, and without the middle of a very long sequence."""
    kept: list[RecordedExchange] = []
    for exchange in exchanges:
        same = kept and (kept[-1].method, kept[-1].url, kept[-1].headers, kept[-1].body) == (
            exchange.method,
            exchange.url,
            exchange.headers,
            exchange.body,
        )
        if same and exchange.method == "GET":
            kept[-1] = exchange
        else:
            kept.append(exchange)
    if len(kept) > MOST_EXCHANGES:
        kept = kept[:10] + kept[-(MOST_EXCHANGES - 10) :]
    return tuple(kept)
