"""One session of watching, from the first exchange to the exit code, as the events that reports are made of."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mockserver.billing.profile import CHOICES, dump_profile
from mockserver.contract.contract import Contract
from mockserver.core.errors import Unusable
from mockserver.verify.assertions.recorder import Recorder
from mockserver.verify.events import (
    ChoiceMeasured,
    Coverage,
    Listener,
    PhaseStarted,
    Progress,
    RuleFinished,
    RunFinished,
    RunStarted,
)
from mockserver.verify.reports.phrases import count
from mockserver.watch.judging.choices import Choices
from mockserver.watch.judging.judge import NOT_JUDGED, Judge
from mockserver.watch.judging.requests import Requests
from mockserver.watch.passing import Passing
from mockserver.watch.recording.gather import Gather
from mockserver.watch.recording.writing import RecordSettings, check_writable, write_recording


@dataclass(frozen=True, slots=True)
class Watched:
    """What is asked of a session."""

    target: str
    """The address, or the files, as reports show it."""
    read_only: bool = False
    charges_allowed: bool = True
    write_profile: Path | None = None
    record: RecordSettings | None = None


class Watch:
    """Feeds the judge, and gives every rule its verdict at the end. For one thread at a time."""

    def __init__(self, watched: Watched, contract: Contract, listeners: Sequence[Listener]) -> None:
        self._watched = watched
        self._contract = contract
        self._began = time.monotonic()
        self.recorder = Recorder(listeners, None, frozenset(contract.rules), found_by="traffic")
        self.judge = Judge(contract, self.recorder)
        self._choices, self._requests = Choices(), Requests(contract)
        self.judge.listeners.append(self._choices.see)
        self.judge.on_request = self._requests.see
        self._gathered = Gather()
        if watched.record is not None:
            check_writable(watched.record)
            self.judge.listeners.append(self._gathered.see)
            self.judge.on_change = self._gathered.changed
        self.recorder.emit(
            RunStarted(
                target=watched.target,
                seed=None,
                rules=tuple(contract.rules),
                spec_version=contract.version,
                left_behind="",
                read_only=watched.read_only,
                watched=True,
                charges_allowed=watched.charges_allowed,
            )
        )

    def phase(self, name: str) -> None:
        self.recorder.emit(PhaseStarted(name))

    def see(self, passing: Passing) -> list[str]:
        """Judges one exchange; a sentence for each breach that it shows."""
        return self.judge.see(passing)

    def forget(self, base: str, name: str) -> None:
        """A fake's world of that name was set back now, or a server's database emptied."""
        self._gathered.forget(self.judge.forget(base, name, at=time.monotonic()))

    def progress(self, text: str, step: int) -> None:
        """Tells how far it has come."""
        self.recorder.emit(Progress(text, step))

    def skip(self, why: str) -> None:
        """Counts one that can't be judged, by a key of `NOT_JUDGED`."""
        self.judge.not_judged[why] += 1

    def verdicts(self) -> Iterator[RuleFinished | Coverage]:
        """What is to be said of each rule and each answer that the spec documents, so far."""
        recorder = self.recorder
        broken = {breach.rule for breach in recorder.breaches.values()}
        for rule in self._contract.rules:
            times = recorder.exercised[rule]
            if rule in broken:
                yield RuleFinished(rule, "broken", times)
            elif times:
                yield RuleFinished(rule, "holds", times)
            else:
                yield RuleFinished(rule, "not_exercised", 0, "the traffic did not put it to the test", False)
        for operation in self._contract.operations.values():
            for status in self._contract.statuses(operation):
                yield Coverage(operation.id, status, "-", self.judge.met[operation.id, status])

    def finish(self, stop_reason: str = "completed") -> int:
        """Tells the verdicts, and writes the profile and the recording; the exit code.

        1 a rule is broken, 3 nothing of the API was seen. Raises `Unusable`, once the verdicts are told, for a profile
        or a recording that can't be written, unless a rule is broken.
        """
        recorder = self.recorder
        recorder.count_up()
        for event in self.verdicts():
            recorder.emit(event)
        self._notes()
        problems = self._measured()
        for problem in problems:
            recorder.note(problem, warning=True)
        end = self.end(stop_reason)
        if not problems or recorder.breaches:
            recorder.emit(end)
            return end.exit_code
        recorder.emit(replace(end, exit_code=2, stop_reason="; ".join(problems)))
        raise Unusable(*problems)

    def end(self, stop_reason: str) -> RunFinished:
        """How it ends, or would end now."""
        code = 1 if self.recorder.breaches else 0 if self.judge.judged else 3
        return RunFinished(code, stop_reason, time.monotonic() - self._began, self.judge.judged)

    def _notes(self) -> None:
        judge = self.judge
        said = [f"{number:,} {NOT_JUDGED[why]}" for why, number in judge.not_judged.items()]
        apart = f"; not judged: {', '.join(said)}" if said else ""
        were = "was" if judge.judged == 1 else "were"
        self.recorder.note(f"{count(judge.judged, 'exchange')} with the API {were} judged{apart}")
        for note in self._requests.notes():
            self.recorder.note(note, warning=True)

    def _measured(self) -> list[str]:
        """Tells the choices, and writes what is to be written; why something can't be."""
        measured = self._choices.measured()
        for key in CHOICES:
            evidence = self._choices.evidence(key)
            self.recorder.emit(ChoiceMeasured(key, measured.get(key), key in measured, evidence))
        problems: list[str] = []
        if self._watched.record is not None:
            try:
                for note in write_recording(self._watched.record, self._gathered, measured):
                    self.recorder.note(note)
            except Unusable as error:
                problems += error.problems
        path = self._watched.write_profile
        if path is None:
            return problems
        text = dump_profile(measured, description=f"Seen in the traffic of {self._watched.target}")
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            return [*problems, f"--write-profile {path}: {error.strerror}"]
        self.recorder.note(f"{len(measured)} choices that the traffic showed are written to {path}")
        return problems
