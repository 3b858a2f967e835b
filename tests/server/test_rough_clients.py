"""What browsers, shells, careless clients and broken connections do to a server, beyond bad input as such."""

from __future__ import annotations

import gzip
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import httpx
import pytest

from mockserver.server.process import Running, running
from tests import plain
from tests.conftest import Api

ORIGIN = {"Origin": "http://localhost:5173"}
JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"
CHUNKED = "Transfer-Encoding: chunked"
SERVE = [sys.executable, "-m", "mockserver", "serve", "--port", "0"]


def _talk(api: Api, *parts: str, half_close: bool = False, patience: float = 30) -> bytes:
    """What the server says to these bytes, sent one part after the other, until it falls silent."""
    where = urlsplit(api.server.base)
    with socket.create_connection((where.hostname or "", where.port or 80), timeout=60) as connection:
        for part in parts:
            connection.sendall(part.encode("latin-1"))
            time.sleep(0.05)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        connection.settimeout(patience)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
                connection.settimeout(0.5)
        except TimeoutError:
            pass
    return answer


def _head(api: Api, method: str, path: str, *headers: str, version: str = "1.1") -> str:
    fixed = (f"Host: {urlsplit(api.server.base).netloc}", f"Authorization: Bearer {api.token}@{api.world}")
    return "\r\n".join((f"{method} /api{path} HTTP/{version}", *fixed, *headers, "", ""))


@pytest.mark.parametrize("half_close", [True, False])
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([JSON, "Content-Length: 400"], ""),
        ([JSON, "Content-Length: 400"], '{"charge_ids": [99]}'),
        ([FORM, "Content-Length: 400"], "charge_ids[]=99"),
    ],
)
def test_a_request_whose_body_breaks_off_changes_nothing(
    api: Api, headers: list[str], body: str, half_close: bool
) -> None:
    before = api.everything()
    merchant = "X-Selected-Client-Id: 1"
    answer = _talk(
        api,
        _head(api, "POST", "/billing/invoices", merchant, *headers),
        body,
        half_close=half_close,
        patience=30 if half_close else 0.5,
    )
    assert b" 200 " not in answer
    time.sleep(0.1)
    assert api.everything() == before


def test_a_body_that_breaks_off_is_refused_in_the_apis_form(api: Api) -> None:
    head = _head(api, "POST", "/billing/invoices", FORM, "Content-Length: 400")
    answer = _talk(api, head, "charge_ids[]=99", half_close=True)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"message": "The body broke off after 15 of 400 bytes."}


def test_a_body_comes_in_chunks_or_after_100_continue(api: Api) -> None:
    charges = [api.charge()["id"] for _ in range(2)]
    body = f'{{"charge_ids": [{charges[0]}]}}'
    chunks = f"{len(body[:4]):x}\r\n{body[:4]}\r\n{len(body[4:]):x}\r\n{body[4:]}\r\n0\r\n\r\n"
    assert b" 200 " in _talk(api, _head(api, "POST", "/billing/invoices", JSON, CHUNKED), chunks)
    body = f'{{"charge_ids": [{charges[1]}]}}'
    head = _head(api, "POST", "/billing/invoices", JSON, "Expect: 100-continue", f"Content-Length: {len(body)}")
    answer = _talk(api, head, body)
    assert answer.startswith(b"HTTP/1.1 100 ")
    assert b"HTTP/1.1 200 " in answer


def test_an_empty_body_in_chunks_is_no_body(api: Api) -> None:
    for kind in (JSON, FORM):
        api.charge()
        head = _head(api, "POST", "/billing/invoices", kind, CHUNKED, "X-Selected-Client-Id: 1")
        assert b" 200 " in _talk(api, head, "0\r\n\r\n")


