"""Gathers the breaches that look like one fault of the server, so that it is told once: by what their replays show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mockserver.verify.reports.run_state import RunResult, Sighting
from mockserver.verify.reports.symptoms import Symptom, symptoms

DANGERS: tuple[frozenset[str], ...] = (
    frozenset({"CREATE-4", "CREATE-6", "COLLECT-1", "COLLECT-4", "FINALIZE-4"}),
    frozenset({"GEN-4", "GEN-7", "GEN-8", "CREATE-8"}),
    frozenset({"CREATE-1", "CREATE-2", "CREATE-5", "FINALIZE-1", "COLLECT-2", "COLLECT-3"}),
    frozenset({"GEN-6", "GEN-9", "CREATE-7", "FINALIZE-2"}),
    frozenset({"GEN-5"}),
)
"""The worst first: somebody pays what is not due; another's records are within reach; the bill is wrong; what an answer
says is not so; the server fails. What is left is wrong in its form, or shows the wrong rows."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Breaches that look like one fault, the one that tells it best first."""

    number: int
    sightings: tuple[Sighting, ...]

    @property
    def lead(self) -> Sighting:
        return self.sightings[0]

    @property
    def others(self) -> tuple[Sighting, ...]:
        return self.sightings[1:]

    @property
    def reach(self) -> str:
        """`explains 22 breaches in 5 rules`; empty for one that is alone."""
        if not self.others:
            return ""
        rules = len(self.rules)
        return f"explains {len(self.sightings)} breaches in {rules} rule{'' if rules == 1 else 's'}"

    @property
    def rules(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.breach.rule for one in self.sightings))


def causes(run: RunResult) -> tuple[Cause, ...]:
    """All breaches of a run by their cause: those that fail it first, those that are accepted last, the worst first.

    A guess of ours, and told as one: each breach stays one by itself, with its own requests.
    """
    groups = [
        group
        for kind in dict.fromkeys(map(_kind, run.sightings))
        for group in _joined([one for one in run.sightings if _kind(one) == kind])
    ]
    ordered = (sorted(group, key=_telling) for group in groups)
    ranked = sorted(ordered, key=lambda group: (_kind(group[0]), _danger(group[0]), -len(group), group[0].number))
    return tuple(Cause(number, (group[0], *sorted(group[1:], key=_rank))) for number, group in enumerate(ranked, 1))


def first_of_rules(run: RunResult) -> Mapping[str, Sighting]:
    """The breach that tells best of each rule that fails the run, the worst rule first."""
    best: dict[str, Sighting] = {}
    for one in sorted(run.failing, key=_telling):
        best.setdefault(one.breach.rule, one)
    return dict(sorted(best.items(), key=lambda item: _rank(item[1])))


def _kind(one: Sighting) -> int:
    """Never told as one: what fails the run, what was seen once, what is accepted."""
    return 2 if one.accepted else 0 if one.breach.counts else 1


def _danger(one: Sighting) -> int:
    return next((place for place, rules in enumerate(DANGERS) if one.breach.rule in rules), len(DANGERS))


def _rank(one: Sighting) -> tuple[int, int]:
    return _danger(one), one.number


def _telling(one: Sighting) -> tuple[bool, bool, int, int, int]:
    """Best tells what came again, from nothing, in the fewest requests."""
    done = one.breach.reproduction
    is_doubtful = done is not None and done.seen == 0
    return is_doubtful, not one.breach.from_nothing, len(one.breach.exchanges), *_rank(one)


def _joined(sightings: Iterable[Sighting]) -> list[list[Sighting]]:
    """Groups in which each shares a symptom with another."""
    groups: list[tuple[set[Symptom], list[Sighting]]] = []
    for sighting in sightings:
        shown, members = set(symptoms(sighting.breach)), [sighting]
        apart = []
        for known, others in groups:
            if known & shown:
                shown |= known
                members = [*others, *members]
            else:
                apart.append((known, others))
        groups = [*apart, (shown, members)]
    return [members for _, members in groups]
