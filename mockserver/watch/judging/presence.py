"""Whether a list holds what it must: records that were shown before and after it to the same caller, and new ones."""

from __future__ import annotations

from dataclasses import dataclass, field

from mockserver.verify.assertions.statements import of
from mockserver.verify.claims.values import when
from mockserver.watch.judging.bounded import Bounded
from mockserver.watch.judging.memory import Memory
from mockserver.watch.judging.searches import read_search
from mockserver.watch.judging.sight import Sight
from mockserver.watch.judging.telling import FEW, SEVERAL, Teller
from mockserver.watch.passing import Passing

MOST_CALLERS = 200
MOST_OF_ONE = 300
"""Invoices that are remembered as shown to one caller, the latest."""
_LOWEST, _HIGHEST = -(10**30), 10**30
"""Beyond any id."""
SURE = 12
"""Rows after which a list that always was in the order of ids is taken to be so."""


@dataclass(slots=True, eq=False)
class _View:
    """What one caller was shown."""

    shown: Bounded[int, Passing] = field(default_factory=lambda: Bounded(MOST_OF_ONE))
    """By the answer that showed the invoice last."""
    missed: Bounded[int, Passing] = field(default_factory=lambda: Bounded(MOST_OF_ONE))
    """By the list in which it should have been."""
    created: Bounded[int, Passing] = field(default_factory=lambda: Bounded(MOST_OF_ONE))
    """Those that no list has shown yet, by the create."""
    rows: int = 0
    """Rows of pages that were in one order."""
    order: int = 0
    """1: the ids go up, -1: they go down; 0: nothing is known."""
    unordered: bool = False


