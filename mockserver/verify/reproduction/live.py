"""Plays the steps of a breach on the server under test, through the transport and all of its guards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mockserver.verify.assertions.statements import reply_of
from mockserver.verify.claims.claims import Claim, LiveAnswer
from mockserver.verify.context.context import Context
from mockserver.verify.errors import NoAnswer
from mockserver.verify.events import RecordedExchange
from mockserver.verify.replay.playing import Part, Parts, Replay, ReplayStep
from mockserver.verify.transport.messages import Outgoing


class LivePlay:
    """One run of the steps. `exchanges` holds what was sent and came last, by the steps' places."""

    def __init__(self, context: Context, steps: Sequence[ReplayStep]) -> None:
        self.exchanges: dict[int, RecordedExchange] = {}
        self.in_vain = False
        """Whether Stripe's queue was waited for in vain."""
        self._context = context
        self._races: dict[int, int] = {}
        self._steps = [self._filled(step) for step in steps]
        self._places = {id(step): place for place, step in enumerate(self._steps)}

    def shows(self, check: Claim, *, patience: float) -> bool:
        """Whether the breach is there once more; Stripe's queue is waited for so many seconds.

        Raises `CannotTell`, and what the transport raises.
        """
        replay = Replay(self._steps, check, self._send, self._context.transport.pause)
        holds = replay.holds(wait=patience)
        self.in_vain = replay.in_vain
        return not holds

    def _send(self, step: ReplayStep, url: str, body: str | bytes) -> LiveAnswer:
        content = body.encode() if isinstance(body, str) else body
        transport = self._context.transport
        outgoing = Outgoing(step.method, url, step.headers, content or None)
        with transport.racing(step.race):
            try:
                answer = transport.send(outgoing)
            except NoAnswer:
                return LiveAnswer(None, None, False)
        self.exchanges[self._places[id(step)]] = answer.exchange
        return reply_of(answer)

    def _filled(self, step: ReplayStep) -> ReplayStep:
        """The step with the secrets that stood there; the transport adds the headers of the run by itself."""
        fill = self._context.transport.redaction.filled
        extra = {name.lower() for name, _ in self._context.options.headers}
        return replace(
            step,
            url=_filled(step.url, self),
            headers=tuple((name, fill(value)) for name, value in step.headers if name.lower() not in extra),
            body=step.body if isinstance(step.body, bytes) else _filled(step.body, self),
            race=self._race(step.race),
        )

    def _race(self, recorded: int) -> int:
        """A number of its own for each race of this run: its requests never met those of the recorded one."""
        if recorded and recorded not in self._races:
            self._races[recorded] = self._context.transport.new_race()
        return self._races.get(recorded, 0)

    def fill(self, part: Part) -> Part:
        """A part of an address or a body; what an answer is to bring stays as it is, and is never filled in."""
        return self._context.transport.redaction.filled(part) if isinstance(part, str) else part


def _filled(parts: Parts, play: LivePlay) -> Parts:
    return tuple(play.fill(part) for part in parts)
