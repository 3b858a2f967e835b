"""YAML worlds: found by name, checked to the last key, and built into the blueprint of a world."""

from __future__ import annotations

import gc
import heapq
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mockserver import generate, resources
from mockserver.clock import parse_time, render_time
from mockserver.documents import Document, read_document
from mockserver.errors import Unusable
from mockserver.fixture_fields import Fields, Mistakes, nearest, shown
from mockserver.fixture_rows import Rows, read_charges, read_invoices, read_merchants
from mockserver.fixture_state import STATE_KEYS, read_clock, read_next_ids, read_stripe
from mockserver.generate import Plan
from mockserver.store import MemoryStore, Scope
from mockserver.world import Blueprint, Provider, State

KEYS = ("description", "provider", "tokens", "merchants", "charges", "invoices", "generate", *STATE_KEYS)
GENERATE_KEYS = ("merchants", "charges", "invoices", "seed", "from", "until")
MOST_GENERATED = 10_000_000
_FIRST, _LAST = parse_time("1970-01-01"), parse_time("2999-01-01")
TOKENS: Mapping[str, tuple[int, ...] | None] = {"provider": None, "merchant1": (1,), "merchant2": (2,)}
"""The tokens of a fixture that gives none, with the merchants that they reach; None is every one."""
_MANY_OBJECTS = 100_000
_TOKEN = re.compile(r"[!-?A-~]+")
_PROVIDER = Provider(1, "Mock Prep Centre")


@dataclass(frozen=True, slots=True)
class FixtureInfo:
    """What a list of fixtures tells of one: its name, and how much it holds."""

    name: str
    description: str
    merchants: int
    charges: int
    invoices: int
    tokens: tuple[str, ...]


def load_fixture(
    name_or_file: str, *, seed: int | None = None, progress: Callable[[int, int], None] | None = None
) -> Blueprint:
    """The fixture of that name, or in that file, as a blueprint; raises `Unusable` with every mistake in it.

    `NAME:COUNT` asks a fixture that generates for that many invoices instead of its own number. `seed` stands above
    the fixture's own seeds, of what it generates and of Stripe's identifiers. `progress` is called with the number
    of generated records so far, and of all.
    """
    path, count = find_fixture(name_or_file)
    with _without_garbage_collection():
        return _build(read_document(path), path.stem, seed=seed, count=count, progress=progress)


def list_fixtures() -> list[FixtureInfo]:
    """The fixtures that travel with the package, the default one first; nothing is generated for it."""
    paths = sorted(resources.fixtures_dir().glob("*.yaml"), key=lambda path: (path.stem != "default", path.stem))
    return [_info(read_document(path), path.stem) for path in paths]


def find_fixture(name_or_file: str) -> tuple[Path, int | None]:
    """The file that a name or path means, and the number of invoices that it asks for."""
    name, colon, count = name_or_file.rpartition(":")
    counted = colon and count.isascii() and count.isdigit() and len(count) < 19 and not Path(name_or_file).is_file()
    path = resources.find(resources.fixtures_dir(), name if counted else name_or_file, kind="fixture")
    return path, int(count) if counted else None


def _build(
    document: Document,
    name: str,
    *,
    seed: int | None,
    count: int | None,
    progress: Callable[[int, int], None] | None,
) -> Blueprint:
    mistakes = Mistakes(document)
    top = Fields(mistakes, {} if document.value is None else document.value, (), KEYS)
    provider = _provider(top)
    rows = Rows()
    read_merchants(top, rows)
    plan = _plan(top, rows, seed=seed, count=count)
    if plan is not None:
        made = generate.merchants(plan, after=max(rows.declared_merchants, default=0))
        rows.merchants.update((merchant.id, merchant) for merchant in made)
        rows.declared_merchants.update((merchant.id, top) for merchant in made)
    tokens = _tokens(top, rows)
    read_charges(top, rows)
    read_invoices(top, rows)
    stripe, queue = read_stripe(top, rows, seed=seed)
    _enqueue(rows, queue)
    state = State(_store(rows), stripe, read_clock(top), queue)
    if plan is not None and not mistakes:
        generate.records(plan, state.store, stripe.identifiers, progress=progress)
    read_next_ids(top, state.store)
    description = top.text("description", empty=True) or ""
    if mistakes:
        raise Unusable(*mistakes.in_order())
    state.store.prepare(tokens.values())
    return Blueprint(name, description, provider, tokens, state)


