"""The proxy: everything passes as it came, what breaks the contract is told, and no failure is lost."""

from __future__ import annotations

import gzip
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
import trustme

from mockserver.server.process import Running, running
from mockserver.watch.watching import Watch
from tests import plain
from tests.mutants.catalogue.every import FAULTS
from tests.mutants.server import running as serving
from tests.watch.proxying import Proxied, answering, proxied, saying
from tests.watch.traffic import invoice, page

AUTH = {"Authorization": "Bearer provider", "X-Selected-Client-Id": "1", "Accept": "application/json"}
GOOD = json.dumps(page([invoice(1)])).encode()
LIST = "/billing/invoices"


def ok(body: bytes, *headers: str) -> bytes:
    head = ["HTTP/1.1 200 OK", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*head, "Connection: close", "", ""]).encode() + body


def get(proxy: Proxied, path: str = LIST, **headers: str) -> httpx.Response:
    return plain.get(proxy.url + path, headers=AUTH | headers, timeout=30, trust_env=False)


@pytest.fixture(scope="module")
def fake() -> Iterator[Running]:
    with running() as live:
        yield live


@pytest.fixture(scope="module")
def behind(fake: Running) -> Iterator[Proxied]:
    with proxied(f"{fake.base}/api") as proxy:
        yield proxy


def test_the_answers_are_those_of_the_server(fake: Running, behind: Proxied) -> None:
    straight = plain.get(f"{fake.base}/api{LIST}", headers=AUTH, trust_env=False)
    through = get(behind)
    assert through.content == straight.content
    assert through.status_code == straight.status_code
    assert {k: v for k, v in through.headers.items() if k != "date"} == {
        k: v for k, v in straight.headers.items() if k != "date"
    }


def test_a_request_passes_as_it_was_sent() -> None:
    with answering(saying(ok(GOOD, "Set-Cookie: a=1", "Set-Cookie: b=2"))) as (url, heads):
        with proxied(url) as proxy:
            host, port = re.findall(r"//(.*):(\d+)", proxy.url)[0]
            with socket.create_connection((host, int(port))) as client:
                client.sendall(
                    b"GET /api/billing/invoices?q=id%3A%221%22&x=%E4&y=a+b HTTP/1.1\r\nHost: there\r\n"
                    b"X-One: 1\r\nX-One: 2\r\n"
                    b"Connection: close, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\n\r\n"
                )
                answer = b"".join(iter(lambda: client.recv(65536), b""))
    [head] = heads
    assert head.startswith(b"GET /api/billing/invoices?q=id%3A%221%22&x=%E4&y=a+b HTTP/1.1\r\n")
    assert f"Host: {url.split('/')[2]}\r\n".encode() in head
    assert re.findall(rb"X-One: (\d)", head) == [b"1", b"2"]
    for dropped in (b"X-Mine", b"Keep-Alive", b"TE:"):
        assert dropped not in head
    assert answer.endswith(GOOD)
    assert re.findall(rb"Set-Cookie: (\S+)", answer) == [b"a=1", b"b=2"]
    assert b"Server:" not in answer


def test_octets_of_headers_that_are_no_utf_8_are_not_lost() -> None:
    bad = ok(json.dumps({"data": 1}).encode()).replace(b"Connection:", b"Content-Disposition: fa\xe7ade\r\nConnection:")
    request = f"GET /api{LIST} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode()
    request += b"Cookie: name=M\xfcller\r\nX-Selected-Client-Id: \xfc\r\nX-User: M\xc3\xbcller\r\n\r\n"
    with answering(saying(bad)) as (url, heads), proxied(url) as proxy:
        answer = raw_answer(proxy, request)
        proxy.stop()
    assert "X-User: Müller\r\n" in heads[0].decode()
    assert "name=Müller\r\n" in heads[0].decode()
    assert "façade\r\n".encode() in answer
    assert b"X-Mock-Breach: " in answer
    assert proxy.exit_code == 1


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_an_answer_without_a_body_stays_one(status: str) -> None:
    with answering(saying(f"HTTP/1.1 {status}\r\nETag: x\r\n\r\n".encode())) as (url, _):
        with proxied(url) as proxy:
            answer = get(proxy)
    assert answer.status_code == int(status[:3])
    assert "content-type" not in answer.headers
    assert answer.headers["etag"] == "x"


