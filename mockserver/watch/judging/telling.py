"""How the judge tells: a breach with its evidence and where it was seen, and which rules held."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from mockserver.verify.assertions.expect import placed
from mockserver.verify.assertions.recorder import Recorder
from mockserver.verify.assertions.statements import Statement, told
from mockserver.verify.claims.claims import CannotTell
from mockserver.verify.transport.messages import Answer
from mockserver.watch.judging.evidence import recorded
from mockserver.watch.judging.sight import Sight
from mockserver.watch.judging.streaks import Streaks
from mockserver.watch.passing import Passing

Stated = Callable[[Answer], Statement]
FEW = 2
"""How often in a row something goes wrong before another person's change no longer explains it."""
SEVERAL = 3
"""The same for what also happens by itself while others are writing."""


class Teller:
    """Records what was found, and says of each exchange what it showed."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self._streaks = Streaks()

    def breach(
        self,
        sight: Sight,
        rule: str,
        kind: str,
        because: str,
        stated: Stated,
        *,
        earlier: Iterable[Passing] = (),
        actual: str = "",
    ) -> None:
        """`stated`: what the answer should say; `earlier`: what it contradicts; the rest as in `Recorder.breach`."""
        statement = stated(sight.answer)
        exchanges = [recorded(one) for one in _once(earlier, sight.passing)]
        exchanges.append(sight.exchange)
        exchanges.sort(key=lambda one: one.number)
        words = actual or _told(statement)
        if rule in self.recorder.rules:
            sight.told.append(f"{rule}: {because}; but {words}")
        self.recorder.breach(
            rule,
            kind=kind,
            expected=because,
            actual=f"{words} ({sight.passing.where()})",
            exchanges=exchanges,
            check=placed(statement.claim, exchanges),
            proves=True,
            from_nothing=False,
        )

    def suspect(
        self,
        sight: Sight,
        rule: str,
        kind: str,
        because: str,
        stated: Stated,
        *,
        enough: int = FEW,
        of: str = "",
        earlier: Iterable[Passing] = (),
        actual: str = "",
    ) -> None:
        """As `breach`, once it has happened `enough` times in a row; `of`: to what, if each has a row of its own.

        What came at an unknown time is not known to have come in that row.
        """
        if math.isfinite(sight.started) and self._streaks.failed(_row(sight, kind, of), sight.started, enough=enough):
            self.breach(sight, rule, kind, because, stated, earlier=earlier, actual=actual)

    def cleared(self, sight: Sight, kind: str, *, of: str = "") -> None:
        """What would be suspect did not happen where it could have."""
        self._streaks.held(_row(sight, kind, of))


def _row(sight: Sight, kind: str, of: str) -> str:
    """What is counted together: that of one server, in one recording."""
    return "\0".join((sight.passing.source, sight.passing.base, kind, of))


def _once(earlier: Iterable[Passing], last: Passing) -> list[Passing]:
    return [one for one in dict.fromkeys(earlier) if one is not last]


def _told(statement: Statement) -> str:
    try:
        return told(statement)
    except CannotTell:
        return "it does not hold"
