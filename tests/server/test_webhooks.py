"""Webhooks: what is sent, how it is signed, tried again, held back and repeated, and that it is in nobody's way."""

from __future__ import annotations

import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import jsonschema_rs
import pytest
import yaml

from mockserver.core import resources
from mockserver.core.clock import LATEST, MICROSECONDS
from mockserver.core.errors import Unusable
from mockserver.server.process import running
from mockserver.server.service import open_service
from mockserver.server.settings import Settings
from mockserver.state.outbox import MOST_DELIVERIES, DeliveryAttempt, Outbox, Subscription, check_url
from mockserver.state.world import World
from tests.calls import calls
from tests.conftest import Api

SECRET = "s3cret"


@dataclass
class Got:
    """One request that came to the receiver."""

    body: bytes
    headers: dict[str, str]

    @property
    def invoice(self) -> int:
        return int(json.loads(self.body)["data"]["id"])


@dataclass
class Receiver:
    """A receiver of webhooks: what it got, and what it answers next, 200 when nothing is planned."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    hang: threading.Event | None = None
    """Whoever calls waits until it is set."""

    def wait(self, count: int) -> list[Got]:
        eventually(lambda: len(self.got) >= count)
        assert len(self.got) == count
        return self.got


def eventually(true: Callable[[], object], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append(Got(body, {name.lower(): value for name, value in self.headers.items()}))
            status = receiver.answers.pop(0) if receiver.answers else 200
            if receiver.hang is not None:
                receiver.hang.wait(30)
            self.send_response(status)
            self.send_header("Location", receiver.url)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook?from=mock"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield receiver
    finally:
        if receiver.hang is not None:
            receiver.hang.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@contextmanager
def deaf() -> Iterator[str]:
    """The address of something that takes connections and says nothing, ever."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


