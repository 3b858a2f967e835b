"""Whose records a caller sees: those of one merchant under one merchant header, and none without a token."""

from __future__ import annotations

from mockserver.verify.assertions.statements import of, status_of
from mockserver.watch.judging.bounded import Bounded
from mockserver.watch.judging.form import COMPANIONS
from mockserver.watch.judging.sight import Sight
from mockserver.watch.judging.telling import Teller
from mockserver.watch.passing import Passing

MOST_CALLERS = 2_000


class Reached:
    """Remembers whose records each caller was shown."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._merchants: Bounded[tuple[str, str], tuple[str, Passing]] = Bounded(MOST_CALLERS)
        """By world and caller: the merchant whose records are shown, and where that was seen."""

    def see(self, sight: Sight) -> None:
        """GEN-7 on a successful answer."""
        if sight.passing.merchant and sight.plain:
            self._keeps_to_one(sight)

    def needs_a_token(self, sight: Sight) -> None:
        """GEN-4 on any answer that has the documented form."""
        if sight.credentials.any or not sight.passing.whole or not sight.asks_json:
            return
        status = sight.passing.status
        if status == 401:
            sight.held.add("GEN-4")
        elif sight.ok or (sight.refused and not (status in (404, 405) and sight.operation.id in COMPANIONS)):
            self._teller.breach(
                sight,
                "GEN-4",
                f"{sight.operation.id} without a token: {status}",
                "a call without a token gets 401",
                lambda answer: status_of(answer).equals(401),
            )

    def _keeps_to_one(self, sight: Sight) -> None:
        shown = _merchants(sight)
        if not shown:
            return
        key = (sight.world, sight.caller)
        known = self._merchants.get(key) if sight.caller else None
        mine, seen = known if known is not None else (shown[0], sight.passing)
        other = next((one for one in shown if one != mine), None)
        if other is None:
            sight.held.add("GEN-7")
            if known is None and sight.caller:
                self._merchants.set(key, (mine, seen))
            return
        self._teller.breach(
            sight,
            "GEN-7",
            f"{sight.operation.id} shows another merchant",
            f"under one X-Selected-Client-Id all records are one merchant's, here the merchant {mine}'s",
            lambda answer: (
                of(answer).each("chargee_id").every("agrees", mine)
                if sight.rows
                else of(answer).at(_part(sight)).at("chargee_id").agrees(mine)
            ),
            earlier=[seen],
            actual=f"it shows one of the merchant {other}",
        )


def _part(sight: Sight) -> str:
    return "invoice" if sight.part("invoice") else "charge"


def _merchants(sight: Sight) -> list[str]:
    """Whose records it shows, each once."""
    rows = sight.rows or [sight.part("invoice"), sight.part("charge")]
    found = dict.fromkeys([row.get("chargee_id") for row in rows])
    return list(dict.fromkeys([str(merchant) for merchant in found if isinstance(merchant, int | str)]))
