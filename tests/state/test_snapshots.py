"""Snapshots: taken, restored exactly, listed, compared, exported, read from fixtures, deleted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from mockserver.billing.profile import Profile
from mockserver.core import resources
from mockserver.state.diff import compare
from mockserver.state.fixtures.load import load_fixture
from mockserver.state.world import State, World
from tests.calls import calls
from tests.conftest import Api

SMALL = """
merchants:
  - {id: 1, name: Only One, currency: EUR, card: pm_card_visa}
charges:
  - {id: 7, merchant: 1, created_at: 2026-01-02T00:00:00Z, amount: 5, category: Storage, description: Storage}
tokens: {provider: all}
provider: {id: 99, name: Another Centre}
"""


def take(api: Api, name: str = "before") -> Any:
    answer = api.control("PUT", f"/snapshots/{name}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def restore(api: Api, name: str = "before") -> None:
    answer = api.control("POST", f"/snapshots/{name}/restore")
    assert answer.status_code == 200, answer.text


def difference(api: Api, name: str = "before", to: str | None = None) -> Any:
    answer = api.control("GET", f"/snapshots/{name}/diff", params={} if to is None else {"to": to})
    assert answer.status_code == 200, answer.text
    return answer.json()


def bring_in(api: Api, name: str, text: str) -> Any:
    return api.control("PUT", f"/snapshots/{name}", data={"fixture": text})


def live(api: Api) -> None:
    """Leave a trace in everything that a world has."""
    paid, queued = api.finalized(), api.finalized(20)
    assert api.collect(paid["id"]).status_code == 200
    assert queued["stripe_invoice_id"] is None
    api.draft(30)
    api.charge(40)


def test_restoring_is_exact(api: Api) -> None:
    """Records, Stripe, its queue, the clock and the webhooks' log; and the same steps then lead to the same ids."""
    api.control("POST", "/clock/freeze", json={"at": "2026-12-01T12:00:00Z"})
    live(api)
    take(api)
    everything, events = api.everything(), api.control("GET", "/webhooks/deliveries").text
    live(api)
    api.control("POST", "/clock/advance", json={"by": "P1M"})
    changed = api.everything()
    assert changed != everything
    restore(api)
    assert api.everything() == everything
    assert api.control("GET", "/webhooks/deliveries").text == events
    live(api)
    api.control("POST", "/clock/advance", json={"by": "P1M"})
    assert api.everything() == changed


def test_a_snapshot_can_be_restored_again_and_again(api: Api) -> None:
    api.control("POST", "/clock/freeze")
    take(api)
    everything = api.everything()
    for _ in range(3):
        live(api)
        restore(api)
        assert api.everything() == everything


def test_a_clock_that_ran_keeps_its_lead(api: Api) -> None:
    api.control("POST", "/clock/set", json={"to": "2040-01-01"})
    take(api)
    api.control("POST", "/clock/freeze", json={"at": "2026-01-01"})
    restore(api)
    shown = api.control("GET", "/clock").json()
    assert not shown["frozen"]
    assert shown["now"].startswith("2040-01-01T00:")


def test_what_became_due_is_done_when_a_running_world_is_restored(api: Api) -> None:
    api.control("POST", "/clock/freeze")
    invoice = api.finalized()
    api.control("POST", "/clock/run")
    take(api, "queued")
    api.control("POST", "/clock/advance", json={"by": 60})
    take(api, "done")
    assert difference(api, "queued", "done")["queue"]["removed"][0]["invoice"] == invoice["id"]
    restore(api, "queued")
    assert api.invoice(invoice["id"])["stripe_invoice_id"] is None
    restore(api, "done")
    assert api.invoice(invoice["id"])["stripe_invoice_id"].startswith("in_")


def test_a_snapshot_keeps_the_cards_outcomes_that_were_forced(api: Api) -> None:
    world = World("w", load_fixture("default"))
    world.state.stripe.forced.append(world.state.stripe.choose("none"))
    snapshot = world.take("one")
    world.state.stripe.forced.clear()
    world.restore(snapshot)
    assert [outcome.name for outcome in world.state.stripe.forced] == ["no_card_on_file"]


def test_restoring_a_world_hardly_costs_more_where_more_is_in_it() -> None:
    def cost(fixture: str) -> int:
        world = World("w", load_fixture(fixture))
        snapshot = world.take("one")
        return calls(lambda: world.restore(snapshot))

    assert cost("large:2000") < 3 * cost("large:20")


def test_snapshots_are_listed_in_the_order_of_their_names_coming(api: Api) -> None:
    api.control("POST", "/clock/freeze", json={"at": "2026-02-03"})
    for name in ("b", "a", "b"):
        take(api, name)
    rows = api.control("GET", "/snapshots").json()["data"]
    assert [row["name"] for row in rows] == ["b", "a"]
    assert rows[0]["clock"] == {"now": "2026-02-03T00:00:00.000000Z", "frozen": True}
    assert rows[0]["fixture"] == "default"


