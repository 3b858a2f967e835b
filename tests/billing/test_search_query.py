"""The search language: what is read, and what it matches."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime, timedelta
from functools import partial
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.billing.search.intervals import Intervals
from mockserver.billing.search.query import (
    NOTHING_ASKED,
    Clause,
    DayClause,
    IdClause,
    Joiner,
    Operator,
    Query,
    SearchError,
    StripeIdClause,
    parse,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ID_OPERATORS = (":", "!:", ">", "<", ">=", "<=")
STRIPE_OPERATORS = (":", "!:", "~", "!~")
DAY_OPERATORS = (":", ">", ">=", "<", "<=")
FIRST_DAY = date(2026, 1, 15)

Row = tuple[int, str | None, int]


def at(text: str) -> int:
    """The instant `text` (ISO, UTC) as the search counts it."""
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


def matching_ids(text: str) -> list[int]:
    return [id for id in range(1, 7) if parse(text).matches(id, None, 0)]


# What is read


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ('id:"7"', IdClause(Operator.EQUAL, 7)),
        ('id!:"007"', IdClause(Operator.NOT_EQUAL, 7)),
        ('id>="0"', IdClause(Operator.AT_LEAST, 0)),
        ('stripe_invoice_id~"in_1 AND id"', StripeIdClause(Operator.CONTAINS, "in_1 AND id")),
        ('stripe_invoice_id:""', StripeIdClause(Operator.EQUAL, "")),
        ('stripe_invoice_id!~"a\\"', StripeIdClause(Operator.LACKS, "a\\")),
        ('created_at$DATE>="2026-01-15"', DayClause(Operator.AT_LEAST, FIRST_DAY)),
        ('created_at$DATE:"0001-01-01"', DayClause(Operator.EQUAL, date.min)),
        ('created_at$DATE<="9999-12-31"', DayClause(Operator.AT_MOST, date.max)),
        ('created_at$DATE<"2024-02-29"', DayClause(Operator.LESS, date(2024, 2, 29))),
    ],
)
def test_a_clause_is_field_operator_and_quoted_value(text: str, clause: Clause) -> None:
    assert parse(text) == Query(((Joiner.AND, clause),))


@pytest.mark.parametrize("text", ["", " ", "\t\r\n "])
def test_blank_text_is_a_query_that_matches_everything(text: str) -> None:
    assert parse(text) == NOTHING_ASKED
    assert parse(text).matches(1, None, 0)


def test_space_may_stand_between_all_parts_and_none_is_needed_beside_a_quote() -> None:
    assert parse('\tid :\n"1"AND id : "2" ') == parse('id:"1" AND id:"2"')


def test_a_query_cannot_be_changed_and_can_be_a_key() -> None:
    query = parse('id:"1"')
    assert {query: 1}[parse('id:"1"')] == 1
    with pytest.raises(FrozenInstanceError):
        query.steps = ()  # type: ignore[misc]


def test_a_date_without_its_modifier_is_read_only_where_the_profile_says_so() -> None:
    with_modifier = parse('created_at$DATE>"2026-01-15"')
    assert parse('created_at>"2026-01-15"', date_without_modifier=True) == with_modifier
    assert parse('created_at$DATE>"2026-01-15"', date_without_modifier=True) == with_modifier
    with pytest.raises(SearchError, match="has no modifier"):
        parse('created_at$>"2026-01-15"', date_without_modifier=True)
    with pytest.raises(SearchError, match="needs its modifier"):
        parse('created_at>"2026-01-15"')


# What matches


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ('id:"3"', [3]),
        ('id!:"3"', [1, 2, 4, 5, 6]),
        ('id>"3"', [4, 5, 6]),
        ('id<"3"', [1, 2]),
        ('id>="3"', [3, 4, 5, 6]),
        ('id<="3"', [1, 2, 3]),
        (f'id<"{"9" * 640}"', [1, 2, 3, 4, 5, 6]),
    ],
)
def test_ids_compare_as_numbers(text: str, ids: list[int]) -> None:
    assert matching_ids(text) == ids


def test_clauses_are_taken_from_left_to_right_without_precedence() -> None:
    assert matching_ids('id:"1" OR id:"2" AND id:"2"') == [2]
    assert matching_ids('id:"2" AND id:"1" OR id:"2"') == [2]
    assert matching_ids('id<"4" AND id>"1" OR id:"6" AND id!:"2"') == [3, 6]


@pytest.mark.parametrize(
    ("operator", "matched"),
    [
        (":", ["in_1"]),
        ("!:", ["in_12", "IN_1", "", None]),
        ("~", ["in_1", "in_12"]),
        ("!~", ["IN_1", "", None]),
    ],
)
def test_an_invoice_that_is_not_on_stripe_matches_the_negations_only(operator: str, matched: list[str | None]) -> None:
    query = parse(f'stripe_invoice_id{operator}"in_1"')
    stripe_ids = ["in_1", "in_12", "IN_1", "", None]
    assert [each for each in stripe_ids if query.matches(1, each, 0)] == matched


def test_no_stripe_id_is_not_an_empty_one() -> None:
    assert not parse('stripe_invoice_id:""').matches(1, None, 0)
    assert not parse('stripe_invoice_id~""').matches(1, None, 0)
    assert parse('stripe_invoice_id!:""').matches(1, None, 0)
    assert parse('stripe_invoice_id!~""').matches(1, None, 0)


@pytest.mark.parametrize(
    ("operator", "matched"),
    [
        (":", [1, 2]),
        (">", [3]),
        (">=", [1, 2, 3]),
        ("<", [0]),
        ("<=", [0, 1, 2]),
    ],
)
def test_created_at_compares_the_whole_utc_day(operator: str, matched: list[int]) -> None:
    instants = [
        at("2026-01-14T23:59:59.999999"),
        at("2026-01-15T00:00:00"),
        at("2026-01-15T23:59:59.999999"),
        at("2026-01-16T00:00:00"),
    ]
    query = parse(f'created_at$DATE{operator}"2026-01-15"')
    assert [i for i, instant in enumerate(instants) if query.matches(1, None, instant)] == matched


def test_days_before_1970_and_at_both_ends_of_the_calendar_are_days_too() -> None:
    assert parse('created_at$DATE:"1969-12-31"').matches(1, None, -1)
    assert parse('created_at$DATE:"0001-01-01"').matches(1, None, at("0001-01-01T00:00:00"))
    assert parse('created_at$DATE<="9999-12-31"').matches(1, None, at("9999-12-31T23:59:59.999999"))


def test_thousands_of_clauses_that_alternate_are_folded_and_evaluated_in_no_time() -> None:
    alternating = " ".join(f'OR id:"{2 * i}" AND id!:"{2 * i + 1}"' for i in range(4_000))
    query = parse(alternating.removeprefix("OR "))
    start = time.process_time()
    certain, possible = query.spans(lambda clause: clause.intervals)
    # Some 100 ms; what grows with the square would take minutes.
    assert time.process_time() - start < 10
    assert certain == possible
    assert [piece[0] for piece in certain.pieces()] == list(range(0, 8_000, 2))
    assert query.matches(0, None, 0)


# Any query


def joined(steps: Sequence[tuple[Joiner, Clause]]) -> Query:
    return Query(tuple((joiner if i else Joiner.AND, clause) for i, (joiner, clause) in enumerate(steps)))


def clauses(
    ids: st.SearchStrategy[int], stripe: st.SearchStrategy[str], days: st.SearchStrategy[date]
) -> st.SearchStrategy[Clause]:
    return st.one_of(
        st.builds(IdClause, st.sampled_from([Operator(each) for each in ID_OPERATORS]), ids),
        st.builds(StripeIdClause, st.sampled_from([Operator(each) for each in STRIPE_OPERATORS]), stripe),
        st.builds(DayClause, st.sampled_from([Operator(each) for each in DAY_OPERATORS]), days),
    )


def queries(any_clause: st.SearchStrategy[Clause], *, max_size: int = 8) -> st.SearchStrategy[Query]:
    return st.lists(st.tuples(st.sampled_from(Joiner), any_clause), max_size=max_size).map(joined)


any_query = queries(
    clauses(st.integers(min_value=0, max_value=10**640 - 1), st.text().filter(lambda t: '"' not in t), st.dates())
)
# Few values, so that clauses and rows meet.
small_query = queries(
    clauses(st.integers(0, 8), st.text("ab", max_size=2), st.integers(0, 4).map(lambda n: FIRST_DAY + timedelta(n)))
)
instants = st.one_of(
    st.integers(at("2026-01-14T00:00:00"), at("2026-01-20T00:00:00")),
    st.integers(-1, 5).map(lambda n: at("2026-01-15T00:00:00") + n * 86_400_000_000),
)
rows: st.SearchStrategy[Row] = st.tuples(st.integers(0, 9), st.one_of(st.none(), st.text("ab", max_size=3)), instants)
spaces = st.text(" \t\r\n", max_size=2)


def written(clause: Clause) -> tuple[str, str, str]:
    match clause:
        case IdClause():
            return "id", str(clause.operator), f'"{clause.value}"'
        case DayClause():
            return "created_at$DATE", str(clause.operator), f'"{clause.value.isoformat()}"'
        case StripeIdClause():
            return "stripe_invoice_id", str(clause.operator), f'"{clause.value}"'


@given(any_query, st.data())
def test_what_is_written_is_what_is_read(query: Query, data: st.DataObject) -> None:
    parts: list[str] = []
    for i, (joiner, clause) in enumerate(query.steps):
        if i:
            parts.append(str(joiner))
            parts.append(data.draw(spaces.filter(bool)))
        for part in written(clause):
            parts.append(part)
            parts.append(data.draw(spaces))
    assert parse("".join(parts)) == query


def naive_clause(clause: Clause, row: Row) -> bool:
    """The contract in the plainest words: strings compare as strings, and ISO days in their order."""
    field, operator, quoted = written(clause)
    wanted = quoted[1:-1]
    if field == "stripe_invoice_id":
        is_so = row[1] is not None and (row[1] == wanted if ":" in operator else row[1].find(wanted) >= 0)
        return is_so is not operator.startswith("!")
    if field == "id":
        order = (row[0] > int(wanted)) - (row[0] < int(wanted))
    else:
        day = (EPOCH + timedelta(microseconds=row[2])).date().isoformat()
        order = (day > wanted) - (day < wanted)
    accepted = {":": [0], "!:": [-1, 1], ">": [1], ">=": [0, 1], "<": [-1], "<=": [-1, 0]}
    return order in accepted[operator]


def naive(query: Query, row: Row) -> bool:
    result = True
    for joiner, clause in query.steps:
        this = naive_clause(clause, row)
        result = (result or this) if joiner == "OR" else (result and this)
    return result


@given(small_query, st.lists(rows, min_size=1, max_size=5))
def test_matches_agrees_with_evaluation_step_by_step(query: Query, some: list[Row]) -> None:
    for row in some:
        assert query.matches(*row) is naive(query, row)


@given(small_query, st.sets(st.integers(0, 12)), st.lists(rows, max_size=14), st.sets(st.integers(0, 7)))
def test_spans_enclose_the_matches_and_are_exact_where_every_clause_can_be_placed(
    query: Query, id_set: set[int], some: list[Row], unplaced: set[int]
) -> None:
    ids = sorted(id_set)[: len(some)]
    created = sorted(row[2] for row in some)[: len(ids)]
    table = [(id, row[1], moment) for id, row, moment in zip(ids, some, created, strict=False)]
    columns = {"id": ids, "created_at": created}
    whole = Intervals((0, len(table))) if table else Intervals()
    hidden = {query.steps[i][1] for i in unplaced if i < len(query.steps)}

    def place(clause: Clause) -> Intervals | None:
        if clause in hidden:
            return None
        if clause.axis is not None:
            return clause.intervals.mapped(partial(bisect_left, columns[clause.axis]))
        placed = Intervals()
        for i, row in enumerate(table):
            if clause.matches(*row):
                placed |= Intervals((i, i + 1))
        return placed

    certain, possible = query.spans(place, within=whole)
    matched = {i for i, row in enumerate(table) if query.matches(*row)}
    sure = {i for span in certain.ranges() for i in span}
    maybe = {i for span in possible.ranges() for i in span}
    assert sure <= matched <= maybe <= set(range(len(table)))
    if not hidden:
        assert certain == possible


@given(small_query.filter(lambda query: bool(query.steps)), rows)
def test_the_intervals_of_a_clause_hold_what_it_matches(query: Query, row: Row) -> None:
    for _, clause in query.steps:
        if clause.axis is None:
            assert clause.intervals is None
        else:
            number = row[0] if clause.axis == "id" else row[2]
            assert (number in clause.intervals) is clause.matches(*row)


def test_one_clause_that_cannot_be_placed_leaves_the_others_to_narrow() -> None:
    def place(clause: Clause) -> Intervals | None:
        return clause.intervals

    narrowed = parse('stripe_invoice_id~"in_" AND id>"5"').spans(place)
    assert narrowed == (Intervals(), Intervals((6, inf)))
    assert parse('stripe_invoice_id~"in_" OR id>="5"').spans(place) == (
        Intervals((5, inf)),
        Intervals((-inf, inf)),
    )
    assert parse("").spans(place, within=Intervals((0, 3))) == (Intervals((0, 3)), Intervals((0, 3)))


# Intervals

numbers = st.integers(-2, 8)
small_intervals = st.lists(st.one_of(numbers, st.just(-inf), st.just(inf)), unique=True, max_size=8).map(
    lambda edges: Intervals(tuple(sorted(edges)[: len(edges) // 2 * 2]))
)
PROBES = range(-4, 11)


def members(intervals: Intervals) -> set[int]:
    return {n for n in PROBES if any(low <= n < high for low, high in intervals.pieces())}


@given(small_intervals, small_intervals)
def test_intervals_combine_as_sets_do(one: Intervals, other: Intervals) -> None:
    assert members(one | other) == members(one) | members(other)
    assert members(one & other) == members(one) & members(other)
    assert members(~one) == set(PROBES) - members(one)
    assert ~~one == one
    assert {n for n in PROBES if n in one} == members(one)


@given(small_intervals, st.lists(numbers).map(sorted))
def test_mapped_intervals_are_the_positions_of_their_members(intervals: Intervals, column: list[int]) -> None:
    positions = intervals.mapped(partial(bisect_left, column))
    assert [i for span in positions.ranges() for i in span] == [
        i for i, number in enumerate(column) if number in intervals
    ]


@pytest.mark.parametrize("edges", [(1,), (2, 1), (1, 1), (1, 2, 2, 3)])
def test_edges_that_are_odd_in_number_or_do_not_increase_are_an_error(edges: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="edges of intervals"):
        Intervals(edges)


def test_an_unbounded_interval_is_no_range() -> None:
    assert Intervals((1, 3, 5, 6)).ranges() == [range(1, 3), range(5, 6)]
    with pytest.raises(OverflowError):
        Intervals((1, inf)).ranges()


def test_ids_beyond_the_precision_of_floats_stay_exact() -> None:
    huge = 2**60 + 1
    clause = IdClause(Operator.GREATER, huge)
    assert huge not in clause.intervals
    assert huge + 1 in clause.intervals
