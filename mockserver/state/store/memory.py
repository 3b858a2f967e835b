"""The store in memory."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Generic, TypeVar

from mockserver.billing.records import OPEN, Charge, Invoice, Merchant
from mockserver.billing.search.intervals import Intervals
from mockserver.billing.search.query import Clause, DayClause, IdClause, Operator, Query
from mockserver.state.store.base import Scope, Store
from mockserver.state.store.index import SortedIndex

Record = TypeVar("Record", bound=Charge | Invoice)
Key = TypeVar("Key")
Value = TypeVar("Value")
MOST_INDEXES = 64
"""Scopes of several merchants whose records are kept in order at the same time; those used last stay."""


class _CopyOnWriteDict(Generic[Key, Value]):
    """A dict of which copies cost only what has changed: they share a lower layer, which never changes again."""

    __slots__ = ("_lower", "_upper")

    def __init__(self, lower: dict[Key, Value], upper: dict[Key, Value]) -> None:
        self._lower = lower
        self._upper = upper

    def copy(self) -> _CopyOnWriteDict[Key, Value]:
        if not self._lower:
            self._lower, self._upper = self._upper, {}
        elif len(self._upper) > len(self._lower) // 4:
            self._lower, self._upper = {**self._lower, **self._upper}, {}
        return _CopyOnWriteDict(self._lower, self._upper.copy())

    def since(self, base: _CopyOnWriteDict[Key, Value]) -> Iterator[Value]:
        """The values that `base`, which this is a copy of, has otherwise; takes as long as there are many of them."""
        if self._lower is base._lower:
            yield from (value for key, value in self._upper.items() if base.get(key) is not value)
        else:
            # It was folded, which happens only when much has changed.
            for layer in (self._lower, self._upper):
                for key, value in layer.items():
                    if base.get(key) is not value and self[key] is value:
                        yield value

    def get(self, key: Key) -> Value | None:
        value = self._upper.get(key)
        return self._lower.get(key) if value is None else value

    def __getitem__(self, key: Key) -> Value:
        value = self._upper.get(key)
        return self._lower[key] if value is None else value

    def pick(self, keys: Iterable[Key]) -> list[Value]:
        """The values of these keys, each of which must be there; no value is false."""
        upper, lower = self._upper, self._lower
        return [upper.get(key) or lower[key] for key in keys]

    def __setitem__(self, key: Key, value: Value) -> None:
        self._upper[key] = value

    def __contains__(self, key: Key) -> bool:
        return key in self._upper or key in self._lower

    def values(self) -> Iterator[Value]:
        """The values in the order in which their keys came."""
        for key, value in self._lower.items():
            yield self._upper.get(key, value)
        for key, value in self._upper.items():
            if key not in self._lower:
                yield value


class _Table(Generic[Record]):
    """Records of one kind by id, with an index for each merchant, and for each other scope that was looked at."""

    __slots__ = ("_indexes", "_own", "last_id", "noted", "rows")

    def __init__(self, rows: _CopyOnWriteDict[int, Record]) -> None:
        self.rows = rows
        self.last_id = 0
        self.noted: dict[int, None] | None = None
        """The ids that were put since somebody looked; None while nobody wants to know."""
        self._own: dict[int, SortedIndex] = {}
        self._indexes: dict[Scope, SortedIndex] = {}

    def copy(self) -> _Table[Record]:
        twin = _Table(self.rows.copy())
        twin.last_id = self.last_id
        twin._own = {merchant: index.copy() for merchant, index in self._own.items()}
        twin._indexes = {scope: index.copy() for scope, index in self._indexes.items()}
        return twin

    def put(self, record: Record) -> None:
        known = record.id in self.rows
        self.rows[record.id] = record
        if self.noted is not None:
            self.noted[record.id] = None
        if known:
            return
        self.last_id = max(self.last_id, record.id)
        own = self._own.get(record.merchant)
        if own is None:
            own = self._own[record.merchant] = SortedIndex.of([])
        own.add(record.created_at, record.id)
        for scope, index in self._indexes.items():
            if record.merchant in scope:
                index.add(record.created_at, record.id)

    def __len__(self) -> int:
        return sum(len(index.ids) for index in self._own.values())

    def take_noted(self) -> list[Record]:
        """The records that were put since the last look."""
        noted = self.noted or {}
        self.noted = {}
        return self.rows.pick(noted)

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def index(self, scope: Scope) -> SortedIndex:
        if len(scope) == 1:
            (merchant,) = scope
            return self._own.get(merchant) or SortedIndex.of([])
        index = self._indexes.pop(scope, None)
        if index is None:
            index = SortedIndex.of((one.created_at, one.id) for one in self.rows.values() if one.merchant in scope)
            if len(self._indexes) >= MOST_INDEXES:
                del self._indexes[next(iter(self._indexes))]
        self._indexes[scope] = index
        return index


class MemoryStore:
    """A store in memory: pages by id, date or Stripe id are found by bisection, however many rows there are."""

    def __init__(self) -> None:
        self._merchants: dict[int, Merchant] = {}
        self._charges: _Table[Charge] = _Table(_CopyOnWriteDict({}, {}))
        self._invoices: _Table[Invoice] = _Table(_CopyOnWriteDict({}, {}))
        self._open: dict[int, dict[int, None]] = {}
        self._by_stripe_id: _CopyOnWriteDict[str, int] = _CopyOnWriteDict({}, {})

    def copy(self) -> MemoryStore:
        """An independent store of the same records; they are immutable and therefore shared."""
        twin = MemoryStore()
        twin._merchants = self._merchants.copy()
        twin._charges = self._charges.copy()
        twin._invoices = self._invoices.copy()
        twin._open = {merchant: charges.copy() for merchant, charges in self._open.items()}
        twin._by_stripe_id = self._by_stripe_id.copy()
        return twin

    def prepare(self, scopes: Iterable[Scope]) -> None:
        """Order the records for these scopes now rather than at the first page."""
        for scope in islice(dict.fromkeys(scopes), MOST_INDEXES):
            self._charges.index(scope)
            self._invoices.index(scope)

    def merchants_since(self, base: Store) -> list[Merchant]:
        return [one for one in self._merchants.values() if base.merchant(one.id) is not one]

    def charges_since(self, base: Store) -> Iterator[Charge]:
        return self._charges.rows.since(_memory(base)._charges.rows)

    def invoices_since(self, base: Store) -> Iterator[Invoice]:
        return self._invoices.rows.since(_memory(base)._invoices.rows)

    def watch(self) -> None:
        self._charges.noted, self._invoices.noted = {}, {}

    def noted(self) -> tuple[list[Charge], list[Invoice]]:
        return self._charges.take_noted(), self._invoices.take_noted()

    def reserve_ids(self, *, charge: int, invoice: int) -> None:
        """Give out only ids above these."""
        self._charges.last_id = max(self._charges.last_id, charge)
        self._invoices.last_id = max(self._invoices.last_id, invoice)

    @property
    def last_ids(self) -> tuple[int, int]:
        """The highest charge id and invoice id given out or held."""
        return self._charges.last_id, self._invoices.last_id

    @property
    def sizes(self) -> tuple[int, int]:
        """How many charges and how many invoices there are."""
        return len(self._charges), len(self._invoices)

    def merchant(self, merchant_id: int) -> Merchant | None:
        return self._merchants.get(merchant_id)

    def merchants(self) -> list[Merchant]:
        return list(self._merchants.values())

    def put_merchant(self, merchant: Merchant) -> None:
        self._merchants[merchant.id] = merchant

    def charge(self, charge_id: int) -> Charge | None:
        return self._charges.rows.get(charge_id)

    def charges(self) -> Iterator[Charge]:
        """All charges, in the order they came."""
        return self._charges.rows.values()

    def uninvoiced(self, scope: Scope) -> list[Charge]:
        ids = sorted(charge for merchant in scope for charge in self._open.get(merchant, ()))
        return [self._charges.rows[charge] for charge in ids]

    def put_charges(self, charges: Iterable[Charge]) -> None:
        for charge in charges:
            self._charges.put(charge)
            if charge.status == OPEN:
                self._open.setdefault(charge.merchant, {})[charge.id] = None
            elif charge.merchant in self._open:
                self._open[charge.merchant].pop(charge.id, None)

    def invoice(self, invoice_id: int) -> Invoice | None:
        return self._invoices.rows.get(invoice_id)

    def invoices(self) -> Iterator[Invoice]:
        """All invoices, in the order they came."""
        return self._invoices.rows.values()

    def put_invoice(self, invoice: Invoice) -> None:
        self._invoices.put(invoice)
        if invoice.stripe_invoice_id is not None:
            self._by_stripe_id[invoice.stripe_invoice_id] = invoice.id

    def has_stripe_id(self, stripe_invoice_id: str) -> bool:
        return self._by_stripe_id.get(stripe_invoice_id) is not None

    def next_charge_id(self) -> int:
        return self._charges.next_id()

    def next_invoice_id(self) -> int:
        return self._invoices.next_id()

    def page_of_charges(
        self, scope: Scope, *, offset: int, limit: int | None, newest_first: bool
    ) -> tuple[list[Charge], int]:
        index = self._charges.index(scope)
        total = len(index.ids)
        ids = _take(index.ids, [range(total)], offset=offset, limit=limit, backwards=newest_first)
        return self._charges.rows.pick(ids), total

    def page_of_invoices(
        self, scope: Scope, query: Query, *, offset: int, limit: int | None, newest_first: bool
    ) -> tuple[list[Invoice], int]:
        index = self._invoices.index(scope)
        matches = self._matches(index, query) if query.steps else [range(len(index.ids))]
        total = sum(map(len, matches))
        ids = _take(index.ids, matches, offset=offset, limit=limit, backwards=newest_first)
        return self._invoices.rows.pick(ids), total

    def _matches(self, index: SortedIndex, query: Query) -> list[range]:
        """The positions that match: found by bisection where the clauses allow it, else by asking each candidate."""
        whole = Intervals((0, len(index.ids))) if index.ids else Intervals()
        certain, possible = query.spans(partial(self._place, index, whole), within=whole)
        if certain == possible:
            return certain.ranges()
        rows = self._invoices.rows
        asked: list[range] = []
        for position in (one for candidates in (possible & ~certain).ranges() for one in candidates):
            invoice = rows[index.ids[position]]
            if query.matches(invoice.id, invoice.stripe_invoice_id, invoice.created_at):
                asked.append(range(position, position + 1))
        return sorted([*certain.ranges(), *asked], key=_first)

    def _place(self, index: SortedIndex, whole: Intervals, clause: Clause) -> Intervals | None:
        """The clause's matches as positions on the index, or None where only the invoices themselves can say."""
        if isinstance(clause, DayClause):
            return clause.intervals.mapped(partial(bisect_left, index.created))
        if isinstance(clause, IdClause):
            if (positions := index.positions(clause.intervals)) is not None:
                return positions
            only: int | None = clause.value
        else:
            only = self._by_stripe_id.get(clause.value)
        if clause.operator not in (Operator.EQUAL, Operator.NOT_EQUAL):
            return None
        invoice = None if only is None else self._invoices.rows.get(only)
        position = None if invoice is None else index.find(invoice.created_at, invoice.id)
        found = Intervals() if position is None else Intervals((position, position + 1))
        return found if clause.operator is Operator.EQUAL else whole & ~found


def _memory(store: Store) -> MemoryStore:
    if not isinstance(store, MemoryStore):
        raise TypeError(f"a store in memory is no copy of a {type(store).__name__}")
    return store


def _first(positions: range) -> int:
    return positions.start


def _take(ids: Sequence[int], matches: list[range], *, offset: int, limit: int | None, backwards: bool) -> list[int]:
    """The ids of rows `offset` to `offset + limit` of the matching positions, read from the front or from the back."""
    taken: list[int] = []
    for positions in reversed(matches) if backwards else matches:
        if offset >= len(positions):
            offset -= len(positions)
            continue
        wanted = len(positions) - offset
        if limit is not None:
            wanted = min(wanted, limit - len(taken))
        if backwards:
            end = positions.stop - offset
            taken += reversed(ids[end - wanted : end])
        else:
            start = positions.start + offset
            taken += ids[start : start + wanted]
        offset = 0
        if len(taken) == limit:
            break
    return taken
