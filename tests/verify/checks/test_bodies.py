"""Creates whose bodies come in another way bill what they name, and servers on which they do not are found."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mockserver.verify.checks import bodies
from mockserver.verify.errors import NoAnswer
from mockserver.verify.events import Event, Note
from mockserver.verify.reports import make
from mockserver.verify.transport.billing_client import Billing
from mockserver.verify.transport.messages import Answer
from tests.mutants.catalogue.bodies import BODIES
from tests.mutants.catalogue.making import swap
from tests.mutants.config import Mutant, ServerConfig, without_fault
from tests.mutants.conforming import LEGAL
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Reply, Request
from tests.mutants.server import running
from tests.verify.checks.trying import broken, tried
from tests.verify.report_streams import RULES, run

CORRECT = (
    "correct",
    "laravel",
    "lenient",
    "provider",
    "charged",
    "crowded",
    "four_operations",
    "firewall",
    "known_only",
)
IN_CHUNKS = BODIES.faults["chunked_body_crashes"]


@pytest.mark.parametrize("name", BODIES.faults)
def test_a_body_that_is_not_read_is_found(name: str) -> None:
    fault = BODIES.faults[name]
    assert fault.rules[0] in broken(tried(fault, bodies.CHECKS))


@pytest.mark.parametrize("name", CORRECT)
def test_a_server_that_reads_them_is_not_blamed(name: str) -> None:
    assert broken(tried(LEGAL[name], bodies.CHECKS)) == set()


def test_chunks_that_are_not_read_are_a_warning_about_money_and_no_breach() -> None:
    """As of wsgiref, which goes by Content-Length alone; the API has no word in it."""

    def unread(api: Api) -> None:
        def route(request: Request) -> Reply:
            is_chunked = "transfer-encoding" in request.headers
            reply: Reply = original(replace(request, body=b"") if is_chunked else request)
            return reply

        original = swap(api, "route", route)

    heard: list[Event] = []
    config = Mutant(name="unread", says="chunks are not read", area="create", rules=("CREATE-1",), patch=unread)
    assert broken(tried(config, bodies.CHECKS, heard=heard)) == set()
    (told,) = [event for event in heard if isinstance(event, Note)]
    assert told.level == "money" and "bills everything that is uninvoiced" in told.text


def test_a_web_server_may_hang_up_on_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    send = Billing.send

    def hang_up(self: Billing, method: str, path: str, **more: object) -> Answer:
        if more.get("headers"):
            raise NoAnswer("reset", "the connection was reset")
        return send(self, method, path, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Billing, "send", hang_up)
    assert broken(tried(LEGAL["correct"], bodies.CHECKS)) == set()


def test_the_written_pytest_file_sends_chunks_too(tmp_path: Path) -> None:
    (report,) = make(["pytest"], tmp_path, rules=RULES)
    (breach,) = tried(IN_CHUNKS, bodies.CHECKS).breaches.values()
    for event in run(breach, target=breach.exchanges[0].url.partition("/billing")[0]):
        report(event)
    assert [replayed(tmp_path, config) for config in (IN_CHUNKS, without_fault(IN_CHUNKS))] == [1, 0]


def replayed(directory: Path, config: ServerConfig) -> int:
    """The exit code of pytest on the file in that directory, run against such a server."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    with running(config) as server:
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-c", os.devnull, "test_breaches.py"],
            cwd=directory,
            env=kept | {"BASE_URL": server.url, "TOKEN": "merchant1", "OTHER_TOKEN": "merchant2"},
            capture_output=True,
            timeout=60,
        ).returncode
