"""Measures what becomes of searches that are wrong, each kind by itself; what is ignored is as if it were absent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from mockserver.verify.assertions.statements import all_of, any_of, id_of, is_refused, list_of, of
from mockserver.verify.calibration.measurements import Calibration
from mockserver.verify.checks.listing import Scope, scope_of
from mockserver.verify.claims.values import Row, when
from mockserver.verify.context.context import Context
from mockserver.verify.errors import NotPossible
from mockserver.verify.transport.messages import Answer
from mockserver.verify.transport.safety import Withheld


def searches(work: Calibration) -> None:
    """`unknown_search_field`, `bad_search_value`, `bad_search_syntax` and `date_without_modifier`."""
    rows = _rows(work.context)
    scope = Scope(" OR ".join(f'id:"{row["id"]}"' for row in rows), tuple(row["id"] for row in rows))
    kinds: dict[str, Sequence[str]] = {
        "unknown_search_field": ('nonsense:"1"', 'no_such_field>="2026-01-01"'),
        "bad_search_value": ('created_at$DATE>="2026-13-45"', f'created_at$DATE<"{_rolled_over(rows)}"'),
        "bad_search_syntax": ("AND", "id = 1"),
    }
    for key, wrong in kinds.items():
        answers = {text: _tried(work.context, text, scope) for text in wrong}
        work.alike(key, answers, refused="refuse", taken="ignore")
    if scope.ids:
        _no_cast(work.context, scope)
    _undated(work)


def _rows(context: Context) -> list[Row]:
    """Two invoices that nobody else changes; none where a run may make none and finds none."""
    there = {row["id"]: row for row in context.records.elders if isinstance(row.get("id"), int)}
    if len(there) > 2:
        return list(there.values())[:2]
    try:
        ids = scope_of([context.records.draft(), context.records.draft()]).ids
        return [context.records.must_row(number)[0] for number in ids]
    except (NotPossible, Withheld):
        return []


def _rolled_over(rows: Sequence[Row]) -> str:
    """No day of the calendar, but the first row's day to a library that carries what is too much over."""
    moment = when(rows[0].get("created_at")) if rows else None
    day = moment.date() if moment else date(2026, 1, 15)
    before = day.replace(day=1) - timedelta(days=1)
    return f"{before.year:04d}-{before.month:02d}-{before.day + day.day:02d}"


def _tried(context: Context, wrong: str, scope: Scope) -> Answer:
    """Asks for a scope with what is wrong behind it; let pass, that finds the scope, or, all ignored, everything."""
    if not scope.ids:
        return context.me.invoices(f'id:"1" AND {wrong}', per_page=1)
    everything = context.me.invoices(per_page=1)
    answer = context.me.invoices(f"{scope.q} AND {wrong}", per_page=context.records.at_most(10))
    if answer.ok:
        found = {row.get("id") for row in answer.rows}
        ids, ours = of(answer).each("id"), [id_of("invoice", number) for number in scope.ids]
        # A search that is ignored as a whole finds all that there is.
        totals = [of(one).at("total") for one in (everything, answer)]
        context.expect(
            "GEN-5",
            any_of(
                is_refused(answer),
                all_of(ids.is_within(ours), ids.includes(*ours)),
                all_of(*(one.is_a("integer") for one in totals), totals[1].compares(">=", totals[0])),
            ),
            kind=f"a search with {wrong.partition('<')[0]} read as something else",
            because=f"{wrong} in a search is refused, or ignored, as if it were absent: {sorted(scope.ids)} are found",
            actual=f"{sorted(map(str, found)) or 'nothing'} is found",
        )
    return answer


def _no_cast(context: Context, scope: Scope) -> None:
    """`5abc` is not the invoice 5."""
    number = scope.ids[0]
    answer = context.me.invoices(f'{scope.q} AND id:"{number}abc"', per_page=context.records.at_most(10))
    if answer.ok:
        context.expect(
            "GEN-5",
            any_of(is_refused(answer), of(answer).each("id").differs(list_of([id_of("invoice", number)]))),
            kind="id of a search cast to a number",
            because=f'id:"{number}abc" is refused, or ignored, and not read as id:"{number}"',
            actual=f"invoice {number} is found",
        )


def _undated(work: Calibration) -> None:
    me = work.context.me
    dated = me.invoices('created_at>="2000-01-01"', per_page=1)
    if dated.refused:
        work.record("date_without_modifier", "refuse", f"created_at without $DATE is answered with {dated.status}")
    elif dated.ok:
        none = me.invoices('created_at<"2000-01-01"', per_page=1).mapping.get("total")
        if none == 0 or not me.invoices(per_page=1).mapping.get("total"):
            work.record("date_without_modifier", "accept", 'created_at<"2000-01-01" finds nothing, and is not refused')
        else:
            work.unmeasured('created_at<"2000-01-01" is answered as if it was not there', "date_without_modifier")
