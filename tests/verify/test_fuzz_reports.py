"""What the fuzzer leaves behind: reports that speak of the server itself, hold no secret, and can be replayed."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mutants.catalogue.every import FAULTS
from tests.mutants.reference.messages import Reply, Request
from tests.mutants.server import Running, running
from tests.verify.driving import Heard, judge

FAULT = FAULTS["takes_missing_description"]
TOLD = "answered for Bearer merchant1, by merchant1"


def tell_the_token(request: Request) -> Reply | None:
    """A server that repeats the secrets that it was given."""
    if request.path.startswith("/api/billing/charges/") and request.method == "GET":
        return Reply(403, {"message": TOLD}, {"X-Caller": "merchant1"})
    return None


def with_bodies(text: str) -> str:
    bodies = re.findall(r'"\$base64": ?"([^"]*)"', text)
    return "\n".join([text, *(base64.b64decode(body).decode(errors="replace") for body in bodies)])


class Fuzzed:
    """A faulty server that was fuzzed, and what came of it."""

    def __init__(self, server: Running, folder: Path) -> None:
        self.server = server
        self.folder = folder / "schemathesis"
        server.api.before.append(tell_the_token)
        self.heard: Heard = judge(
            server.url, fuzz=True, only=("GEN-5",), other_token=None, reports=("json",), report_dir=folder
        )

    def texts(self) -> dict[str, str]:
        """By path, what the files say, with the bodies that they hold encoded."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path): with_bodies(path.read_text(errors="replace")) for path in files}

    def replay(self, token: str) -> str:
        """What Schemathesis says when it is run in the folder with no option at all."""
        done = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", "--no-color", "replay", "--keep"],
            cwd=self.folder,
            env={**os.environ, "MOCKSERVER_VERIFY_TOKEN": token},
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    with running(FAULT) as server:
        yield Fuzzed(server, tmp_path_factory.mktemp("report"))


def test_a_finding_is_a_breach_with_the_request_that_shows_it(fuzzed: Fuzzed) -> None:
    breaches = [breach for breach in fuzzed.heard.breaches if breach.found_by == "fuzzing"]
    assert {breach.rule for breach in breaches} == {"GEN-5"}
    (last,) = next(breach for breach in breaches if "quick-adjustment" in breach.exchanges[-1].url).exchanges
    assert last.url.startswith(fuzzed.server.url)
    assert last.method == "POST"
    assert ("Authorization", "Bearer $TOKEN") in last.headers
    assert "Filtered" not in last.url
    assert last.status == 200


def test_no_report_of_the_fuzzer_holds_the_token(fuzzed: Fuzzed) -> None:
    texts = fuzzed.texts()
    assert any("answered for" in text for text in texts.values())
    assert [path for path, text in texts.items() if "merchant1" in text] == []


def test_the_reports_name_the_server_and_not_what_stood_between(fuzzed: Fuzzed) -> None:
    manifest = next(text for path, text in fuzzed.texts().items() if path.endswith("manifest.json"))
    assert fuzzed.server.url in manifest
    assert "st replay" in fuzzed.heard.notes


def test_a_finding_is_replayed_against_the_server_itself(fuzzed: Fuzzed) -> None:
    again = fuzzed.replay("merchant1")
    assert "FAILED POST /billing/charges/quick-adjustment" in again, again
    refused = fuzzed.replay("nobody")
    assert "FAILED POST /billing/charges/quick-adjustment" not in refused, refused
