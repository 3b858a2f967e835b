"""Whatever a server does, a run ends in time, in bounded memory, without a traceback and without a false word."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mockserver.verify.transport.messages import NOT_JSON, parse_json
from mockserver.verify.transport.pace import LONGEST, retry_after
from tests.mutants.reference.messages import Reply, Request
from tests.mutants.server import running
from tests.verify.driving import judge
from tests.verify.hostile import ATTACKS, LONG, NEARLY_RIGHT, NONSENSE, WAITS, attacking, framed, huge_page

MOST = 5.0
"""Seconds of a run."""
SLACK = 3.0
"""Seconds that starting and telling may take on a busy machine."""


@pytest.mark.parametrize("name", ATTACKS)
def test_a_run_ends_within_its_time_when_the_server_attacks_from_the_first(name: str) -> None:
    began = time.monotonic()
    with attacking(ATTACKS[name]) as server:
        heard = judge(server.url, max_time=MOST, timeout=60.0)
    assert time.monotonic() - began < MOST + SLACK
    assert heard.end.exit_code in (2, 3)
    assert heard.breaches == []
    assert heard.end.left_behind == ""


@pytest.mark.parametrize("name", ATTACKS)
def test_a_run_ends_within_its_time_when_the_server_attacks_half_way(name: str) -> None:
    began = time.monotonic()
    with attacking(ATTACKS[name], after=80) as server:
        heard = judge(server.url, max_time=MOST, timeout=60.0)
    assert time.monotonic() - began < MOST + SLACK
    assert heard.end.exit_code in (2, 3)
    assert heard.breaches == []
    assert heard.verdicts["GEN-1"].verdict == "holds"


def test_a_timeout_is_for_the_whole_of_an_answer() -> None:
    began = time.monotonic()
    with attacking(ATTACKS["byte_by_byte"]) as server:
        heard = judge(server.url, timeout=1.0)
    assert time.monotonic() - began < 1.0 + SLACK
    assert "no whole answer within 1 s" in heard.end.stop_reason


def test_the_time_is_kept_while_fuzzing() -> None:
    def slow(write: Callable[[bytes], None], reply: Reply) -> None:
        time.sleep(0.2)
        ATTACKS["byte_by_byte"](write, reply)

    began = time.monotonic()
    with attacking(slow, after=900) as server:
        heard = judge(server.url, max_time=14.0, timeout=60.0, fuzz=True, only=("GEN-5", "LIST-1"))
    assert time.monotonic() - began < 14.0 + SLACK
    assert heard.breaches == []


def test_an_answer_that_is_too_long_is_told_and_breaks_no_rule() -> None:
    with attacking(huge_page) as server:
        heard = judge(server.url)
    assert heard.end.exit_code == 2
    assert "longer than 8,000,000 bytes" in heard.end.stop_reason


def test_what_is_kept_of_long_answers_is_bounded(tmp_path: Path) -> None:
    """Each page as long as is read, so that all that is left is not to keep them."""
    row = b'{"id": %d, "chargee_id": "1", "created_at": "2026-01-01T00:00:00Z", "status": "Draft", "x": "%s"}'

    def long_page(write: Callable[[bytes], None], reply: Reply) -> None:
        rows = b",".join(row % (number, b"x" * 900) for number in range(7_000))
        write(framed(b'{"data": [' + rows + b'], "current_page": 1, "per_page": 7000, "total": 7000, "last_page": 1}'))

    command = [sys.executable, "-m", "mockserver", "verify", "--no-fuzz", "--max-time", "10", "--read-only"]
    command += ["--report", "json,html,junit,markdown,pytest", "--report-dir", str(tmp_path)]
    with attacking(long_page) as server:
        process = subprocess.Popen(
            [*command, "--token", "merchant1", "--merchant", "1", server.url], stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 1
    assert usage.ru_maxrss < 700_000, "kilobytes"
    assert sum(path.stat().st_size for path in tmp_path.rglob("*")) < 60_000_000


@pytest.mark.parametrize("after", [0, 40])
@pytest.mark.parametrize("name", NONSENSE)
def test_no_nonsense_ends_in_a_traceback(name: str, after: int) -> None:
    def nonsense(write: Callable[[bytes], None], reply: Reply) -> None:
        write(NONSENSE[name])

    with attacking(nonsense, after=after) as server:
        heard = judge(server.url, timeout=0.5, max_time=3.0)
    assert heard.end.exit_code in (0, 1, 2, 3)


@pytest.mark.parametrize("name", LONG)
def test_no_answer_takes_longer_to_read_than_a_run_may_last(name: str) -> None:
    def long(write: Callable[[bytes], None], reply: Reply) -> None:
        write(LONG[name])

    began = time.monotonic()
    with attacking(long) as server:
        heard = judge(server.url, max_time=MOST)
    assert time.monotonic() - began < MOST + SLACK
    assert heard.end.exit_code in (1, 2, 3)


@pytest.mark.parametrize("name", NEARLY_RIGHT)
def test_no_value_ends_in_a_traceback(name: str) -> None:
    with attacking(NEARLY_RIGHT[name]) as server:
        heard = judge(server.url, only=("LIST-1", "LIST-3", "SEARCH-1", "SEARCH-5", "CREATE-3", "GEN-9"))
    assert heard.end.stop_reason == "completed"


@pytest.mark.parametrize("value", WAITS)
def test_a_retry_after_that_says_nothing_is_no_reason_to_end(value: str) -> None:
    asked: list[str] = []

    def once(request: Request) -> Reply | None:
        asked.append(request.path)
        named = {"Retry-After": value.encode().decode("latin-1")}
        return Reply(429, {"message": "Too many."}, named) if len(asked) == 20 else None

    with running() as server:
        server.api.before.append(once)
        heard = judge(server.url, max_time=6.0, only=("LIST-1",))
    assert heard.end.exit_code in (0, 3)
    assert heard.breaches == []


def test_a_wait_is_never_below_0_nor_beyond_a_day() -> None:
    for value in WAITS:
        seconds = retry_after({"retry-after": value})
        assert seconds is None or 0 <= seconds <= LONGEST, value
    assert retry_after({"retry-after": "3"}) == 3.0
    assert retry_after({"retry-after": "\u00b2"}) is None


def test_a_server_that_always_asks_to_wait_for_nothing_is_not_stormed() -> None:
    with running() as server:
        server.api.before.append(lambda request: Reply(429, {"message": "Too many."}, {"Retry-After": "0"}))
        heard = judge(server.url, max_time=3.0)
        assert server.requests < 40
    assert heard.end.exit_code in (2, 3)


@pytest.mark.parametrize(
    "text",
    ["[" * 65 + "]" * 65, '{"a":' * 65 + "1" + "}" * 65, "1e301", "-1e301", "1e-301", "NaN", "Infinity", "9" * 301, ""],
)
def test_what_no_program_could_work_with_is_no_json(text: str) -> None:
    assert parse_json(text.encode()) is NOT_JSON


@pytest.mark.parametrize("text", ["[" * 60 + "]" * 60, "1e300", "0e999", "9" * 300, '[[],[],{},{"a":[]}]' + " " * 99])
def test_what_is_unusual_is_json_all_the_same(text: str) -> None:
    assert parse_json(text.encode()) is not NOT_JSON