def raw_answer(proxy: Proxied, request: bytes) -> bytes:
    host, port = re.findall(r"//(.*):(\d+)", proxy.url)[0]
    with socket.create_connection((host, int(port))) as client:
        client.sendall(request)
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_a_packed_request_stays_packed_and_is_read() -> None:
    packed = gzip.compress(json.dumps({"charge_ids": list(range(1, 60))}).encode())
    head = f"POST /api{LIST} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
    head += f"Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    for body in (packed, b"x" * len(packed)):
        with answering(saying(ok(GOOD))) as (url, heads), proxied(url) as proxy:
            assert raw_answer(proxy, head.encode() + body).startswith(b"HTTP/1.1 200")
        assert heads[0].endswith(b"\r\n\r\n" + body)
        assert b"Content-Encoding: gzip" in heads[0]


def test_a_request_may_name_the_host_as_those_to_proxies_do() -> None:
    request = f"%b http://portal.example.com/api{LIST}%b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    with answering(saying(ok(GOOD))) as (url, heads), proxied(url, no_collect=True) as proxy:
        assert raw_answer(proxy, request % (b"GET", b"?page=1")).startswith(b"HTTP/1.1 200")
        assert heads[0].startswith(f"GET /api{LIST}?page=1 HTTP/1.1\r\n".encode())
        assert raw_answer(proxy, request % (b"POST", b"/7/collect")).startswith(b"HTTP/1.1 403")
        assert len(heads) == 1


def test_a_packed_answer_is_judged_and_stays_packed() -> None:
    bad = gzip.compress(json.dumps(page([invoice(1)], last_page=7)).encode())
    with answering(saying(ok(bad, "Content-Encoding: gzip"))) as (url, heads):
        with proxied(url) as proxy:
            with plain.stream(
                "GET", proxy.url + LIST, headers=AUTH | {"Accept-Encoding": "br, gzip;q=0.5"}, trust_env=False
            ) as answer:
                raw = b"".join(answer.iter_raw())
    assert raw == bad
    assert answer.headers["x-mock-breach"].startswith("LIST-3: ")
    assert b"Accept-Encoding: gzip;q=0.5\r\n" in heads[0]


