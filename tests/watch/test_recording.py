"""A world that was seen is served again: the same in all that was recorded, and nobody's personal data."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import yaml
from click.testing import CliRunner

from mockserver.cli.main import main
from mockserver.core.errors import Unusable
from mockserver.server.process import running as fake
from mockserver.state.fixtures.load import load_fixture
from mockserver.verify.events import RunFinished
from mockserver.watch.recording.writing import RecordSettings
from mockserver.watch.watching import Watch, Watched
from tests import plain
from tests.conftest import Api
from tests.mutants.conforming import LEGAL
from tests.mutants.frameworks import parties
from tests.mutants.frameworks.variants import VARIANTS, started
from tests.mutants.server import running
from tests.watch.clients import Client, Tap
from tests.watch.traffic import CONTRACT, TOKEN, Traffic, charge, finalized, invoice, page

MADE_UP = ("description", "stripe_invoice_id", "stripe_invoice_item_id", "charger_id")
WORK = ["pay", "pay", "create", "charge", "create", "charge", "create_by_form", "finalize", "look_at_charges", "charge"]


def recorded(tmp_path: Path, **given: Any) -> tuple[Traffic, Path]:
    """Traffic that is recorded."""
    file = tmp_path / "world.yaml"
    traffic = Traffic()
    record = RecordSettings(file=file, **given)
    traffic.watch = Watch(Watched("a test", record=record), CONTRACT, [traffic.events.append])
    return traffic, file


def _rows(url: str, token: str, path: str) -> dict[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}", "X-Selected-Client-Id": "1", "Accept": "application/json"}
    with plain.Client(base_url=url, headers=headers, trust_env=False) as http:
        return {row["id"]: row for row in http.get(path, params={"per_page": 50}).json()["data"]}


@pytest.mark.parametrize("name", ["correct", "laravel", "terse"])
def test_a_foreign_server_is_served_again_as_it_was_seen(name: str, tmp_path: Path) -> None:
    traffic, file = recorded(tmp_path)
    with running(LEGAL[name]) as server:
        tap = Tap(server.url, traffic.watch.see)
        with tap.client("merchant1", "1") as http:
            Client(http, random.Random(3)).work(WORK)
            http.get("/billing/charges", params={"per_page": 50})
            http.get("/billing/invoices", params={"per_page": 50})
        before = {path: _rows(server.url, "merchant1", path) for path in ("/billing/invoices", "/billing/charges")}
    assert traffic.ends() == 0
    with fake("--fixture", str(file), "--profile", str(file.with_name("world-profile.yaml"))) as server:
        after = {path: _rows(f"{server.base}/api", "merchant1", path) for path in before}
    for path, rows in before.items():
        assert len(rows) > 3
        for number, row in rows.items():
            assert _without(after[path][number]) == _without(row)


@pytest.mark.parametrize("name", ["fastapi", "django-vendor-range"])
def test_a_client_of_another_framework_gets_the_same_answers_again(name: str, tmp_path: Path) -> None:
    """Every question that was asked before is asked once more of what was recorded, and answered alike."""
    traffic, file = recorded(tmp_path)
    variant = next(one for one in VARIANTS if one.name == name)
    merchant = str(parties.PAYING)
    with started(variant) as server:
        tap = Tap(server.base_url, traffic.watch.see)
        with tap.client(server.token, merchant) as http:
            client = Client(http, random.Random(3))
            client.work(WORK)
            asked = _questions(client)
            before = [_answered(http, target) for target in asked]
    assert traffic.ends() == 0, traffic.breaches
    with fake("--fixture", str(file), "--profile", str(file.with_name("world-profile.yaml"))) as again:
        with Tap(again.api, lambda _: None).client("provider", merchant) as http:
            after = [_answered(http, target) for target in asked]
    assert len(asked) >= 10
    for target, was, now in zip(asked, before, after, strict=True):
        assert now == was, target


def _questions(client: Client) -> list[str]:
    """What a client asks that looks at all it knows."""
    number = client.invoices[0]
    searches = [f'id:"{number}"', f'id>"{number}"', 'created_at$DATE>="2020-01-01"', 'created_at$DATE<"2020-01-01"']
    return [
        "/billing/invoices?per_page=50",
        *(f"/billing/invoices?per_page=2&page={page}" for page in range(1, 4)),
        *(f"/billing/invoices?{urlencode({'q': search})}" for search in searches),
        "/billing/charges?per_page=50",
        *(f"/billing/charges/{charge}" for charge in client.charges),
    ]


def _answered(http: httpx.Client, target: str) -> tuple[int, object]:
    """The status, and of the body what is of the records: addresses, and what is made up, are not."""
    answer = http.get(target)
    body = answer.json()
    figures = {name: body.get(name) for name in ("current_page", "from", "to", "total", "last_page", "per_page")}
    return answer.status_code, (figures, [_without(row) for row in body.get("data", [body.get("charge", {})])])


def _without(row: dict[str, Any]) -> dict[str, Any]:
    """Without what is made up, and the statuses that Stripe gives by itself meanwhile."""
    kept = {name: value for name, value in row.items() if name not in (*MADE_UP, "stripe_invoice_status")}
    # An open choice that no profile has: what a paid invoice is called.
    return {**kept, "status": "Draft" if row["status"] == "Draft" else row["status"] in ("Open", "Invoiced", "Void")}


def test_no_personal_data_travels_and_the_same_stays_the_same(tmp_path: Path) -> None:
    secret = "Returns of Jane Doe, Main Street 1"
    traffic, file = recorded(tmp_path)
    on_stripe = {"stripe_invoice_id": "in_1JaneDoe", "stripe_invoice_status": "open"}
    traffic.lists(finalized(1, description=secret, **on_stripe), invoice(2, description=secret), invoice(3))
    assert traffic.ends() == 0
    text = file.read_text()
    for word in (secret, "Jane", "in_1JaneDoe", TOKEN, TOKEN.partition("|")[2]):
        assert word not in text
    first, second, third = yaml.safe_load(text)["invoices"]
    assert first["description"] == second["description"]
    assert "description" not in third
    again, other = recorded(tmp_path, seed=2)
    again.lists(finalized(1, description=secret, **on_stripe))
    again.ends()
    assert yaml.safe_load(other.read_text())["invoices"][0]["description"] != first["description"]


def test_amounts_and_dates_are_changed_where_that_is_asked_for(tmp_path: Path) -> None:
    traffic, file = recorded(tmp_path, amounts=True, dates=True)
    traffic.charges(charge(5))
    traffic.charges(charge(6, amount=3, price=3, currency="JPY"))
    traffic.creates(invoice(1), [5])
    traffic.ends()
    world = yaml.safe_load(file.read_text())
    assert world["charges"][0]["amount"] != "12.50"
    assert world["charges"][1]["amount"].isdigit()
    assert world["invoices"][0]["charges"] == [5]
    assert not world["charges"][0]["created_at"].startswith("2026-03-01T09:00:00")


def test_what_could_not_be_known_is_said(tmp_path: Path) -> None:
    traffic, file = recorded(tmp_path)
    traffic.lists(finalized(1), invoice(2, total=0))
    alone = charge(9, status="Invoiced", amount=99, price=99)
    traffic.say("GET", "/billing/charges/9", {"charge": alone, "charge_items": []})
    traffic.ends()
    text = file.read_text()
    assert "# Of 1 invoices not all charges were seen" in text
    assert "# Left out: 1 charges on invoices that were not seen" in text
    assert [len(row["charges"]) for row in yaml.safe_load(text)["invoices"]] == [1, 0]


def on_stripe(number: int, **given: Any) -> dict[str, Any]:
    return finalized(number, **{"stripe_invoice_id": "in_1same", "stripe_invoice_status": "open", **given})


@pytest.mark.parametrize(
    ("invoices", "charges"),
    [
        ([on_stripe(1), on_stripe(2)], []),
        ([invoice(2**60), invoice(3)], []),
        ([invoice(1, total=2e10)], []),
        ([invoice(1, charger_id="\u00b2"), invoice(2, charger_id="0"), invoice(3, charger_id="9" * 20)], []),
        ([invoice(1, charger_id="9" * 20)], [charge(5, status="Void")]),
    ],
    ids=["one Stripe invoice of two", "a large id", "a large amount", "odd providers", "void"],
)
def test_whatever_was_seen_becomes_a_file_that_can_be_served(
    invoices: list[dict[str, Any]], charges: list[dict[str, Any]], tmp_path: Path
) -> None:
    traffic, file = recorded(tmp_path)
    if charges:
        traffic.creates(invoices[0], [row["id"] for row in charges])
    traffic.lists(*invoices)
    for row in charges:
        traffic.say("GET", f"/billing/charges/{row['id']}", {"charge": row, "charge_items": []})
    assert traffic.ends() in (0, 1)
    load_fixture(str(file), seed=1)


def test_a_create_of_all_that_is_open_takes_what_was_seen_to_be(tmp_path: Path) -> None:
    traffic, file = recorded(tmp_path)
    for number in (5, 6):
        traffic.charges(charge(number))
    traffic.say("POST", "/billing/invoices", {"message": "Created.", "invoice": invoice(1, total=25)})
    traffic.ends()
    world = yaml.safe_load(file.read_text())
    assert [row["charges"] for row in world["invoices"]] == [[5, 6]]
    assert len(world["charges"]) == 2


def test_a_create_of_all_that_is_open_takes_what_was_seen_of_it_where_others_were_not(tmp_path: Path) -> None:
    traffic, file = recorded(tmp_path)
    traffic.charges(charge(5))
    traffic.charges(charge(6, amount=3, price=3, currency="EUR"))
    traffic.charges(charge(7, chargee_id="2"), merchant="2")
    traffic.say("POST", "/billing/invoices", {"message": "Created.", "invoice": invoice(1, total=100)})
    traffic.charges(charge(8))
    traffic.ends()
    world = yaml.safe_load(file.read_text())
    assert [row["charges"] for row in world["invoices"]] == [[5, 9]]
    assert {row["id"]: row["amount"] for row in world["charges"]}[9] == "87.5"
    told = "1 creates took all that was open: the charges that were open before are guessed to be on their invoices."
    assert f"# {told}" in file.read_text().splitlines()
    assert told in traffic.notes


def test_what_is_open_after_a_create_of_all_that_is_open_is_not_on_its_invoice(tmp_path: Path) -> None:
    traffic, file = recorded(tmp_path)
    for number in (5, 6):
        traffic.charges(charge(number))
    traffic.say("POST", "/billing/invoices", {"message": "Created.", "invoice": invoice(1, total=12.5)})
    traffic.say("GET", "/billing/charges/6", {"charge": charge(6), "charge_items": []})
    traffic.say("POST", "/billing/invoices", {"message": "Created.", "invoice": invoice(2, total=13)})
    traffic.say("GET", "/billing/charges", page([charge(7)]))
    traffic.ends()
    assert [row["charges"] for row in yaml.safe_load(file.read_text())["invoices"]] == [[5], [6, 8]]


def test_an_answer_that_came_late_shows_what_was_open_before_a_create(tmp_path: Path) -> None:
    traffic, file = recorded(tmp_path)
    traffic.say("POST", "/billing/invoices", {"message": "Created.", "invoice": invoice(1, total=20)}, at=(101, 102))
    traffic.say("GET", "/billing/charges", page([charge(5)]), at=(100, 105))
    traffic.ends()
    assert [row["charges"] for row in yaml.safe_load(file.read_text())["invoices"]] == [[5, 6]]


def test_what_comes_to_more_than_the_total_is_on_no_invoice_and_said_to_be_unsure(tmp_path: Path) -> None:
    traffic, file = recorded(tmp_path)
    for number in (5, 6):
        traffic.charges(charge(number))
    traffic.say("POST", "/billing/invoices", {"message": "Created.", "invoice": invoice(1, total=20)})
    traffic.ends()
    assert [row["charges"] for row in yaml.safe_load(file.read_text())["invoices"]] == [[7]]
    assert "1 creates took all that was open: what is open here may be on an invoice." in traffic.notes


def test_the_story_of_the_readme_is_gone_on_with_and_bills_nothing_twice(api: Api, tmp_path: Path) -> None:
    charge = api.charge(12.5)
    created = api.post("/billing/invoices", headers={"X-Selected-Client-Id": "1"}).json()["invoice"]
    assert created["total"] > 12.5, "of what it took only one was seen"
    api.finalize(created["id"])
    api.collect(created["id"])
    har, file = tmp_path / "session.har", tmp_path / "world.yaml"
    har.write_text(api.control("GET", "/journal?format=har").text)
    done = CliRunner().invoke(main, ["check", str(har), "--record", str(file)])
    assert done.exit_code == 0, done.output
    with fake("--fixture", str(file), "--profile", str(tmp_path / "world-profile.yaml")) as again:
        after = Api(again, "again", "provider", api.http)
        assert after.get(f"/billing/charges/{charge['id']}").json()["charge"]["status"] == "Invoiced"
        refused = after.post("/billing/invoices", headers={"X-Selected-Client-Id": "1"})
        assert refused.status_code == 422, refused.text
        assert after.create(charge["id"]).status_code == 422
        assert after.invoice(created["id"])["total"] == created["total"]


def test_a_file_that_can_not_be_written_costs_no_verdict(tmp_path: Path) -> None:
    traffic, file = recorded(tmp_path)
    traffic.lists(invoice(1))
    file.mkdir()
    with pytest.raises(Unusable):
        traffic.ends()
    last = traffic.events[-1]
    assert isinstance(last, RunFinished)
    assert last.exit_code == 2
    file.rmdir()
    traffic, file = recorded(tmp_path)
    traffic.lists(invoice(1), invoice(2, total="much"))
    traffic.lists(invoice(1))
    file.mkdir()
    assert traffic.ends() == 1


def test_merchants_that_are_no_numbers_and_other_worlds_are_told_apart(tmp_path: Path) -> None:
    traffic, file = recorded(tmp_path)
    traffic.lists(invoice(1, chargee_id="c-9f"), invoice(2, chargee_id="c-9f"), token="provider@a")
    traffic.lists(invoice(1, chargee_id="7"), token="provider@b")
    traffic.ends()
    world = yaml.safe_load(file.read_text())
    assert {row["merchant"] for row in world["invoices"]} == {1}
    assert "1 other worlds" in file.read_text()


def test_a_place_that_can_not_be_written_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="--record"):
        recorded(tmp_path / "nowhere")


def states(file: Path) -> dict[int, tuple[bool, str | None]]:
    """Of each invoice that was recorded whether it is finalized, and how it is on Stripe."""
    rows = yaml.safe_load(file.read_text()).get("invoices", [])
    return {row["id"]: ("finalized_at" in row, row.get("stripe_invoice_status")) for row in rows}


def test_actions_that_answer_a_message_alone_are_recorded(tmp_path: Path) -> None:
    traffic, file = recorded(tmp_path)
    for number in (1, 2, 3):
        traffic.creates(invoice(number))
    traffic.acts("finalize", 1)
    traffic.acts("finalize", 2)
    traffic.acts("collect", 2)
    traffic.acts("finalize", 3, {"message": "no"}, status=422)
    traffic.ends()
    assert states(file) == {1: (True, None), 2: (True, "paid"), 3: (False, None)}
    load_fixture(str(file), seed=1)


def test_what_is_locked_or_paid_stays_so_whichever_answer_began_last(tmp_path: Path) -> None:
    traffic, file = recorded(tmp_path)
    paid = {"stripe_invoice_id": "in_2", "stripe_invoice_status": "paid"}
    traffic.lists(invoice(1), finalized(2, **{**paid, "stripe_invoice_status": "open"}))
    traffic.acts("finalize", 1, finalized(1), at=(100, 105))
    traffic.acts("collect", 2, finalized(2, **paid), at=(100, 105))
    traffic.lists(invoice(1), finalized(2, **{**paid, "stripe_invoice_status": "open"}), at=(101, 102))
    assert traffic.ends() == 0
    assert states(file) == {1: (True, None), 2: (True, "paid")}


@pytest.mark.parametrize(
    ("method", "target", "status", "kept"),
    [
        ("POST", "/_mock/reset", 200, {1}),
        ("DELETE", "/billing/invoices/2", 204, {1, 3}),
        ("DELETE", "/billing/invoices/2", 404, {1, 2, 3}),
        ("POST", "/billing/invoices/2/annul", 200, {1, 2, 3}),
        ("POST", "/login", 200, {1, 2, 3}),
    ],
)
def test_what_was_taken_away_is_not_recorded(
    method: str, target: str, status: int, kept: set[int], tmp_path: Path
) -> None:
    traffic, file = recorded(tmp_path)
    traffic.lists(invoice(3), invoice(2), invoice(1))
    traffic.say(method, target, {"message": "Done."}, status)
    traffic.lists(invoice(1))
    traffic.ends()
    assert set(states(file)) == kept


def test_a_fake_that_was_set_back_through_the_proxy_is_recorded_as_it_is_then(tmp_path: Path) -> None:
    traffic, file = recorded(tmp_path)
    traffic.lists(invoice(2), invoice(1), token="provider@a")
    traffic.watch.forget("https://portal.example.com/api", "a")
    traffic.lists(invoice(1), token="provider@a", at=(1e12, 1e12 + 1))
    traffic.ends()
    assert set(states(file)) == {1}


@pytest.mark.parametrize("after", ["nothing", "a reset", "no records"])
def test_what_was_seen_before_the_last_reset_is_recorded_where_nothing_came_after_it(
    after: str, tmp_path: Path
) -> None:
    traffic, file = recorded(tmp_path)
    traffic.lists(invoice(1))
    traffic.say("POST", "/_mock/reset", {"message": "Done."})
    traffic.lists(invoice(3), invoice(2))
    traffic.say("POST", "/_mock/reset", {"message": "Done."})
    if after == "a reset":
        traffic.say("POST", "/_mock/reset", {"message": "Done."})
    elif after == "no records":
        traffic.lists()
    traffic.ends()
    assert set(states(file)) == {2, 3}
    told = "This is what was seen before the world was last set back: no records were seen after that."
    assert told in traffic.notes
    assert f"# {told}" in file.read_text().splitlines()


def test_what_was_lost_by_a_reset_is_said_where_records_came_after_it(tmp_path: Path) -> None:
    traffic, file = recorded(tmp_path)
    traffic.lists(invoice(1))
    traffic.say("POST", "/_mock/reset", {"message": "Done."})
    traffic.lists(invoice(2))
    traffic.ends()
    assert set(states(file)) == {2}
    assert "What was seen before the world was last set back is not here." in traffic.notes


def test_records_that_were_all_taken_away_are_not_said_to_have_never_been_there(tmp_path: Path) -> None:
    traffic, file = recorded(tmp_path)
    traffic.lists(invoice(1))
    traffic.say("DELETE", "/billing/invoices/1", status=204)
    traffic.ends()
    assert not file.exists()
    assert "nothing is recorded" in traffic.notes[-1]
    assert "no records that were there at its end" in traffic.notes[-1]


def test_several_recordings_of_one_server_are_recorded_together(tmp_path: Path) -> None:
    traffic, file = recorded(tmp_path)
    traffic.lists(finalized(2), finalized(1), source="monday.har")
    traffic.lists(invoice(4), finalized(3), source="tuesday.har")
    traffic.creates(invoice(1), source="tuesday.har")
    traffic.ends()
    assert states(file) == {1: (False, None), 2: (True, None), 3: (True, None), 4: (False, None)}
    assert "other worlds" not in file.read_text()


@pytest.mark.parametrize("shown", ["in a list", "by an action"])
def test_the_label_of_what_is_finalized_is_recorded_wherever_it_is_shown(shown: str, tmp_path: Path) -> None:
    traffic, file = recorded(tmp_path)
    if shown == "in a list":
        traffic.lists(invoice(2), invoice(1, status="Open"))
    else:
        traffic.acts("finalize", 1, invoice(1, status="Open"))
    traffic.ends()
    assert yaml.safe_load(file.with_name("world-profile.yaml").read_text())["finalized_label"] == "Open"


def test_without_records_nothing_is_written(tmp_path: Path) -> None:
    traffic, file = recorded(tmp_path)
    traffic.say("GET", "/somewhere", {})
    assert traffic.ends() == 3
    assert not file.exists()
