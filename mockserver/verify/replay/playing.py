"""Plays the steps that showed a breach once more, with ids of its own, and says whether the claim holds now."""

# This module uses nothing but the standard library and `claims`: its text becomes a part of the pytest file that
# replays breaches.
from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mockserver.verify.claims.claims import CannotTell, Claim, Eventually, LiveAnswer, Path, answers_of, judged
from mockserver.verify.claims.evaluation import holds


@dataclass(frozen=True, slots=True)
class Ref:
    """The value at `path` in the JSON of the answer with that index (from 0), or what is made of it."""

    answer: int
    path: Path
    cut: tuple[int, int] | None = None
    """Just these characters of a text."""
    days: int | None = None
    """The UTC day of a time, so many days later."""

    def __str__(self) -> str:
        return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)[1:]

    def made_of(self, value: str) -> str:
        """What stands for it where that value was answered."""
        if self.days is not None:
            moment = datetime.fromisoformat(value)
            day = (moment if moment.tzinfo is None else moment.astimezone(UTC)).date()
            return (day + timedelta(days=self.days)).isoformat()
        return value if self.cut is None else value[self.cut[0] : self.cut[1]]


Part = str | Ref
Parts = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class ReplayStep:
    """A request of a sequence; what earlier answers said stands in it as `Ref`."""

    method: str
    url: Parts
    """Below the base address, unless it begins with a scheme."""
    headers: tuple[tuple[str, str], ...] = ()
    body: Parts | bytes = ()
    expected: int | None = None
    """The status that came when it was recorded."""
    race: int = 0
    """Steps with the same number other than 0 are sent at the same moment."""
    is_free: bool = False
    """Whether it does not matter how it is answered: it only clears away what was there before."""
    until: Claim | None = None
    """What is waited for: asked again until this holds, since it happens without a further call."""


PATIENCE = 10.0
"""Seconds that the threads of a race wait for each other."""

Send = Callable[[ReplayStep, str, str | bytes], LiveAnswer]
"""Sends a step to this address, with this body."""


class Replay:
    """One run of a sequence."""

    def __init__(self, steps: Sequence[ReplayStep], check: Claim, send: Send, pause: Callable[[float], None]) -> None:
        self.steps = steps
        self.check = check
        self.replies: dict[int, LiveAnswer] = {}
        self.in_vain = False
        """Whether something was waited for that did not come."""
        self._send = send
        self._pause = pause
        self._judged = judged(check)

    def holds(self, *, wait: float) -> bool:
        """Whether the claim holds of what comes now; what happens later is waited for `wait` seconds.

        Raises `CannotTell` where the server goes another way than it went when this was recorded.
        """
        last = max(answers_of(self.check), default=len(self.steps) - 1)
        for group in self._groups(last):
            try:
                prepared = [self._prepared(self.steps[place]) for place in group]
            except CannotTell:
                if answers_of(self.check) <= self.replies.keys():
                    break
                raise
            self.replies.update(zip(group, self._sent_at_once(prepared), strict=True))
            for place in group:
                self._as_recorded(place)
            until = self.steps[group[0]].until
            if until is not None and not self._again(group[0], until, wait):
                self.in_vain = True
        if isinstance(self.check, Eventually):
            return self._again(last, self.check, self.check.seconds if wait else 0.0)
        return holds(self.check, self.replies)

    def _sent_at_once(self, prepared: Sequence[tuple[ReplayStep, str, str | bytes]]) -> list[LiveAnswer]:
        barrier = threading.Barrier(len(prepared))

        def send(parts: tuple[ReplayStep, str, str | bytes]) -> LiveAnswer:
            # Threads start one after the other, and the first would have its answer before the last has asked.
            with suppress(threading.BrokenBarrierError):
                barrier.wait(PATIENCE)
            return self._send(*parts)

        with ThreadPoolExecutor(len(prepared)) as threads:
            return list(threads.map(send, prepared))

    def _groups(self, last: int) -> Iterator[list[int]]:
        """The steps that are needed, those of a race together."""
        done: set[int] = set()
        for place, step in enumerate(self.steps):
            if place > last or place in done:
                continue
            rivals = [other for other, one in enumerate(self.steps) if step.race and one.race == step.race]
            done.update(rivals)
            yield rivals or [place]

    def _as_recorded(self, place: int) -> None:
        step, reply = self.steps[place], self.replies[place]
        if step.is_free or place in self._judged or self._may_lose(place):
            return
        if (reply.status or 0) // 100 != (step.expected or 0) // 100:
            raise CannotTell(f"request {place + 1} got {reply.status or 'no answer'}; recorded was {step.expected}")

    def _may_lose(self, place: int) -> bool:
        """Whether it raced: any may have won, unless the claim is about what this one alone was answered."""
        race = self.steps[place].race
        rivals = {number for number, one in enumerate(self.steps) if race and one.race == race}
        return bool(rivals) and rivals & answers_of(self.check) != {place}

    def _again(self, place: int, claim: Claim, seconds: float) -> bool:
        """Asks that step again until the claim holds, or the time is over; whether it holds in the end."""
        pause, left = 0.1, seconds
        while not (true := _is_true(claim, self.replies)) and left > 0:
            self._pause(pause)
            left -= pause
            pause = min(pause * 1.6, 1.0)
            self.replies[place] = self._send(*self._prepared(self.steps[place]))
        return true

    def _prepared(self, step: ReplayStep) -> tuple[ReplayStep, str, str | bytes]:
        url = "".join(part if isinstance(part, str) else self._live(part) for part in step.url)
        if isinstance(step.body, bytes):
            return step, url, step.body
        return step, url, "".join(part if isinstance(part, str) else self._live(part) for part in step.body)

    def _live(self, wanted: Ref) -> str:
        """The value of now; of a race, that of whichever request won."""
        race = self.steps[wanted.answer].race
        rivals = [place for place, step in enumerate(self.steps) if race and step.race == race]
        for place in dict.fromkeys([wanted.answer, *rivals]):
            value = self.replies[place].content if place in self.replies else None
            for step in wanted.path:
                if isinstance(value, Mapping) and isinstance(step, str):
                    value = value.get(step)
                elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                    value = value[step]
                else:
                    value = None
            if value is not None:
                try:
                    return wanted.made_of(str(value))
                except (ValueError, OverflowError) as error:
                    raise CannotTell(f"{wanted} of answer {wanted.answer + 1} is no time: {error}") from error
        raise CannotTell(f"answer {wanted.answer + 1} has no {wanted}")


def _is_true(claim: Claim, replies: Mapping[int, LiveAnswer]) -> bool:
    try:
        return holds(claim, replies)
    except CannotTell:
        return False
