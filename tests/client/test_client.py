"""The Python client says all that the control interface understands, and takes back what it did."""

from __future__ import annotations

import ast
import inspect
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args, get_type_hints, is_typeddict

import pytest
import yaml

import mockserver
from mockserver import client
from mockserver.billing.profile import CHOICES
from mockserver.client import Control, ControlRefused, payloads
from mockserver.client.connection import ROUTES
from mockserver.server.control.interface import DOCUMENT
from mockserver.server.process import Running
from tests.conftest import Api

SPEC = yaml.safe_load(DOCUMENT.read_text("utf-8"))


@pytest.fixture(scope="module")
def root(server: Running) -> Iterator[Control]:
    control = Control(server.base)
    yield control
    control.close()


@pytest.fixture
def control(root: Control, api: Api) -> Control:
    """A client for the world of `api`."""
    return root.world(api.world)


def documented() -> dict[str, tuple[str, str]]:
    return {
        operation["operationId"]: (method.upper(), path)
        for path, item in SPEC["paths"].items()
        for method, operation in item.items()
    }


def test_every_control_operation_has_its_route_in_the_client() -> None:
    assert documented() == ROUTES


def test_every_route_of_the_client_is_used_by_a_method() -> None:
    used = set()
    for source in Path(client.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("call", "events")
            ):
                used.add(ast.literal_eval(node.args[0]))
    assert used == set(ROUTES)


ALWAYS_THERE = {"seed"}
"""What an answer has that a question need not have, where the client has one form for both."""