def test_snapshots_of_two_worlds_are_apart(api: Api) -> None:
    take(api)
    other = Api(api.server, f"{api.world}-other", api.token, api.http)
    assert other.control("GET", "/snapshots").json() == {"data": []}
    assert other.control("POST", "/snapshots/before/restore").status_code == 404


def test_snapshots_outlive_a_reset(api: Api) -> None:
    api.control("POST", "/clock/freeze")
    api.draft()
    take(api)
    everything = api.everything()
    api.control("POST", "/reset")
    restore(api)
    assert api.everything() == everything


def test_a_deleted_snapshot_is_gone(api: Api) -> None:
    take(api)
    assert api.control("DELETE", "/snapshots/before").status_code == 200
    for method, path in (("POST", "/restore"), ("DELETE", ""), ("GET", "/export"), ("GET", "/diff")):
        answer = api.control(method, f"/snapshots/before{path}")
        assert answer.status_code == 404, answer.text
        assert "before" in answer.json()["message"]


def test_a_snapshot_may_have_any_name(api: Api) -> None:
    name = "Zoë's 1st, 100 % & more"
    assert api.control("PUT", "/snapshots/Zo%C3%AB's%201st,%20100%20%25%20&%20more").json()["name"] == name
    assert "Zoë" in api.control("GET", "/snapshots").text


def test_a_world_keeps_a_hundred_snapshots(api: Api) -> None:
    for number in range(100):
        take(api, f"s{number}")
    answer = api.control("PUT", "/snapshots/one-more")
    assert answer.status_code == 400
    assert "delete" in answer.json()["message"]
    take(api, "s7")


def test_the_snapshots_of_a_world_hold_a_limited_number_of_sent_records(api: Api) -> None:
    """A megabyte of text takes thirty in memory; what the world itself has is shared."""
    tokens = "\n".join(f"  t{number}: all" for number in range(60_000))
    large = {"fixture": SMALL.replace(" {provider: all}", f"\n  provider: all\n{tokens}")}

    def bring_in_large(name: str) -> httpx.Response:
        return api.control("PUT", f"/snapshots/{name}", json=large)

    for name in ("one", "two", "three", "two"):
        assert bring_in_large(name).status_code == 200
    refused = bring_in_large("four")
    assert refused.status_code == 400
    assert "200,000 records of sent fixtures at most, with this one it were 240,012" in refused.json()["message"]
    take(api, "of its own")
    assert api.control("DELETE", "/snapshots/one").status_code == 200
    assert bring_in_large("four").status_code == 200


def test_nothing_differs_from_a_snapshot_just_taken(api: Api) -> None:
    live(api)
    take(api)
    found = difference(api)
    assert found["same"]
    assert found["lines"] == []


def test_a_diff_tells_what_was_added_and_changed(api: Api) -> None:
    draft = api.draft(12.5)
    take(api)
    api.finalize(draft["id"])
    api.collect(draft["id"])
    charge = api.charge(3)
    found = difference(api)
    assert not found["same"]
    (changed,) = found["invoices"]["changed"]
    assert changed["id"] == draft["id"]
    assert changed["changes"]["status"] == {"from": "Draft", "to": "Finalized"}
    assert changed["changes"]["stripe_invoice_status"] == {"from": None, "to": "paid"}
    assert found["charges"]["added"][0]["id"] == charge["id"]
    assert found["attempts"]["added"][0]["outcome"] == "succeeded"
    assert found["queue"]["added"] == [], "it is on Stripe already"
    assert found["next_ids"]["charge"] == {"from": charge["id"], "to": charge["id"] + 1}
    lines = "\n".join(found["lines"])
    assert f"~ invoice {draft['id']}: status Draft -> Finalized, stripe_invoice_status null -> paid" in lines
    assert f"+ charge {charge['id']}: Open, 3 USD, merchant 1" in lines


def test_a_diff_backwards_tells_what_was_removed(api: Api) -> None:
    take(api, "before")
    draft = api.draft()
    take(api, "after")
    assert [row["id"] for row in difference(api, "before", "after")["invoices"]["added"]] == [draft["id"]]
    back = difference(api, "after", "before")
    assert [row["id"] for row in back["invoices"]["removed"]] == [draft["id"]]
    assert back["to"] == "before"


def test_a_diff_to_an_unknown_snapshot_says_which_there_are(api: Api) -> None:
    take(api)
    answer = api.control("GET", "/snapshots/before/diff", params={"to": "befor"})
    assert answer.status_code == 404
    assert "before" in answer.json()["message"]


def test_every_part_of_a_state_is_compared_or_said_not_to_be() -> None:
    told = {"store", "stripe", "queue"}
    # Whether a report of a payment is awaited is told of its invoice; the era is another for each copy.
    untold = {"clock", "outbox", "reports", "era"}
    assert set(State.__dataclass_fields__) == told | untold
    blueprint = load_fixture("default")
    assert compare(blueprint, replace(blueprint, state=blueprint.state.copy()), Profile())["same"]


