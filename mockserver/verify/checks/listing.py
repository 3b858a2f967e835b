"""Checks of the list of invoices: its figures, its pages, and that walking them meets every invoice once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from mockserver.verify.checks.runner import Check
from mockserver.verify.context import UNKNOWN_ID, Context
from mockserver.verify.errors import NotPossible
from mockserver.verify.generated.properties import explore
from mockserver.verify.own_records import OwnInvoice
from mockserver.verify.transport.billing_client import Billing
from mockserver.verify.transport.http import Answer


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
        ids = tuple(row["id"] for row in context.rows_there(count))
        return Scope(" OR ".join(f'id:"{number}"' for number in ids), ids)
    return scope_of([context.draft() for _ in range(count)])


def _list(context: Context, scope: Scope | None, **paging: object) -> Answer:
    return context.me.invoices(scope.q if scope else None, **paging)


def first_page(context: Context) -> None:
    """LIST-1 and LIST-2: without parameters the first page of 15 comes, and page 1 is that page."""
    plain = context.me.invoices()
    context.expect(
        "LIST-1",
        plain.status == 200,
        kind="status",
        expected="listInvoices answers 200",
        actual=f"the answer is {plain.brief()}",
        using=[plain],
        check="answers[-1].status == 200",
    )
    if plain.ok:
        _page_one(context)
        none = context.me.invoices(f'id:"{UNKNOWN_ID}"')
        context.expect(
            "LIST-1",
            none.ok and not none.rows,
            kind="no match",
            expected="no match is an empty page",
            actual=f"the answer is {none.brief()}",
            using=[none],
            check="answers[-1].json['data'] == []",
        )
        size = plain.mapping.get("per_page")
        context.expect(
            "LIST-2",
            size == 15,
            kind="default per_page",
            expected="per_page defaults to 15",
            actual=f"it is {size}",
            using=[plain],
            check="answers[-1].json['per_page'] == 15",
        )


def _page_one(context: Context) -> None:
    pagings: tuple[dict[str, Any], ...] = ({}, {"page": 1}, {"page": 1, "per_page": 15}, {})
    for _ in range(4):
        plain, first, explicit, again = (context.me.invoices(**paging) for paging in pagings)
        if _ids(plain) != _ids(again):
            # Somebody else writes.
            continue
        context.expect(
            "LIST-2",
            _ids(plain) == _ids(first) == _ids(explicit),
            kind="page 1 is not the default",
            expected="page 1 of 15 is what comes without parameters",
            actual=f"the ids are {_ids(plain)}, {_ids(first)} and {_ids(explicit)}",
            using=[plain, first, explicit],
        )
        return


def pages_of_our_own(context: Context) -> None:
    """LIST-3 and LIST-4 on invoices that nobody else touches, walked with several page sizes."""
    scope = own_scope(context, 5)
    whole = _list(context, scope, per_page=context.at_most(20))
    if set(_ids(whole)) != set(scope.ids):
        # Then the search is broken, which its own checks tell; pages can't be judged by it.
        raise NotPossible("a search for given ids does not find them")
    for size in (1, 2, 3, 5):
        walk_pages(context, scope, size, _ids(whole))


def walk_pages(context: Context, scope: Scope, size: int, order: Sequence[object]) -> None:
    """Walks all pages of `size` and one beyond, and compares with `order`."""
    count = len(scope.ids)
    pages = -(-count // size)
    answers = [_list(context, scope, page=number, per_page=size) for number in range(1, pages + 2)]
    for number, answer in enumerate(answers, 1):
        _figures(context, answer, number, size, count)
    seen = [number for answer in answers for number in _ids(answer)]
    context.expect(
        "LIST-4",
        seen == list(order),
        kind="pages do not partition",
        expected=f"going through the pages of {size} meets the {count} matches once each, in one order: {list(order)}",
        actual=f"it meets {seen}",
        using=answers,
    )
    context.expect(
        "LIST-4",
        not _ids(answers[-1]),
        kind="page past the last",
        expected="a page past the last is empty",
        actual=f"it holds {_ids(answers[-1])}",
        using=answers[-1:],
        check="answers[-1].json['data'] == []",
    )


def _figures(context: Context, answer: Answer, number: int, size: int, count: int) -> None:
    pages = -(-count // size)
    due = {"total": count, "per_page": size, "last_page": pages, "current_page": number}
    for name, value in due.items():
        figure = answer.mapping.get(name)
        context.expect(
            "LIST-3",
            figure == value,
            kind=name,
            expected=f"page {number} of {count} matches at {size} a page has the {name} {value}",
            actual=f"it is {figure}",
            using=[answer],
            check=f"answers[-1].json[{name!r}] == {value}",
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
        figure = answer.mapping.get("per_page")
        context.expect(
            "LIST-3",
            figure == size,
            kind="per_page",
            expected=f"per_page is the {size} that was asked for",
            actual=f"the answer is {answer.status} with per_page {figure}",
            using=[answer],
            check=f"answers[-1].json['per_page'] == {size}",
        )


def large_page_numbers(context: Context) -> None:
    """LIST-4: far past the end there is nothing, and it is no error; a number that is absurd may be refused."""
    for number in (1_000_000, UNKNOWN_ID):
        answer = context.me.invoices(page=number)
        refused = number == UNKNOWN_ID and answer.refused
        context.expect(
            "LIST-4",
            refused or (answer.ok and not answer.rows),
            kind="page past the last",
            expected="a page past the last is empty" + (", or refused" if number == UNKNOWN_ID else ""),
            actual=f"the answer is {answer.brief()}",
            using=[answer],
            check="answers[-1].json['data'] == []" if number != UNKNOWN_ID else "",
        )


def whole_list(context: Context) -> None:
    """LIST-3 and LIST-4 without a search, at the newest end, as far as others leave it alone."""
    for _ in range(3):
        one, two, both = (context.me.invoices(page=p, per_page=s) for p, s in ((1, 4), (2, 4), (1, 8)))
        again = context.me.invoices(page=1, per_page=4)
        if _ids(one) + _ids(two) == _ids(both):
            context.recorder.held("LIST-4")
            return
        if _ids(one) != _ids(again):
            continue
    if _ids(one) == _ids(again):
        context.expect(
            "LIST-4",
            False,
            kind="pages do not partition",
            expected="two pages of 4 are the first page of 8",
            using=[one, two, both],
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
            not both,
            kind="a charge on two pages",
            expected="going through the pages of charges meets each of them once",
            actual=f"the charges {sorted(map(str, both))} are on the first page and on the second",
            using=[one, two],
        )
        return


def newest_is_listed(context: Context) -> None:
    """CREATE-7 and GEN-9: a new invoice is in the plain list at once, at the end where the newest stand."""
    draft = context.draft()
    first = context.me.invoices(per_page=15)
    answer = first
    if draft.id not in _ids(first) and first.mapping.get("last_page", 1) != 1:
        answer = context.me.invoices(page=first.mapping.get("last_page"), per_page=15)
    if draft.id not in _ids(first) and draft.id not in _ids(answer):
        # Others may have made more than a page since.
        answer = context.me.invoices(per_page=context.at_most(25))
    listed = draft.id in _ids(first) or draft.id in _ids(answer)
    context.expect(
        "CREATE-7",
        listed,
        kind="not listed at once",
        expected="a new invoice is in the list at once",
        actual=f"invoice {draft.id} is not, the ids are {_ids(answer)}",
        using=[draft.made_by, first, answer],
    )


def orders_are_stable(context: Context) -> None:
    """LIST-4: the same page comes in the same order, whatever state its invoices are in."""
    invoices = [context.draft() for _ in range(3)]
    scope = scope_of(invoices)
    before = _list(context, scope, per_page=10)
    finalized = context.me.finalize(invoices[1].id)
    after = _list(context, scope, per_page=10)
    if len(_ids(before)) == len(_ids(after)) == 3:
        context.expect(
            "LIST-4",
            _ids(before) == _ids(after),
            kind="order changes",
            expected=f"the order stays {_ids(before)}",
            actual=f"it is {_ids(after)}",
            using=[before, finalized, after],
        )
        made = [invoice.id for invoice in invoices]
        times = {str(invoice.made_by.part("invoice").get("created_at")) for invoice in invoices}
        if len(times) == len(made):
            context.expect(
                "LIST-4",
                _ids(before) in (made, made[::-1]),
                kind="order",
                expected="invoices stand in the order of their creation, or in the opposite one",
                actual=f"they were created as {made} and stand as {_ids(before)}",
                using=[before],
            )


def generated_pages(context: Context) -> None:
    """LIST-3 and LIST-4 by property: any page of any size of our own is the right cut of the whole."""
    scope = own_scope(context, 6)
    whole = _list(context, scope, per_page=context.at_most(20))
    if set(_ids(whole)) != set(scope.ids):
        raise NotPossible("a search for given ids does not find them")

    def cut(page: int, size: int) -> None:
        answer = _list(context, scope, page=page, per_page=size)
        expected = _ids(whole)[(page - 1) * size : page * size]
        context.expect(
            "LIST-4",
            _ids(answer) == expected,
            kind="wrong cut",
            expected=f"page {page} at {size} a page holds {expected}",
            actual=f"it holds {_ids(answer)}",
            using=[answer],
        )
        _figures(context, answer, page, size, len(scope.ids))

    explore(context, "pages", {"page": st.integers(1, 8), "size": st.integers(1, 12)}, cut, examples=15)


def _ids(answer: Answer) -> list[object]:
    return [row.get("id") for row in answer.rows]


def caller_sees(context: Context, caller: Billing, number: int) -> tuple[bool, Answer]:
    """Whether `caller`'s list shows the invoice, searched by its id."""
    answer = caller.invoices(f'id:"{number}"')
    return number in _ids(answer), answer


CHECKS = (
    Check("the first page", ("LIST-1", "LIST-2"), first_page),
    Check("page sizes", ("LIST-3",), page_sizes),
    Check("large page numbers", ("LIST-4",), large_page_numbers),
    Check("a new invoice is listed", ("CREATE-7",), newest_is_listed),
    Check("pages of our own", ("LIST-3", "LIST-4"), pages_of_our_own),
    Check("the whole list", ("LIST-4",), whole_list),
    Check("pages of charges", ("LIST-4",), pages_of_charges),
    Check("the order is stable", ("LIST-4",), orders_are_stable),
    Check("generated pages", ("LIST-3", "LIST-4"), generated_pages, "property"),
)