def test_requests_may_be_pipelined_and_a_head_has_no_body(api: Api) -> None:
    one, head = (_head(api, method, "/billing/invoices?per_page=1") for method in ("GET", "HEAD"))
    answers = _talk(api, one + head + one)
    assert answers.count(b"HTTP/1.1 200 OK") == 3
    assert answers.count(b'"current_page":1') == 2
    lengths = set(re.findall(rb"content-length: (\d+)", answers))
    assert len(lengths) == 1


def test_http_1_0_is_answered_and_the_connection_closed(api: Api) -> None:
    answer = _talk(api, _head(api, "GET", "/billing/invoices?per_page=1", version="1.0"))
    assert answer.startswith(b"HTTP/1.0 200 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["per_page"] == 1


def test_json_is_answered_whatever_a_browser_accepts(api: Api) -> None:
    for accept in ("text/html,application/xhtml+xml", "image/*", "", "nonsense"):
        for path in ("/billing/invoices", "/nothing"):
            answer = api.get(path, headers={"Accept": accept})
            assert answer.headers["Content-Type"] == "application/json"
            answer.json()


def test_a_page_of_another_origin_asks_first_and_then_reads_every_answer(api: Api) -> None:
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    asked = api.request("OPTIONS", "/billing/invoices", token="", headers={**ORIGIN, **wanted})
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Headers"] == "authorization,content-type"
    too_large = api.post(
        "/billing/invoices", headers={**ORIGIN, "Content-Type": "application/json"}, content=bytes(2_000_000)
    )
    answers = {
        200: api.get("/billing/invoices", headers=ORIGIN),
        401: api.get("/billing/invoices", token="", headers=ORIGIN),
        404: api.get("/nothing", headers=ORIGIN),
        405: api.request("PUT", "/billing/invoices", headers=ORIGIN),
        413: too_large,
        422: api.get("/billing/invoices?page=x", headers=ORIGIN),
    }
    for status, answer in (*answers.items(), (204, asked)):
        assert answer.status_code == status
        assert_shared(answer)


def assert_shared(answer: httpx.Response) -> None:
    """A page of that origin can read the answer, credentials or not, and no cache gives it to another."""
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN["Origin"], answer.status_code
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize("path", ["/ap/billing/invoices", "/apis", "/api", "/api/", "/api//billing/invoices"])
def test_a_page_is_told_of_a_mistyped_address(api: Api, path: str) -> None:
    wanted = {**ORIGIN, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization"}
    asked = api.http.options(api.server.base + path, headers=wanted)
    assert asked.status_code == 204
    assert "PUT" in asked.headers["Access-Control-Allow-Methods"]
    answer = api.http.put(api.server.base + path, headers=ORIGIN)
    assert answer.status_code == 404
    assert answer.json()["message"]
    for one in (asked, answer):
        assert_shared(one)


def test_an_answer_to_no_page_is_not_kept_for_one(api: Api) -> None:
    answer = api.get("/billing/invoices")
    assert answer.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "path",
    ["/api//billing/invoices", "/api/billing//invoices", "/api/billing/invoices/", "/api//", "/api/./billing/invoices"],
)
def test_a_path_that_is_none_is_refused_in_the_apis_form_and_told_in_the_journal(
    api: Api, method: str, path: str
) -> None:
    answer = _talk(api, _head(api, method, path.removeprefix("/api"), JSON, "Content-Length: 2"), "{}")
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["message"]
    assert api.control("GET", "/journal").json()["data"][-1]["request"]["url"] == api.server.base + path


@pytest.mark.parametrize("path", ["//api/billing/invoices", "/_mock//reset", "/_mock/reset/", "//_mock/reset"])
def test_no_path_is_redirected(api: Api, path: str) -> None:
    answer = api.http.post(api.server.base + path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "gzip, identity", "x"])
def test_a_body_in_a_coding_is_refused_by_its_name(api: Api, coding: str) -> None:
    body = gzip.compress(b'{"charge_ids": [1]}')
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    answer = api.post("/billing/invoices", content=body, headers=headers)
    assert answer.status_code == 415
    assert "Content-Encoding" in answer.json()["message"]
    assert list(answer.json()["errors"]) == ["content-encoding"]


