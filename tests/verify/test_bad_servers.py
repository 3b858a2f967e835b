"""What is no API is told for what it is, and a server that dies half-way costs nothing that was learned."""

from __future__ import annotations

import pytest

from tests.mutants.non_apis import NON_APIS, posing
from tests.mutants.server import running
from tests.verify.driving import judge

WORDS = {
    "html": "HTML page",
    "login": "login page",
    "broken_json": "no JSON",
    "other_json": "no page of the billing API",
    "not_found": "is not found",
    "token_refused": "refuses the token",
    "forbidden": "refuses the token or the merchant",
    "truncated": "cut off",
    "reset": "connection",
    "closed": "closed the connection without an answer",
    "other_protocol": "no HTTP",
    "nobody": "can't be reached",
}


def test_a_wrong_base_path_is_told_as_one() -> None:
    with running() as server:
        heard = judge(server.url.replace("/api", "/wrong"), merchant=None)
    assert heard.end.exit_code == 2
    assert "is the base path right?" in heard.end.stop_reason
    assert "--merchant" not in heard.end.stop_reason
    assert heard.end.left_behind == ""


@pytest.mark.parametrize("name", WORDS)
def test_what_is_no_api_is_told_for_what_it_is(name: str) -> None:
    with posing(NON_APIS[name]) as server:
        heard = judge(server.url)
    assert heard.end.exit_code == 2
    assert WORDS[name] in heard.end.stop_reason
    assert "\n" not in heard.end.stop_reason
    assert heard.breaches == []


def test_silence_is_told_after_the_timeout() -> None:
    with posing(NON_APIS["silent"]) as server:
        heard = judge(server.url, timeout=0.3)
    assert heard.end.exit_code == 2
    assert "no whole answer within 0.3 s" in heard.end.stop_reason


@pytest.mark.parametrize("name", ["dies", "resets_later", "html_later", "token_expires", "login_later"])
def test_a_server_that_changes_half_way_keeps_what_was_learned(name: str) -> None:
    with posing(NON_APIS[name]) as server:
        heard = judge(server.url, timeout=2.0)
    assert heard.end.exit_code == 2
    assert heard.breaches == []
    assert heard.verdicts["GEN-1"].verdict == "holds"
    assert "the server stopped" in heard.end.stop_reason