def test_an_exported_snapshot_can_be_brought_in_elsewhere(api: Api) -> None:
    api.control("POST", "/clock/freeze", json={"at": "2026-12-01T12:00:00Z"})
    live(api)
    take(api)
    text = api.control("GET", "/snapshots/before/export").text
    assert text == api.everything()
    other = Api(api.server, f"{api.world}-other", api.token, api.http)
    assert bring_in(other, "moved", text).status_code == 200
    restore(other, "moved")
    assert other.everything() == text


def test_a_fixture_that_is_brought_in_leaves_the_world_until_it_is_restored(api: Api) -> None:
    api.control("POST", "/clock/freeze")
    before = api.everything()
    assert bring_in(api, "small", SMALL).json()["fixture"] == "fixture"
    assert api.everything() == before
    restore(api, "small")
    (charge,) = api.get("/billing/charges").json()["data"]
    assert (charge["id"], charge["charger_id"], charge["currency"]) == (7, "99", "EUR")


def test_a_reset_leads_back_to_the_servers_own_fixture(api: Api) -> None:
    bring_in(api, "small", SMALL)
    restore(api, "small")
    api.control("POST", "/reset")
    charge = api.get("/billing/charges").json()["data"][0]
    assert charge["charger_id"] == "1"


def test_tokens_of_a_fixture_that_was_brought_in_open_its_world(api: Api) -> None:
    bring_in(api, "small", SMALL.replace("{provider: all}", "{provider: all, newcomer: [1]}"))
    restore(api, "small")
    assert api.get("/billing/charges", token="newcomer").status_code == 200
    assert api.get("/billing/charges", token="merchant1").status_code == 401
    assert api.http.get(f"{api.server.api}/billing/charges?api_token=newcomer").status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/reset"),
        ("POST", "/snapshots/before/restore"),
        ("DELETE", "/worlds/{world}"),
        ("GET", "/journal"),
    ],
)
def test_a_fixture_with_other_tokens_locks_nobody_out_of_control(api: Api, method: str, path: str) -> None:
    take(api)
    bring_in(api, "small", SMALL.replace("{provider: all}", "{newcomer: all}"))
    restore(api, "small")
    assert api.get("/billing/charges").status_code == 401
    assert api.http.get(
        f"{api.server.control}/world", headers={"Authorization": f"Bearer newcomer@{api.world}"}
    ).json()["tokens"] == [{"token": "newcomer", "merchants": [1]}]
    answer = api.control(method, path.format(world=api.world))
    assert answer.status_code == 200, answer.text
    assert api.get("/billing/charges").status_code == (401 if method == "GET" else 200)


def test_webhooks_stay_when_a_fixture_is_brought_in(api: Api) -> None:
    api.control("PUT", "/webhooks", json={"secret": "mine"})
    bring_in(api, "small", SMALL)
    restore(api, "small")
    assert api.control("GET", "/webhooks").json()["secret"] == "mine"


def test_a_fixture_may_come_as_json_too(api: Api) -> None:
    assert api.control("PUT", "/snapshots/small", json={"fixture": SMALL}).status_code == 200


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("merchants:\n  - {id: 1, name: A, currency: USD, card: pm_card_vsa}\n", "line 2: merchants.0.card"),
        ("merchants: [\n", "line 2"),
        ("merchant: []\n", "merchants"),
        ("merchants:\n  - {id: 010, name: A, currency: USD}\n", "line 2: merchants.0.id: 010 begins with a 0"),
        (
            "generate: {merchants: 1, invoices: 400000}\n",
            "line 1: generate.invoices: must be at most 5,000 in a fixture that is sent, got 400000: "
            "a file that the server starts with, --fixture FILE, may generate 10,000,000",
        ),
        ("generate: {merchants: 5001}\n", "line 1: generate.merchants: must be at most 5,000"),
        ("generate: {merchants: 1, charges: 5001}\n", "line 1: generate.charges: must be at most 5,000"),
        (
            "a: &a [x,x,x,x,x,x,x,x,x]\n"
            + "\n".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
            "aliases stand for more than 20,000 values",
        ),
    ],
)
def test_mistakes_in_a_fixture_are_told_by_their_lines(api: Api, text: str, told: str) -> None:
    answer = bring_in(api, "bad", text)
    assert answer.status_code == 400
    problems = answer.json()["errors"]["fixture"]
    assert told in problems[0]
    assert "/" not in problems[0], "where it was read from is nobody's business"
    assert api.control("GET", "/snapshots").json() == {"data": []}


def test_a_fixture_that_is_sent_may_generate_what_a_test_needs(api: Api) -> None:
    assert bring_in(api, "many", "generate: {merchants: 2, invoices: 5000}\n").status_code == 200
    restore(api, "many")
    assert api.get("/billing/invoices").json()["total"] == 5000


@pytest.mark.parametrize("name", ["default", "declines", "empty"])
def test_every_small_fixture_can_be_brought_in(api: Api, name: str) -> None:
    text = Path(resources.fixtures_dir(), f"{name}.yaml").read_text(encoding="utf-8")
    assert bring_in(api, name, text).status_code == 200
    restore(api, name)
    assert api.get("/billing/invoices").status_code == 200
