"""What a run has told so far: the event stream folded into one value that every report is rendered from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from mockserver.contract.rules import Rule
from mockserver.verify import events
from mockserver.verify.events import (
    Breach,
    BreachFound,
    ChoiceMeasured,
    Coverage,
    DriftFound,
    Event,
    Note,
    PhaseStarted,
    Progress,
    RuleFinished,
    RunFinished,
    RunStarted,
    Verdict,
)

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class RuleResult:
    rule: str
    text: Rule
    verdict: Verdict
    exercised: int
    reason: str
    matters: bool
    judged: bool
    """False when the run ended before it came to a verdict on this rule."""

    @property
    def area(self) -> str:
        return self.text.area


@dataclass(frozen=True, slots=True)
class Sighting:
    """One fault: its shortest breach, how often it was seen, and when first."""

    number: int
    breach: Breach
    text: Rule
    times: int
    after: float
    """Seconds from the start of the run."""
    accepted: bool


@dataclass(frozen=True, slots=True)
class Phase:
    name: str
    after: float
    """Seconds from the start of the run."""
    steps: int | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run as far as it has come."""

    title: str
    start: RunStarted | None
    started_at: datetime | None
    end: RunFinished | None
    last_heard: float
    """Seconds from the start to the latest event."""
    rules: tuple[RuleResult, ...]
    sightings: tuple[Sighting, ...]
    choices: tuple[ChoiceMeasured, ...]
    drifts: tuple[DriftFound, ...]
    """The choices that are not those that were recorded."""
    coverage: tuple[Coverage, ...]
    notes: tuple[Note, ...]
    phases: tuple[Phase, ...]
    progress: str
    step: int
    """How many steps of the current phase are done."""

    def of(self, verdict: Verdict) -> tuple[RuleResult, ...]:
        return tuple(result for result in self.rules if result.verdict == verdict)

    @property
    def wanting(self) -> tuple[RuleResult, ...]:
        """The rules that matter and were not exercised; none where nothing was judged."""
        if not any(result.judged for result in self.rules):
            return ()
        return tuple(result for result in self.of("not_exercised") if result.matters)

    @property
    def began(self) -> bool:
        """Whether it came to its first phase, or to any verdict, or said anything: else the server was never met."""
        return bool(self.phases or self.sightings or self.notes or any(result.judged for result in self.rules))

    @property
    def failing(self) -> tuple[Sighting, ...]:
        """Those that fail the run."""
        return tuple(one for one in self.sightings if not one.accepted and one.breach.counts)

    @property
    def dangers(self) -> tuple[Note, ...]:
        """What is legal and can cost money."""
        return tuple(note for note in self.notes if note.level == "money")

    @property
    def exit_code(self) -> int | None:
        return None if self.end is None else self.end.exit_code

    @property
    def elapsed(self) -> float:
        return self.last_heard if self.end is None else self.end.elapsed

    @property
    def areas(self) -> dict[str, tuple[RuleResult, ...]]:
        found: dict[str, list[RuleResult]] = {}
        for result in self.rules:
            found.setdefault(result.area, []).append(result)
        return {area: tuple(results) for area, results in found.items()}

    @property
    def met(self) -> int:
        return sum(1 for cell in self.coverage if cell.met)


@dataclass(slots=True)
class _Sightings:
    best: Breach
    after: float
    times: int = 1


