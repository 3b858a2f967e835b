"""Pages as they pass by: the figures of each, and what those show together that somebody goes through."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from mockserver.verify.assertions.statements import Statement, joined, of
from mockserver.verify.monitor.paging import DEFAULT_PER_PAGE, list_flaws
from mockserver.verify.transport.messages import Answer
from mockserver.watch.judging.bounded import Bounded
from mockserver.watch.judging.evidence import answer_of, recorded
from mockserver.watch.judging.sight import Sight
from mockserver.watch.judging.telling import SEVERAL, Teller
from mockserver.watch.passing import Passing

COUNTED = ("rows", "rows past the last page")
"""Flaws that somebody who writes between the counting and the reading of rows can cause once."""
RANGES = ("from", "from and to")
MOST_WALKS = 200
MOST_PAGES_AS_EVIDENCE = 20
MOST_ROWS = 50_000
"""Rows of one walk that are remembered; of a longer one nothing is said."""


class Figures:
    """Judges the figures of each page."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller

    def see(self, sight: Sight) -> bool:
        """LIST-2 and LIST-3; whether the figures hold, and the rows can be counted on."""
        if not self._are_sound(sight):
            return self._tell(sight)
        for kind in (*COUNTED, *RANGES):
            self._teller.cleared(sight, f"{sight.operation.id}: {kind}", of=sight.passing.target)
        if sight.operation.id == "listInvoices":
            sight.held.update(("LIST-3", "LIST-2") if sight.plain else ("LIST-3",))
            if "q" in sight.reading.query:
                sight.held.add("SEARCH-6")
        return True

    def _are_sound(self, sight: Sight) -> bool:
        """A quick look; what does not pass it is looked at once more by the verifier's own arithmetic."""
        page, size, last, total = (sight.figure(name) for name in ("current_page", "per_page", "last_page", "total"))
        first, to, rows = sight.figure("from"), sight.figure("to"), sight.rows
        if page is None or size is None or last is None or total is None or page < 1 or size < 1 or total < 0:
            return False
        before = (page - 1) * size
        ids = {row.get("id") for row in rows}
        if len(rows) != min(max(total - before, 0), size) or last != max(1, -(-total // size)) or len(ids) < len(rows):
            return False
        if rows and (first is None or to is None or first - before not in (0, 1) or to - before != len(rows)):
            return False
        return not sight.plain or self._as_asked(sight, page, size)

    def _as_asked(self, sight: Sight, page: int, size: int) -> bool:
        query = sight.reading.query
        asked = query.get("per_page")
        fits = size == DEFAULT_PER_PAGE if asked is None else size <= int(asked)
        return page == int(query.get("page", 1)) and (fits or sight.operation.id == "listCharges")

    def _tell(self, sight: Sight) -> bool:
        flaws = list_flaws(sight.operation.id, of(sight.answer), sight.passing.target if sight.plain else None)
        # Where rows came between, the range that was reckoned from the count is not theirs either.
        once = {*COUNTED, *(RANGES if any(flaw.kind in COUNTED for flaw in flaws) else ())}
        for flaw in flaws:
            kind = f"{sight.operation.id}: {flaw.kind}"
            if flaw.kind in once:
                self._teller.suspect(
                    sight,
                    flaw.rule,
                    kind,
                    flaw.because,
                    _Stating(flaw.statement),
                    enough=SEVERAL,
                    of=sight.passing.target,
                )
            else:
                self._teller.breach(sight, flaw.rule, kind, flaw.because, _Stating(flaw.statement))
        return not flaws


@dataclass(frozen=True, slots=True)
class _Stating:
    statement: Statement

    def __call__(self, _: Answer) -> Statement:
        return self.statement


@dataclass(slots=True)
class _Walk:
    """Pages of one list, asked for one after the other."""

    total: int
    size: int
    last: int
    began: float
    page: int = 0
    ended: float = 0.0
    ids: list[int] = field(default_factory=list)
    pages: list[Passing] = field(default_factory=list)


class Walks:
    """Follows those who go through all pages of a list."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._walks: Bounded[tuple[str, ...], _Walk] = Bounded(MOST_WALKS)

    def forget(self, world: str) -> None:
        """Nothing is known of walks through that world's lists."""
        self._walks.drop_where(lambda key: key[0] == world)

    def see(self, sight: Sight) -> None:
        """LIST-4, once somebody has come to the last page; the figures of this one are sound."""
        query = sight.reading.query
        if not sight.plain or not sight.caller or "stripe_invoice_id" in query.get("q", ""):
            # What is being created on Stripe meanwhile may come into a search, or leave it.
            return
        key = (sight.world, sight.caller, sight.operation.id, query.get("q", ""), query.get("per_page", ""))
        page, total = sight.figure("current_page") or 0, sight.figure("total") or 0
        size, last = sight.figure("per_page") or 0, sight.figure("last_page") or 0
        walk = self._walks.get(key)
        if page == 1:
            walk = _Walk(total, size, last, sight.started)
            self._walks.set(key, walk)
        elif walk is None or page != walk.page + 1 or sight.started < walk.ended:
            return
        elif (walk.total, walk.size, walk.last) != (total, size, last) or len(walk.ids) > MOST_ROWS:
            self._walks.drop(key)
            return
        walk.page, walk.ended = page, sight.ended
        walk.ids += [row["id"] for row in sight.rows if isinstance(row.get("id"), int)]
        walk.pages = [*walk.pages[: MOST_PAGES_AS_EVIDENCE - 1], sight.passing]
        if page == last and last > 1:
            self._walks.drop(key)
            self._judge(sight, walk, "".join(key))

    def _judge(self, sight: Sight, walk: _Walk, of_list: str) -> None:
        kind = f"{sight.operation.id}: pages overlap"
        if len(set(walk.ids)) == len(walk.ids):
            sight.held.add("LIST-4")
            self._teller.cleared(sight, kind, of=of_list)
            return
        twice, _ = Counter(walk.ids).most_common(1)[0]

        def stated(answer: Answer) -> Statement:
            earlier = [answer_of(one, recorded(one)) for one in walk.pages if one is not sight.passing]
            ids = joined(of(one).each("id") for one in (*earlier, answer))
            return ids.count().equals(ids.distinct().count())

        self._teller.suspect(
            sight,
            "LIST-4",
            kind,
            f"going through the {walk.last} pages of {walk.total} meets every record once",
            stated,
            of=of_list,
            earlier=walk.pages,
            actual=f"{twice} is on two of them, and so another is on none",
        )
