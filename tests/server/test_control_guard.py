"""Who may call the control interface, from where, and as which page."""

from __future__ import annotations

import hmac
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import takewhile

import httpx
import pytest

from mockserver.core.errors import Forbidden, Unauthenticated, Unusable
from mockserver.core.loopback import is_loopback
from mockserver.core.messages import Request
from mockserver.server.control import guard
from mockserver.server.control.guard import FORWARDED, TOKEN_HEADER, ControlGuard, secured
from mockserver.server.process import Running, running
from mockserver.server.settings import Settings
from tests import plain
from tests.ports import own_port

PAGE = "http://localhost:5173"
STRANGER = "https://elsewhere.example"


@pytest.fixture(scope="module")
def exposed() -> Iterator[Running]:
    """A server that other machines could reach."""
    allowed = ("--webhook-allow", "listed.example:8000", "--webhook-allow", "other.example")
    with running("--control-token", "sesame", "--control-cors", PAGE, *allowed, host="0.0.0.0") as server:
        yield Running(server.base.replace("0.0.0.0", "127.0.0.1"))


def reset(server: Running, **headers: str) -> httpx.Response:
    return plain.post(f"{server.control}/reset", headers={"Authorization": "Bearer provider@guarded", **headers})


def test_without_the_control_token_an_exposed_server_refuses_control(exposed: Running) -> None:
    answer = reset(exposed)
    assert answer.status_code == 401
    assert TOKEN_HEADER in answer.json()["message"]


@pytest.mark.parametrize("wrong", ["", "sesam", "Sesame", "sesame1", "s\u00e9same"])
def test_a_wrong_control_token_is_refused(exposed: Running, wrong: str) -> None:
    answer = plain.post(f"{exposed.control}/reset", headers=[(TOKEN_HEADER.encode(), wrong.encode("latin-1"))])
    assert answer.status_code == 401


def test_with_the_control_token_an_exposed_server_obeys(exposed: Running) -> None:
    assert reset(exposed, **{TOKEN_HEADER: "sesame"}).status_code == 200


def test_an_exposed_server_may_be_called_by_any_name(exposed: Running) -> None:
    assert reset(exposed, **{TOKEN_HEADER: "sesame", "Host": "mock.internal:4010"}).status_code == 200


@pytest.mark.parametrize("path", sorted(guard.OPEN_PATHS))
def test_what_tells_nothing_of_a_world_needs_no_control_token(exposed: Running, path: str) -> None:
    assert plain.get(exposed.control + path).status_code == 200


def test_the_api_itself_needs_no_control_token(exposed: Running) -> None:
    answer = plain.get(f"{exposed.api}/billing/invoices", headers={"Authorization": "Bearer provider"})
    assert answer.status_code == 200


def test_control_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return False

    monkeypatch.setattr(hmac, "compare_digest", compare)
    with pytest.raises(Unauthenticated):
        ControlGuard(Settings(control_token="sesame")).check(
            Request("POST", "/reset", headers={TOKEN_HEADER.lower(): "guess"})
        )
    assert compared == [(b"guess", b"sesame")]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_a_server_that_others_can_reach_makes_up_a_control_token(host: str) -> None:
    made = secured(Settings(host=host)).control_token
    assert made is not None and len(made) >= 32
    assert made != secured(Settings(host=host)).control_token


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_a_server_on_loopback_makes_up_none(host: str) -> None:
    assert is_loopback(host)
    assert secured(Settings(host=host)).control_token is None


def test_an_empty_control_token_is_none() -> None:
    assert secured(Settings(control_token="")).control_token is None
    assert secured(Settings(control_token="", host="0.0.0.0")).control_token


@pytest.mark.parametrize("token", ["caf\u00e9", "two\nlines", " spaced "])
def test_a_control_token_that_no_header_can_carry_is_unusable(token: str) -> None:
    with pytest.raises(Unusable, match="--control-token"):
        secured(Settings(control_token=token))


