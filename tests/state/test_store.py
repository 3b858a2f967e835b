"""The store in memory against plain evaluation of the same records, and the independence of its copies."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.billing.records import INVOICED, Charge, Invoice
from mockserver.billing.search.query import NOTHING_ASKED, Query, parse
from mockserver.core.clock import Identifiers
from mockserver.state.fixtures.generate import Plan, merchants, records
from mockserver.state.store.base import Scope
from mockserver.state.store.memory import MOST_INDEXES, MemoryStore
from tests.properties import examples
from tests.state.random_worlds import DAY, SOME_TIME

MERCHANTS = 4
FIRST_DAY = date(1970, 1, 1) + timedelta(days=SOME_TIME // DAY)

scopes = st.frozensets(st.integers(1, MERCHANTS + 1), max_size=MERCHANTS)
times = st.integers(SOME_TIME, SOME_TIME + 3 * DAY) | st.sampled_from([SOME_TIME, SOME_TIME + DAY, SOME_TIME + DAY - 1])


@st.composite
def some_invoices(draw: st.DrawFn) -> list[Invoice]:
    """Invoices in the order they come; ids and times agree by chance only."""
    made = []
    for number in draw(st.lists(st.integers(1, 30), max_size=20, unique=True)):
        prefix = draw(st.none() | st.sampled_from(["in_a", "in_b", "in_ab"]))
        stripe_id = None if prefix is None else f"{prefix}{number}"
        merchant = draw(st.integers(1, MERCHANTS))
        made.append(Invoice(number, merchant, draw(times), "USD", 100, (number,), stripe_invoice_id=stripe_id))
    return made


@st.composite
def queries(draw: st.DrawFn) -> str:
    numbers = st.integers(0, 31).map(str)
    days = st.integers(-1, 4).map(lambda days: str(FIRST_DAY + timedelta(days=days)))
    stripe_ids = st.sampled_from(["in_a1", "in_b2", "in_ab3", "a", "ab", "in_", ""])
    clause = st.one_of(
        st.tuples(st.just("id"), st.sampled_from([":", "!:", ">", "<", ">=", "<="]), numbers),
        st.tuples(st.just("created_at$DATE"), st.sampled_from([":", ">", "<", ">=", "<="]), days),
        st.tuples(st.just("stripe_invoice_id"), st.sampled_from([":", "!:", "~", "!~"]), stripe_ids),
    )
    text = ""
    for field, operator, value in draw(st.lists(clause, min_size=1, max_size=5)):
        text += (draw(st.sampled_from([" AND ", " OR "])) if text else "") + f'{field}{operator}"{value}"'
    return text


def store_of(invoices: list[Invoice]) -> MemoryStore:
    store = MemoryStore()
    for invoice in invoices:
        store.put_invoice(invoice)
    return store


def all_of(store: MemoryStore, scope: Scope, query: Query = NOTHING_ASKED) -> list[Invoice]:
    return store.page_of_invoices(scope, query, offset=0, limit=None, newest_first=False)[0]


def plainly(invoices: list[Invoice], scope: Scope, query: Query = NOTHING_ASKED) -> list[Invoice]:
    """What matches, found by asking each invoice."""
    found = [one for one in invoices if one.merchant in scope]
    found = [one for one in found if query.matches(one.id, one.stripe_invoice_id, one.created_at)]
    return sorted(found, key=lambda one: (one.created_at, one.id))


@examples(150)
@given(some_invoices(), some_invoices(), scopes, queries(), st.integers(0, 25), st.integers(1, 8), st.booleans())
def test_a_page_holds_what_asking_each_invoice_would_find(
    early: list[Invoice], late: list[Invoice], scope: Scope, text: str, offset: int, limit: int, newest_first: bool
) -> None:
    store = store_of(early)
    store.prepare([scope])
    known = {one.id for one in early}
    late = [one for one in late if one.id not in known]
    for invoice in late:
        store.put_invoice(invoice)
    query = parse(text)
    matches = plainly(early + late, scope, query)
    if newest_first:
        matches.reverse()
    page, total = store.page_of_invoices(scope, query, offset=offset, limit=limit, newest_first=newest_first)
    assert total == len(matches)
    assert page == matches[offset : offset + limit]


@given(some_invoices(), scopes, queries(), st.integers(1, 7), st.booleans())
def test_the_pages_partition_the_matches(
    invoices: list[Invoice], scope: Scope, text: str, per_page: int, newest_first: bool
) -> None:
    store, query = store_of(invoices), parse(text)
    met: list[Invoice] = []
    for offset in range(0, len(invoices) + per_page, per_page):
        met += store.page_of_invoices(scope, query, offset=offset, limit=per_page, newest_first=newest_first)[0]
    assert sorted(met, key=lambda one: one.id) == sorted(all_of(store, scope, query), key=lambda one: one.id)


@given(some_invoices(), scopes)
def test_charges_come_in_pages_too(invoices: list[Invoice], scope: Scope) -> None:
    charges = [Charge(one.id, one.merchant, one.created_at, "USD", 1, "Storage", None) for one in invoices]
    store = MemoryStore()
    store.put_charges(charges)
    right = sorted((one for one in charges if one.merchant in scope), key=lambda one: (one.created_at, one.id))
    assert store.page_of_charges(scope, offset=0, limit=None, newest_first=False) == (right, len(right))
    assert store.page_of_charges(scope, offset=1, limit=3, newest_first=True) == (right[::-1][1:4], len(right))
    assert store.uninvoiced(scope) == sorted(right, key=lambda one: one.id)


actions = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["copy", "put", "put", "pay"]),
        st.integers(1, 30),
        st.integers(1, MERCHANTS),
        times,
    ),
    max_size=40,
)


@examples(200)
@given(some_invoices(), actions, scopes)
def test_copies_are_independent_of_each_other(
    invoices: list[Invoice], todo: list[tuple[int, str, int, int, int]], scope: Scope
) -> None:
    stores = [store_of(invoices)]
    models = [{invoice.id: invoice for invoice in invoices}]
    stores[0].prepare([scope])
    for which, action, number, merchant, moment in todo:
        which %= len(stores)
        store, model = stores[which], models[which]
        if action == "copy":
            stores.append(store.copy())
            models.append(model.copy())
        elif action == "put" and number not in model:
            invoice = Invoice(number, merchant, moment, "USD", 0, ())
            store.put_invoice(invoice)
            model[number] = invoice
        elif action == "pay" and number in model:
            invoice = replace(model[number], stripe_invoice_id=f"in_{number}", stripe_invoice_status="paid")
            store.put_invoice(invoice)
            model[number] = invoice
    for store, model in zip(stores, models, strict=True):
        assert list(store.invoices()) == list(model.values())
        for reach in (scope, frozenset({1}), frozenset(range(1, MERCHANTS + 1))):
            assert all_of(store, reach) == plainly(list(model.values()), reach)
        for number, invoice in model.items():
            assert store.invoice(number) == invoice
            if (stripe_id := invoice.stripe_invoice_id) is not None:
                assert all_of(store, frozenset({invoice.merchant}), parse(f'stripe_invoice_id:"{stripe_id}"')) == [
                    invoice
                ]


def test_a_copy_bills_its_own_charges_only() -> None:
    store = MemoryStore()
    charge = Charge(1, 1, SOME_TIME, "USD", 5, "Storage", None)
    store.put_charges([charge])
    twin = store.copy()
    twin.put_charges([replace(charge, status=INVOICED, invoice=9)])
    assert store.uninvoiced(frozenset({1})) == [charge]
    assert twin.uninvoiced(frozenset({1})) == []
    assert store.charge(1) == charge


def test_however_many_scopes_are_asked_for_few_orders_are_kept(many: MemoryStore) -> None:
    """A fixture of a megabyte can have tens of thousands of tokens, each with merchants of its own."""
    one_by_one = [frozenset({1, 10 + number}) for number in range(10 * MOST_INDEXES)]
    before = _traced(lambda: many.prepare(one_by_one[:MOST_INDEXES]))
    after = _traced(lambda: many.prepare(one_by_one))
    for scope in one_by_one:
        page, total = many.page_of_invoices(scope, NOTHING_ASKED, offset=0, limit=3, newest_first=True)
        assert {invoice.merchant for invoice in page} == {1}
        assert total > 3
    assert after < before / 10


def _traced(action: Callable[[], object]) -> int:
    """Bytes that are held after it and were not before."""
    tracemalloc.start()
    action()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return held


def test_ids_are_never_given_twice_nor_below_a_reserved_one() -> None:
    store = MemoryStore()
    assert [store.next_invoice_id(), store.next_invoice_id()] == [1, 2]
    store.put_invoice(Invoice(10, 1, SOME_TIME, "USD", 0, ()))
    store.reserve_ids(charge=20, invoice=5)
    assert (store.next_invoice_id(), store.next_charge_id()) == (11, 21)
    twin = store.copy()
    assert store.next_invoice_id() == twin.next_invoice_id() == 12


@pytest.fixture
def many() -> MemoryStore:
    """Two thousand invoices whose ids rise with their times."""
    plan = Plan(merchants=3, invoices=2000)
    store = MemoryStore()
    for merchant in merchants(plan, after=0):
        store.put_merchant(merchant)
    records(plan, store, Identifiers(1))
    return store


ASKED_BY_BISECTION = [
    'id>="500" AND id<"900"',
    'id!:"700"',
    'created_at$DATE>="2025-06-01" AND created_at$DATE<="2025-06-30"',
    'id:"5" OR created_at$DATE:"2025-06-01"',
]


@pytest.mark.parametrize("text", ASKED_BY_BISECTION)
@pytest.mark.parametrize("late", [0, 5, 200])
def test_a_search_by_id_or_day_asks_no_invoice_even_after_some_came_out_of_order(
    many: MemoryStore, text: str, late: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it takes as long among a million is thereby settled, without a clock."""
    rng = Random(7)
    known = list(many.invoices())
    for number in range(3001, 3001 + late):
        invoice = Invoice(number, 1 + number % 3, known[rng.randrange(2000)].created_at + 1, "USD", 0, ())
        many.put_invoice(invoice)
        known.append(invoice)
    query, everyone = parse(text), frozenset({1, 2, 3})
    right = plainly(known, everyone, query)
    if late <= 5:
        monkeypatch.setattr(Query, "matches", None)
    assert all_of(many, everyone, query) == right
    assert all_of(many, frozenset({2}), query) == [one for one in right if one.merchant == 2]


def test_a_stripe_id_is_found_without_asking(many: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = next(one for one in many.invoices() if one.stripe_invoice_id)
    monkeypatch.setattr(Query, "matches", None)
    query = parse(f'stripe_invoice_id:"{wanted.stripe_invoice_id}"')
    assert all_of(many, frozenset({1, 2, 3}), query) == [wanted]
    assert all_of(many, frozenset({1, 2, 3}) - {wanted.merchant}, query) == []
