"""Attempts to deliver an event: again, later, twice, in another order, and in nobody's way."""

from __future__ import annotations

import socket
import time

import pytest

from mockserver.server.process import running
from tests import plain
from tests.conftest import Api
from tests.server.receiving import (
    Receiver,
    advance,
    deaf,
    deliveries,
    freeze,
    settled,
    signed,
    subscribe,
)


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


@pytest.mark.parametrize("host", ["xn--a", "a..b", f"{'a' * 64}.example", "\u2603\u20e3.example"])
def test_a_host_that_can_have_no_address_is_a_failed_attempt(api: Api, receiver: Receiver, host: str) -> None:
    """And holds up nothing that comes later."""
    subscribe(api, f"http://{host}/", attempts=1)
    api.draft()
    (attempt,) = settled(api, 1, "failed", 1)["attempts"]
    assert attempt["status"] is None and attempt["error"]
    subscribe(api, receiver.url)
    api.draft()
    settled(api, 2, "delivered", 1)


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
    with running("--webhook-url", receiver.url) as live, plain.Client(trust_env=False, timeout=60) as http:
        api = Api(live, "w", "provider", http)
        api.draft()
        (got,) = receiver.wait(1)
        assert got.headers["signature"] == signed(got.body, "from the environment")
        api.control("PUT", "/webhooks", json={})
        api.control("POST", "/reset")
        api.draft()
        receiver.wait(2)