class Presence:
    """Follows what each caller is shown of invoices."""

    def __init__(self, memory: Memory, teller: Teller) -> None:
        self._memory = memory
        self._teller = teller
        self._views: Bounded[tuple[str, str], _View] = Bounded(MOST_CALLERS)

    def forget(self, world: str) -> None:
        """Nothing is known of what that world's callers were shown."""
        self._views.drop_where(lambda key: key[0] == world)

    def created(self, sight: Sight, number: int) -> None:
        if sight.caller:
            self._view(sight).created.set(number, sight.passing)

    def listed(self, sight: Sight, *, sound: bool) -> None:
        """CREATE-7, GEN-9 and LIST-4; `sound`: the page's figures hold."""
        if not sight.caller or not sight.plain:
            return
        view, ids = self._view(sight), [row["id"] for row in sight.rows if isinstance(row.get("id"), int)]
        self._learn_order(view, ids)
        if len(view.missed):
            for number in ids:
                self._is_there_again(sight, view, number)
        if sound and len(ids) == len(sight.rows):
            self._lacks(sight, view, ids)
        for number in ids:
            view.shown.set(number, sight.passing)
            view.created.drop(number)
            view.missed.drop(number)

    def _view(self, sight: Sight) -> _View:
        return self._views.get_or((sight.world, sight.caller), _View)

    def _learn_order(self, view: _View, ids: list[int]) -> None:
        if len(ids) < 2 or view.unordered:
            return
        order = 1 if ids[0] < ids[1] else -1
        if (view.order not in (0, order)) or ids != sorted(ids, reverse=order < 0):
            view.unordered, view.rows = True, 0
        else:
            view.order, view.rows = order, view.rows + len(ids)

    def _is_there_again(self, sight: Sight, view: _View, number: int) -> None:
        """It was there before, it is there now: so it was when a list lacked it."""
        lacking = view.missed.get(number)
        if lacking is None or sight.started < lacking.ended:
            return
        before = view.created.get(number)
        self._teller.breach(
            sight,
            "LIST-4" if before is None else "CREATE-7",
            "listInvoices lacks an invoice" if before is None else "new invoice not in the list at once",
            "what was in the list before and after is in it in between"
            if before is None
            else "a new invoice is in the list at once",
            lambda answer: of(answer).each("id").lacks(number),
            earlier=[one for one in (before or view.shown.get(number), lacking) if one is not None],
            actual=f"invoice {number} is not in the answer to {lacking.where()}",
        )

    def _lacks(self, sight: Sight, view: _View, ids: list[int]) -> None:
        low, high = self._covered(sight, view, ids)
        there = set(ids)
        is_search = "q" in sight.reading.query
        started = sight.started
        absent = [
            (number, shown)
            for number, shown in view.shown.items()
            if low < number < high and number not in there and shown.ended <= started
        ]
        for number, shown in absent:
            if self._has_its_place(sight, number, low, high) and (not is_search or self._matches(sight, number)):
                view.missed.set(number, sight.passing)
                if not is_search:
                    self._paid_is_there(sight, number, shown)
        if not is_search:
            for number, made in self._just_created(sight, view, low, high):
                if number in there:
                    sight.held.add("CREATE-7")
                    self._teller.cleared(sight, "new invoice not in the list")
                elif self._has_its_place(sight, number, low, high):
                    view.missed.set(number, sight.passing)
                    self._never_there(sight, number, made)

    def _covered(self, sight: Sight, view: _View, ids: list[int]) -> tuple[int, int]:
        """Between which ids this page must hold all that there are."""
        page, last, size = sight.figure("current_page") or 0, sight.figure("last_page") or 0, sight.figure("per_page")
        # A page with room left holds all, whoever was writing when it was counted.
        is_last = page == last and size is not None and len(ids) < size
        if page == last == 1 and is_last:
            return _LOWEST, _HIGHEST
        if view.rows < SURE or not ids:
            return 0, 0
        low, high = min(ids), max(ids)
        if page == 1:
            low, high = (low, _HIGHEST) if view.order < 0 else (_LOWEST, high)
        if is_last and page > 1:
            low, high = (_LOWEST, high) if view.order < 0 else (low, _HIGHEST)
        return low, high

    def _has_its_place(self, sight: Sight, number: int, low: int, high: int) -> bool:
        """Whether it belongs among these rows by its time too: of a clock that was set back only that tells."""
        if (low, high) == (_LOWEST, _HIGHEST):
            return True
        known = self._memory.invoices.get((sight.world, number))
        moment = when(known.row.get("created_at")) if known is not None else None
        if moment is None:
            return False
        others = [(row["id"], when(row.get("created_at"))) for row in sight.rows]
        return all(
            time is not None and (time == moment or (time < moment) == (other < number)) for other, time in others
        )

    def _matches(self, sight: Sight, number: int) -> bool:
        known = self._memory.invoices.get((sight.world, number))
        search = read_search(sight.reading.query["q"])
        if known is None or any(clause.field == "stripe_invoice_id" for _, clause in search.parts):
            return False
        return search.matches(known.row) is True

    def _just_created(self, sight: Sight, view: _View, low: int, high: int) -> list[tuple[int, Passing]]:
        return [
            (number, made)
            for number, made in view.created.items()
            if low < number < high and made.ended <= sight.started and number not in view.missed
        ]

    def _never_there(self, sight: Sight, number: int, made: Passing) -> None:
        if not sight.passing.soon_after(made):
            return
        self._teller.suspect(
            sight,
            "CREATE-7",
            "new invoice not in the list",
            "a new invoice is in the list at once",
            lambda answer: of(answer).each("id").includes(number),
            enough=SEVERAL,
            earlier=[made],
            actual=f"invoice {number} is not in it",
        )

    def _paid_is_there(self, sight: Sight, number: int, shown: Passing) -> None:
        """Others may remove a draft, but not what was paid."""
        known = self._memory.invoices.get((sight.world, number))
        if known is None or known.history.paid_since is None:
            return
        self._teller.suspect(
            sight,
            "GEN-9",
            "paid invoice not in the list",
            "a paid invoice stays in the list",
            lambda answer: of(answer).each("id").includes(number),
            enough=FEW,
            earlier=[shown],
            actual=f"invoice {number} is not in it",
        )