def test_a_page_of_another_origin_cant_control(server: Running) -> None:
    """A form or a fetch without special headers is sent by the browser without asking first."""
    answer = reset(server, Origin=STRANGER, **{"Content-Type": "text/plain"})
    assert answer.status_code == 403
    assert f"--control-cors {STRANGER}" in answer.json()["message"]
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("origin", ["null", "http://127.0.0.1:1", "http://localhost", "", "file://"])
def test_no_origin_but_its_own_may_control(server: Running, origin: str) -> None:
    assert reset(server, Origin=origin).status_code == 403


def test_a_page_of_the_server_itself_may_control(server: Running) -> None:
    assert reset(server, Origin=server.base).status_code == 200


def test_a_browser_that_asks_first_is_told_no(server: Running) -> None:
    answer = preflight(server, STRANGER)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_page_of_an_allowed_origin_may_control_and_read(exposed: Running) -> None:
    asked = preflight(exposed, PAGE)
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Origin"] == PAGE
    assert "PUT" in asked.headers["Access-Control-Allow-Methods"]
    assert asked.headers["Access-Control-Allow-Headers"] == "authorization,x-mock-control-token"
    answer = reset(exposed, Origin=PAGE, **{TOKEN_HEADER: "sesame"})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.headers["Vary"] == "Origin"


def test_an_allowed_page_can_read_why_it_is_refused(exposed: Running) -> None:
    answer = reset(exposed, Origin=PAGE)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, PAGE)


def test_an_allowed_origin_allows_no_other(exposed: Running) -> None:
    assert reset(exposed, Origin=STRANGER, **{TOKEN_HEADER: "sesame"}).status_code == 403


@pytest.mark.parametrize("path", sorted(guard.DOCUMENTS))
def test_a_page_of_any_origin_may_read_the_documents(server: Running, exposed: Running, path: str) -> None:
    for each in (server, exposed):
        answer = plain.get(each.control + path, headers={"Origin": STRANGER})
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        asked = preflight(each, STRANGER, path=path, method="GET")
        assert (asked.status_code, asked.headers["Access-Control-Allow-Methods"]) == (204, "GET")


def test_a_page_of_another_origin_may_do_nothing_else_to_a_document(server: Running) -> None:
    assert plain.post(f"{server.control}/spec.yaml", headers={"Origin": STRANGER}).status_code == 403
    assert preflight(server, STRANGER, path="/spec.yaml").status_code == 403
    assert plain.get(f"{server.control}/health", headers={"Origin": STRANGER}).status_code == 403


def test_a_star_allows_every_origin() -> None:
    ControlGuard(Settings(control_cors=("*",))).check(Request("POST", "/reset", headers={"origin": "null"}))


@pytest.mark.parametrize(
    "name",
    [
        "elsewhere.example",
        "elsewhere.example:4010",
        "127.0.0.1.elsewhere.example",
        "0.0.0.0",
        "localhost:evil.example",
        "localhost:80:evil.example",
        "localhost@evil.example",
        "localhost/evil.example",
        "[::1]evil.example",
        "[::1]:evil.example",
        "[::1",
        "::1",
        "127.0.0.1:80.evil.example",
    ],
)
def test_a_foreign_name_for_this_machine_is_refused(server: Running, name: str) -> None:
    """A site can point a name of its own at 127.0.0.1; its pages then have the same origin as the server."""
    answer = reset(server, Host=name, Origin=f"http://{name}")
    assert answer.status_code == 403
    assert "localhost" in answer.json()["message"]


@pytest.mark.parametrize(
    "name", ["localhost", "LOCALHOST:80", "app.localhost:4010", "127.0.0.1", "[::1]:4010", "127.1.2.3:9"]
)
def test_a_local_name_is_accepted(server: Running, name: str) -> None:
    assert reset(server, Host=name).status_code == 200


def test_a_request_without_a_host_comes_from_no_browser(server: Running) -> None:
    address = httpx.URL(server.base)
    with socket.create_connection((address.host, address.port), timeout=60) as connection:
        connection.sendall(b"GET /_mock/health HTTP/1.0\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.0 200")
    with pytest.raises(Forbidden):
        ControlGuard(Settings()).check(Request("GET", "/health", headers={"host": "elsewhere.example"}))


