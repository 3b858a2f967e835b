"""Checks of the search language, against an evaluator of our own and on invoices of our own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import strategies as st

from mockserver.verify.assertions.statements import all_of, id_of, joined, of, succeeds
from mockserver.verify.checks.runner import Check, Steps
from mockserver.verify.checks.search_oracle import (
    DATE_OPERATORS,
    ID_OPERATORS,
    TEXT_OPERATORS,
    Clause,
    Field,
    Joint,
    OracleQuery,
)
from mockserver.verify.claims.values import Row, shown, when
from mockserver.verify.context.context import Context
from mockserver.verify.context.records import UNKNOWN_ID
from mockserver.verify.errors import NotPossible
from mockserver.verify.generation.properties import explore
from mockserver.verify.transport.messages import Answer

LARGE = 50
"""Rows asked for at once; a search within our own invoices finds fewer."""
SURE_CLAUSES = 3
SURE_LENGTH = 120
"""Clauses and characters that every server must read; how much longer a search may be is open."""


def query(*parts: tuple[Joint, Clause]) -> OracleQuery:
    return OracleQuery(tuple(parts))


def clause(field: Field, operator: str, value: object) -> Clause:
    return Clause(field, operator, str(value))


def any_of(ids: Sequence[int]) -> OracleQuery:
    """The search that finds just these, by equality alone."""
    return OracleQuery(tuple(("OR", clause("id", ":", number)) for number in ids))


def ask(context: Context, wanted: OracleQuery) -> Answer:
    return context.me.invoices(wanted.text(), per_page=context.records.at_most(LARGE))


def judge(
    context: Context, wanted: OracleQuery, rows: Sequence[Row], rule: str, kind: str, *, alone: bool = True
) -> bool:
    """Expects that the search finds of `rows` what it must.

    `alone`: nothing but these rows can match; else others' invoices may be found beside them.
    """
    context.records.on_one_page(min(len(rows), LARGE))
    answer = ask(context, wanted)
    if answer.refused and (len(wanted.parts) > SURE_CLAUSES or len(wanted.text()) > SURE_LENGTH):
        return True
    must = [id_of("invoice", row["id"]) for row in rows if wanted.matches(row) is True]
    never = [id_of("invoice", row["id"]) for row in rows if wanted.matches(row) is False]
    may = [id_of("invoice", row["id"]) for row in rows if wanted.matches(row) is not False]
    found = of(answer).each("id")
    limits = found.is_within(may) if alone else found.lacks(*never)
    sought = shown(sorted({number.value() for number in must}))
    holds = context.expect(
        rule,
        all_of(succeeds(answer), found.includes(*must), limits),
        kind=kind,
        because=f"`{wanted.text()}` finds {sought}",
        actual=("it finds", found) if answer.ok else f"the answer is {answer.brief()}",
    )
    if holds and alone:
        context.expect(
            "SEARCH-6",
            found.count().equals(found.distinct().count()),
            kind="match listed twice",
            because="each match is listed once",
            actual=("the ids are", found),
        )
        context.expect(
            "SEARCH-6",
            of(answer).at("total").equals(found.distinct().count()),
            kind="total of matches",
            because=f"total is that of the matches, {found.distinct().count().value()}",
        )
    return holds


def own_rows(context: Context, count: int = 4) -> list[Row]:
    """Invoices of this run in several states, as the list shows them."""
    if context.options.read_only:
        return context.records.rows_there(count)
    invoices = [context.records.draft() for _ in range(count - 1)] + [context.records.finalized()]
    return [context.records.must_row(invoice.id)[0] for invoice in invoices]


def by_id(context: Context) -> None:
    """SEARCH-1 and SEARCH-4: an id is compared as a number, and finds one invoice."""
    rows = own_rows(context, 3)
    for row in rows:
        judge(context, query(("AND", clause("id", ":", row["id"]))), rows, "SEARCH-4", "id:")
    judge(context, query(("AND", clause("id", ":", UNKNOWN_ID))), [], "SEARCH-4", "id: of none")
    judge(context, any_of([row["id"] for row in rows]), rows, "SEARCH-1", "OR of ids")
    twice = query(("OR", clause("id", ":", rows[0]["id"])), ("OR", clause("id", ":", rows[0]["id"])))
    judge(context, twice, rows, "SEARCH-1", "OR of the same")
    nothing = query(("AND", clause("id", ":", rows[0]["id"])), ("AND", clause("id", ":", rows[1]["id"])))
    judge(context, nothing, rows, "SEARCH-1", "AND of ids")
    for row in [row for row in context.records.elders if isinstance(row.get("id"), int)][-1:]:
        judge(context, query(("AND", clause("id", ":", row["id"]))), [row], "SEARCH-4", "id: of an older one")
    _as_numbers(context, rows)


def _as_numbers(context: Context, rows: Sequence[Row]) -> None:
    """A shorter number is no part of a longer one, and leading zeros say nothing."""
    number = str(rows[0]["id"])
    if len(number) > 1:
        shorter = query(("AND", clause("id", ":", number[:-1])), ("AND", clause("id", ":", number)))
        judge(context, shorter, rows, "SEARCH-4", "id compared as text")
    padded = query(("AND", clause("id", ":", f"00{number}")))
    answer = ask(context, padded)
    if answer.ok and not (_may_ignore(context) and answer.mapping.get("total") != 1):
        # Else it reads as no integer, and what is made of those is open.
        judge(context, padded, rows[:1], "SEARCH-4", "id with leading zeros", alone=False)


def by_operators(context: Context) -> None:
    """SEARCH-3: each operator that the server takes for `id` compares as its sign says."""
    rows = sorted(own_rows(context), key=lambda row: int(row["id"]))
    scope = any_of([row["id"] for row in rows])
    middle = rows[1]["id"]
    taken = [":"]
    for sign in ID_OPERATORS[1:]:
        # Left to right: (id:"1" OR id:"2" OR id:"3") AND id>"2".
        wanted = scope.within([clause("id", sign, middle)])
        answer = ask(context, wanted)
        if not answer.ok:
            continue
        if _may_ignore(context) and _ignored(answer, context, rows, scope):
            continue
        taken.append(sign)
        judge(context, wanted, rows, "SEARCH-3", f"id {sign}")
        for far in _of_other_lengths(rows) if context.thorough else ():
            judge(context, scope.within([clause("id", sign, far)]), rows, "SEARCH-4", f"id {sign} by length")
    context.operators["id"] = frozenset(taken)
    context.recorder.held("SEARCH-3")


def _of_other_lengths(rows: Sequence[Row]) -> list[int]:
    """Numbers that sort on the other side of the ids as text than they do as numbers."""
    ids = [int(row["id"]) for row in rows]
    longer = 10 ** len(str(max(ids)))
    return [number for number in (9, longer) if number < min(ids) or max(ids) < number <= UNKNOWN_ID]


def _may_ignore(context: Context) -> bool:
    """Whether what the server can't read may be as if absent: which kind of mistake a clause is, is its own view."""
    kinds = ("unknown_search_field", "bad_search_value", "bad_search_syntax")
    return any(context.profile.get(kind) != "refuse" for kind in kinds)


