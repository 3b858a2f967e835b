"""Exchanges of the journal as a file of tests for pytest, which send the same requests and expect the same statuses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import orjson

from mockserver.contract.decoding import JSON, media_type
from mockserver.core.messages import Request
from mockserver.traffic import formats
from mockserver.traffic.journal import Exchange

_MADE = frozenset(
    "accept accept-encoding accept-language authorization connection content-length dnt host origin priority referer "
    "transfer-encoding user-agent".split()
)
"""Headers that the world's client brings along, or that say who sent the request rather than what it asked."""


def python_tests(exchanges: Sequence[Exchange]) -> Iterator[bytes]:
    """A module with one test for each exchange, piece by piece; they need this package's pytest plugin."""
    needed = any(one.objections or formats.status(one) is None for one in exchanges)
    yield b"import httpx\n" + (b"import pytest\n" if needed else b"")
    for one in exchanges:
        yield f"\n\n{_test(one)}".encode()


def _test(exchange: Exchange) -> str:
    name = exchange.operation.id if exchange.operation else "request"
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    status = formats.status(exchange)
    call = f"api.request({', '.join(_arguments(exchange.request))})"
    if status is None:
        told, body = "no answer", f"        with pytest.raises(httpx.TransportError):\n            {call}\n"
    else:
        told = f"{status}, because of {exchange.reply.because}"
        body = f"        answer = {call}\n    assert answer.status_code == {status}, answer.text\n"
    doc = f"Exchange {exchange.number} of the world {exchange.world}: {told}."
    # The plugin fails a test whose client sent what the spec forbids, unless the test says that it is about that.
    marker = "@pytest.mark.mockserver(allow_invalid=True)\n" if exchange.objections else ""
    return (
        f"{marker}def test_{snake}_{exchange.number}(mock_world):\n"
        f"    {doc!a}\n"
        "    with httpx.Client(base_url=mock_world.url, headers=mock_world.headers) as api:\n"
        f"{body}"
    )


def _arguments(request: Request) -> list[str]:
    query = f"?{request.query_string}" if request.query_string else ""
    arguments = [ascii(request.method), ascii(formats.request_path(request) + query)]
    headers = {name: value for name, value in request.headers.items() if name not in _MADE}
    if request.body:
        kind, _ = media_type(headers.get("content-type", ""))
        value = formats.request_body(request)
        if kind == JSON and orjson.dumps(value) == request.body:
            del headers["content-type"]
            arguments.append(f"json={value!a}")
        else:
            arguments.append(f"content={request.body!r}")
    if headers:
        arguments.insert(2, f"headers={headers!a}")
    return arguments