def _enqueue(rows: Rows, queue: list[tuple[int, int]]) -> None:
    """Queue what waits for Stripe without an entry of its own, as due since it was finalized (FINALIZE-2)."""
    queued = {invoice for _, invoice in queue}
    for invoice in rows.invoices.values():
        if invoice.finalized_at is not None and invoice.stripe_invoice_id is None and invoice.id not in queued:
            heapq.heappush(queue, (invoice.finalized_at, invoice.id))


def _provider(top: Fields) -> Provider:
    part = top.part("provider", ("id", "name", "type"))
    return Provider(
        part.integer("id") or _PROVIDER.id,
        part.text("name") or _PROVIDER.name,
        part.text("type") or _PROVIDER.type,
    )


def _plan(top: Fields, rows: Rows, *, seed: int | None, count: int | None) -> Plan | None:
    """What is to be generated, if anything."""
    if not top.given("generate"):
        if count is not None:
            top.wrong("generate", f"is missing: a count of {count} invoices needs a fixture that generates them")
        return None
    part = top.part("generate", GENERATE_KEYS)
    usual = Plan()
    if count is not None:
        part.values = {**part.values, "invoices": count}
    number = partial(part.integer, least=0, most=MOST_GENERATED)
    own = part.integer("seed", least=0)
    plan = Plan(
        merchants=number("merchants") or 0,
        charges=number("charges") or 0,
        invoices=number("invoices") or 0,
        seed=next((one for one in (seed, own) if one is not None), usual.seed),
        start=_or(part.time("from"), usual.start),
        end=_or(part.time("until"), usual.end),
    )
    if plan.end <= plan.start:
        part.wrong("until", "must be later than from")
    if plan.start < _FIRST or plan.end > _LAST:
        part.wrong("from", f"must lie with until between {render_time(_FIRST)} and {render_time(_LAST)}")
    if (plan.charges or plan.invoices) and not (plan.merchants or rows.declared_merchants):
        part.wrong("merchants", "is missing: charges and invoices need merchants, generated or listed")
    return plan


def _or(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value


def _tokens(top: Fields, rows: Rows) -> dict[str, Scope]:
    everyone = frozenset(rows.declared_merchants)
    if not top.given("tokens"):
        reaches = {token: everyone if ids is None else frozenset(ids) for token, ids in TOKENS.items()}
        return {token: scope for token, scope in reaches.items() if scope <= everyone}
    given = top.values["tokens"]
    part = top.part("tokens", list(given) if isinstance(given, dict) else ())
    tokens: dict[str, Scope] = {}
    for token, reach in part.values.items():
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            part.wrong(token, f"a token is text of printable ASCII without spaces and @, got {shown(token)}")
        elif reach == "all":
            tokens[token] = everyone
        elif isinstance(reach, str) or reach is None:
            part.wrong(token, f"must be all, or a list of merchant ids, got {shown(reach)}")
        else:
            tokens[token] = frozenset(part.integers(token) or ())
            for stranger in sorted(tokens[token] - everyone):
                part.wrong(token, f"there is no merchant {stranger}: {nearest(stranger, everyone)}")
    return tokens


def _store(rows: Rows) -> MemoryStore:
    store = MemoryStore()
    for merchant in rows.merchants.values():
        store.put_merchant(merchant)
    store.put_charges(rows.charges.values())
    for invoice in rows.invoices.values():
        store.put_invoice(invoice)
    return store


def _info(document: Document, name: str) -> FixtureInfo:
    top = Fields(Mistakes(document), document.value, (), KEYS)
    plan = top.part("generate", GENERATE_KEYS)
    made = {key: plan.integer(key, least=0) or 0 for key in ("merchants", "charges", "invoices")}
    listed = {key: len(top.rows(key, ())) for key in ("merchants", "charges", "invoices")}
    return FixtureInfo(
        name,
        top.text("description") or "",
        listed["merchants"] + made["merchants"],
        listed["charges"] + made["charges"] + generate.charges_on(made["invoices"]),
        listed["invoices"] + made["invoices"],
        tuple(str(token) for token in top.values.get("tokens") or TOKENS),
    )


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Records by the million, all of which stay, would make the collector look at them again and again for nothing."""
    enabled, before = gc.isenabled(), gc.get_count()[0]
    gc.disable()
    try:
        yield
    finally:
        if gc.get_count()[0] - before > _MANY_OBJECTS:
            gc.freeze()
        if enabled:
            gc.enable()
