"""Worlds that are kept in a database are there again in another server, with everything that is in them."""

from __future__ import annotations

import threading
from enum import Enum
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import create_engine

from mockserver.cli.serve import banner
from mockserver.server.upkeep import Upkeep
from mockserver.state import worlds
from mockserver.state.kept.database import Database
from mockserver.state.world import World
from tests.state.kept.plain import WORLD_ALONE, fields_of, parts, plain
from tests.state.kept.used import DOINGS, FIXTURE, Used

KEPT: dict[str, set[str]] = {
    "World": {"name", "faults", "snapshots", "blueprint", "state", *WORLD_ALONE},
    "State": {"store", "stripe", "clock", "queue", "outbox", "reports", "era"},
    "Blueprint": {"name", "description", "provider", "tokens", "state", "base"},
    "Snapshot": {"name", "taken_at", "blueprint"},
    "MemoryStore": {"_merchants", "_charges", "_invoices", "_open", "_by_stripe_id"},
    "_Table": {"rows", "last_id", "noted", "_own", "_indexes"},
    "SortedIndex": {"_breaks", "_shared", "created", "ids"},
    "Outbox": {"subscription", "deliveries", "pending", "held", "last_id", "lost", "noted"},
    "Event": {"_body", "_render", "at", "id", "type"},
    "Clock": {"state"},
    "Faults": {"planned", "last_id"},
    "Planned": {"id", "fault", "created_at", "seen", "struck", "chance"},
    "Stripe": {"identifiers", "ledger", "settled", "answered", "forced"},
    "Identifiers": {"seed", "given"},
}
"""Every field that changes in a world. Who adds one sees to it that `mockserver/state/kept` keeps it, or needs not."""


def same(one: World, other: World) -> None:
    """Fails unless both hold the same."""
    first, second = plain(one), plain(other)
    for name in first:
        assert first[name] == second[name], name


@pytest.mark.parametrize("seed", range(2))
def test_whatever_is_done_to_a_world_is_there_in_the_next_server(address: str, seed: int) -> None:
    chance = Random(seed)
    used = Used(address, "mine")
    names = [*DOINGS, *chance.choices([name for name in DOINGS if name != "reset"], k=60)]
    chance.shuffle(names)
    for number, name in enumerate(names):
        DOINGS[name](used, chance)
        if number % 20 == 0 or number + 1 == len(names):
            same(used.world, Used(address, "mine").world)


def test_a_restarted_server_goes_on_where_it_was_killed(address: str) -> None:
    chance = Random(7)
    for _ in range(12):
        used = Used(address, "mine")
        for name in chance.choices([name for name in DOINGS if name != "reset"], k=5):
            DOINGS[name](used, chance)
    same(used.world, Used(address, "mine").world)


def test_the_start_says_that_kept_worlds_do_not_become_those_of_another_fixture(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'team.db'}"
    first = Used(address, "ann")
    assert "kept world" not in banner(first.service)
    first.charge(4711)
    assert "1 kept world keeps its records; default is what" in banner(Used(address, "ann").service)
    first.at("bob").charge()
    other = Used(address, "ann", fixture="empty")
    told = "2 kept worlds keep their records; empty is what worlds start from that are made or reset from now on"
    assert told in banner(other.service)
    assert other.api("GET", "/billing/charges").body["total"] > 0
    assert other.at("new").api("GET", "/billing/charges").body["total"] == 0
    assert other.control("POST", "/reset").status == 200
    assert other.api("GET", "/billing/charges").body["total"] == 0


def test_every_field_of_a_world_is_known_to_be_kept_or_not(tmp_path: Path) -> None:
    used = Used(f"sqlite:///{tmp_path / 'team.db'}", "mine")
    for name in ("invoice", "finalize", "collect", "subscribe", "more", "fault", "take a fixture"):
        DOINGS[name](used, Random(1))
    seen: dict[str, set[str]] = {}
    for part in parts(used.world):
        if not isinstance(part, Enum):
            seen.setdefault(type(part).__name__, set()).update(fields_of(part))
    assert {name: seen.pop(name) for name in KEPT} == KEPT
    # These are written by their fields, whatever they are.
    assert set(seen) <= {"Attempt", "Charge", "ClockState", "Delay", "Delivery", "DeliveryAttempt", "Fault", "Invoice",
                         "Merchant", "Outcome", "Provider", "Subscription"}  # fmt: skip


def test_reading_writes_nothing(address: str) -> None:
    used = Used(address, "mine")
    for path in ("/billing/invoices", "/billing/charges"):
        assert used.api("GET", path).status == 200
    for path in ("/world", "/faults", "/clock", "/snapshots", "/webhooks", "/stripe/ledger", "/export", "/invoices"):
        assert used.control("GET", path).status == 200, path
    assert Used(address, "mine").service.worlds.names() == ["common"]
    used.charge()
    assert Used(address, "mine").service.worlds.names() == ["common", "mine"]


def test_worlds_keep_their_records_when_the_next_server_has_another_fixture(address: str) -> None:
    used = Used(address, "mine")
    used.charge()
    used.control("PUT", "/snapshots/a", {})
    again = Used(address, "mine", fixture="empty")
    same(used.world, again.world)
    assert again.control("POST", "/reset").status == 200
    assert again.world.blueprint.name == "empty"
    last = Used(address, "mine")
    assert last.world.blueprint.name == "empty"
    assert last.control("POST", "/snapshots/a/restore").status == 200
    assert last.world.blueprint.name == "default"
    same(last.world, Used(address, "mine", fixture="declines").world)