def subscribe(api: Api, url: str | None, **fields: Any) -> Any:
    answer = api.control("PUT", "/webhooks", json={"url": url, "secret": SECRET, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


def advance(api: Api, by: float | str) -> None:
    assert api.control("POST", "/clock/advance", json={"by": by}).status_code == 200


def freeze(api: Api) -> None:
    assert api.control("POST", "/clock/freeze").status_code == 200


def deliveries(api: Api, **params: Any) -> Any:
    answer = api.control("GET", "/webhooks/deliveries", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def settled(api: Api, delivery: int, state: str, attempts: int) -> Any:
    """The delivery, once it has come to that state by that many attempts."""

    def there() -> bool:
        shown = api.control("GET", f"/webhooks/deliveries/{delivery}").json()
        return (shown["state"], len(shown["attempts"])) == (state, attempts)

    eventually(there)
    return api.control("GET", f"/webhooks/deliveries/{delivery}").json()


def signed(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, "sha256").hexdigest()


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


def test_a_failed_delivery_is_tried_again_after_doubling_waits(api: Api, receiver: Receiver) -> None:
    """By the world's clock: nothing happens while it stands, and at once when it is moved."""
    freeze(api)
    subscribe(api, receiver.url, backoff=10, attempts=4)
    receiver.answers = [500, 404, 302]
    api.draft()
    for tries, wait in enumerate([10, 20, 40], start=1):
        shown = settled(api, 1, "pending", tries)
        receiver.wait(tries)
        advance(api, wait - 1)
        time.sleep(0.05)
        receiver.wait(tries)
        assert shown["attempts"][-1]["status"] == [500, 404, 302][tries - 1]
        advance(api, 1)
    shown = settled(api, 1, "delivered", 4)
    assert len({got.body for got in receiver.wait(4)}) == 1
    times = [one["at"] for one in shown["attempts"]]
    assert times == sorted(times)


def test_a_delivery_is_given_up_in_the_end(api: Api, receiver: Receiver) -> None:
    freeze(api)
    subscribe(api, receiver.url, backoff="PT1S", attempts=2)
    receiver.answers = [503, 503]
    api.draft()
    settled(api, 1, "pending", 1)
    advance(api, "P1D")
    shown = settled(api, 1, "failed", 2)
    assert shown["due"] is None
    advance(api, "P1Y")
    time.sleep(0.05)
    receiver.wait(2)


def test_retries_also_come_while_the_clock_runs(api: Api, receiver: Receiver) -> None:
    subscribe(api, receiver.url, backoff=0.1)
    receiver.answers = [500, 500]
    api.draft()
    settled(api, 1, "delivered", 3)


def test_an_event_can_be_delayed(api: Api, receiver: Receiver) -> None:
    freeze(api)
    subscribe(api, receiver.url, delay="PT5M")
    api.draft()
    advance(api, 299)
    time.sleep(0.05)
    receiver.wait(0)
    (shown,) = deliveries(api)
    assert shown["state"] == "pending"
    advance(api, 1)
    receiver.wait(1)


def test_an_event_can_be_delivered_twice(api: Api, receiver: Receiver) -> None:
    subscribe(api, receiver.url, copies=2)
    api.draft()
    first, second = receiver.wait(2)
    assert (first.body, first.headers["signature"]) == (second.body, second.headers["signature"])
    assert [one["event"] for one in deliveries(api)] == [1, 1]


def test_events_come_in_their_order(api: Api, receiver: Receiver) -> None:
    subscribe(api, receiver.url)
    made = [api.draft()["id"] for _ in range(5)]
    assert [got.invoice for got in receiver.wait(5)] == made


def test_events_can_come_in_reverse_order(api: Api, receiver: Receiver) -> None:
    freeze(api)
    subscribe(api, receiver.url, reorder=3)
    made = [api.draft()["id"] for _ in range(2)]
    time.sleep(0.05)
    receiver.wait(0)
    made.append(api.draft()["id"])
    assert [got.invoice for got in receiver.wait(3)] == made[::-1]


def test_events_that_are_held_back_come_when_no_more_do(api: Api, receiver: Receiver) -> None:
    freeze(api)
    subscribe(api, receiver.url, reorder=10, hold="PT1M")
    made = [api.draft()["id"]]
    advance(api, 30)
    made.append(api.draft()["id"])
    advance(api, 29)
    time.sleep(0.05)
    receiver.wait(0)
    advance(api, 1)
    assert [got.invoice for got in receiver.wait(2)] == made[::-1]


def test_events_that_are_held_back_come_also_while_the_clock_runs(api: Api, receiver: Receiver) -> None:
    subscribe(api, receiver.url, reorder=10, hold=0.2)
    made = [api.draft()["id"] for _ in range(2)]
    assert [got.invoice for got in receiver.wait(2)] == made[::-1]


def test_a_delivery_can_be_asked_for_once_more(api: Api, receiver: Receiver) -> None:
    subscribe(api, receiver.url)
    api.draft()
    settled(api, 1, "delivered", 1)
    answer = api.control("POST", "/webhooks/deliveries/1/redeliver")
    assert answer.json()["state"] == "pending"
    settled(api, 1, "delivered", 2)
    first, second = receiver.wait(2)
    assert first.body == second.body


def test_an_event_recorded_earlier_is_sent_only_when_asked_for(api: Api, receiver: Receiver) -> None:
    draft = api.draft()
    assert api.control("POST", "/webhooks/deliveries/1/redeliver").status_code == 400
    subscribe(api, receiver.url)
    time.sleep(0.05)
    receiver.wait(0)
    api.control("POST", "/webhooks/deliveries/1/redeliver")
    assert receiver.wait(1)[0].invoice == draft["id"]


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


def test_a_dead_receiver_is_told_of(api: Api) -> None:
    freeze(api)
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    subscribe(api, f"http://127.0.0.1:{port}/")
    api.draft()
    (attempt,) = settled(api, 1, "pending", 1)["attempts"]
    assert attempt["status"] is None
    assert "ConnectError" in attempt["error"]


def test_a_receiver_that_hangs_holds_up_nobody(api: Api, receiver: Receiver) -> None:
    """Neither requests of its own world, nor deliveries of others."""
    with deaf() as url:
        subscribe(api, url, timeout=60)
        for _ in range(5):
            api.draft()
        other = Api(api.server, f"{api.world}-other", api.token, api.http)
        subscribe(other, receiver.url)
        other.draft()
        receiver.wait(1)
        waiting = deliveries(api)
        assert [(one["state"], one["attempts"]) for one in waiting] == [("pending", [])] * 5


def test_a_receiver_that_hangs_is_given_up_after_the_timeout(api: Api) -> None:
    freeze(api)
    with deaf() as url:
        subscribe(api, url, timeout=0.2)
        api.draft()
        (attempt,) = settled(api, 1, "pending", 1)["attempts"]
    assert attempt["error"] == "no answer within 0.2 s"
    assert attempt["status"] is None


def test_a_world_that_was_deleted_sends_nothing_more(api: Api, receiver: Receiver) -> None:
    subscribe(api, receiver.url, delay=0.3)
    api.draft()
    assert api.http.delete(f"{api.server.control}/worlds/{api.world}").status_code == 200
    time.sleep(0.5)
    receiver.wait(0)


def test_an_event_goes_to_a_receiver_whatever_proxy_the_environment_names(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("MOCKSERVER_WEBHOOK_SECRET", "from the environment")
    with running("--webhook-url", receiver.url) as live, httpx.Client(trust_env=False, timeout=60) as http:
        api = Api(live, "w", "provider", http)
        api.draft()
        (got,) = receiver.wait(1)
        assert got.headers["signature"] == signed(got.body, "from the environment")
        api.control("PUT", "/webhooks", json={})
        api.control("POST", "/reset")
        api.draft()
        receiver.wait(2)


def test_an_address_that_is_none_ends_the_start() -> None:
    with pytest.raises(Unusable, match="--webhook-url"):
        open_service(Settings(webhook_url="example.com/hook"))


def nothing() -> dict[str, Any]:
    return {}


def refusal(at: int) -> DeliveryAttempt:
    return DeliveryAttempt(at, "http://127.0.0.1/", "", 500, None, 0.0)


def test_a_world_remembers_the_last_thousand_and_tells_how_many_were_lost() -> None:
    outbox = Outbox(Subscription(url="http://127.0.0.1:9/", delay=MICROSECONDS))
    for _ in range(MOST_DELIVERIES + 5):
        outbox.add("invoice.created", nothing, now=0)
    assert (len(outbox.deliveries), len(outbox.pending), outbox.lost) == (MOST_DELIVERIES, MOST_DELIVERIES, 5)
    outbox.tried(1, refusal(0))
    assert 1 not in outbox.deliveries
    assert outbox.due(MICROSECONDS) is outbox.deliveries[6]


def test_a_copy_of_an_outbox_goes_its_own_way() -> None:
    outbox = Outbox(Subscription(url="http://127.0.0.1:9/", reorder=3))
    outbox.add("invoice.created", nothing, now=0)
    twin = outbox.copy()
    twin.add("invoice.created", nothing, now=0)
    twin.add("invoice.created", nothing, now=0)
    assert [one.due for one in twin.deliveries.values()] == [0, 0, 0]
    assert [one.due for one in outbox.deliveries.values()] == [2 * MICROSECONDS]


def test_no_delivery_is_planned_beyond_the_end_of_time() -> None:
    outbox = Outbox(Subscription(url="http://127.0.0.1:9/", attempts=20, backoff=LATEST, delay=LATEST, reorder=9))
    outbox.add("invoice.created", nothing, now=LATEST)
    for _ in range(19):
        outbox.tried(1, refusal(LATEST))
        assert outbox.deliveries[1].due == LATEST


def test_an_event_that_nobody_looks_at_is_never_rendered() -> None:
    def never() -> dict[str, Any]:
        raise AssertionError("rendered")

    Outbox().add("invoice.created", never, now=0)


def test_an_event_costs_a_handful_of_calls_when_nobody_is_told() -> None:
    outbox = Outbox()
    outbox.add("invoice.created", nothing, now=0)
    assert calls(lambda: outbox.add("invoice.created", nothing, now=0)) < 20


def test_no_thread_is_started_before_there_is_something_to_send() -> None:
    """The server forks after it was made, and threads do not survive that."""
    before = threading.active_count()
    service = open_service(Settings(webhook_url="http://127.0.0.1:9/"))
    world = service.worlds.enter("w")
    assert isinstance(world, World)
    assert threading.active_count() == before


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/hook", "https://example.com", "http://[::1]:80/a?b=c#d"])
def test_addresses_by_http_and_https_are_taken(url: str) -> None:
    assert check_url(url) == url