def test_a_large_answer_passes_without_being_held() -> None:
    size = 300_000_000
    chunk = b"x" * 1_000_000

    def pour(connection: socket.socket) -> None:
        connection.sendall(
            f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n".encode()
        )
        for _ in range(size // len(chunk)):
            connection.sendall(chunk)

    with answering(pour) as (url, _), proxied(url) as proxy:
        before = psutil.Process().memory_info().rss
        with plain.stream("GET", proxy.url + LIST, headers=AUTH, timeout=60, trust_env=False) as answer:
            received = sum(len(part) for part in answer.iter_raw())
        grown = psutil.Process().memory_info().rss - before
    assert received == size
    assert grown < 60_000_000
    assert "1 whose answer was not recorded" in proxy.notes


def test_what_is_not_judged_passes_as_it_comes() -> None:
    def slowly(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        connection.recv(1)

    with answering(slowly) as (url, _), proxied(url) as proxy:
        with plain.stream("GET", proxy.root + "/events", timeout=30, trust_env=False) as answer:
            assert next(answer.iter_raw()) == b"first"


@pytest.fixture(scope="module")
def faulty() -> Iterator[Proxied]:
    with serving(FAULTS["total_is_a_string"]) as server:
        with proxied(server.url) as proxy:
            for _ in range(2):
                plain.post(
                    f"{proxy.url}/billing/charges/quick-adjustment",
                    headers=AUTH,
                    json={"amount": 3, "description": "x"},
                    trust_env=False,
                )
                plain.post(proxy.url + LIST, headers=AUTH, trust_env=False)
            get(proxy)
            yield proxy


def test_a_breach_is_told_in_the_answer_in_the_journal_and_in_reports(faulty: Proxied) -> None:
    assert get(faulty).headers["x-mock-breach"].startswith("LIST-1: ")
    journal = plain.get(f"{faulty.root}/_mock/proxy/journal?breaches", trust_env=False).json()
    assert journal["data"][-1]["breaches"][0].startswith("LIST-1: ")
    report = plain.get(f"{faulty.root}/_mock/proxy/report?format=json", trust_env=False).json()
    assert {breach["rule"] for breach in report["breaches"]} >= {"LIST-1", "CREATE-3"}
    page_of_report = plain.get(f"{faulty.root}/_mock/proxy/report", trust_env=False)
    assert page_of_report.headers["content-type"].startswith("text/html")
    faulty.stop()
    assert faulty.exit_code == 1
    assert "Bearer provider" not in repr(faulty.events) + page_of_report.text


def test_a_foreign_page_can_not_read_what_passed_by(behind: Proxied) -> None:
    answer = plain.get(f"{behind.root}/_mock/proxy/journal", headers={"Host": "evil.example"}, trust_env=False)
    assert answer.status_code == 403


def test_with_fail_a_breach_takes_the_answers_place() -> None:
    with answering(saying(ok(b'{"data": 1}'))) as (url, _), proxied(url, fail=True) as proxy:
        answer = get(proxy)
    assert answer.status_code == 502
    assert "LIST-1: " in answer.json()["message"]


READERS = {
    "access-control-allow-origin": "https://portal.example.com",
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "X-Total, X-Mock-Breach",
    "vary": "Origin, Accept-Encoding",
}
"""Which pages may read an answer, and its breach."""
FOR_READERS = ok(
    b'{"data": 1}',
    "X-Total: 1",
    *("Access-Control-Allow-Origin: https://portal.example.com", "Access-Control-Allow-Credentials: true"),
    *("Access-Control-Expose-Headers: X-Total", "Vary: Origin", "Vary: Accept-Encoding"),
)


def _of_readers(answer: httpx.Response) -> dict[str, str]:
    names = {name for name in answer.headers if name.startswith("access-control-") or name == "vary"}
    return {name: answer.headers[name] for name in names}


@pytest.mark.parametrize("fail", [True, False])
def test_a_page_that_may_read_an_answer_may_read_its_breach_and_what_stands_in_its_place(fail: bool) -> None:
    with answering(saying(FOR_READERS)) as (url, _), proxied(url, fail=fail) as proxy:
        answer = get(proxy)
    assert answer.status_code == (502 if fail else 200)
    assert answer.headers["X-Mock-Breach"].startswith("LIST-1: ")
    assert _of_readers(answer) == READERS
    assert ("x-total" in answer.headers) is not fail


def test_a_page_that_may_read_an_answer_may_read_that_it_broke_off() -> None:
    with answering(saying(FOR_READERS[:-5])) as (url, _), proxied(url) as proxy:
        answer = get(proxy)
    assert answer.status_code == 502
    assert _of_readers(answer) == {**READERS, "access-control-expose-headers": "X-Total"}


@pytest.mark.parametrize("fail", [True, False])
def test_a_proxy_allows_no_page_what_the_server_did_not(fail: bool) -> None:
    for says in (ok(b'{"data": 1}'), b""):
        with answering(saying(says)) as (url, _), proxied(url, fail=fail) as proxy:
            answer = plain.get(proxy.url + LIST, headers={**AUTH, "Origin": "https://x.example"}, trust_env=False)
        assert ("X-Mock-Breach" in answer.headers) is bool(says)
        assert _of_readers(answer) == {}


@pytest.mark.parametrize(
    ("option", "method", "path", "passes"),
    [
        ("read_only", "GET", LIST, True),
        ("read_only", "POST", LIST, False),
        ("no_collect", "POST", f"{LIST}/7/finalize", True),
        ("no_collect", "POST", f"{LIST}/7/collect", False),
        ("no_collect", "POST", f"{LIST}/7/%63ollect", False),
        ("no_collect", "POST", f"{LIST}//7/COLLECT/", False),
    ],
)
def test_what_could_cost_money_does_not_leave(option: str, method: str, path: str, passes: bool) -> None:
    with answering(saying(ok(GOOD))) as (url, heads), proxied(url, **{option: True}) as proxy:
        answer = plain.request(method, proxy.url + path, headers=AUTH, trust_env=False)
    assert (answer.status_code == 200) is passes
    assert bool(heads) is passes
    if not passes:
        assert option.replace("_", "-") in answer.json()["message"]


def _down() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}/api"


@pytest.mark.parametrize(
    ("says", "status", "words"),
    [
        (b"", 502, "closed the connection"),
        (b"SSH-2.0-OpenSSH\r\n", 502, "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{", 502, "broke off"),
    ],
)
def test_a_server_that_breaks_down_is_told_in_the_apis_form(says: bytes, status: int, words: str) -> None:
    with answering(saying(says)) as (url, _), proxied(url) as proxy:
        answer = get(proxy)
    assert answer.status_code == status
    assert words in answer.json()["message"]
    assert words in proxy.notes


def test_a_server_that_is_down_is_a_502_and_one_that_is_silent_a_504() -> None:
    with proxied(_down()) as proxy:
        assert get(proxy).status_code == 502
    with answering(lambda _: time.sleep(20)) as (url, _), proxied(url, timeout=0.5) as proxy:
        answer = get(proxy)
    assert answer.status_code == 504
    assert "did not answer within 0.5 s" in answer.json()["message"]


def test_a_client_that_left_before_its_answer_came_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    left = threading.Event()

    def late(connection: socket.socket) -> None:
        left.wait(30)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")

    with answering(late) as (url, _), proxied(url) as proxy:
        with pytest.raises(httpx.TimeoutException):
            plain.get(f"{proxy.url}/billing/invoices", timeout=1, trust_env=False)
        left.set()
        plain.get(f"{proxy.url}/billing/invoices", timeout=30, trust_env=False)
    assert "Traceback" not in caplog.text


def test_the_server_behind_must_prove_who_it_is(tmp_path: Path) -> None:
    authority = trustme.CA()
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with answering(saying(ok(GOOD)), tls=tls) as (url, _):
        with proxied(url) as proxy:
            refused = get(proxy)
        with proxied(url, tls_verify=str(trusted)) as proxy:
            answered = get(proxy)
    assert refused.status_code == 502
    assert "--tls-verify" in refused.json()["message"]
    assert answered.status_code == 200


def test_a_fake_behind_it_that_is_reset_contradicts_nothing(behind: Proxied) -> None:
    token = AUTH | {"Authorization": "Bearer provider@reset"}
    with plain.Client(headers=token, base_url=behind.root, trust_env=False) as http:
        for _ in range(2):
            charge = {"amount": 3, "description": "x"}
            http.post("/api/billing/charges/quick-adjustment", json=charge)
            made = http.post("/api/billing/invoices").json()["invoice"]["id"]
            http.post(f"/api/billing/invoices/{made}/finalize")
            assert "x-mock-breach" not in http.get("/api/billing/invoices").headers
            http.post("/_mock/reset")


@pytest.mark.parametrize("told", [True, False])
def test_a_server_whose_database_was_emptied_is_one_that_nothing_is_known_of(told: bool) -> None:
    def answer(connection: socket.socket) -> None:
        made = ok(json.dumps({"message": "Created.", "invoice": invoice(1)}).encode())
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" if b"/_mock/" in heads[-1] else made)

    with answering(answer) as (url, heads), proxied(url) as proxy:
        with plain.Client(headers=AUTH, trust_env=False) as http:
            http.post(proxy.url + LIST)
            if told:
                http.post(f"{proxy.root}/_mock/reset")
            again = http.post(proxy.url + LIST)
    assert ("x-mock-breach" in again.headers) is not told


@pytest.mark.parametrize(
    ("between", "told"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", []),
        (b"", []),
        (b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n", ["CREATE-4"]),
    ],
    ids=["done", "done perhaps", "refused"],
)
def test_what_nobody_documents_is_heard_of_too(between: bytes, told: list[str]) -> None:
    numbers = iter((1, 2))

    def answer(connection: socket.socket) -> None:
        made = {"message": "Created.", "invoice": invoice(next(numbers))} if heads[-1].startswith(b"POST") else None
        connection.sendall(between if made is None else ok(json.dumps(made).encode()))

    with answering(answer) as (url, heads), proxied(url) as proxy:
        with plain.Client(base_url=proxy.url, headers=AUTH, trust_env=False) as http:
            http.post(LIST, json={"charge_ids": [5]})
            http.delete(f"{LIST}/1")
            again = http.post(LIST, json={"charge_ids": [5]})
    assert [again.headers["x-mock-breach"][:8]] == told if told else "x-mock-breach" not in again.headers
    assert "1 not of the API" in proxy.notes


def test_a_mistake_of_the_judge_costs_no_client_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> list[str]:
        raise ZeroDivisionError

    monkeypatch.setattr(Watch, "see", fails)
    with answering(saying(ok(GOOD))) as (url, _), pytest.raises(ZeroDivisionError), proxied(url) as proxy:
        assert get(proxy).content == GOOD