@pytest.mark.parametrize("name", FORWARDED)
def test_what_came_through_a_proxy_may_come_from_anywhere(server: Running, exposed: Running, name: str) -> None:
    passed = {name: "for=192.0.2.7"}
    answer = reset(server, **passed)
    assert answer.status_code == 401
    assert "--control-token" in answer.json()["message"]
    assert plain.get(f"{server.control}/health", headers=passed).status_code == 200
    assert reset(exposed, **passed).status_code == 401
    assert reset(exposed, **passed, **{TOKEN_HEADER: "sesame"}).status_code == 200


def test_the_api_may_stand_behind_a_proxy(server: Running) -> None:
    headers = {"Authorization": "Bearer provider", "X-Forwarded-For": "192.0.2.7"}
    assert plain.get(f"{server.api}/billing/invoices", headers=headers).status_code == 200


@pytest.mark.parametrize("form", ["json", "har", "curl", "pytest"])
def test_the_control_token_is_in_no_journal(exposed: Running, form: str) -> None:
    headers = {"Authorization": "Bearer provider@secrets", TOKEN_HEADER: "sesame"}
    for path in ("/billing/invoices?page=2", "/nothing"):
        plain.get(exposed.api + path, headers=headers)
    told = plain.get(f"{exposed.control}/journal?format={form}", headers=headers)
    assert "page=2" in told.text and "nothing" in told.text
    assert "sesame" not in told.text


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/hook", "http://169.254.169.254/", "http://db:5432", "https://listed.example"]
)
def test_an_exposed_server_posts_events_to_listed_hosts_only(exposed: Running, url: str) -> None:
    headers = {TOKEN_HEADER: "sesame", "Authorization": "Bearer provider@hooks"}
    answer = plain.put(f"{exposed.control}/webhooks", headers=headers, json={"url": url})
    assert answer.status_code == 400
    assert "--webhook-allow" in answer.json()["message"]


@pytest.mark.parametrize(
    "url", ["http://listed.example:8000/hook", "http://other.example/a", "https://other.example:8/a"]
)
def test_an_exposed_server_posts_events_to_the_hosts_that_are_listed(exposed: Running, url: str) -> None:
    headers = {TOKEN_HEADER: "sesame", "Authorization": "Bearer provider@listed"}
    assert plain.put(f"{exposed.control}/webhooks", headers=headers, json={"url": url}).status_code == 200


def test_a_server_of_this_machine_posts_events_anywhere(server: Running) -> None:
    hook = {"url": "http://192.0.2.1:9/hook"}
    headers = {"Authorization": "Bearer provider@anywhere"}
    assert plain.put(f"{server.control}/webhooks", headers=headers, json=hook).status_code == 200


@pytest.mark.parametrize("given", [[], ["--control-token", ""]])
def test_the_control_token_that_was_made_up_is_printed(given: list[str]) -> None:
    port = own_port("0.0.0.0")
    command = [sys.executable, "-m", "mockserver", "serve", "--host", "0.0.0.0", "--port", str(port), *given]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        try:
            banner = "".join(takewhile(lambda line: "  Try " not in line, child.stdout or ()))
            found = re.search(rf"{TOKEN_HEADER}: (\S+)", banner)
            assert found is not None, banner
            server = Running(f"http://127.0.0.1:{port}")
            assert reset(server).status_code == 401
            assert reset(server, **{TOKEN_HEADER: found[1]}).status_code == 200
        finally:
            child.terminate()


def test_an_export_of_a_guarded_server_takes_the_control_token(exposed: Running) -> None:
    command = [sys.executable, "-m", "mockserver", "fixtures", "export", "--url", exposed.base]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "The control token is missing" in refused.stderr
    done = subprocess.run([*command, "--control-token", "sesame"], capture_output=True, text=True, check=True)
    assert "merchants:" in done.stdout


def preflight(server: Running, origin: str, *, path: str = "/reset", method: str = "POST") -> httpx.Response:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,x-mock-control-token",
    }
    return httpx.options(server.control + path, headers=headers)