def test_a_world_that_is_dropped_is_forgotten(address: str, tmp_path: Path) -> None:
    used = Used(address, "mine")
    used.charge()
    used.control("PUT", "/snapshots/a", {})
    again = Used(address, "other")
    assert again.control("DELETE", "/worlds/mine").status == 200
    assert again.control("DELETE", "/worlds/mine").status == 404
    last = Used(address, "mine")
    assert last.service.worlds.names() == ["common"]
    assert last.world.snapshots == {}
    same(last.world, Used(f"sqlite:///{tmp_path / 'none.db'}", "mine").world)


def test_while_the_database_forgets_a_world_the_others_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = Used(f"sqlite:///{tmp_path / 'team.db'}", "mine")
    used.charge()
    forget = Database.forget
    served = threading.Event()

    def serve() -> None:
        used.service.worlds.leave(used.service.worlds.enter("other"))
        served.set()

    def forget_late(database: Database, name: str) -> None:
        threading.Thread(target=serve, daemon=True).start()
        assert served.wait(2), "another world was waited for"
        forget(database, name)

    monkeypatch.setattr(Database, "forget", forget_late)
    assert used.control("DELETE", "/worlds/mine").status == 200


def test_a_world_that_can_not_be_read_keeps_no_other_from_its_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    address = f"sqlite:///{tmp_path / 'team.db'}"
    for name in ("a", "b", "c"):
        Used(address, name).charge()
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE mockserver_worlds SET due = 0")
        connection.exec_driver_sql("UPDATE mockserver_worlds SET head = '{}' WHERE name = 'b'")
    engine.dispose()
    seen_to: list[str] = []
    attend = World.attend

    def note(world: World) -> None:
        attend(world)
        seen_to.append(world.name)

    monkeypatch.setattr(World, "attend", note)
    used = Used(address, "any")
    upkeep = Upkeep(used.service.worlds)
    for _ in range(2):
        upkeep.look(tidy=False)
    assert sorted(seen_to) == ["a", "a", "c", "c"]
    (told,) = (one.getMessage() for one in caplog.records)
    assert told.startswith("upkeep: the events of the world b could not be seen to")


def let_two_hours_pass(address: str) -> None:
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE mockserver_worlds SET used = used - 7200000000")
    engine.dispose()


def test_worlds_that_no_server_uses_or_that_are_too_many_are_forgotten(address: str) -> None:
    servers = [Used(address, name) for name in ("first", "second", "third")]
    for server in servers:
        server.charge()
    Used(address, "any", most_worlds=2).service.worlds.tidy()
    assert servers[0].service.worlds.names() == ["common", "first", "third", "second"]
    assert servers[1].service.worlds.names() == ["common", "second", "third"]
    let_two_hours_pass(address)
    # To read is to use as well.
    assert servers[1].api("GET", "/billing/invoices").status == 200
    servers[1].service.worlds.tidy()
    assert Used(address, "any").service.worlds.names() == ["common", "second"]


def test_a_world_that_is_idle_here_is_only_let_go_of(address: str) -> None:
    used = Used(address, "mine", world_idle=0.0)
    charge = used.charge().body["charge"]["id"]
    before = used.world
    Used(address, "other")
    used.service.worlds.leave(used.service.worlds.enter("other"))
    assert before.closed
    assert used.api("GET", f"/billing/charges/{charge}").status == 200


def test_a_world_that_is_to_be_kept_for_a_week_leaves_memory_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worlds, "LOADED", 0.0)
    used = Used(f"sqlite:///{tmp_path / 'team.db'}", "mine", world_idle=604_800.0)
    charge = used.charge().body["charge"]["id"]
    before = used.world
    used.service.worlds.leave(used.service.worlds.enter("other"))
    used.service.worlds.tidy()
    assert before.closed
    assert [one.name for one in used.service.worlds.listed()] == ["common", "other", "mine"]
    assert used.api("GET", f"/billing/charges/{charge}").status == 200


def test_what_fixtures_made_is_forgotten_with_what_grew_from_it(address: str) -> None:
    used = Used(address, "mine")
    used.charge()
    assert used.control("PUT", "/snapshots/a", {"fixture": FIXTURE}).status == 200
    used.service.worlds.tidy()
    assert _bases(address) == 2
    assert used.control("DELETE", "/snapshots/a").status == 200
    used.service.worlds.tidy()
    assert _bases(address) == 1
    same(used.world, Used(address, "mine").world)


def _bases(address: str) -> int:
    engine = create_engine(address)
    with engine.connect() as connection:
        count: int = connection.exec_driver_sql("SELECT count(*) FROM mockserver_bases").scalar_one()
    engine.dispose()
    return count


def test_the_time_when_no_server_ran_does_not_count_as_idle(address: str) -> None:
    used = Used(address, "mine")
    used.charge()
    let_two_hours_pass(address)
    Used(address, "any").service.worlds.tidy()
    assert Used(address, "any").service.worlds.names() == ["common", "mine"]


def test_the_servers_own_address_for_events_is_the_next_servers(address: str) -> None:
    Used(address, "mine", webhook_url="http://127.0.0.1:9/old").charge()
    told = Used(address, "mine", webhook_url="http://127.0.0.1:9/new").world.state.outbox.subscription
    assert told.url == "http://127.0.0.1:9/new"
