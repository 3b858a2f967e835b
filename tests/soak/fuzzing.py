"""Requests that no sane client sends: raw bytes, HTTP, and the operations of both documents with anything in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any
from urllib.parse import quote

import yaml

from mockserver.core.resources import openapi_path
from mockserver.server.control.interface import DOCUMENT
from tests.soak.wire import Seen, Wire

TEXTS: tuple[str, ...] = (
    *("", "0", "-1", "1", "40", "2147483648", "9" * 30, "1e400", "NaN", "null", "true", "ü", "\x00", "%00", "a" * 3000),
    *("../..", "<x>", "'\"", "{}", "[]", "id:1", 'id>"1"', 'created_at$DATE>="2026-10-01"', 'total:"', "\ud83d\ude00"),
)
NAMES: tuple[str, ...] = (
    *(
        "id",
        "amount",
        "description",
        "charge_ids",
        "kind",
        "status",
        "delay",
        "count",
        "at",
        "by",
        "url",
        "card",
        "way",
    ),
    *("outcome", "expect", "operation", "in_order", "secret", "when", "share", "probability", "nth", "x"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 1.5, 2**53, 1e300, "", "1", "P3D", "x" * 500, [], {}, [1], ["a"], [[]]),
    *("status", "reset", "latency", "schema", "insufficient_funds", "pm_card_visa", "2026-11-29T00:00:00Z"),
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "QUERY", "get", "X" * 40)
KINDS = ("application/json", "application/x-www-form-urlencoded", "text/plain", "application/yaml", "", "a/b;charset=x")
PREFERENCES = (
    "code=429",
    "fault=truncated; share=0.5",
    "fault=malformed",
    "fault=reset",
    "delay=0.01",
    "outcome=lost_card",
)
LONGEST_WAIT = 0.02
"""Seconds that a planned fault may make later requests wait, so that the run goes on."""


class Fuzz:
    """An endless source of requests for one connection, the same ones for the same seed."""

    def __init__(self, wire: Wire, seed: int) -> None:
        self._wire = wire
        self._chance = Random(seed)
        self._operations = list(_operations(DOCUMENT.read_text(), "/_mock"))
        self._billing = list(_operations(openapi_path().read_text(), "/api"))
        self._kinds: list[Callable[[], Seen]] = [
            self._raw,
            self._http,
            self._http,
            *[self._spec] * 4,
            *[self._control] * 3,
        ]

    def one(self) -> tuple[str, Seen]:
        """Send one request: what sort it was, and what came."""
        send = self._chance.choice(self._kinds)
        return send.__name__.strip("_"), send()

    def _raw(self) -> Seen:
        chance = self._chance
        data = bytearray(b"POST /api/billing/invoices HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        for _ in range(chance.randrange(1, 12)):
            place = chance.randrange(len(data))
            data[place : place + chance.randrange(4)] = chance.randbytes(chance.randrange(6))
        self._wire.close()
        return self._wire.send(bytes(data) if chance.random() < 0.8 else chance.randbytes(200), last=True)

    def _http(self) -> Seen:
        chance = self._chance
        target = chance.choice(("/api", "/_mock", "/api/billing/invoices", "/_mock/journal", "")) + self._text()
        headers = {chance.choice(("X-Selected-Client-Id", "Prefer", "Origin", "Host", "Accept")): self._text()}
        headers["Content-Type"] = chance.choice(KINDS)
        return self._ask(
            chance.choice(METHODS), target or "/", body=chance.randbytes(chance.randrange(40)), headers=headers
        )

    def _spec(self) -> Seen:
        headers = {"Prefer": self._chance.choice(PREFERENCES)} if self._chance.random() < 0.1 else {}
        return self._operate(self._billing, {"X-Selected-Client-Id": self._chance.choice("1123"), **headers})

    def _control(self) -> Seen:
        return self._operate(self._operations, {})

    def _operate(self, operations: list[tuple[str, str, list[str]]], headers: dict[str, str]) -> Seen:
        chance = self._chance
        method, path, names = chance.choice(operations)
        while "{" in path:
            before, _, rest = path.partition("{")
            path = (
                before
                + (str(chance.randrange(120)) if chance.random() < 0.7 else self._text())
                + rest.partition("}")[2]
            )
        if names and chance.random() < 0.5:
            path += "?" + "&".join(f"{chance.choice(names)}={self._text()}" for _ in range(chance.randrange(1, 4)))
        body = self._body() if method in ("POST", "PUT", "PATCH") else None
        return self._ask(method, path, body=body, headers=headers)

    def _ask(self, method: str, path: str, *, body: Any, headers: dict[str, str]) -> Seen:
        clean = {name: value.replace("\r", "").replace("\n", "") for name, value in headers.items()}
        token = f"provider@w{self._chance.randrange(20)}"
        return self._wire.ask(method, path, token=token, body=body, headers=clean)

    def _text(self) -> str:
        return quote(self._chance.choice(TEXTS).encode("utf-8", "surrogatepass"), safe="/")

    def _body(self) -> Any:
        chance = self._chance
        if chance.random() < 0.1:
            return json.dumps({"a": 1}).encode()[: chance.randrange(8)]
        body = {chance.choice(NAMES): chance.choice(VALUES) for _ in range(chance.randrange(5))}
        if "delay" in body:
            body["delay"] = LONGEST_WAIT
        if body.get("kind") == "latency" or chance.random() < 0.2:
            body = {"amount": chance.randrange(1, 9), "description": "A fee"}
        return body


def _operations(text: str, prefix: str) -> Iterator[tuple[str, str, list[str]]]:
    """Method, path and the names of the query's parameters. Streams are left out: they end by themselves, but late."""
    for path, item in yaml.safe_load(text)["paths"].items():
        if path.endswith("/stream"):
            continue
        for method, operation in item.items():
            if isinstance(operation, dict) and "operationId" in operation:
                given = [*item.get("parameters", []), *operation.get("parameters", [])]
                names = [one["name"] for one in given if one.get("in") == "query"]
                yield method.upper(), prefix + path, names
