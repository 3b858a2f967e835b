"""The events that a verification run emits; every report is made from this stream alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from mockserver.verify.claims.claims import Claim, judged

GATEWAY = frozenset({502, 503, 504, *range(520, 528), 530})
"""How a load balancer answers, or a network such as Cloudflare's, while what is behind it can't be reached."""
DRAFT_LEFT, PAID_UNASKED = "draft left unasked", "paid unasked"
DRAFT_CHANGED, CHARGE_TAKEN = "draft changed by", "charge taken by"
AFTER_THE_QUEUE, PAID_AFTER_A_DECLINE = "stripe status after the queue", "paid after a decline"
BY_ANYBODY = (DRAFT_LEFT, PAID_UNASKED, DRAFT_CHANGED, CHARGE_TAKEN, AFTER_THE_QUEUE, PAID_AFTER_A_DECLINE)
"""Kinds of breaches that are none where somebody else billed, finalized or collected just then, such as a job."""
Verdict = Literal["holds", "broken", "not_exercised", "accepted"]
"""`accepted`: broken, but listed in the file of known breaches."""


@dataclass(frozen=True, slots=True)
class RecordedExchange:
    """One request that left the program and what came back; secrets are already redacted."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    status: int | None
    """None when no HTTP answer came; `failure` then says why."""
    answer_headers: tuple[tuple[str, str], ...] = ()
    answer: bytes = b""
    cut: int = 0
    """Bytes of the answer that came and are not kept."""
    failure: str | None = None
    elapsed: float = 0.0
    """Seconds."""
    number: int = 0
    """Which request of the run it is, from 1; 0 where nobody counted."""
    race: int = 0
    """Requests with the same number other than 0 were sent at the same moment."""

    def brief(self) -> str:
        """Status and the beginning of the body, for a sentence; or why there is none."""
        if self.status is None:
            return self.failure or "none"
        text = " ".join(self.answer.decode("utf-8", "replace").split())
        return f"{self.status} {text[:160]}{'…' if len(text) > 160 else ''}"


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What came of running a breach's sequence once more, from nothing."""

    seen: int
    """How often the breach was there again."""
    tries: int
    """0: it was not replayed."""
    why: str = ""
    """Why it was not replayed."""
    race: bool = False
    """Whether requests were sent at the same moment."""
    before: int = 1
    """How often it was seen in the run itself."""

    def words(self) -> str:
        """`reproduced 2 of 2`, `1 of 5: a race`, `seen once, not reproduced` or `not replayed` and why."""
        if not self.tries:
            return f"not replayed: {self.why}"
        if not self.seen:
            often = "once" if self.before == 1 else f"{self.before} times"
            return f"seen {often}, not reproduced in {self.tries} tries"
        if self.seen == self.tries:
            return f"reproduced {self.seen} of {self.tries}"
        return f"reproduced {self.seen} of {self.tries}: {'a race' if self.race else 'it does not happen each time'}"


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule seen broken, told as a bug report."""

    rule: str
    expected: str
    """One sentence, without the final stop: what the contract says must come."""
    actual: str
    """One sentence: what came instead."""
    exchanges: tuple[RecordedExchange, ...]
    """The shortest sequence found that shows it, in order."""
    seed: int | None
    """Of all that was generated; None where nothing was."""
    identity: str
    """Equal for two sightings of the same fault: rule, operation and kind of difference, without ids or times."""
    found_by: Literal["scenario", "property", "model", "race", "fuzzing", "traffic"] = "scenario"
    check: Claim | None = None
    """What of the answers to `exchanges`, counted from 0, holds when the rule does; for whatever replays the breach."""
    from_nothing: bool = True
    """Whether the sequence makes all records that it speaks of."""
    proves: bool = False
    """Whether the evidence is complete in itself: a 5xx, a charge on two invoices, another merchant's record."""
    reproduction: Reproduction | None = None
    """None where nobody tried."""

    @property
    def counts(self) -> bool:
        """Whether it fails the run: not what was seen once and did not come again, unless that was proof by itself.

        What a load balancer may have answered has to come each time.
        """
        done = self.reproduction
        if self.proves or done is None:
            return True
        if self._is_of_a_gateway:
            # It turns away what is too much for it, or is restarted, whatever it is asked.
            return 0 < done.tries == done.seen
        if any(kind in self.identity for kind in BY_ANYBODY):
            # One act of theirs can change many invoices, and be seen as often.
            return done.seen > 0
        return done.seen > 0 or done.tries == 0 or done.before > 1

    @property
    def _is_of_a_gateway(self) -> bool:
        """Whether it may be a load balancer that was heard, in the place of the server."""
        places = () if self.check is None else judged(self.check)
        return any(self.exchanges[place].status in GATEWAY for place in places)


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run begins: `target` is the base address; `left_behind` says what the run will leave on the server."""

    target: str
    seed: int | None
    """Of all that is generated; None where nothing is."""
    rules: tuple[str, ...]
    spec_version: str
    left_behind: str
    read_only: bool
    charges_allowed: bool
    command: str = ""
    """The command that makes this run once more, without its secrets; empty where there is none."""
    watched: bool = False
    """Whether nothing is sent: what others send is judged as it passes by."""


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """A part of the run begins, such as `calibrate`, `rules`, `model`, `fuzzing`."""

    name: str
    steps: int | None = None
    """How many steps it has, where that is known."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of the current phase, in words."""

    text: str
    step: int | None = None