def test_a_body_in_no_coding_is_read(api: Api) -> None:
    draft = {"charge_ids": [api.charge()["id"]]}
    assert api.post("/billing/invoices", json=draft, headers={"Content-Encoding": "identity"}).status_code == 200


def test_a_client_can_go_on_after_a_body_that_was_too_large(api: Api) -> None:
    for _ in range(20):
        refused = api.post("/billing/invoices", headers={"Content-Type": "application/json"}, content=bytes(2_000_000))
        assert refused.status_code == 413
        assert api.get("/billing/invoices").status_code == 200


@pytest.mark.parametrize("size", [60_000, 900_000])
def test_long_addresses_and_headers_are_answered_or_refused(api: Api, size: int) -> None:
    for head in (
        _head(api, "GET", "/billing/invoices?q=" + "a" * size),
        _head(api, "GET", "/billing/invoices?" + "&".join(f"k{n}=1" for n in range(size // 8))),
        _head(api, "GET", "/billing/invoices", "X-Long: " + "a" * size),
    ):
        status = int(_talk(api, head).split(b" ", 2)[1])
        assert status in (200, 414, 422, 431)


def test_what_is_warned_of_stays_short_enough_for_a_header(api: Api) -> None:
    body = {f"k{number}": 1 for number in range(3000)}
    answer = api.post("/billing/invoices", json={**body, "charge_ids": [api.charge()["id"]]})
    assert answer.status_code == 200
    assert 0 < len(answer.headers["X-Mock-Warning"]) < 2000


def test_one_name_is_warned_of_once(api: Api) -> None:
    answer = api.get("/billing/invoices?perpage=1&perpage=2&perpage=3")
    assert answer.headers["X-Mock-Warning"] == 'unknown query parameter "perpage": did you mean per_page?'


@pytest.mark.parametrize("form", ["json", "text"])
def test_the_log_has_a_line_for_each_request_and_never_a_token(tmp_path: Path, form: str) -> None:
    targets = [
        "/billing/invoices?page=2&api_token=merchant1-hidden",
        "/billing/invoices?%61pi%5Ftoken=merchant1-hidden",
        "/billing/invoices?api_token[]=merchant1-hidden&API_TOKEN=hidden",
        "/billing/invoices?api_token%5Ba%5D=merchant1-hidden&+api_token=hidden",
        "/nothing%0A%1B[31m?x=%0A&api_token=merchant1-hidden",
        "/billing/invoices?q=created_at$DATE:%22x%22",
    ]
    log = tmp_path / "log"
    with log.open("w") as stream, _serving("--log-format", form, stderr=stream) as printed:
        api = _address(printed)
        for target in targets:
            plain.get(api + target, headers={"Authorization": "Bearer merchant1-hidden"})
    lines = log.read_text().splitlines()
    assert len(lines) == len(targets)
    assert "hidden" not in log.read_text()
    if form == "json":
        assert [json.loads(line)["status"] for line in lines] == [401, 401, 401, 401, 404, 401]


def test_two_hundred_connections_at_once_are_served(server: Running) -> None:
    headers = {"Authorization": "Bearer provider@crowd"}

    def client(_: int) -> list[int]:
        with plain.Client(headers=headers, timeout=30) as http:
            return [http.get(f"{server.api}/billing/invoices?per_page=1").status_code for _ in range(3)]

    with ThreadPoolExecutor(200) as pool:
        assert {status for statuses in pool.map(client, range(200)) for status in statuses} == {200}


def test_connections_that_say_nothing_or_too_slowly_keep_nobody_waiting(api: Api) -> None:
    where = urlsplit(api.server.base)
    idle = [socket.create_connection((where.hostname or "", where.port or 80), timeout=60) for _ in range(200)]
    for connection in idle:
        connection.sendall(b"GET /api/bil")
    assert api.get("/billing/invoices").status_code == 200
    for connection in idle:
        connection.close()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_the_host_may_be_a_name(host: str) -> None:
    with running(host=host) as server:
        assert plain.get(f"{server.control}/health").json()["status"] == "ok"


def test_the_server_listens_on_ipv6_and_on_every_address() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    for host, told in (("::1", "[::1]"), ("0.0.0.0", "127.0.0.1")):
        with _serving("--host", host) as printed:
            address = _address(printed)
            assert address.startswith(f"http://{told}:")
            assert plain.get(f"{address}/billing/invoices?api_token=provider").status_code == 200


@contextmanager
def _serving(
    *options: str, stderr: IO[str] | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """A server while it runs; what it prints when it starts."""
    variables = {**os.environ, **(environment or {})}
    with subprocess.Popen([*SERVE, *options], stdout=subprocess.PIPE, stderr=stderr, text=True, env=variables) as child:
        try:
            assert child.stdout is not None
            lines = []
            for line in child.stdout:
                lines.append(line)
                if "Try" in line:
                    break
            yield "".join(lines)
        finally:
            child.terminate()


def _started(*options: str, **environment: str) -> str:
    with _serving(*options, environment=environment) as printed:
        return printed


def _address(printed: str) -> str:
    found = re.search(r"API +(http://\S+)", printed)
    assert found, printed
    return found[1]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--host", ""], "empty host"),
        (["--host", "no.such.host.invalid"], "choose another with --host"),
        (["--host", "ü..x"], "choose another with --host"),
        (["--host", "192.0.2.1"], "choose another with --host"),
        (["--stripe-delay", "nan"], "'nan' is no time: expected seconds"),
        (["--stripe-delay", "inf"], "inf is not in the range"),
        (["--stripe-late", "1e300"], "is not in the range"),
        (["--port", "80000"], "is not in the range"),
    ],
)
def test_an_option_that_no_server_can_start_with_is_told(options: list[str], told: str) -> None:
    done = subprocess.run([*SERVE, *options], capture_output=True, text=True, timeout=30)
    assert done.returncode == 2, done
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_variable_that_kubernetes_sets_is_passed_over_and_named() -> None:
    links = {"MOCKSERVER_PORT": "tcp://10.96.0.10:4010", "MOCKSERVER_HOST": "udp://10.96.0.10:53"}
    more = {"MOCKSERVER_PORT_4010_TCP": "tcp://10.96.0.10:4010", "MOCKSERVER_SERVICE_PORT": "4010"}
    variables = {**os.environ, **links, **more}
    done = subprocess.run(
        [sys.executable, "-m", "mockserver", "serve", "--fixture", "no-such", "--port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        env=variables,
    )
    assert done.returncode == 2
    for name, value in links.items():
        assert f"warning: {name}={value} is passed over" in done.stderr
    assert "_TCP" not in done.stderr
    assert "no-such" in done.stderr


def test_a_server_starts_where_kubernetes_sets_its_port() -> None:
    assert "127.0.0.1" in _started(MOCKSERVER_PORT="tcp://10.96.0.10:4010", MOCKSERVER_VERIFY_PORT="tcp://10.0.0.1:1")


def test_an_empty_variable_is_as_good_as_none() -> None:
    printed = _started(MOCKSERVER_FIXTURE="", MOCKSERVER_PROFILE="", MOCKSERVER_SET="", MOCKSERVER_SEED="")
    assert re.search(r"Fixture +default:", printed)
    assert re.search(r"Profile +default$", printed, re.MULTILINE)


def test_the_start_names_a_choice_as_it_is_written() -> None:
    assert "per_page_max=null" in _started("--set", "per_page_max=null")


def test_a_fixture_without_tokens_says_so(tmp_path: Path) -> None:
    file = tmp_path / "closed.yaml"
    file.write_text("merchants:\n  - {id: 1, name: A, currency: USD, card: none}\ntokens: {}\n")
    assert "none: every request gets 401" in _started("--fixture", str(file))
