"""What a run must never do: write when it is read-only, charge cards that nobody allowed, tell secrets."""

from __future__ import annotations

import pytest

from mockserver.verify.transport.redaction import Redaction
from mockserver.verify.transport.safety import SafetyGuard, Withheld
from tests.mutants.reference.messages import Request
from tests.mutants.server import running
from tests.verify.driving import Elsewhere, judge


def test_a_read_only_run_sends_get_alone_fuzzing_included() -> None:
    methods: list[tuple[str, str]] = []

    def record(request: Request) -> None:
        methods.append((request.method, request.path))

    with running() as server:
        server.api.before.append(record)
        heard = judge(server.url, read_only=True, fuzz=True)
    assert {method for method, _ in methods} == {"GET"}
    assert not [path for _, path in methods if "collect" in path or "finalize" in path]
    assert heard.end.requests > 100
    assert heard.end.exit_code == 3
    assert heard.verdicts["CREATE-1"].reason == "this run is read-only (leave out --read-only)"
    assert heard.verdicts["LIST-1"].verdict == "holds"


def test_no_collect_is_sent_to_a_host_that_is_no_loopback_address() -> None:
    with running() as server:
        elsewhere = Elsewhere(server.url)
        heard = judge("http://staging.example/api", connection=elsewhere, fuzz=True, only=("COLLECT", "GEN-1"))
    assert len(elsewhere.sent) > 300
    assert not [path for _, path in elsewhere.sent if "collect" in path.lower()]
    assert heard.end.exit_code == 3
    for rule in ("COLLECT-1", "COLLECT-2", "COLLECT-3", "COLLECT-4", "COLLECT-5"):
        assert heard.verdicts[rule].verdict == "not_exercised"
        assert "--allow-charges" in heard.verdicts[rule].reason


def test_charges_may_be_allowed_elsewhere() -> None:
    with running() as server:
        elsewhere = Elsewhere(server.url)
        heard = judge("http://staging.example/api", connection=elsewhere, allow_charges=True, only=("COLLECT",))
    assert [path for _, path in elsewhere.sent if path.endswith("/collect")]
    assert heard.end.exit_code == 0


@pytest.mark.parametrize(
    "target",
    [
        "/billing/invoices/1/collect",
        "/billing/invoices/1/collect/",
        "/billing/invoices/1/COLLECT",
        "/billing/invoices/1/colle%63t",
        "/billing/invoices/1/colle%2563t?x=1",
        "/billing//invoices/1//collect",
        "/billing/invoices/1\\collect",
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
def test_a_collect_is_known_however_it_is_written(method: str, target: str) -> None:
    with pytest.raises(Withheld, match="could charge a card"):
        SafetyGuard(read_only=False, charges_allowed=False).check(method, target, ())


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "get"])
def test_a_read_only_guard_withholds_every_other_method(method: str) -> None:
    with pytest.raises(Withheld):
        SafetyGuard(read_only=True, charges_allowed=False).check(method, "/billing/invoices", ())


def test_a_read_only_guard_withholds_a_header_that_changes_the_method() -> None:
    with pytest.raises(Withheld):
        SafetyGuard(read_only=True, charges_allowed=False).check(
            "GET", "/billing/invoices", (("X-HTTP-Method-Override", "POST"),)
        )


def test_no_secret_is_in_any_event() -> None:
    secret = "s3cr3t|value+with/odd=signs"
    with running() as server:
        heard = judge(server.url, headers=(("X-Gate", secret),), only=("GEN", "LIST"), skip=("GEN-2",))
        wrong = judge(server.url, token=secret)
    assert heard.end.exit_code == 0
    assert secret not in repr(heard.events)
    assert wrong.end.exit_code == 2
    assert secret not in repr(wrong.events)


def test_short_secrets_are_replaced_as_words_alone() -> None:
    redaction = Redaction({"TOKEN": "T"})
    assert redaction.text("Bearer T, not The") == "Bearer $TOKEN, not The"


def test_secrets_are_found_in_their_encoded_form() -> None:
    redaction = Redaction({"TOKEN": "a b/c+d?e"})
    assert redaction.text("?api_token=a+b%2Fc%2Bd%3Fe&x=a%20b%2Fc%2Bd%3Fe") == "?api_token=$TOKEN&x=$TOKEN"


def test_a_read_only_run_judges_lists_and_searches_on_what_is_there() -> None:
    with running() as server:
        heard = judge(server.url, read_only=True)
    assert heard.breaches == []
    for rule in ("GEN-4", "GEN-7", "LIST-3", "LIST-4", "SEARCH-2", "SEARCH-3", "SEARCH-5", "SEARCH-6"):
        assert heard.verdicts[rule].verdict == "holds", heard.verdicts[rule]
