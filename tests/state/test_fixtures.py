"""Fixtures: those that travel with the package, what a file may leave out, exports, and generated worlds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from jsonschema_rs import validate

from mockserver.billing.records import INVOICED, OPEN, PAID, STRIPE_STATUSES, VOID
from mockserver.billing.stripe import CARDS, OUTCOMES
from mockserver.core.clock import parse_time
from mockserver.core.errors import Unusable
from mockserver.core.resources import fixtures_dir
from mockserver.core.yaml_lines import read_document
from mockserver.state.fixtures.export import dump_fixture
from mockserver.state.fixtures.fields import LARGEST_ID
from mockserver.state.fixtures.generate import charges_on
from mockserver.state.fixtures.load import MOST_GENERATED, fixture_schema, list_fixtures, load_fixture
from mockserver.state.fixtures.state import ENDS
from mockserver.state.world import World
from tests.properties import examples
from tests.state.fixture_texts import OPEN_CHARGE, PEOPLE, invoice
from tests.state.random_worlds import everything, worlds

SHIPPED = ["declines", "default", "empty", "large:500"]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_fixtures_load_and_know_the_tokens(name: str) -> None:
    blueprint = load_fixture(name)
    everyone = frozenset(merchant.id for merchant in blueprint.state.store.merchants())
    assert blueprint.tokens["provider"] == everyone
    assert blueprint.tokens["merchant1"] == {1}
    assert blueprint.tokens["merchant2"] == {2}
    assert blueprint.description


@pytest.mark.parametrize("name", [name for name in SHIPPED if name != "declines"])
def test_merchants_1_and_2_pay_in_every_fixture_that_is_not_about_declines(name: str) -> None:
    store = load_fixture(name).state.store
    for number in (1, 2):
        merchant = store.merchant(number)
        assert merchant is not None
        assert merchant.card == "pm_card_visa"


def test_every_shipped_file_is_among_those_that_these_tests_load() -> None:
    assert sorted(path.stem for path in fixtures_dir().glob("*.yaml")) == [name.split(":")[0] for name in SHIPPED]


def test_the_list_of_fixtures_counts_what_loading_them_finds() -> None:
    infos = {info.name: info for info in list_fixtures()}
    assert next(iter(infos)) == "default"
    for name in ("default", "declines", "empty"):
        blueprint = load_fixture(name)
        store, info = blueprint.state.store, infos[name]
        found = (len(store.merchants()), len(list(store.charges())), len(list(store.invoices())))
        assert (info.merchants, info.charges, info.invoices) == found
        assert info.tokens == tuple(blueprint.tokens)
        assert info.description == blueprint.description
    assert infos["large"].invoices == 100_000


def test_the_default_world_has_three_pages_every_state_and_every_card() -> None:
    store = load_fixture("default").state.store
    invoices = list(store.invoices())
    assert 30 < len(invoices) <= 45
    assert {invoice.stripe_invoice_status for invoice in invoices} >= {*STRIPE_STATUSES, None} - {"draft"}
    assert any(invoice.draft for invoice in invoices)
    assert any(not invoice.draft and invoice.stripe_invoice_id is None for invoice in invoices)
    cards = {merchant.card for merchant in store.merchants()}
    assert {CARDS[card].name for card in cards} == set(OUTCOMES)
    assert len({merchant.currency for merchant in store.merchants()}) >= 4
    assert {charge.status for charge in store.charges()} == {OPEN, INVOICED, VOID}


@pytest.mark.parametrize("number", [1, 2])
def test_merchants_1_and_2_of_the_default_world_have_open_charges_and_invoices_of_their_own(number: int) -> None:
    store = load_fixture("default").state.store
    assert len(store.uninvoiced(frozenset({number}))) >= 5
    assert {invoice.draft for invoice in store.invoices() if invoice.merchant == number} == {True, False}


def test_each_merchant_of_declines_has_its_own_token_open_charges_and_an_invoice_to_collect() -> None:
    blueprint = load_fixture("declines")
    store = blueprint.state.store
    assert {CARDS[merchant.card].name for merchant in store.merchants()} == set(OUTCOMES)
    for merchant in store.merchants():
        assert blueprint.tokens[f"merchant{merchant.id}"] == {merchant.id}
        assert store.uninvoiced(frozenset({merchant.id}))
        invoice = store.invoice(merchant.id)
        assert invoice is not None
        assert invoice.merchant == merchant.id
        assert not invoice.draft
        assert invoice.stripe_invoice_status != PAID


def test_numbers_may_be_written_as_texts_and_a_float_is_the_decimal_it_prints_as(load: Any) -> None:
    charges = [
        f"  - {{id: {number}, merchant: 1, created_at: 2026-01-01, amount: {amount}}}"
        for number, amount in enumerate(["0.1", "0.10", '"0.1"', "-3", "10000", "1e2"], start=1)
    ]
    store = load(PEOPLE + "charges:\n" + "\n".join(charges)).state.store
    assert [charge.amount for charge in store.charges()] == [10, 10, 10, -300, 1_000_000, 10_000]


def test_a_whole_number_may_be_written_as_json_allows(load: Any) -> None:
    store = load("merchants: [{id: 1e3, name: A, currency: USD}, {id: 2.0, name: B, currency: USD}]").state.store
    assert repr([merchant.id for merchant in store.merchants()]) == "[1000, 2]"


def test_an_invoice_takes_its_total_and_its_currency_from_its_charges(load: Any) -> None:
    store = load(invoice("charges: 1, total: 1.0")).state.store
    found, charge = store.invoice(1), store.charge(1)
    assert (found.total, found.currency, found.charges) == (100, "USD", (1,))
    assert (charge.status, charge.invoice) == (INVOICED, 1)
    assert store.uninvoiced(frozenset({1})) == []


def test_a_file_without_tokens_gets_those_whose_merchants_it_has(load: Any) -> None:
    assert load(PEOPLE).tokens == {"provider": {1, 2}, "merchant1": {1}, "merchant2": {2}}
    assert load("merchants: [{id: 2, name: X, currency: USD}]").tokens == {"provider": {2}, "merchant2": {2}}
    assert load("").tokens == {"provider": frozenset()}


def test_a_file_may_name_its_own_tokens(load: Any) -> None:
    assert load(PEOPLE + "tokens: {boss: all, two: [2], one: 1, nobody: []}").tokens == {
        "boss": {1, 2}, "two": {2}, "one": {1}, "nobody": frozenset()
    }  # fmt: skip


def test_ids_go_on_where_the_file_says(load: Any) -> None:
    store = load(OPEN_CHARGE + "next_ids: {charge: 7, invoice: 5}").state.store
    assert (store.next_charge_id(), store.next_invoice_id()) == (7, 5)


def test_the_clock_is_as_the_file_says(load: Any) -> None:
    assert load("clock: {frozen_at: 2026-01-15T10:00:00Z}").state.clock.now() == parse_time("2026-01-15T10:00:00Z")
    assert load("clock: {ahead: -3600.5}").state.clock.state.offset == -3_600_500_000


def test_a_name_that_no_fixture_has_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(Unusable, match="did you mean declines"):
        load_fixture("decline")


def test_a_word_that_yaml_1_1_takes_for_true_is_a_text(load: Any) -> None:
    rows = "  - {id: 1, name: Yes, currency: USD}\n  - {id: 2, name: 1:30, currency: USD}\n"
    world = load("description: no\nmerchants:\n" + rows)
    assert world.description == "no"
    assert [merchant.name for merchant in world.state.store.merchants()] == ["Yes", "1:30"]


def test_very_many_mistakes_are_not_all_told(load: Any) -> None:
    with pytest.raises(Unusable) as caught:
        load("merchants:\n" + "  - {id: 0}\n" * 20_000)
    assert len(caught.value.problems) == 51
    assert "only the first 50 mistakes are told" in caught.value.problems[-1]


def test_a_count_that_is_too_large_is_refused() -> None:
    with pytest.raises(Unusable, match=r"generate\.invoices: must be at most 10,000,000, got 99999999999"):
        load_fixture("large:99999999999")


def test_a_count_is_refused_where_nothing_is_generated() -> None:
    with pytest.raises(Unusable, match="generate: is missing: a count of 5"):
        load_fixture("empty:5")


@examples(80)
@given(worlds())
def test_a_world_that_was_exported_loads_as_an_equal_world(
    tmp_path_factory: pytest.TempPathFactory, world: World
) -> None:
    path = tmp_path_factory.getbasetemp() / "exported.yaml"
    path.write_bytes(dump_fixture(world).encode())
    assert everything(World("again", load_fixture(str(path)))) == everything(world)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_world_that_was_exported_loads_as_an_equal_world(name: str, load: Any) -> None:
    world = World("shipped", load_fixture(name))
    text = dump_fixture(world)
    again = World("again", load(text))
    assert everything(again) == everything(world)
    assert dump_fixture(again) == text


def test_the_same_seed_makes_the_same_world_and_another_seed_another_one() -> None:
    first, second, other = (dump_fixture(World("x", load_fixture("large:200", seed=seed))) for seed in (3, 3, 4))
    assert first == second
    assert first != other
    assert dump_fixture(World("x", load_fixture("large:200"))) == dump_fixture(World("x", load_fixture("large:200")))


def test_generated_records_keep_the_rules_of_billing() -> None:
    store = load_fixture("large:300").state.store
    taken: set[int] = set()
    for found in store.invoices():
        charges = [store.charge(charge) for charge in found.charges]
        assert charges
        assert {(one.merchant, one.currency, one.invoice, one.status) for one in charges if one} == {
            (found.merchant, found.currency, found.id, INVOICED)
        }
        assert found.total == sum(one.amount for one in charges if one)
        assert taken.isdisjoint(found.charges)
        taken |= set(found.charges)
        assert (found.stripe_invoice_id is None) == (found.stripe_invoice_status is None)
        assert found.stripe_invoice_id is None or not found.draft
    invoices = list(store.invoices())
    assert len(invoices) == 300
    assert [one.created_at for one in invoices] == sorted(one.created_at for one in invoices)
    assert len({one.stripe_invoice_id for one in invoices if one.stripe_invoice_id}) > 250
    assert len(store.uninvoiced(frozenset({1}))) == 10


def test_generated_records_join_the_rows_of_the_file(load: Any) -> None:
    blueprint = load(invoice("charges: [1]") + "generate: {merchants: 2, invoices: 9, charges: 4, seed: 5}\n")
    store = blueprint.state.store
    assert [merchant.id for merchant in store.merchants()] == [1, 2, 3, 4]
    assert blueprint.tokens["provider"] == {1, 2, 3, 4}
    assert [found.id for found in store.invoices()] == list(range(1, 11))
    assert store.invoice(1).total == 100


def test_progress_is_told_up_to_the_last_record(load: Any) -> None:
    told: list[tuple[int, int]] = []
    load("generate: {merchants: 2, invoices: 12000, charges: 100}", progress=lambda *figures: told.append(figures))
    total = 12_000 + charges_on(12_000) + 100
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert len(told) > 2
    assert told[-1] == (total, total)


def test_the_page_on_fixtures_names_every_key() -> None:
    page = (fixtures_dir() / "README.md").read_text(encoding="utf-8")
    for key in _keys(fixture_schema()):
        assert f"`{key}`" in page


def _keys(schema: Any) -> Iterator[str]:
    """Every key that a schema knows, at any depth."""
    if isinstance(schema, dict):
        yield from schema["properties"] if isinstance(schema.get("properties"), dict) else ()
        for part in schema.values():
            yield from _keys(part)


def test_the_schema_knows_what_the_fake_knows() -> None:
    schema = fixture_schema()
    parts, stripe = schema["properties"], schema["properties"]["stripe"]["properties"]
    assert schema["$defs"]["optional_card"]["enum"] == [*CARDS, None]
    assert stripe["forced"]["items"]["enum"] == list(OUTCOMES)
    assert stripe["ledger"]["items"]["properties"]["outcome"]["enum"] == list(ENDS)
    assert parts["charges"]["items"]["properties"]["status"]["enum"] == [OPEN, INVOICED, VOID, None]
    assert parts["invoices"]["items"]["properties"]["stripe_invoice_status"]["enum"] == [*STRIPE_STATUSES, None]
    assert schema["$defs"]["id"]["maximum"] == LARGEST_ID
    assert schema["$defs"]["count"]["maximum"] == MOST_GENERATED


@pytest.mark.parametrize("name", ["declines", "default", "empty", "large"])
def test_the_shipped_fixtures_fit_the_schema_in_any_editor(name: str) -> None:
    """One that knows nothing of our own formats and words."""
    validate(fixture_schema(), read_document(fixtures_dir() / f"{name}.yaml").value)


def test_the_example_on_the_page_on_fixtures_loads(load: Any) -> None:
    page = (fixtures_dir() / "README.md").read_text(encoding="utf-8")
    store = load(page.split("```yaml\n")[1].split("```")[0]).state.store
    assert [charge.status for charge in store.charges()] == [INVOICED, OPEN, OPEN]


def test_faker_is_not_imported_for_a_world_of_rows() -> None:
    """Its import takes a tenth of a second, which every start would pay."""
    program = (
        "import sys; from mockserver.state.fixtures.load import load_fixture; load_fixture('default'); "
        "assert 'faker.factory' not in sys.modules; load_fixture('large:1'); assert 'faker.factory' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
