"""The request log may be lost, and nothing else with it."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import httpx
import pytest

from mockserver.server.service import Current, open_service
from mockserver.server.settings import LogFormat, Settings
from mockserver.server.web.app import create_app
from mockserver.server.web.request_log import RequestLog
from tests import plain
from tests.clock import true_time
from tests.ports import own_port
from tests.server.test_lifetimes import PATIENCE, SERVE, answers, wait_until

TOKEN = {"Authorization": "Bearer provider"}
FULL = Path("/dev/full")


def nobody_reads() -> TextIO:
    reader, writer = os.pipe()
    os.close(reader)
    return open(writer, "w", buffering=1)


def full_disk() -> TextIO:
    if not FULL.exists():
        pytest.skip("this machine has no /dev/full")
    return FULL.open("w", buffering=1)


def nowhere() -> None:
    """As `sys.stderr` is in a process that has none."""


def closed() -> TextIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("lost", [nobody_reads, full_disk, closed, nowhere])
def test_a_log_that_is_lost_costs_no_answer(lost: Callable[[], TextIO | None], form: LogFormat) -> None:
    stream = lost()
    log = RequestLog(stream, form)
    application = create_app(Current(open_service(Settings())), log)
    with httpx.Client(transport=httpx.WSGITransport(app=application), base_url="http://127.0.0.1") as client:
        fee = {"amount": 1, "description": "x" * 10_000, "api_token": "provider"}
        for _ in range(3):
            made = client.post(
                "/api/billing/charges/quick-adjustment?" + "x" * 10_000, json=fee, headers={"X-Selected-Client-Id": "1"}
            )
            assert made.status_code == 200, made.text
        assert client.get("/api/nothing", headers=TOKEN).status_code == 404
        log.note("a file was read anew")
        journal = client.get("/_mock/journal", headers=TOKEN).json()["data"]
    assert [one["response"]["status"] for one in journal] == [200, 200, 200, 404]
    with suppress(OSError):
        if stream is not None:
            stream.close()


def test_a_log_goes_on_once_the_disk_has_room_again() -> None:
    stream = Filling()
    log = RequestLog(stream, "text")
    log.note("one")
    stream.full = True
    log.note("two")
    stream.full = False
    log.note("three")
    assert [line.split()[-1] for line in stream.getvalue().splitlines()] == ["one", "three"]


class Filling(io.StringIO):
    """A disk that is full for a while."""

    full = False

    def write(self, text: str, /) -> int:
        if self.full:
            raise OSError(28, "No space left on device")
        return super().write(text)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such shell")
@pytest.mark.parametrize("without", [">&- 2>&-", "2>&-", "<&- >&-"])
def test_a_server_without_output_answers_and_ends_as_ever(without: str) -> None:
    port = own_port()
    command = ["sh", "-c", f'exec "$@" {without}', "sh", *SERVE, "--port", str(port)]
    # Faketime's shared memory would stand where standard error was, and be written over for everybody.
    with true_time():
        started = subprocess.Popen(command)
    with started as child:
        try:
            wait_until(lambda: answers(port))
            answer = plain.get(f"http://127.0.0.1:{port}/api/billing/invoices", headers=TOKEN)
            assert answer.status_code == 200
            child.send_signal(signal.SIGTERM)
            assert child.wait(PATIENCE) == 0
        finally:
            child.kill()