@dataclass(frozen=True, slots=True)
class ChoiceMeasured:
    """An open choice of the server; `value` is None when it could not be measured, `evidence` says why or how."""

    key: str
    value: str | int | None
    measured: bool
    evidence: str
    expected: str | int | None = None
    """What the given profile says, when one was given and it differs."""


@dataclass(frozen=True, slots=True)
class DriftFound:
    """A choice was measured to be another than the recorded one, which fails the run."""

    key: str
    recorded: str | int | None
    measured: str | int | None
    evidence: str


@dataclass(frozen=True, slots=True)
class BreachFound:
    """A fault was seen, or is told better than before: the latest event about an `identity` counts."""

    breach: Breach
    times: int = 1
    """How often the fault was seen so far."""


@dataclass(frozen=True, slots=True)
class RuleFinished:
    """The verdict on one rule: `exercised` counts the times that it was put to the test."""

    rule: str
    verdict: Verdict
    exercised: int
    reason: str = ""
    """Why it was not exercised, or why the breach is accepted."""
    matters: bool = True
    """False when leaving it unexercised does not keep the run from passing."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often an operation answered with a status class, for an invoice in a state."""

    operation: str
    status: str
    """A status that the spec documents: `200`, `401`, `4XX`."""
    state: str
    """State of the invoice addressed: `none`, `Draft`, `finalized`, `paid`, `declined`; `-` where there is none."""
    met: int
    """0: documented, but never met."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth telling that is no verdict: a known breach that no longer happens, a throttled server."""

    text: str
    level: Literal["info", "warning", "money"] = "info"
    """`money`: legal, but it can bill somebody for what nobody meant; told first and loudest."""


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The end: exit code 0 conforms, 1 a rule is broken, 2 could not run, 3 nothing broken but not enough exercised.

    130 and 143 are for a run that SIGINT or SIGTERM ended; one that SIGHUP ended has 2.
    """

    exit_code: int
    stop_reason: str
    """`completed`, `time` or why the run broke off."""
    elapsed: float
    requests: int
    left_behind: str | None = None
    """What was made on the server, empty for nothing; None where nobody counted."""


Event = (
    RunStarted
    | PhaseStarted
    | Progress
    | ChoiceMeasured
    | DriftFound
    | BreachFound
    | RuleFinished
    | Coverage
    | Note
    | RunFinished
)
Listener = Callable[[Event], None]
