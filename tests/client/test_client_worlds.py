"""Worlds, clocks, snapshots and webhooks by the Python client, which takes back what it did for a while."""

from __future__ import annotations

import inspect
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args, get_type_hints

import pytest
import yaml

from mockserver.billing.profile import CHOICES
from mockserver.client import Control, ControlRefused, payloads
from mockserver.server.process import Running
from tests.client.document import SPEC
from tests.conftest import Api


def test_a_world_is_called_as_its_token_says(root: Control, server: Running) -> None:
    world = root.world("checkout-17")
    assert (world.name, world.token, world.url) == ("checkout-17", "provider@checkout-17", server.api)
    assert world.headers == {"Authorization": "Bearer provider@checkout-17"}
    assert world.token_for("merchant1") == "merchant1@checkout-17"
    assert (root.name, root.token_for("merchant1")) == ("common", "merchant1")
    assert root.world().name != root.world().name


def test_worlds_are_listed_and_forgotten(root: Control) -> None:
    world = root.world("forgotten")
    world.clock.freeze()
    assert "forgotten" in [one["name"] for one in root.worlds()]
    world.delete()
    assert "forgotten" not in [one["name"] for one in root.worlds()]


@pytest.mark.parametrize(
    "name", ["feature/x", "/", "a//b", "a%2Fb", "100%", "what? #1", "zo\u00eb", "snapshots/x/restore"]
)
def test_worlds_and_snapshots_may_have_any_name(root: Control, name: str) -> None:
    world = root.world(name)
    world.clock.freeze()
    assert world.summary()["name"] == name
    with world.snapshot():
        kept = world.snapshot(name)
        assert [one["name"] for one in world.snapshots()][1:] == [name]
        assert kept.diff()["invoices"] == {"added": [], "removed": [], "changed": []}
        assert kept.export() == world.export()
        kept.restore()
        kept.delete()
    world.delete()
    assert name not in [one["name"] for one in root.worlds()]


def test_the_documents_are_those_of_the_server(control: Control) -> None:
    assert yaml.safe_load(control.spec_yaml())["info"] == control.spec()["info"]
    assert yaml.safe_load(control.control_spec_yaml()) == control.control_spec() == SPEC


def test_the_open_choices_are_those_that_the_server_makes(control: Control) -> None:
    made = {one["key"]: one for one in control.choices()}
    assert set(made) == set(CHOICES)
    assert made["create_status"]["value"] == made["create_status"]["values"][0] == 200


def test_a_reset_world_is_as_it_was_exported(control: Control, api: Api) -> None:
    before = control.export()
    api.charge()
    assert control.export() != before
    control.reset()
    assert control.export() == before


def test_the_ledger_has_every_attempt(control: Control, api: Api) -> None:
    invoice = api.finalized()["id"]
    api.collect(invoice)
    (attempt,) = control.ledger(invoice=invoice)
    assert (attempt["charged"], attempt["amount"]) == (True, 1000)
    assert attempt in control.ledger()
    assert set(attempt) == set(get_type_hints(payloads.Attempt))


@pytest.mark.parametrize("day", ["2030-01-01", date(2030, 1, 1), datetime(2030, 1, 1, tzinfo=UTC)])
def test_a_clock_is_frozen_at_a_moment(control: Control, day: Any) -> None:
    assert control.clock.freeze(day) == datetime(2030, 1, 1, tzinfo=UTC)
    assert control.clock.get() == {"now": "2030-01-01T00:00:00.000000Z", "frozen": True}


@pytest.mark.parametrize("by", ["P3D", 3 * 86400, timedelta(days=3)])
def test_a_clock_is_moved_by_a_duration(control: Control, by: Any) -> None:
    control.clock.freeze("2030-01-01")
    assert control.clock.advance(by) == datetime(2030, 1, 4, tzinfo=UTC)


def test_a_clock_is_set_and_runs(control: Control) -> None:
    control.clock.freeze()
    control.clock.set("2030-01-01")
    started = control.clock.run()
    assert started.year == 2030
    assert control.clock.now() > started


