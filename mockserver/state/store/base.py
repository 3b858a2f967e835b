"""What a store must do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from mockserver.billing.records import Charge, Invoice, Merchant
from mockserver.billing.search.query import Query

Scope = frozenset[int]
"""The merchants whose records a request may see."""


class Store(Protocol):
    """The records of one world. The caller holds the world's lock; a store need not lock by itself."""

    def copy(self) -> Store:
        """An independent store of the same records."""
        ...

    def prepare(self, scopes: Iterable[Scope]) -> None:
        """Get ready for these scopes now rather than at the first page."""
        ...

    def merchants_since(self, base: Store) -> list[Merchant]:
        """Those that are otherwise in `base`, which this store was copied from, at whatever remove."""
        ...

    def charges_since(self, base: Store) -> Iterator[Charge]:
        """Those that are new since `base`, or changed."""
        ...

    def invoices_since(self, base: Store) -> Iterator[Invoice]:
        """Those that are new since `base`, or changed."""
        ...

    def watch(self) -> None:
        """From now on, note which charges and invoices are put."""
        ...

    def noted(self) -> tuple[list[Charge], list[Invoice]]:
        """The charges and invoices that were put since the last look; a copy of a store that is watched is not."""
        ...

    def reserve_ids(self, *, charge: int, invoice: int) -> None:
        """Give out only ids above these."""
        ...

    @property
    def last_ids(self) -> tuple[int, int]:
        """The highest charge id and invoice id given out or held."""
        ...

    @property
    def sizes(self) -> tuple[int, int]:
        """How many charges and how many invoices there are."""
        ...

    def merchant(self, merchant_id: int) -> Merchant | None: ...

    def merchants(self) -> list[Merchant]: ...

    def put_merchant(self, merchant: Merchant) -> None: ...

    def charge(self, charge_id: int) -> Charge | None: ...

    def charges(self) -> Iterator[Charge]:
        """All charges, in the order they came."""
        ...

    def uninvoiced(self, scope: Scope) -> list[Charge]:
        """The open charges of these merchants, by id."""
        ...

    def put_charges(self, charges: Iterable[Charge]) -> None:
        """Insert new ones, replace known ones; `created_at` and `merchant` of a known one stay as they are."""
        ...

    def invoice(self, invoice_id: int) -> Invoice | None: ...

    def invoices(self) -> Iterator[Invoice]:
        """All invoices, in the order they came."""
        ...

    def put_invoice(self, invoice: Invoice) -> None:
        """Insert or replace, like `put_charges`."""
        ...

    def has_stripe_id(self, stripe_invoice_id: str) -> bool:
        """Whether an invoice has that id on Stripe."""
        ...

    def page_of_charges(
        self, scope: Scope, *, offset: int, limit: int | None, newest_first: bool
    ) -> tuple[list[Charge], int]:
        """A page in the order of `created_at`, then `id`, and the number of all."""
        ...

    def page_of_invoices(
        self, scope: Scope, query: Query, *, offset: int, limit: int | None, newest_first: bool
    ) -> tuple[list[Invoice], int]:
        """A page of the matches in the order of `created_at`, then `id`, and the number of all matches (LIST-3, 4)."""
        ...

    def next_charge_id(self) -> int:
        """An id never given before, and not the id of any charge."""
        ...

    def next_invoice_id(self) -> int:
        """An id never given before, and not the id of any invoice (CREATE-7)."""
        ...
