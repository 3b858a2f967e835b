"""Checks of the list of invoices: its figures, its pages, and that walking them meets every invoice once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from mockserver.verify.assertions.statements import (
    all_of,
    any_of,
    id_of,
    is_refused,
    joined,
    of,
    status_of,
    succeeds,
)
from mockserver.verify.checks.freshness import is_on_one_of, showing
from mockserver.verify.checks.runner import Check
from mockserver.verify.claims.values import shown
from mockserver.verify.context.context import Context
from mockserver.verify.context.own_records import OwnInvoice
from mockserver.verify.context.records import UNKNOWN_ID
from mockserver.verify.errors import NotPossible
from mockserver.verify.generation.properties import explore
from mockserver.verify.transport.messages import Answer


@dataclass(frozen=True, slots=True)
class Scope:
    """Invoices that nobody else changes, and a search that finds just them."""

    q: str
    ids: tuple[int, ...]


def scope_of(invoices: Sequence[OwnInvoice]) -> Scope:
    """A search by equality alone, which every server has."""
    ids = tuple(invoice.id for invoice in invoices)
    return Scope(" OR ".join(f'id:"{number}"' for number in ids), ids)


def own_scope(context: Context, count: int) -> Scope:
    """Fresh drafts, or, in a run that may make none, invoices that were there before."""
    if context.options.read_only:
        ids = tuple(row["id"] for row in context.records.rows_there(count))
        return Scope(" OR ".join(f'id:"{number}"' for number in ids), ids)
    return scope_of([context.records.draft() for _ in range(count)])


def _list(context: Context, scope: Scope | None, **paging: object) -> Answer:
    return context.me.invoices(scope.q if scope else None, **paging)


def first_page(context: Context) -> None:
    """LIST-1 and LIST-2: without parameters the first page of 15 comes, and page 1 is that page."""
    plain = context.me.invoices()
    context.expect(
        "LIST-1",
        status_of(plain).equals(200),
        kind="status",
        because="listInvoices answers 200",
    )
    if plain.ok:
        _page_one(context)
        none = context.me.invoices(f'id:"{UNKNOWN_ID}"')
        context.expect(
            "LIST-1",
            all_of(succeeds(none), of(none).at("data").is_empty()),
            kind="no match",
            because="no match is an empty page",
            actual=f"the answer is {none.brief()}",
        )
        context.expect(
            "LIST-2",
            of(plain).at("per_page").equals(15),
            kind="default per_page",
            because="per_page defaults to 15",
        )


def _page_one(context: Context) -> None:
    sized = {"per_page": 15} if context.records.at_most(15) == 15 else {}
    pagings: tuple[dict[str, Any], ...] = ({}, {"page": 1}, {"page": 1, **sized}, {})
    for _ in range(4):
        plain, first, explicit, again = (context.me.invoices(**paging) for paging in pagings)
        if _ids(plain) != _ids(again):
            # Somebody else writes.
            continue
        context.expect(
            "LIST-2",
            all_of(
                of(first).each("id").equals(of(plain).each("id")), of(explicit).each("id").equals(of(plain).each("id"))
            ),
            kind="page 1 is not the default",
            because="page 1 of 15 is what comes without parameters",
            actual=f"the ids are {_ids(plain)}, {_ids(first)} and {_ids(explicit)}",
        )
        return


def pages_of_our_own(context: Context) -> None:
    """LIST-3 and LIST-4 on invoices that nobody else touches, walked with several page sizes."""
    scope = own_scope(context, context.records.on_one_page(5))
    whole = _list(context, scope, per_page=context.records.at_most(20))
    if set(_ids(whole)) != set(scope.ids):
        # Then the search is broken, which its own checks tell; pages can't be judged by it.
        raise NotPossible("a search for given ids does not find them")
    for size in (1, 2, 3, 5):
        walk_pages(context, scope, size, whole)


def walk_pages(context: Context, scope: Scope, size: int, whole: Answer) -> None:
    """Walks all pages of `size` and one beyond, and compares with the `whole` on one page."""
    count = len(scope.ids)
    pages = -(-count // size)
    answers = [_list(context, scope, page=number, per_page=size) for number in range(1, pages + 2)]
    for number, answer in enumerate(answers, 1):
        _figures(context, answer, number, size, count)
    seen = [number for answer in answers for number in _ids(answer)]
    context.expect(
        "LIST-4",
        joined(of(answer).each("id") for answer in answers).equals(of(whole).each("id")),
        kind="pages do not partition",
        because=f"going through the pages of {size} meets the {count} matches once each, in one order: {_ids(whole)}",
        actual=f"it meets {seen}",
    )
    context.expect(
        "LIST-4",
        of(answers[-1]).at("data").is_empty(),
        kind="page past the last",
        because="a page past the last is empty",
        actual=f"it holds {_ids(answers[-1])}",
    )


def _figures(context: Context, answer: Answer, number: int, size: int, count: int) -> None:
    pages = -(-count // size)
    due = {"total": count, "per_page": size, "last_page": pages, "current_page": number}
    for name, value in due.items():
        context.expect(
            "LIST-3",
            of(answer).at(name).equals(value),
            kind=name,
            because=f"page {number} of {count} matches at {size} a page has the {name} {value}",
        )


def pages_below_one(context: Context) -> None:
    """LIST-2: the first page is 1, so that a page below it is refused, empty or the first, and never another one."""
    scope = own_scope(context, context.records.on_one_page(3))
    whole = _list(context, scope, per_page=context.records.at_most(20))
    if set(_ids(whole)) != set(scope.ids):
        raise NotPossible("a search for given ids does not find them")
    for number in (0, -1):
        answer = _list(context, scope, page=number, per_page=1)
        seen = of(answer)
        context.expect(
            "LIST-2",
            any_of(
                status_of(answer).compares(">=", 300),
                seen.at("data").is_empty(),
                seen.each("id").equals(of(whole).each("id").cut(0, 1)),
            ),
            kind="page below one",
            because=f"page {number} is refused, empty or the first page, {_ids(whole)[:1]}",
            actual=f"it holds {_ids(answer)}",
        )


def page_sizes(context: Context) -> None:
    """LIST-3: `per_page` is what was asked for, up to the maximum, and so is the number of rows."""
    largest = context.profile.get("per_page_max")
    for size in (1, 7, 14, 16, 30, 100, 150, 550):
        if (isinstance(largest, int) and size > largest) or (size > 100 and context.quick() < 0.5):
            continue
        answer = context.me.invoices(per_page=size)
        if not answer.ok and "per_page_max" not in context.profile:
            raise NotPossible("the largest page size is not known")
        context.expect(
            "LIST-3",
            all_of(succeeds(answer), of(answer).at("per_page").equals(size)),
            kind="per_page",
            because=f"per_page is the {size} that was asked for",
        )


def large_page_numbers(context: Context) -> None:
    """LIST-4: far past the end there is nothing, and it is no error; a number that is absurd may be refused."""
    for number in (1_000_000, UNKNOWN_ID):
        answer = context.me.invoices(page=number)
        context.expect(
            "LIST-4",
            any_of(is_refused(answer), all_of(succeeds(answer), of(answer).at("data").is_empty())),
            kind="page past the last",
            because="a page past the last is empty, or refused where it is absurd",
            actual=f"the answer is {answer.brief()}",
        )


def whole_list(context: Context) -> None:
    """LIST-3 and LIST-4 without a search, at the newest end, as far as others leave it alone."""
    half = min(4, context.records.on_one_page(context.records.at_most(8)) // 2)
    if half == 0:
        return
    for _ in range(3):
        one, two, both = (context.me.invoices(page=p, per_page=s) for p, s in ((1, half), (2, half), (1, 2 * half)))
        again = context.me.invoices(page=1, per_page=half)
        if _ids(one) + _ids(two) == _ids(both):
            context.recorder.held("LIST-4")
            return
        if _ids(one) != _ids(again):
            continue
    if _ids(one) == _ids(again):
        context.expect.breach(
            "LIST-4",
            joined([of(one).each("id"), of(two).each("id")]).equals(of(both).each("id")),
            kind="pages do not partition",
            because=f"two pages of {half} are the first page of {2 * half}",
            actual=f"they are {_ids(one)} and {_ids(two)}, and {_ids(both)}",
        )


def pages_of_charges(context: Context) -> None:
    """LIST-4 on the list of charges, as far as others leave it alone: no charge is on its first two pages both."""
    for _ in range(3):
        one, two, again = (context.me.charges(page=page) for page in (1, 2, 1))
        if _ids(one) != _ids(again):
            continue
        both = set(_ids(one)) & set(_ids(two))
        context.expect(
            "LIST-4",
            of(two).each("id").lacks(*_ids(one)),
            kind="a charge on two pages",
            because="going through the pages of charges meets each of them once",
            actual=f"the charges {sorted(map(str, both))} are on the first page and on the second",
            using=[one],
        )
        return


def newest_is_listed(context: Context) -> None:
    """CREATE-7 and GEN-9: a new invoice is in the plain list at once, at the end where the newest stand."""
    draft = context.records.draft()
    size = context.records.at_most(15)
    first = context.me.invoices(per_page=size)
    answer = first
    if draft.id not in _ids(first) and (first.figure("last_page") or 1) != 1:
        answer = context.me.invoices(page=first.figure("last_page"), per_page=size)
    seen = [first, answer]
    if not any(draft.id in _ids(page) for page in seen):
        # Others may have made more than a page since, and ids need not be given out in order.
        seen += showing(context.me.invoices, context.records.at_most(25), draft.id)
    made = id_of("invoice", draft.id)
    context.expect(
        "CREATE-7",
        is_on_one_of(seen, made),
        kind="not listed at once",
        because="a new invoice is in the list at once",
        actual=f"invoice {draft.id} is not, the ids are {_ids(seen[-1])}",
        using=[draft.made_by],
    )


def orders_are_stable(context: Context) -> None:
    """LIST-4: the same page comes in the same order, whatever state its invoices are in."""
    invoices = [context.records.draft() for _ in range(context.records.on_one_page(3))]
    scope, size = scope_of(invoices), context.records.at_most(10)
    before = _list(context, scope, per_page=size)
    finalized = context.me.finalize(invoices[1].id)
    after = _list(context, scope, per_page=size)
    if len(_ids(before)) == len(_ids(after)) == 3:
        context.expect(
            "LIST-4",
            of(after).each("id").equals(of(before).each("id")),
            kind="order changes",
            because=f"the order stays {_ids(before)}",
            using=[finalized],
        )


def generated_pages(context: Context) -> None:
    """LIST-3 and LIST-4 by property: any page of any size of our own is the right cut of the whole."""
    scope = own_scope(context, context.records.on_one_page(6))
    whole = _list(context, scope, per_page=context.records.at_most(20))
    if set(_ids(whole)) != set(scope.ids):
        raise NotPossible("a search for given ids does not find them")

    def right_cut(page: int, size: int) -> None:
        answer = _list(context, scope, page=page, per_page=size)
        cut = of(whole).each("id").cut((page - 1) * size, page * size)
        context.expect(
            "LIST-4",
            of(answer).each("id").equals(cut),
            kind="wrong cut",
            because=f"page {page} at {size} a page holds {shown(cut.value())}",
        )
        _figures(context, answer, page, size, len(scope.ids))

    sizes = st.integers(1, context.records.at_most(12))
    explore(context, "pages", {"page": st.integers(1, 8), "size": sizes}, right_cut, examples=15)


def _ids(answer: Answer) -> list[object]:
    return [row.get("id") for row in answer.rows]


CHECKS = (
    Check("the first page", ("LIST-1", "LIST-2"), first_page),
    Check("page sizes", ("LIST-3",), page_sizes, thorough=True),
    Check("large page numbers", ("LIST-4",), large_page_numbers, thorough=True),
    Check("a new invoice is listed", ("CREATE-7",), newest_is_listed),
    Check("pages of our own", ("LIST-3", "LIST-4"), pages_of_our_own),
    Check("pages below one", ("LIST-2",), pages_below_one, thorough=True),
    Check("the whole list", ("LIST-4",), whole_list, thorough=True),
    Check("pages of charges", ("LIST-4",), pages_of_charges, thorough=True),
    Check("the order is stable", ("LIST-4",), orders_are_stable, thorough=True),
    Check("generated pages", ("LIST-3", "LIST-4"), generated_pages, "property"),
)
