"""Scenarios of the list and of the search language."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.mutants.client import Answer
from tests.mutants.scenarios.bed import SIZE, TestBed, rule, succeeded
from tests.mutants.scenarios.freshness import charges_are_in_pages, far_away_is_nothing, nothing_is_kept
from tests.mutants.scenarios.resembling import nothing_resembles_a_draft
from tests.mutants.scenarios.shapes import is_invoice, is_page

FEW = 5
"""Rows on a page, where pages are gone through."""
NEVER = 'created_at$DATE<"2000-01-01"'
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ":": operator.eq,
    "!:": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def recent(bed: TestBed, count: int) -> list[dict[str, Any]]:
    """So many of the newest invoices, oldest first; makes what is missing."""
    for _ in range(max(0, count - int(bed.mine.page(per_page=1).document["total"]))):
        bed.draft(500)
    bed.locked(600)
    bed.paid(700)
    newest_first = bed.choices.list_order == "newest_first"
    last = -(-bed.mine.page(per_page=1).document["total"] // FEW)
    pages = range(1, last + 1) if newest_first else range(last, 0, -1)
    rows: list[dict[str, Any]] = []
    for page in pages:
        if len(rows) < count:
            rows += bed.mine.page(page=page, per_page=FEW).rows
    assert len({row["id"] for row in rows}) == len(rows) >= count
    return sorted(rows, key=lambda row: int(row["id"]))


@rule("LIST-1")
def a_page_of_invoices(bed: TestBed) -> None:
    for number in (bed.draft(500), bed.locked(600), bed.paid(700)):
        assert number in [row["id"] for row in succeeded(bed.mine.page(per_page=SIZE), 200).rows] or (
            bed.choices.list_order == "oldest_first"
        )
        assert len(bed.mine.search(f'id:"{number}"')) == 1
        is_page(succeeded(bed.mine.page(q=f'id:"{number}"'), 200), is_invoice)
    is_page(succeeded(bed.mine.page(q=NEVER), 200), is_invoice)
    is_page(succeeded(bed.mine.page(), 200), is_invoice)


@rule("LIST-2")
def pages_from_one_by_fifteen(bed: TestBed) -> None:
    recent(bed, 20)
    plain, first, second = bed.mine.page(), bed.mine.page(page=1), bed.mine.page(page=2)
    assert plain.document == first.document and plain.document["current_page"] == 1
    assert plain.document["per_page"] == len(plain.rows) == 15
    assert second.rows and second.document["current_page"] == 2
    assert not {row["id"] for row in first.rows} & {row["id"] for row in second.rows}
    assert bed.mine.page(page="01", per_page=FEW).status < 500
    if bed.choices.page_below_one == "refuse":
        assert bed.mine.page(page=0).refused


@rule("LIST-3")
def figures_agree(bed: TestBed) -> None:
    recent(bed, 12)
    total = bed.mine.page(per_page=1).document["total"]
    made = bed.draft(500)
    assert made and bed.mine.page(per_page=1).document["total"] == total + 1
    total += 1
    divisors = [size for size in range(1, SIZE) if total % size == 0][-1:]
    for size in {1, 4, FEW, SIZE, *divisors}:
        last = max(1, -(-total // size))
        for page in {1, 2, last, last + 1, last + 2}:
            agrees(bed, bed.mine.page(page=page, per_page=size), page, size, total)
    agrees(bed, bed.mine.page(q=NEVER), 1, 15, 0)
    if bed.choices.per_page_max is not None:
        answer = bed.mine.page(per_page=bed.choices.per_page_max + 1)
        if bed.choices.per_page_above_max == "refuse":
            assert answer.refused
        else:
            agrees(bed, answer, 1, bed.choices.per_page_max, total)
    for size in (-3, 0):
        answer = bed.mine.page(per_page=size)
        assert answer.refused or answer.document["per_page"] > 0, answer
    charges_are_in_pages(bed)
    nothing_is_kept(bed)


def agrees(bed: TestBed, answer: Answer, page: int, size: int, total: int) -> None:
    shown = succeeded(answer, 200).document
    rows = max(0, min(size, total - (page - 1) * size))
    figures = {name: shown[name] for name in ("current_page", "per_page", "total", "last_page")}
    expected = (page, size, total, max(1, -(-total // size)))
    assert figures == dict(zip(figures, expected, strict=True)), (figures, expected)
    assert len(shown["data"]) == rows, (len(shown["data"]), rows)
    if rows:
        assert shown["from"] == (page - 1) * size + bed.choices.range_base, shown
        assert shown["to"] - shown["from"] + bed.choices.range_base == rows, shown


@rule("LIST-4")
def pages_partition(bed: TestBed) -> None:
    recent(bed, 12)
    ids = walk(bed, FEW, 12)
    assert len(set(ids)) == len(ids) and ids == walk(bed, FEW, 12) == walk(bed, 3, 12)[: len(ids)]
    order = sorted(ids, reverse=bed.choices.list_order == "newest_first")
    assert ids == order, ids
    last = bed.mine.page(per_page=FEW).document["last_page"]
    for page in (last + 1, last + 7, 10**12):
        assert succeeded(bed.mine.page(page=page, per_page=FEW), 200).rows == []
    tail = bed.mine.page(page=last, per_page=FEW).rows + bed.mine.page(page=last - 1, per_page=FEW).rows
    assert len({row["id"] for row in tail}) == len(tail)
    number = bed.paid(800)
    assert number in bed.mine.search(f'id:"{number}"')
    total = bed.mine.page(per_page=1).document["total"]
    assert len(set(walk(bed, SIZE, min(total, 100)))) == min(total, 100)
    far_away_is_nothing(bed)
    charges_are_in_pages(bed)


def walk(bed: TestBed, size: int, count: int) -> list[int]:
    """The ids of the first `count` invoices, as the pages have them."""
    ids: list[int] = []
    for page in range(1, count + 2):
        rows = bed.mine.page(page=page, per_page=size).rows
        ids += [int(row["id"]) for row in rows]
        if len(ids) >= count or not rows:
            return ids[:count]
    raise AssertionError(f"pages of {size} rows do not hold {count} in that many")


def evaluate(row: dict[str, Any], clause: tuple[str, str, str]) -> bool:
    """What the language says of one row and one clause."""
    field, sign, value = clause
    if field == "id":
        return COMPARE[sign](int(row["id"]), int(value))
    if field == "created_at$DATE":
        return COMPARE[sign](row["created_at"][:10], value)
    known = row["stripe_invoice_id"]
    found = known is not None and (known == value if sign.endswith(":") else value in known)
    return not found if sign.startswith("!") else found


def expect(bed: TestBed, rows: list[dict[str, Any]], clauses: list[tuple[str, str, str]], joins: list[str]) -> None:
    """The search finds of these rows those that it should, in the order of the list."""
    if len(clauses) >= (bed.choices.most_clauses or len(clauses) + 1):
        # One more keeps the search within these rows.
        return
    text = "".join(
        (f" {joiner} " if joiner else "") + f'{field}{sign}"{value}"'
        for joiner, (field, sign, value) in zip(["", *joins], clauses, strict=True)
    )
    wanted = []
    for row in rows:
        result = evaluate(row, clauses[0])
        for joiner, clause in zip(joins, clauses[1:], strict=True):
            met = evaluate(row, clause)
            result = (result and met) if joiner == "AND" else (result or met)
        if result:
            wanted.append(int(row["id"]))
    least = min(int(row["id"]) for row in rows)
    found = bed.mine.search(f'{text} AND id>="{least}"', per_page=SIZE)
    wanted.sort(reverse=bed.choices.list_order == "newest_first")
    assert found == wanted, (text, found, wanted)


@rule("SEARCH-1")
def clauses_are_joined(bed: TestBed) -> None:
    rows = recent(bed, 8)[-8:]
    first, second = str(rows[1]["id"]), str(rows[4]["id"])
    expect(bed, rows, [("id", ":", first)], [])
    expect(bed, rows, [("id", ":", first), ("id", ":", second)], ["OR"])
    expect(bed, rows, [("id", ":", first), ("id", ":", second)], ["AND"])
    expect(bed, rows, [("id", ">", first), ("id", "<", second)], ["AND"])
    for odd in ("x AND y", "x OR y", "(x)"):
        expect(bed, rows, [("stripe_invoice_id", ":", odd), ("id", ":", first)], ["OR"])
    assert bed.mine.page(q='id:"1').status == (
        200 if bed.choices.bad_search_syntax == "ignore" else bed.choices.invalid_request_status
    )


@rule("SEARCH-2")
def left_to_right(bed: TestBed) -> None:
    rows = recent(bed, 8)[-8:]
    ids = [str(row["id"]) for row in rows]
    clauses = [("id", ":", ids[1]), ("id", ">=", ids[3]), ("id", "<=", ids[5]), ("id", "!:", ids[4])]
    for count in (3, 4):
        for chosen in itertools.permutations(clauses, count):
            for joins in itertools.product(("AND", "OR"), repeat=count - 1):
                if count == 3 or chosen[0] is clauses[0]:
                    expect(bed, rows, list(chosen), list(joins))


def texts_near(known: str) -> tuple[str, ...]:
    """Parts of it, what is none, and what would be a pattern elsewhere."""
    return known, known[4:], known[:-2], "nowhere", f"{known[:-1]}_", f"{known[:5]}%"


@rule("SEARCH-3")
def operators(bed: TestBed) -> None:
    rows = recent(bed, 8)[-8:]
    for sign in COMPARE:
        expect(bed, rows, [("id", sign, str(rows[3]["id"]))], [])
    row = next(row for row in rows if row["stripe_invoice_id"])
    known = row["stripe_invoice_id"]
    for sign, value in itertools.product((":", "!:", "~", "!~"), texts_near(known)):
        expect(bed, rows, [("stripe_invoice_id", sign, value)], [])


@rule("SEARCH-4")
def fields(bed: TestBed) -> None:
    rows = recent(bed, 12)[-12:]
    for row in rows[::3]:
        for sign, value in itertools.product((":", ">", "<="), (row["id"], f"0{row['id']}", 9, 100)):
            expect(bed, rows, [("id", sign, str(value))], [])
    operators(bed)
    days(bed)
    nothing_resembles_a_draft(bed)


@rule("SEARCH-5")
def days(bed: TestBed) -> None:
    rows = recent(bed, 12)[-12:]
    today = datetime.now(UTC).date()
    there = {row["created_at"][:10] for row in rows}
    around = {str(today + timedelta(days=step)) for step in (-1, 0, 1)}
    for day in there | around:
        for sign in (":", ">", ">=", "<", "<="):
            expect(bed, rows, [("created_at$DATE", sign, day)], [])
    succeeded(bed.mine.page(q='created_at$DATE>="2024-02-29"'), 200)
    answer = bed.mine.page(q='created_at$DATE:"2026-02-30"')
    assert answer.status == (200 if bed.choices.bad_search_value == "ignore" else bed.choices.invalid_request_status)


@rule("SEARCH-6")
def pages_of_matches(bed: TestBed) -> None:
    rows = recent(bed, 12)
    least = rows[-9]["id"]
    text = f'id>="{least}"'
    seen: list[int] = []
    for page in (1, 2, 3, 4):
        answer = bed.mine.page(q=text, page=page, per_page=4)
        agrees(bed, answer, page, 4, 9)
        seen += [int(row["id"]) for row in answer.rows]
    wanted = [int(row["id"]) for row in rows[-9:]]
    assert seen == sorted(wanted, reverse=bed.choices.list_order == "newest_first"), seen
    both = f'{text} OR id>="{rows[-5]["id"]}"'
    agrees(bed, bed.mine.page(q=both), 1, 15, 9)
    number = bed.draft(900)
    assert bed.mine.search(f'id:"{number}"') == [number]
    for _ in range(20):
        bed.draft(500)
    assert bed.mine.search(f'id:"{number}"') == [number]
