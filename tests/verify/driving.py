"""Runs the verifier on a server of `tests.mutants` and keeps what it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from mockserver.verify.events import (
    Breach,
    BreachFound,
    ChoiceMeasured,
    Event,
    Note,
    RuleFinished,
    RunFinished,
)
from mockserver.verify.options import Options
from mockserver.verify.run import verify
from mockserver.verify.transport.http import Transport
from tests import plain


@dataclass(slots=True)
class Heard:
    """The events of one run."""

    events: list[Event] = field(default_factory=list)

    @property
    def breaches(self) -> list[Breach]:
        return [event.breach for event in self.events if isinstance(event, BreachFound)]

    @property
    def broken(self) -> set[str]:
        return {breach.rule for breach in self.breaches}

    @property
    def verdicts(self) -> dict[str, RuleFinished]:
        return {event.rule: event for event in self.events if isinstance(event, RuleFinished)}

    @property
    def measurements(self) -> list[ChoiceMeasured]:
        return [event for event in self.events if isinstance(event, ChoiceMeasured)]

    @property
    def choices(self) -> dict[str, Any]:
        return {choice.key: choice.value for choice in self.measurements if choice.measured}

    @property
    def told(self) -> list[Note]:
        return [event for event in self.events if isinstance(event, Note)]

    @property
    def notes(self) -> str:
        return "\n".join(note.text for note in self.told)

    @property
    def end(self) -> RunFinished:
        last = self.events[-1]
        assert isinstance(last, RunFinished)
        return last


def judge(url: str, *, connection: httpx.BaseTransport | None = None, **given: Any) -> Heard:
    """One run without fuzzing unless asked for; tokens are those of all servers here."""
    heard = Heard()
    given = {
        "token": "merchant1",
        "merchant": "1",
        "other_token": "merchant2",
        "fuzz": False,
        "stripe_wait": 20.0,
        **given,
    }
    verify(Options(url=url, **given), [heard.events.append], connection=connection)
    return heard


class Elsewhere(httpx.BaseTransport):
    """Sends what is meant for another host to a server on this machine, and remembers it."""

    def __init__(self, url: str) -> None:
        self._url = httpx.URL(url)
        self._network = plain.HTTPTransport()
        self.sent: list[tuple[str, str]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append((request.method, request.url.path))
        request.url = request.url.copy_with(scheme="http", host=self._url.host, port=self._url.port)
        return self._network.handle_request(request)

    def close(self) -> None:
        self._network.close()


def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each pause that runs make from now on."""
    noted: list[float] = []
    pause = Transport.pause

    def noting(transport: Transport, seconds: float) -> None:
        noted.append(seconds)
        pause(transport, seconds)

    monkeypatch.setattr(Transport, "pause", noting)
    return noted
