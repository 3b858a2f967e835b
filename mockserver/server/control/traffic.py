"""The journal of one world, and what was expected of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import version
from math import inf
from typing import Any

import orjson

from mockserver.contract.decoding import JSON
from mockserver.core.messages import Reply
from mockserver.core.text import guess
from mockserver.server.control.journal_stream import EVENTS, JournalStream
from mockserver.server.control.refusal import invalid, missing
from mockserver.server.control.request import ControlRequest
from mockserver.traffic import expectations, formats
from mockserver.traffic.har import CREATOR, har
from mockserver.traffic.journal import Cursor, Exchange
from mockserver.traffic.python_tests import python_tests

_TEXT = {"Content-Type": "text/plain; charset=utf-8"}
_JSON = {"Content-Type": JSON}


def get_journal(request: ControlRequest) -> Reply:
    query = request.call.query
    _check_operation(request, query.get("operation"), "operation")
    kept, lost = request.world.journal.read()
    since = query.get("since")
    chosen = [one for one in kept if one.number > (since or 0) and _chosen(one, query)]
    limit = query["limit"]
    chosen = chosen[-limit:] if since is None else chosen[:limit]
    if query["format"] != "json":
        return _written(chosen, query["format"])
    more = since is not None and len(chosen) == limit
    cursor = chosen[-1].number if more else kept[-1].number if kept else request.world.journal.cursor
    return Reply(200, _entries(chosen, {"cursor": cursor, "lost": lost}), _JSON)


def get_exchange(request: ControlRequest) -> Reply:
    number, form = request.call.path["exchange"], request.call.query["format"]
    found = request.world.journal.find(number)
    if found is None:
        raise missing(f"The journal of the world {request.world.name} has no exchange {number}.")
    return Reply(200, formats.entry(found)) if form == "json" else _written([found], form)


def _written(exchanges: list[Exchange], form: str) -> Reply:
    """The exchanges in a form that other programs read."""
    if form == "har":
        return Reply(200, har(exchanges, version=version(CREATOR)), _JSON)
    if form == "pytest":
        return Reply(200, python_tests(exchanges), _TEXT)
    return Reply(200, (f"{formats.curl(one)}\n".encode() for one in exchanges), _TEXT)


def _entries(exchanges: list[Exchange], rest: dict[str, Any]) -> Iterator[bytes]:
    """The exchanges as JSON, a piece for each: all of them at once could be many times what the journal holds."""
    before = b'{"data":['
    for one in exchanges:
        yield before + orjson.dumps(formats.entry(one))
        before = b","
    yield (b"" if exchanges else before) + b"]," + orjson.dumps(rest)[1:]


def stream_journal(request: ControlRequest) -> Reply:
    journal, given = request.world.journal, request.call.headers.get("last-event-id")
    cursor = None
    if given:
        try:
            cursor = Cursor.parse(given)
        except ValueError as error:
            raise invalid("Last-Event-ID", error) from None
    elif "since" in request.call.query:
        cursor = Cursor(journal.epoch, request.call.query["since"])
    return Reply(200, JournalStream(request.world, cursor), {"Content-Type": EVENTS, "Cache-Control": "no-store"})


def clear_journal(request: ControlRequest) -> Reply:
    request.afterwards = request.world.journal.clear
    return Reply(200, {"message": "The journal is empty."})


def verify_journal(request: ControlRequest) -> Reply:
    body = request.call.body
    kept, lost = request.world.journal.read()
    since = body.get("since", 0)
    wanted = body["expect"]
    for index, one in enumerate(wanted):
        _check_expectation(request, one, f"expect.{index}")
    in_order = body.get("in_order", False)
    # The numbers go on, so that those that were lost are the ones right before what is kept.
    oldest = kept[0].number if kept else request.world.journal.cursor + 1
    found = expectations.check(
        [one for one in kept if one.number > since],
        wanted,
        in_order=in_order,
        lost=max(0, min(lost, oldest - 1 - since)),
    )
    results = [_result(match) for match in found]
    verified = all(match.complaint is None for match in found)
    reply = {"verified": verified, "message": expectations.report(found), "results": results, "lost": lost}
    return Reply(200, reply)


def _check_expectation(request: ControlRequest, wanted: dict[str, Any], field: str) -> None:
    known = (*expectations.FIELDS, "at_least", "at_most")
    for name in wanted:
        if name not in known:
            raise invalid(f"{field}.{name}", f"an expectation has {', '.join(known)}{guess(name, known)}")
    _check_operation(request, wanted.get("operation"), f"{field}.operation")
    if wanted.get("at_least", 0) > wanted.get("at_most", inf):
        raise invalid(f"{field}.at_least", "nothing can be at least that often and at most less")


def _check_operation(request: ControlRequest, operation: str | None, field: str) -> None:
    operations = request.service.contract.operations
    if operation is not None and operation not in operations:
        hint = guess(operation, operations)
        raise invalid(field, f"the operations are {', '.join(operations)}{hint}")


def _result(match: expectations.MatchResult) -> dict[str, Any]:
    return {
        "expectation": dict(match.wanted),
        "verified": match.complaint is None,
        "matched": len(match.numbers),
        "numbers": list(match.numbers),
        "complaint": match.complaint,
        "nearest": list(match.misses),
    }


def _chosen(exchange: Exchange, query: dict[str, Any]) -> bool:
    operation, status = query.get("operation"), query.get("status")
    if operation is not None and (exchange.operation is None or exchange.operation.id != operation):
        return False
    if status is not None:
        got = formats.status(exchange)
        if got is None or not expectations.is_status(status, got):
            return False
    if query["invalid"] and not exchange.objections and not exchange.broken:
        return False
    invoice = query.get("invoice")
    return invoice is None or exchange.invoice == invoice


TRAFFIC: dict[str, Callable[[ControlRequest], Reply]] = {
    "getJournal": get_journal,
    "getExchange": get_exchange,
    "streamJournal": stream_journal,
    "clearJournal": clear_journal,
    "verifyJournal": verify_journal,
}
"""These operations by their operationId."""