def _ignored(answer: Answer, context: Context, rows: Sequence[Row], scope: OracleQuery) -> bool:
    """Whether the answer is as if the whole search, or its last clause, was not there."""
    found = {row.get("id") for row in answer.rows}
    return found == {row["id"] for row in rows} or (answer.figure("total") or 0) > len(rows)


def by_text(context: Context) -> Steps:
    """SEARCH-3 and SEARCH-4: `stripe_invoice_id` as text."""
    yield
    held = on_stripe(context)
    rows = [*(row for row in own_rows(context, 2) if row not in held), *held]
    scope = any_of([row["id"] for row in rows])
    value = str(held[0]["stripe_invoice_id"])
    taken = []
    for sign in TEXT_OPERATORS:
        for text in (value, value[:-1], value[3:8], "in_zzzzzzzz_none"):
            wanted = scope.within([clause("stripe_invoice_id", sign, text)])
            answer = ask(context, wanted)
            if not answer.ok or (_may_ignore(context) and _ignored(answer, context, rows, scope)):
                break
            judge(context, wanted, rows, "SEARCH-4" if sign == ":" else "SEARCH-3", f"stripe_invoice_id {sign}")
        else:
            taken.append(sign)
            for text in (f"{value[:-1]}_", f"{value[:4]}%"):
                wanted = scope.within([clause("stripe_invoice_id", sign, text)])
                if ask(context, wanted).ok:
                    judge(context, wanted, rows, "SEARCH-3", f"stripe_invoice_id {sign} by pattern")
    context.operators["stripe_invoice_id"] = frozenset(taken)
    judge(context, query(("AND", clause("stripe_invoice_id", ":", value))), held, "SEARCH-4", "stripe_invoice_id alone")


