"""Webhooks: what is sent, how it is signed, who is told, and that it stays in its world."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import jsonschema_rs
import pytest
import yaml

from mockserver.core import resources
from mockserver.core.messages import Request
from mockserver.server.control.interface import ControlInterface
from mockserver.server.pipeline import respond
from mockserver.server.service import Current, open_service
from mockserver.server.settings import Settings
from mockserver.state.outbox import Subscription
from tests.conftest import Api
from tests.server.receiving import (
    SECRET,
    Receiver,
    advance,
    deliveries,
    eventually,
    freeze,
    settled,
    signed,
    subscribe,
)


def test_a_new_invoice_is_posted_as_the_spec_describes_it(api: Api, receiver: Receiver) -> None:
    subscribe(api, receiver.url)
    charge = api.charge(12.5)
    draft = api.create(charge["id"]).json()["invoice"]
    (got,) = receiver.wait(1)
    spec = yaml.safe_load(resources.openapi_path().read_text(encoding="utf-8"))
    schema = {"$ref": "#/components/schemas/InvoiceCreatedEvent", "components": spec["components"]}
    jsonschema_rs.validator_for(schema).validate(json.loads(got.body))
    parameters = spec["webhooks"]["invoice.created"]["post"]["parameters"]
    assert parameters == [{"$ref": "#/components/parameters/Signature"}]
    jsonschema_rs.validator_for(spec["components"]["parameters"]["Signature"]["schema"]).validate(
        got.headers["signature"]
    )
    event = json.loads(got.body)
    data = event["data"]
    assert event["type"] == "invoice.created"
    assert {key: data[key] for key in draft} == draft, "the invoice as the API shows it"
    assert (data["voided_at"], data["finalized_at"], data["is_creating_on_stripe"]) == (None, None, False)
    assert [(one["id"], one["amount"], one["status"]) for one in data["charges"]] == [(charge["id"], 12.5, "Invoiced")]
    assert got.headers["content-type"] == "application/json"


def test_the_signature_is_over_the_exact_bytes(api: Api, receiver: Receiver) -> None:
    subscribe(api, receiver.url)
    api.draft()
    (got,) = receiver.wait(1)
    assert got.headers["signature"] == signed(got.body)
    shown = settled(api, 1, "delivered", 1)
    assert shown["body"].encode() == got.body
    assert shown["signature"] == shown["attempts"][0]["signature"] == got.headers["signature"]
    assert shown["attempts"][0]["status"] == 200
    assert shown["attempts"][0]["url"] == receiver.url


def test_an_event_shows_the_invoice_as_it_was_created(api: Api, receiver: Receiver) -> None:
    """Also when nobody looks at it until the invoice is another one."""
    draft = api.draft()
    api.finalize(draft["id"])
    (shown,) = deliveries(api)
    data = json.loads(shown["body"])["data"]
    assert (data["id"], data["status"], data["finalized_at"]) == (draft["id"], "Draft", None)
    assert shown["created_at"] == draft["created_at"]


def test_a_refused_request_makes_no_event(api: Api) -> None:
    draft = api.draft()
    assert api.create(999_999).status_code == 422
    assert [json.loads(one["body"])["data"]["id"] for one in deliveries(api)] == [draft["id"]]


def test_without_an_address_events_are_recorded(api: Api) -> None:
    shown = api.control("GET", "/webhooks").json()
    assert shown["url"] is None
    api.draft()
    (shown,) = deliveries(api)
    assert (shown["state"], shown["attempts"], shown["due"]) == ("recorded", [], None)
    assert shown["signature"] == signed(shown["body"].encode(), "webhook-secret")


def test_the_log_goes_on_from_a_cursor(api: Api) -> None:
    made = [api.draft()["id"] for _ in range(5)]
    first = api.control("GET", "/webhooks/deliveries", params={"limit": 3}).json()
    rest = api.control("GET", "/webhooks/deliveries", params={"after": first["cursor"]}).json()
    assert [json.loads(one["body"])["data"]["id"] for one in (*first["data"], *rest["data"])] == made
    end = api.control("GET", "/webhooks/deliveries", params={"after": rest["cursor"]}).json()
    assert end == {"data": [], "cursor": rest["cursor"], "lost": 0}


def test_the_log_can_be_asked_for_one_state(api: Api, receiver: Receiver) -> None:
    api.draft()
    subscribe(api, receiver.url)
    api.draft()
    settled(api, 2, "delivered", 1)
    assert [one["id"] for one in deliveries(api, state="recorded")] == [1]
    assert [one["id"] for one in deliveries(api, state="delivered")] == [2]
    assert api.control("GET", "/webhooks/deliveries", params={"state": "sent"}).status_code == 400


def test_an_unknown_delivery_is_refused(api: Api) -> None:
    assert api.control("GET", "/webhooks/deliveries/77").status_code == 404
    assert api.control("POST", "/webhooks/deliveries/77/redeliver").status_code == 404


def test_nobody_is_told_after_the_address_was_deleted(api: Api, receiver: Receiver) -> None:
    freeze(api)
    subscribe(api, receiver.url, delay=10)
    api.draft()
    assert api.control("DELETE", "/webhooks").status_code == 200
    api.draft()
    advance(api, 3600)
    time.sleep(0.05)
    receiver.wait(0)
    assert [one["state"] for one in deliveries(api)] == ["recorded", "recorded"]
    assert api.control("GET", "/webhooks").json()["secret"] == SECRET, "what was signed can still be checked"


def test_what_is_left_out_is_as_usual_but_the_secret_stays(api: Api, receiver: Receiver) -> None:
    subscribe(api, receiver.url, copies=3, delay="PT1M")
    answer = api.control("PUT", "/webhooks", json={"url": receiver.url}).json()
    assert answer == {
        "url": receiver.url,
        "secret": SECRET,
        "delay": 0.0,
        "copies": 1,
        "reorder": 1,
        "hold": 2.0,
        "attempts": 6,
        "backoff": 10.0,
        "timeout": 5.0,
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "ftp://example.com"),
        ("url", "http://"),
        ("url", "nowhere"),
        ("url", "http://[::1"),
        ("url", "http://example.com:99999/"),
        ("url", "http://example.com/ x"),
        ("secret", ""),
        ("delay", -1),
        ("delay", "soon"),
        ("delay", "P1M"),
        ("delay", 1e300),
        ("backoff", "-PT1S"),
        ("copies", 0),
        ("reorder", 1000),
        ("attempts", 0),
        ("timeout", 0),
        ("hold", None),
    ],
)
def test_what_can_not_be_is_refused_and_changes_nothing(api: Api, field: str, value: Any) -> None:
    before = api.control("GET", "/webhooks").json()
    answer = api.control("PUT", "/webhooks", json={field: value})
    assert answer.status_code == 400, answer.text
    assert field in answer.json()["errors"]
    assert api.control("GET", "/webhooks").json() == before


def test_webhooks_of_two_worlds_are_apart(api: Api, receiver: Receiver) -> None:
    subscribe(api, receiver.url)
    other = Api(api.server, f"{api.world}-other", api.token, api.http)
    other.draft()
    assert [one["state"] for one in deliveries(other)] == ["recorded"]
    api.draft()
    receiver.wait(1)
    assert len(deliveries(api)) == 1


def test_a_reset_forgets_events_and_addresses(api: Api, receiver: Receiver) -> None:
    subscribe(api, receiver.url)
    api.draft()
    receiver.wait(1)
    api.control("POST", "/reset")
    assert deliveries(api) == []
    assert api.control("GET", "/webhooks").json()["url"] is None


def test_pending_deliveries_come_back_with_a_snapshot(api: Api, receiver: Receiver) -> None:
    freeze(api)
    subscribe(api, receiver.url, delay=10)
    draft = api.draft()
    api.control("PUT", "/snapshots/pending")
    advance(api, 10)
    settled(api, 1, "delivered", 1)
    api.control("POST", "/snapshots/pending/restore")
    assert settled(api, 1, "pending", 0)["id"] == 1
    advance(api, 10)
    assert [got.invoice for got in receiver.wait(2)] == [draft["id"]] * 2


def test_an_attempt_under_way_is_none_of_the_business_of_a_world_that_was_restored(
    api: Api, receiver: Receiver
) -> None:
    api.control("PUT", "/snapshots/empty")
    receiver.hang = threading.Event()
    subscribe(api, receiver.url)
    api.draft()
    receiver.wait(1)
    api.control("POST", "/snapshots/empty/restore")
    receiver.hang.set()
    time.sleep(0.05)
    assert deliveries(api) == []


def test_a_server_with_a_control_token_posts_to_listed_hosts_only(receiver: Receiver) -> None:
    """A proxy may stand before it. An address that comes from elsewhere, as from a database, is held to that too."""
    service = open_service(Settings(control_token="sesame"))
    headers = {"authorization": "Bearer provider", "x-selected-client-id": "1", "x-mock-control-token": "sesame"}
    sent = {**headers, "content-type": "application/json"}
    body = json.dumps({"url": receiver.url}).encode()
    refused = ControlInterface(Current(service)).respond(Request("PUT", "/webhooks", "", sent, body))
    assert refused.status == 400
    assert "--webhook-allow 127.0.0.1" in refused.body["message"]
    world = service.worlds.common
    world.state.outbox.subscribe(Subscription(url=receiver.url, attempts=1))
    made = respond(Request("POST", "/billing/invoices", "", headers), service, address="http://test")
    assert made.reply.status == 200
    eventually(lambda: world.state.outbox.deliveries[1].fate == "failed")
    (attempt,) = world.state.outbox.deliveries[1].attempts
    assert attempt.error is not None and "--webhook-allow 127.0.0.1" in attempt.error
    assert receiver.got == []