@dataclass(slots=True)
class RunState:
    """Takes the events one by one; the latest word on a rule, a choice or a cell of the coverage counts."""

    rules: Mapping[str, Rule]
    title: str = ""
    clock: Clock = utc_now
    _start: RunStarted | None = None
    _end: RunFinished | None = None
    _begun: datetime | None = None
    _last: float = 0.0
    _progress: str = ""
    _step: int = 0
    _finished: dict[str, RuleFinished] = field(default_factory=dict)
    _sightings: dict[str, _Sightings] = field(default_factory=dict)
    _choices: dict[str, ChoiceMeasured] = field(default_factory=dict)
    _drifts: list[DriftFound] = field(default_factory=list)
    _coverage: dict[tuple[str, str, str], Coverage] = field(default_factory=dict)
    _notes: list[Note] = field(default_factory=list)
    _phases: list[Phase] = field(default_factory=list)

    @property
    def anything(self) -> bool:
        return self._begun is not None

    def add(self, event: Event) -> None:
        now = self.clock()
        self._begun = self._begun or now
        self._last = (now - self._begun).total_seconds()
        match event:
            case RunStarted():
                self._start = event
            case PhaseStarted():
                self._phases.append(Phase(event.name, self._last, event.steps))
                self._progress, self._step = "", 0
            case Progress():
                self._progress = event.text
                self._step = self._step + 1 if event.step is None else event.step
            case ChoiceMeasured():
                self._choices[event.key] = event
            case DriftFound():
                self._drifts.append(event)
            case BreachFound():
                self._sight(event)
            case RuleFinished():
                self._finished[event.rule] = event
            case Coverage():
                self._coverage[event.operation, event.status, event.state] = event
            case Note():
                self._notes.append(event)
            case RunFinished():
                self._end = event

    def _sight(self, event: BreachFound) -> None:
        known = self._sightings.setdefault(event.breach.identity, _Sightings(event.breach, self._last))
        known.best, known.times = event.breach, event.times

    def _rule(self, rule: str) -> Rule:
        """What the spec says of it; nothing for one that it does not describe."""
        return self.rules.get(rule, Rule(rule, "unknown", "", ""))

    def is_new(self, breach: Breach) -> bool:
        """True while this fault has not been added."""
        return breach.identity not in self._sightings

    def result(self) -> RunResult:
        results = tuple(self._result(rule) for rule in self._rule_ids())
        accepted = {result.rule for result in results if result.verdict == "accepted"}
        sightings = (
            Sighting(
                number,
                seen.best,
                self._rule(seen.best.rule),
                seen.times,
                seen.after,
                seen.best.rule in accepted,
            )
            for number, seen in enumerate(self._in_order(accepted), 1)
        )
        return RunResult(
            title=self.title,
            start=self._start,
            started_at=self._begun,
            end=self._end,
            last_heard=self._last,
            rules=results,
            sightings=tuple(sightings),
            choices=tuple(self._choices.values()),
            drifts=tuple(self._drifts),
            coverage=tuple(self._coverage.values()),
            notes=tuple(self._notes),
            phases=tuple(self._phases),
            progress=self._progress,
            step=self._step,
        )

    def _in_order(self, accepted: set[str]) -> list[_Sightings]:
        """In the order of the rules, accepted ones last, so that equal runs give equal reports."""
        order = {rule: place for place, rule in enumerate(self._rule_ids())}
        return sorted(
            self._sightings.values(),
            key=lambda seen: (seen.best.rule in accepted, order[seen.best.rule], seen.best.identity),
        )

    def _rule_ids(self) -> tuple[str, ...]:
        """The rules of this run in their order, then any that were judged or broken beside them."""
        planned = self._start.rules if self._start else ()
        broken = (seen.best.rule for seen in self._sightings.values())
        return tuple(dict.fromkeys([*planned, *self._finished, *broken]))

    def _result(self, rule: str) -> RuleResult:
        text = self._rule(rule)
        seen = any(one.best.rule == rule and one.best.counts for one in self._sightings.values())
        finished = self._finished.get(rule)
        if finished is None:
            reason = "" if seen else "the run ended before it was judged"
            verdict: Verdict = "broken" if seen else "not_exercised"
            return RuleResult(rule, text, verdict, 0, reason, True, False)
        result = RuleResult(rule, text, finished.verdict, finished.exercised, finished.reason, finished.matters, True)
        # A breach that was seen outweighs a later, kinder word.
        return replace(result, verdict="broken") if seen and finished.verdict in _KIND else result


_KIND: frozenset[events.Verdict] = frozenset({"holds", "not_exercised"})