def test_a_clock_that_ran_runs_on_after_being_frozen(control: Control) -> None:
    before = control.clock.now()
    with control.frozen("2030-01-01") as now:
        assert now == control.clock.now() == datetime(2030, 1, 1, tzinfo=UTC)
    assert not control.clock.get()["frozen"]
    assert timedelta(0) <= control.clock.now() - before < timedelta(seconds=5)


def test_a_clock_that_stood_stands_where_it_stood_after_being_frozen_elsewhere(control: Control) -> None:
    stood = control.clock.freeze("2029-05-05")
    with control.frozen("2030-01-01"):
        control.clock.advance("P1D")
    assert control.clock.now() == stood
    assert control.clock.get()["frozen"]


def test_a_clock_is_let_go_also_when_the_block_fails(control: Control) -> None:
    with pytest.raises(ZeroDivisionError), control.frozen():
        _ = 1 / 0
    assert not control.clock.get()["frozen"]


def test_a_snapshot_takes_the_world_back_when_the_block_ends(control: Control, api: Api) -> None:
    with control.snapshot() as kept:
        api.charge(amount=3)
        assert not kept.diff()["same"]
        assert kept.diff()["charges"]["added"][0]["amount"] == 3
        exported = kept.export()
    assert control.snapshots() == []
    assert control.export() == exported


def test_a_named_snapshot_stays_until_it_is_deleted(control: Control, api: Api) -> None:
    kept = control.snapshot("before")
    api.charge()
    control.restore("before")
    assert kept.diff()["same"]
    assert [one["name"] for one in control.snapshots()] == ["before"]
    other = control.snapshot("other")
    assert kept.diff("other")["to"] == "other"
    other.delete()
    kept.restore()
    kept.delete()
    assert control.snapshots() == []
    with pytest.raises(ControlRefused, match="before"):
        kept.restore()


def test_a_snapshot_is_read_from_a_fixture(control: Control) -> None:
    exported = control.export()
    kept = control.snapshot("read", fixture=exported)
    assert kept.export() == exported
    with pytest.raises(ControlRefused, match="nonsense"):
        control.snapshot("read", fixture="nonsense: 1")


def test_events_are_fetched_without_an_address(control: Control, api: Api) -> None:
    api.draft()
    deliveries = control.webhooks.deliveries()
    (delivery,) = deliveries
    assert (delivery["type"], delivery["state"], deliveries.lost) == ("invoice.created", "recorded", 0)
    assert control.webhooks.delivery(delivery["id"]) == delivery
    assert control.webhooks.deliveries(after=deliveries.cursor) == []
    assert control.webhooks.deliveries(state="failed") == []


def test_a_subscription_says_what_was_given_and_the_usual_for_the_rest(control: Control, api: Api) -> None:
    told = control.webhooks.set(
        "http://127.0.0.1:9/hook", secret="s", delay=timedelta(days=1), copies=2, backoff="PT1M"
    )
    assert told == control.webhooks.get()
    assert (told["url"], told["delay"], told["copies"], told["backoff"]) == ("http://127.0.0.1:9/hook", 86400, 2, 60)
    api.draft()
    (first, _) = control.webhooks.deliveries(limit=2)
    assert first["state"] == "pending"
    assert control.webhooks.redeliver(first["id"])["id"] == first["id"]
    control.webhooks.stop()
    assert control.webhooks.get()["url"] is None


def test_a_subscription_takes_all_that_it_can_have(control: Control) -> None:
    known = SPEC["components"]["schemas"]["GivenSubscription"]["properties"]
    assert set(inspect.signature(control.webhooks.set).parameters) == set(known)


def test_what_can_be_asked_for_is_listed(control: Control) -> None:
    vocabulary = control.outcomes()
    assert {one["kind"] for one in vocabulary["faults"]} == set(get_args(payloads.FaultKind))
    assert set(vocabulary) == set(get_type_hints(payloads.Vocabulary))
    assert "expired_card" in [one["name"] for one in vocabulary["outcomes"]]
