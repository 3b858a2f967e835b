"""The outbox of a world: what it remembers, what it plans, and what it costs while nobody is told."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from mockserver.core.clock import LATEST, MICROSECONDS
from mockserver.core.errors import Unusable
from mockserver.server.service import open_service
from mockserver.server.settings import Settings
from mockserver.state.outbox import MOST_DELIVERIES, DeliveryAttempt, Outbox, Subscription, check_url
from mockserver.state.world import World
from tests.calls import calls


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