def values_in_quotes(context: Context) -> None:
    """SEARCH-1: what stands in the quotes is a value, whatever it looks like."""
    (row,) = own_rows(context, 1)

    def either(text: str) -> OracleQuery:
        return query(("OR", clause("stripe_invoice_id", ":", text)), ("OR", clause("id", ":", row["id"])))

    if not _finds_just(context, either("in_none"), row):
        raise NotPossible("searches by stripe_invoice_id do not work")
    for text in ("x AND y", "x OR y", "x OR id:1", "(x)"):
        judge(context, either(text), [row], "SEARCH-1", "value in quotes")


def _finds_just(context: Context, wanted: OracleQuery, row: Row) -> bool:
    return [found.get("id") for found in ask(context, wanted).rows] == [row["id"]]


def on_stripe(context: Context, count: int = 2) -> list[Row]:
    """Finalized invoices of this run that are on Stripe by now; raises `NotPossible` when none gets there."""
    if context.options.read_only:
        there = [row for row in context.records.rows_there(100) if isinstance(row.get("stripe_invoice_id"), str)]
        if not there:
            raise NotPossible("this run is read-only, and no invoice that is listed is on Stripe")
        return there[:count]
    invoices = [context.records.queued() for _ in range(count)]

    def ready() -> list[Row] | None:
        rows = [context.records.must_row(invoice.id)[0] for invoice in invoices]
        return rows if all(isinstance(row.get("stripe_invoice_id"), str) for row in rows) else None

    rows = context.records.until_queued(ready)
    if rows is None:
        raise NotPossible("no invoice got onto Stripe")
    return rows


def by_day(context: Context) -> None:
    """SEARCH-5: `created_at$DATE` compares the UTC day."""
    rows = own_rows(context, 2)[:1]
    if context.quick() > 0.5:
        rows += _older_rows(context)
    for row in rows:
        moment = when(row.get("created_at"))
        if moment is None:
            raise NotPossible("created_at is no date-time with a day before and after it")
        scope = any_of([row["id"]])
        for sign in DATE_OPERATORS:
            for distance in (-1, 0, 1):
                day = moment.date() + timedelta(days=distance)
                wanted = scope.within([clause("created_at", sign, day.isoformat())])
                judge(context, wanted, [row], "SEARCH-5", f"created_at$DATE {sign} {_side(distance)}")


def a_leap_day(context: Context) -> None:
    """SEARCH-5: every day of the calendar is a day."""
    for day in ("2024-02-29", "2000-02-29", "1999-12-31"):
        wanted = query(("AND", clause("created_at", ">=", day)), ("AND", clause("id", ":", UNKNOWN_ID)))
        judge(context, wanted, [], "SEARCH-5", "created_at$DATE on a day of the calendar")


def _side(distance: int) -> str:
    return {-1: "the day before", 0: "the day itself", 1: "the day after"}[distance]


def _older_rows(context: Context) -> list[Row]:
    """Up to four invoices that were there before, those latest and earliest in their day."""
    dated = [
        (moment.time(), str(row["id"]), row)
        for row in context.records.elders
        if isinstance(row.get("id"), int) and (moment := when(row.get("created_at"))) is not None
    ]
    by_time = [row for _, _, row in sorted(dated, key=lambda one: one[:2])]
    return by_time if len(by_time) <= 4 else by_time[:2] + by_time[-2:]


def left_to_right(context: Context) -> None:
    """SEARCH-2: no precedence."""
    rows = own_rows(context, 3)
    one, two, three = (clause("id", ":", row["id"]) for row in rows)
    today = when(rows[0]["created_at"])
    assert_day = clause("created_at", ":", today.date().isoformat()) if today else one
    cases = (
        query(("AND", one), ("OR", two), ("AND", two)),
        query(("AND", one), ("OR", two), ("AND", three)),
        query(("AND", one), ("AND", two), ("OR", three)),
        query(("AND", one), ("OR", two), ("AND", two), ("OR", three)),
        query(("AND", one), ("OR", two), ("OR", three), ("AND", assert_day), ("AND", three)),
    )
    for wanted in cases:
        judge(context, wanted, rows, "SEARCH-2", "left to right")


def pages_of_matches(context: Context) -> None:
    """SEARCH-6: total and pages are those of the matches."""
    rows = own_rows(context, 3)
    context.records.on_one_page(2)
    wanted = any_of([row["id"] for row in rows])
    answer = context.me.invoices(wanted.text(), per_page=2)
    figures = {"total": 3, "last_page": 2}
    for name, value in figures.items():
        context.expect(
            "SEARCH-6",
            of(answer).at(name).equals(value),
            kind=f"{name} of matches",
            because=f"{name} of the 3 matches at 2 a page is {value}",
        )
    second = context.me.invoices(wanted.text(), per_page=2, page=2)
    found = joined([of(answer).each("id"), of(second).each("id")])
    ours = [id_of("invoice", row["id"]) for row in rows]
    context.expect(
        "SEARCH-6",
        all_of(found.includes(*ours), found.count().equals(len(ours))),
        kind="pages of matches",
        because="the pages hold the matches, each once",
        actual=("they hold", found),
    )


