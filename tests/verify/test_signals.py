"""A run that is told to end tells what it has learned, at whichever moment it is told, and is no broken rule."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from mockserver.cli import verify
from mockserver.cli.main import main as command_line
from mockserver.verify.context.context import Context
from mockserver.verify.errors import OutOfTime
from mockserver.verify.events import BreachFound, Event, PhaseStarted, Progress
from mockserver.verify.fuzz import process as fuzzer_process
from mockserver.verify.fuzz.gateway import Gateway
from mockserver.verify.options import Options
from mockserver.verify.run import verify as run_verification
from mockserver.verify.transport.signals import Interrupted, Signals
from tests.mutants.catalogue.every import FAULTS
from tests.mutants.config import PROVIDER, ServerConfig
from tests.mutants.non_apis import NON_APIS, posing
from tests.mutants.reference.messages import Reply
from tests.mutants.server import Running, running
from tests.verify.hostile import attacking, byte_by_byte

REPORTS = ("junit", "json", "html", "markdown", "pytest")
EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 2}
PATIENCE = 40.0
"""Seconds from the signal to the end, on a busy machine."""


@contextmanager
def started(url: str, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A run as a process of its own, in a session of its own, as from a terminal."""
    verify = [sys.executable, "-m", "mockserver", "verify", url, "--token", "merchant1", "--merchant", "1"]
    process = subprocess.Popen(
        [*verify, "--report", ",".join(["console", *REPORTS]), "--report-dir", str(folder), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def until(condition: object, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    assert callable(condition)
    while not condition():
        assert time.monotonic() < end, "it never came to this"
        time.sleep(0.01)


def ended(process: subprocess.Popen[str], number: signal.Signals, *, group: bool = False) -> str:
    """Sends the signal, and returns what was printed; fails where the process does not end soon, and rightly."""
    began = time.monotonic()
    (os.killpg if group else os.kill)(process.pid, number)
    printed, _ = process.communicate(timeout=PATIENCE)
    assert time.monotonic() - began < PATIENCE
    assert process.returncode == EXIT_CODES[number], printed
    assert "Traceback" not in printed
    return printed


def reported(folder: Path) -> dict[str, object]:
    """The JSON report; every report is there."""
    names = {"report.html", "report.json", "report.md", "junit.xml", "test_breaches.py"}
    assert names <= {path.name for path in folder.iterdir()}
    report: dict[str, object] = json.loads((folder / "report.json").read_text())
    return report


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as answering:
        yield answering


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("requests", [3, 60, 900])
def test_a_signal_at_any_moment_ends_a_run_with_its_reports(
    requests: int, number: signal.Signals, tmp_path: Path
) -> None:
    with running() as server, started(server.url, tmp_path, "--other-token", "merchant2") as process:
        until(lambda: server.requests >= requests)
        printed = ended(process, number)
    report = reported(tmp_path)
    assert report["exit_code"] == EXIT_CODES[number]
    assert report["stop_reason"] == f"ended by {number.name}"
    assert report["breaches"] == []
    assert f"Ended by {number.name} before its verdict" in printed
    if requests >= 60:
        assert "charge" in str(report["left_behind"])
        assert "Left behind" in printed


@pytest.mark.parametrize("attempt", range(5))
def test_ctrl_c_in_the_middle_of_races_ends_the_run(attempt: int, tmp_path: Path) -> None:
    with running() as server, started(server.url, tmp_path, "--only", "CREATE-4,COLLECT-4", "--no-fuzz") as process:
        until(lambda: server.requests > 330 + 12 * attempt or process.poll() is not None)
        if process.poll() is None:
            ended(process, signal.SIGINT, group=True)
    reported(tmp_path)


def test_ctrl_c_while_fuzzing_ends_the_fuzzer_too(tmp_path: Path) -> None:
    arguments = ("--only", "LIST-1", "--max-time", "60")
    with running() as server, started(server.url, tmp_path, *arguments) as process:
        folder = tmp_path / "schemathesis"
        until(lambda: folder.exists() and (folder / "events.ndjson").exists())
        time.sleep(1.5)
        ended(process, signal.SIGINT, group=True)
        before = server.requests
        time.sleep(0.5)
        assert server.requests == before
    reported(tmp_path)


def test_a_fuzzer_that_the_signal_of_the_run_has_ended_is_no_fault_of_it() -> None:
    class Told:
        transport = SimpleNamespace(sent=0, signals=SimpleNamespace(number=signal.SIGTERM))

    with subprocess.Popen([sys.executable, "-S", "-c", "import os; os.kill(os.getpid(), 15)"]) as fuzzer:
        fuzzer.wait()
    code = fuzzer_process._wait(cast("Context", Told()), cast("Gateway", SimpleNamespace(passed=0)), fuzzer, 0.0)
    assert code is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_silent_server_keeps_nobody(number: signal.Signals, tmp_path: Path) -> None:
    with posing(NON_APIS["silent"]) as server, started(server.url, tmp_path, "--timeout", "60") as process:
        until(lambda: server.requests > 0)
        printed = ended(process, number)
    assert "Left behind" not in printed
    assert reported(tmp_path)["left_behind"] == ""


def test_a_server_that_drips_keeps_nobody(tmp_path: Path) -> None:
    with attacking(byte_by_byte, after=100) as server, started(server.url, tmp_path, "--timeout", "60") as process:
        until(lambda: server.api.requests > 100)
        ended(process, signal.SIGINT)
    reported(tmp_path)


def test_a_host_that_never_takes_the_connection_keeps_nobody(tmp_path: Path) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        others = [socket.socket() for _ in range(3)]
        for other in others:
            other.setblocking(False)
            other.connect_ex(("127.0.0.1", port))
        with started(f"http://127.0.0.1:{port}/api", tmp_path, "--timeout", "60") as process:
            time.sleep(3)
            ended(process, signal.SIGINT)
        for other in others:
            other.close()


AT_A_LOCK = """
import os, signal, sys, threading
from httpcore import _synchronization
from mockserver.cli.main import main

taken = 0
enter = _synchronization.ThreadLock.__enter__

def take(lock):
    global taken
    enter(lock)
    if threading.current_thread() is threading.main_thread():
        taken += 1
        if taken == 60:
            os.kill(os.getpid(), signal.SIGTERM)
    return lock

_synchronization.ThreadLock.__enter__ = take
main(sys.argv[1:])
"""


def test_a_signal_while_the_connections_are_locked_leaves_none_locked(server: Running) -> None:
    command = [sys.executable, "-c", AT_A_LOCK, "verify", server.url, "--token", "merchant1", "--merchant", "1"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 128 + signal.SIGTERM, ended.stderr


def test_a_signal_while_it_waits_for_a_throttled_server_ends_the_run(tmp_path: Path) -> None:
    with running() as server:
        server.api.before.append(lambda request: Reply(429, {"message": "Later."}, {"Retry-After": "30"}))
        with started(server.url, tmp_path) as process:
            until(lambda: server.requests > 0)
            time.sleep(0.3)
            ended(process, signal.SIGTERM)


def test_a_signal_that_was_ignored_before_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals() as signals:
            os.kill(os.getpid(), signal.SIGHUP)
            signals.check()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_is_raised_where_the_run_waits_and_else_at_the_next_look() -> None:
    with Signals() as signals:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
        began = time.monotonic()
        with pytest.raises(Interrupted), signals.waiting():
            time.sleep(10)
        assert time.monotonic() - began < 5
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted):
            signals.check()


def test_an_error_of_our_own_is_no_broken_rule(
    server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("a mistake")

    monkeypatch.setattr("mockserver.verify.run.calibrate", fails)
    arguments = [server.url, "--token", "merchant1", "--no-fuzz", "--report", ",".join(REPORTS)]
    with pytest.raises(SystemExit) as end:
        command_line(["verify", *arguments, "--report-dir", str(tmp_path)])
    assert end.value.code == 2
    told = capsys.readouterr().err
    assert "ZeroDivisionError: a mistake" in told
    assert "please report it" in told
    report = reported(tmp_path)
    assert (report["exit_code"], report["stop_reason"]) == (2, "ZeroDivisionError: a mistake")


def test_a_report_that_cannot_be_made_takes_no_other_with_it(
    server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(path: Path, text: str) -> None:
        if path.name == "report.html":
            raise OSError(28, "No space left on device")
        path.write_text(text)

    monkeypatch.setattr("mockserver.verify.reports.registry.write_whole", full)
    arguments = [server.url, "--token", "merchant1", "--no-fuzz", "--only", "LIST-1", "--report", "html,json"]
    with pytest.raises(SystemExit) as end:
        command_line(["verify", *arguments, "--report-dir", str(tmp_path)])
    assert end.value.code == 2
    assert "No space left on device" in capsys.readouterr().err
    assert (tmp_path / "report.json").exists()


def test_ctrl_c_before_a_command_has_begun_is_no_broken_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(verify, "_run", interrupted)
    with pytest.raises(SystemExit) as end:
        command_line(["verify", "http://127.0.0.1:9/api", "--token", "t"])
    assert end.value.code == 130


def test_ctrl_c_in_a_run_of_a_provider_with_a_late_queue(tmp_path: Path) -> None:
    """While it waits for the queue it neither sends nor reads."""
    slow = ServerConfig(name="late", says="", stripe_delay=60.0, arguments=PROVIDER)
    with running(slow) as server, started(server.url, tmp_path, "--only", "FINALIZE-2", "--no-fuzz") as process:
        until(lambda: server.requests > 60)
        time.sleep(1.0)
        ended(process, signal.SIGINT)
    reported(tmp_path)


@pytest.mark.parametrize("name", ["calibrate", "rules", "model", "fuzzing", "reproducing"])
def test_a_signal_in_any_phase_ends_a_run_that_has_found_something(name: str, tmp_path: Path) -> None:
    """No phase takes it for the end of its time, or goes on to write what is only half measured."""
    events: list[Event] = []
    profile = tmp_path / "measured.yaml"

    def hear(event: Event) -> None:
        events.append(event)
        if isinstance(event, Progress | PhaseStarted) and phases(events)[-1:] == [name] and signals.number is None:
            os.kill(os.getpid(), signal.SIGTERM)

    fault = FAULTS["crash_on_open_quote"]
    with running(fault) as server, Signals() as signals:
        options = Options(
            url=server.url,
            token="merchant1",
            merchant="1",
            only=fault.rules,
            write_profile=profile,
            report_dir=tmp_path / "reports",
        )
        outcome = run_verification(options, [hear], signals=signals)
    assert (outcome.exit_code, outcome.stop_reason) == (128 + signal.SIGTERM, "ended by SIGTERM")
    assert phases(events)[-1] == name
    assert profile.exists() == (name != "calibrate")
    told = [event.breach.reproduction for event in events if isinstance(event, BreachFound)]
    assert not [one for one in told if one is not None and "--max-time" in one.words()]


def phases(events: list[Event]) -> list[str]:
    return [event.name for event in events if isinstance(event, PhaseStarted)]


def test_a_signal_after_the_time_is_over_ends_the_replaying(monkeypatch: pytest.MonkeyPatch) -> None:
    def hear(event: Event) -> None:
        if isinstance(event, PhaseStarted) and event.name == "reproducing":
            os.kill(os.getpid(), signal.SIGTERM)

    def over(_: object) -> None:
        raise OutOfTime

    monkeypatch.setattr("mockserver.verify.run.walk_beside_the_fake", over)
    with running(FAULTS["crash_on_open_quote"]) as server, Signals() as signals:
        options = Options(url=server.url, token="merchant1", merchant="1", fuzz=False)
        outcome = run_verification(options, [hear], signals=signals)
    assert (outcome.exit_code, outcome.stop_reason) == (128 + signal.SIGTERM, "ended by SIGTERM")
