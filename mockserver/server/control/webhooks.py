"""The webhooks of one world: who is told of events and how, every delivery, and another try of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from itertools import islice
from typing import Any

from mockserver.core.clock import MICROSECONDS, parse_duration, render_time
from mockserver.core.messages import Reply
from mockserver.server.control.refusal import invalid, missing
from mockserver.server.control.request import ControlRequest
from mockserver.server.webhook_targets import check_target
from mockserver.state.outbox import Delivery, DeliveryAttempt, Outbox, Subscription

_DURATIONS = ("delay", "hold", "backoff")
_LONGEST = 10 * 366 * 86_400 * MICROSECONDS


def get_webhooks(request: ControlRequest) -> Reply:
    with request.world.lock:
        return Reply(200, _subscription(request.world.state.outbox))


def put_webhooks(request: ControlRequest) -> Reply:
    body = request.call.body
    given: dict[str, Any] = {key: body[key] for key in body if key in Subscription.__dataclass_fields__}
    for key in _DURATIONS:
        if key in given:
            given[key] = _duration(key, given[key])
    if given.get("url") is not None:
        try:
            check_target(given["url"], request.service.settings)
        except ValueError as error:
            raise invalid("url", error) from None
    with request.world.lock:
        outbox = request.world.state.outbox
        given.setdefault("secret", outbox.subscription.secret)
        outbox.subscribe(Subscription(**given))
        request.world.go_on()
        return Reply(200, _subscription(outbox))


def delete_webhooks(request: ControlRequest) -> Reply:
    with request.world.lock:
        outbox = request.world.state.outbox
        outbox.subscribe(Subscription(secret=outbox.subscription.secret))
    return Reply(200, {"message": "Nobody is told any more; events are only recorded."})


def list_deliveries(request: ControlRequest) -> Reply:
    query = request.call.query
    after, fate = query["after"], query.get("state")
    with request.world.lock:
        outbox = request.world.state.outbox
        found = (one for one in outbox.deliveries.values() if one.id > after and fate in (None, one.fate))
        rows = list(islice(found, query["limit"]))
        body = {
            "data": [_delivery(one, outbox.subscription) for one in rows],
            "cursor": rows[-1].id if rows else after,
            "lost": outbox.lost,
        }
    return Reply(200, body)


def get_delivery(request: ControlRequest) -> Reply:
    with request.world.lock:
        outbox = request.world.state.outbox
        return Reply(200, _delivery(_found(request, outbox), outbox.subscription))


def redeliver(request: ControlRequest) -> Reply:
    with request.world.lock:
        outbox = request.world.state.outbox
        delivery = _found(request, outbox)
        if outbox.subscription.url is None:
            raise invalid("url", "there is no address to deliver to: PUT /webhooks sets one")
        delivery = outbox.again(delivery.id, now=request.world.state.clock.now())
        request.world.go_on()
        return Reply(200, _delivery(delivery, outbox.subscription))


def _found(request: ControlRequest, outbox: Outbox) -> Delivery:
    delivery = outbox.deliveries.get(request.call.path["delivery"])
    if delivery is None:
        raise missing(f"There is no delivery {request.call.path['delivery']}.")
    return delivery


def _duration(field: str, value: str | float) -> int:
    try:
        duration = parse_duration(value)
    except ValueError as error:
        raise invalid(field, error) from None
    if not 0 <= duration <= _LONGEST:
        raise invalid(field, f"must be between nothing and ten years, got {value!r}")
    return duration


def _subscription(outbox: Outbox) -> dict[str, Any]:
    shown = asdict(outbox.subscription)
    return shown | {key: shown[key] / MICROSECONDS for key in _DURATIONS}


def _delivery(delivery: Delivery, subscription: Subscription) -> dict[str, Any]:
    event = delivery.event
    return {
        "id": delivery.id,
        "event": event.id,
        "type": event.type,
        "created_at": render_time(event.at),
        "state": delivery.fate,
        "due": render_time(delivery.due) if delivery.fate == "pending" else None,
        "body": event.body.decode(),
        "signature": subscription.sign(event.body),
        "attempts": [_attempt(one) for one in delivery.attempts],
    }


def _attempt(attempt: DeliveryAttempt) -> dict[str, Any]:
    return asdict(attempt) | {"at": render_time(attempt.at)}


WEBHOOKS: dict[str, Callable[[ControlRequest], Reply]] = {
    "getWebhooks": get_webhooks,
    "putWebhooks": put_webhooks,
    "deleteWebhooks": delete_webhooks,
    "listDeliveries": list_deliveries,
    "getDelivery": get_delivery,
    "redeliver": redeliver,
}