def generated_queries(context: Context) -> None:
    """All of the language by property: generated searches within our own invoices."""
    rows = own_rows(context, 4)
    rows += [row for row in (_row_on_stripe(context),) if row and row not in rows]
    ids = sorted(int(row["id"]) for row in rows)
    fence = _fence(context, ids)
    moment = when(rows[0]["created_at"])
    if moment is None:
        raise NotPossible("created_at is no date-time with a day before and after it")
    clauses = st.one_of(
        st.builds(
            clause,
            st.just("id"),
            st.sampled_from(sorted(context.operators.get("id", frozenset(":")))),
            st.sampled_from([*ids, ids[0] - 1, ids[-1] + 1, *_of_other_lengths(rows)]),
        ),
        st.builds(
            clause,
            st.just("created_at"),
            st.sampled_from(DATE_OPERATORS),
            st.sampled_from([(moment.date() + timedelta(days=days)).isoformat() for days in (-1, 0, 1)]),
        ),
        *_text_clauses(context, rows),
    )
    parts = st.lists(st.tuples(st.sampled_from(("AND", "OR")), clauses), min_size=1, max_size=5)

    def holds(parts: list[tuple[Joint, Clause]]) -> None:
        wanted = _fenced(tuple(parts), fence, ids)
        judge(context, wanted, rows, _rule_of(parts), "generated search", alone=not fence)

    explore(context, "searches", {"parts": parts}, holds, examples=60, budget=8.0)


def _fence(context: Context, ids: Sequence[int]) -> list[Clause]:
    """Clauses that keep a search within our own range of ids; none where the server can't compare ids."""
    if {">=", "<="} <= context.operators.get("id", frozenset()) and ids[-1] - ids[0] < LARGE // 2:
        return [clause("id", ">=", ids[0]), clause("id", "<=", ids[-1])]
    return []


def _fenced(parts: tuple[tuple[Joint, Clause], ...], fence: Sequence[Clause], ids: Sequence[int]) -> OracleQuery:
    """The search within our own invoices: fenced at its end, or else as conditions on our own ids at its beginning."""
    if fence:
        return OracleQuery(parts).within(fence)
    return OracleQuery((*any_of(ids).parts, *(("AND", one) for _, one in parts)))


def _text_clauses(context: Context, rows: Sequence[Row]) -> list[st.SearchStrategy[Clause]]:
    held = [str(row["stripe_invoice_id"]) for row in rows if isinstance(row.get("stripe_invoice_id"), str)]
    signs = sorted(context.operators.get("stripe_invoice_id", frozenset()))
    if not held or not signs:
        return []
    values = st.sampled_from([*held, held[0][:-1], held[0][2:], "in_zzzz_none"])
    return [st.builds(clause, st.just("stripe_invoice_id"), st.sampled_from(signs), values)]


def _row_on_stripe(context: Context) -> Row | None:
    try:
        return on_stripe(context, 1)[0]
    except NotPossible:
        return None


def _rule_of(parts: Sequence[tuple[Joint, Clause]]) -> str:
    joints = {joint for joint, _ in parts[1:]}
    if len(parts) > 2 and len(joints) > 1:
        return "SEARCH-2"
    if any(one.field == "created_at" for _, one in parts):
        return "SEARCH-5"
    return "SEARCH-3"


CHECKS = (
    Check("searching by id", ("SEARCH-1", "SEARCH-4"), by_id),
    Check("values in quotes", ("SEARCH-1",), values_in_quotes, thorough=True),
    Check("searching by day", ("SEARCH-5",), by_day),
    Check("searching by a leap day", ("SEARCH-5",), a_leap_day, thorough=True),
    Check("from left to right", ("SEARCH-2",), left_to_right),
    Check("pages of matches", ("SEARCH-6",), pages_of_matches),
    Check("operators on id", ("SEARCH-3",), by_operators),
    Check("operators on stripe_invoice_id", ("SEARCH-3", "SEARCH-4"), by_text, thorough=True),
    Check("generated searches", ("SEARCH-1", "SEARCH-2", "SEARCH-3", "SEARCH-5"), generated_queries, "property"),
)