def described(schema: Any) -> tuple[set[str], set[str]]:
    """The properties of an object, and those that it must have."""
    properties, required = set(schema.get("properties", ())), set(schema.get("required", ()))
    for part in schema.get("allOf", ()):
        whole = SPEC["components"]["schemas"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
        inner = described(whole)
        properties, required = properties | inner[0], required | inner[1]
    return properties, required


@pytest.mark.parametrize(
    "name",
    [name for name, form in vars(payloads).items() if is_typeddict(form) and name in SPEC["components"]["schemas"]],
)
def test_a_form_of_the_client_has_the_properties_of_its_schema(name: str) -> None:
    form = getattr(payloads, name)
    properties, required = described(SPEC["components"]["schemas"][name])
    assert set(get_type_hints(form)) == properties
    assert form.__required_keys__ == required - ALWAYS_THERE


def test_the_package_exports_few_names_in_order() -> None:
    assert mockserver.__all__ == ["Control", "ControlRefused", "Running", "running"]
    assert mockserver.__all__ == sorted(mockserver.__all__)
    for name in mockserver.__all__:
        assert getattr(mockserver, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Contrl'"):
        _ = mockserver.Contrl


@pytest.mark.parametrize("name", ["mockserver", "mockserver.pytest_plugin", "mockserver.server.process"])
def test_importing_it_imports_no_server(name: str) -> None:
    program = f"import sys, {name}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {module.partition(".")[0] for module in done.stdout.split()}
    assert not loaded & {"flask", "granian", "schemathesis", "openapi_core", "jsonschema_rs", "httpx", "yaml"}


@pytest.mark.parametrize("path", ["", "/", "/api", "/api/", "/_mock"])
def test_any_address_of_the_server_will_do(server: Running, path: str) -> None:
    control = Control(server.base + path)
    assert control.health()["status"] == "ok"
    assert control.url == server.api
    control.close()


def test_a_server_that_is_not_there_is_told_by_its_address() -> None:
    with pytest.raises(ConnectionError, match=r"no mock server answers at http://127\.0\.0\.1:9"):
        Control("http://127.0.0.1:9").health()


def test_what_answers_otherwise_than_a_mock_server_is_shown(server: Running) -> None:
    with pytest.raises(ControlRefused, match="There is nothing at") as refused:
        Control(server.base + "/elsewhere").health()
    assert refused.value.status == 404


def test_a_refusal_carries_the_servers_message(control: Control) -> None:
    with pytest.raises(ControlRefused) as refused:
        control.clock.advance("soon")
    assert (refused.value.status, refused.value.operation) == (400, "advanceClock")
    assert "soon" in str(refused.value)
    assert list(refused.value.errors) == ["by"]


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


def test_a_merchant_has_another_card_within_a_block(control: Control, api: Api) -> None:
    with control.card(1, "pm_card_radarBlock") as given:
        assert given.info["outcome"] == "fraudulent"
        assert api.collect(api.finalized()["id"]).status_code == 402
    assert api.collect(api.finalized()["id"]).status_code == 200
    control.card(1, "none")
    assert api.collect(api.finalized()["id"]).status_code == 402
    with pytest.raises(ControlRefused, match="pm_card_visa"):
        control.card(1, "pm_card_vsia")


def test_collecting_is_declined_within_a_block(control: Control, api: Api) -> None:
    invoice = api.finalized()["id"]
    with control.declines("expired_card"):
        assert "expired_card" in api.collect(invoice).json()["message"]
    assert api.collect(invoice).status_code == 200
    assert control.faults() == []


def test_one_invoice_is_declined_and_no_other(control: Control, api: Api) -> None:
    unlucky, lucky = api.finalized()["id"], api.finalized()["id"]
    with control.declines(invoice=unlucky):
        assert (api.collect(unlucky).status_code, api.collect(lucky).status_code) == (402, 200)


def test_the_next_outcomes_come_in_their_order(control: Control, api: Api) -> None:
    assert control.next_collect("expired_card", "lost_card") == ["expired_card", "lost_card"]
    invoice = api.finalized()["id"]
    assert "expired_card" in api.collect(invoice).json()["message"]
    assert control.next_collect() == ["lost_card"]
    control.clear_next_collect()
    assert control.next_collect() == []
    assert api.collect(invoice).status_code == 200


def test_a_fault_is_gone_after_its_block(control: Control, api: Api) -> None:
    with control.fault("status", status=429, operation="listInvoices", retry_after=7) as fault:
        answer = api.get("/billing/invoices")
        assert (answer.status_code, answer.headers["Retry-After"], fault.struck) == (429, "7", 1)
        assert api.get("/billing/charges").status_code == 200
    assert fault.struck == 0
    assert api.get("/billing/invoices").status_code == 200


def test_a_fault_takes_all_that_it_can_have(control: Control) -> None:
    assert set(inspect.signature(control.fault).parameters) == set(get_type_hints(payloads.GivenFault))
    control.fault("latency", operation=("listInvoices", "listCharges"), delay=timedelta(seconds=2), duration="PT1M")
    (fault,) = control.faults()
    assert (fault["operation"], fault["delay"], fault["duration"]) == (["listInvoices", "listCharges"], 2, 60)
    assert set(fault) <= set(get_type_hints(payloads.Fault))
    control.clear_faults()
    assert control.faults() == []


def test_a_fault_that_a_reset_took_away_is_no_trouble(control: Control) -> None:
    with control.fault("reset"):
        control.reset()


@pytest.mark.parametrize("end", [Control.clear_faults, Control.reset])
def test_the_end_of_a_block_takes_no_later_fault_away(control: Control, end: Callable[[Control], None]) -> None:
    with control.fault("reset"):
        end(control)
        control.fault("status", status=429)
    assert [one["kind"] for one in control.faults()] == ["status"]


def test_a_token_that_no_header_can_carry_is_told(root: Control) -> None:
    with pytest.raises(
        ValueError, match="the token 'provider@a\u2013b' has the character '\u2013', which no header can"
    ):
        root.world("a\u2013b")


def test_a_program_with_many_open_files_can_call(server: Running) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1200:
        pytest.skip("this machine allows no more open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1200), hard))
    many: list[int] = []
    try:
        while not many or many[-1] < 1024:
            many.append(os.open(os.devnull, os.O_RDONLY))
        control = Control(server.base, "provider@many")
        assert [control.health()["status"], control.health()["status"]] == ["ok", "ok"]
        control.close()
    finally:
        for descriptor in many:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_journal_is_read_from_a_cursor_on(control: Control, api: Api) -> None:
    api.charge()
    first = control.journal()
    assert ([entry["operation"] for entry in first], first.lost) == (["createQuickAdjustment"], 0)
    api.get("/billing/invoices")
    api.get("/billing/charges", params={"per_page": "many"})
    assert [entry["operation"] for entry in control.journal(since=first.cursor)] == ["listInvoices", "listCharges"]
    assert [entry["operation"] for entry in control.journal(invalid=True)] == ["listCharges"]
    assert [entry["operation"] for entry in control.journal(status="2xx", limit=1)] == ["listInvoices"]
    assert set(first[0]["request"]) == set(get_type_hints(payloads.SentRequest))
    assert set(first[0]["response"]) == set(get_type_hints(payloads.SentResponse))
    control.clear_journal()
    assert control.journal() == []


def test_the_journal_is_chosen_by_all_that_the_server_knows() -> None:
    parameters = {one["name"] for one in SPEC["paths"]["/journal"]["get"]["parameters"]}
    assert parameters == {*get_type_hints(payloads.Chosen), "format"}


def test_the_journal_is_a_har_file_and_curl_commands_too(control: Control, api: Api) -> None:
    invoice = api.finalized()["id"]
    (entry,) = control.har(operation="finalizeInvoice")["log"]["entries"]
    assert entry["request"]["url"].endswith(f"/billing/invoices/{invoice}/finalize")
    (command,) = control.curl(operation="finalizeInvoice")
    assert command.startswith("curl ")
    assert len(control.curl(invoice=invoice)) == 2


def test_what_was_said_is_verified(control: Control, api: Api) -> None:
    invoice = api.finalized()["id"]
    since = control.journal().cursor
    with control.declines("expired_card"):
        api.collect(invoice)
    api.collect(invoice)
    declined: payloads.Expectation = {"operation": "collectInvoice", "status": 402, "at_most": 1}
    paid: payloads.Expectation = {"operation": "collectInvoice", "status": 200, "invoice": invoice}
    verdict = control.verify(declined, paid, in_order=True, since=since)
    assert [result["matched"] for result in verdict["results"]] == [1, 1]
    assert set(verdict["results"][0]) == set(get_type_hints(payloads.ExpectationResult))
    with pytest.raises(AssertionError, match="came near"):
        control.verify({"operation": "collectInvoice", "status": 409})
    with pytest.raises(ControlRefused, match="the operations are"):
        control.verify({"operation": "collectInvoices"})


def test_the_records_of_a_world_are_there_with_what_the_api_does_not_show(control: Control, api: Api) -> None:
    invoice = api.draft(12.5)["id"]
    assert control.summary()["name"] == control.name
    assert control.summary()["counts"]["exchanges"] == 2
    assert control.merchants()[0]["card"] == "pm_card_visa"
    [row] = control.invoices(q=f'id:"{invoice}"')
    assert row["state"] == "draft"
    assert control.invoice(invoice)["charges"][0]["amount"] == 12.5
    page = control.charges(per_page=2)
    assert (len(page), page.page) == (2, 1)
    assert page.total == control.summary()["counts"]["charges"] > 2
    assert control.charges(per_page=2, page=page.last_page)[-1]["id"] != page[0]["id"]


def test_exchanges_are_streamed_as_they_are_said(control: Control, api: Api) -> None:
    api.get("/billing/invoices")
    stream = control.stream()
    first = next(stream)
    assert (first["number"], first["operation"]) == (1, "listInvoices")
    api.get("/billing/charges")
    assert next(stream)["operation"] == "listCharges"
    stream.close()
    assert control.exchange(2)["request"]["path"] == "/billing/charges"
    with pytest.raises(ControlRefused, match="3"):
        control.exchange(3)
