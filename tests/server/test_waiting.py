"""Whoever waits, stalls or leaves holds up nobody else, and what did not arrive whole is not done."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from mockserver.server.process import Running
from tests.conftest import Api
from tests.ports import listener

CROWD = 200
"""More than any server has threads."""
LIST = "/billing/invoices"
CHUNKED = "Transfer-Encoding: chunked"
JSON = "Content-Type: application/json"


def connected(server: Running) -> socket.socket:
    address = urlsplit(server.base)
    return socket.create_connection((address.hostname or "", address.port or 80), timeout=60)


def head(api: Api, method: str, path: str, *headers: str) -> bytes:
    lines = (f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {api.token}@{api.world}", *headers)
    return "\r\n".join((*lines, "", "")).encode()


@contextmanager
def crowd(api: Api, request: bytes) -> Iterator[list[socket.socket]]:
    """So many connections, each of which has sent this."""
    with ExitStack() as open_ones:
        found = []
        for _ in range(CROWD):
            one = open_ones.enter_context(connected(api.server))
            one.sendall(request)
            found.append(one)
        yield found


def assert_everybody_is_answered(api: Api) -> None:
    assert api.http.get(f"{api.server.control}/health").json()["status"] == "ok"
    assert api.get(LIST).status_code == 200
    assert api.control("GET", "/clock").status_code == 200


@pytest.mark.parametrize(
    ("method", "prefer"), [("GET", "delay=300"), ("HEAD", "delay=300"), ("GET", "fault=drip; delay=300")]
)
def test_many_that_wait_keep_nobody_waiting(api: Api, method: str, prefer: str) -> None:
    with crowd(api, head(api, method, f"/api{LIST}", f"Prefer: {prefer}")):
        assert_everybody_is_answered(api)


def test_many_that_a_planned_latency_holds_back_keep_nobody_waiting(api: Api) -> None:
    other = Api(api.server, f"{api.world}-other", api.token, api.http)
    api.control("POST", "/faults", json={"kind": "latency", "delay": 300, "when": "before"})
    with crowd(api, head(api, "GET", f"/api{LIST}")):
        assert_everybody_is_answered(other)


@pytest.mark.parametrize("path", [f"/api{LIST}", "/_mock/journal/verify"])
@pytest.mark.parametrize(
    "beginning", [("Content-Length: 400", b'{"charge_ids"'), (CHUNKED, b"d\r\n" + b'{"charge_ids"')]
)
def test_many_bodies_that_stall_keep_nobody_waiting(api: Api, path: str, beginning: tuple[str, bytes]) -> None:
    announced, sent = beginning
    with crowd(api, head(api, "POST", path, JSON, announced) + sent):
        assert_everybody_is_answered(api)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"10\r\n",
        b'10\r\n{"charge_ids": [9',
        b'f\r\n{"charge_ids": [',
        b"2\r\n{}\r\n",
        b"2\r\n{}\r\n0\r\n",
        b"2\r\n{}\r\nnonsense\r\n",
        b"2\r\n{}x",
    ],
)
@pytest.mark.parametrize("reset", [False, True])
def test_a_chunked_body_that_breaks_off_changes_nothing(api: Api, body: bytes, reset: bool) -> None:
    before = api.everything()
    with connected(api.server) as connection:
        connection.sendall(head(api, "POST", f"/api{LIST}", JSON, CHUNKED, "X-Selected-Client-Id: 1") + body)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
    assert "broke off" in str(entry(api)["request"]["problems"])
    assert api.everything() == before


@pytest.mark.parametrize(("when", "done"), [("before", False), ("after", True)])
def test_of_a_client_that_left_while_it_waited_is_done_what_was_done_before_the_wait(
    api: Api, when: str, done: bool
) -> None:
    charge = api.charge()
    before = api.everything()
    fault = {"kind": "latency", "delay": 300, "when": when, "operation": "createInvoice"}
    assert api.control("POST", "/faults", json=fault).status_code == 201
    with pytest.raises(httpx.ReadTimeout):
        api.create(charge["id"], timeout=0.5)
    made = entry(api, operation="createInvoice")
    assert (made["response"]["status"] == 200) is done
    assert (api.everything() != before) is done


def entry(api: Api, **chosen: str) -> dict[str, dict[str, object]]:
    """The last exchange of that kind in this world, once it is there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := api.control("GET", "/journal", params=chosen).json()["data"]:
            last: dict[str, dict[str, object]] = found[-1]
            return last
        time.sleep(0.02)
    raise AssertionError("the exchange never came into the journal")


def test_a_request_that_follows_one_that_waits_is_answered_after_it(api: Api) -> None:
    waiting = head(api, "GET", f"/api{LIST}?per_page=1", "Prefer: delay=0.5")
    with connected(api.server) as connection:
        connection.sendall(waiting + head(api, "GET", f"/api{LIST}?per_page=2", "Connection: close"))
        answers = b""
        while piece := connection.recv(65536):
            answers += piece
    assert answers.count(b"HTTP/1.1 200 OK") == 2
    assert answers.index(b'"per_page":1,') < answers.index(b'"per_page":2,')


def test_connections_that_end_by_a_fault_leave_nothing_open(api: Api) -> None:
    process = listener(api.server.base)
    api.get(LIST)
    before = process.num_fds()
    for fault in ("reset", "empty", "truncated") * 20:
        with pytest.raises(httpx.TransportError):
            api.get(LIST, headers={"Prefer": f"fault={fault}"})
    api.get(LIST)
    assert process.num_fds() <= before + 5
