"""Schemathesis, as anybody runs it: nothing fails, and it finds its own way from a charge to its payment."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from mockserver.server.process import running
from tests import plain
from tests.servers import Quiet, serving

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "schemathesis.toml"
PHASES = {"examples", "coverage", "fuzzing", "stateful"}
CHECKS = {
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "negative_data_rejection", "positive_data_acceptance", "missing_required_header",
    "unsupported_method", "allow_header_conformance", "use_after_free", "ensure_resource_availability", "ignored_auth",
    "object_level_authorization",
}  # fmt: skip
LINKS = (("quick-adjustment", "/billing/invoices"), ("/billing/invoices", "finalize"), ("finalize", "collect"))
"""Where the links that make the walk begin, and where they end."""
SEEDS = (1, 2, 3)
"""Schemathesis draws by true chance whether it follows a link, so that a run may get nowhere; three hardly can."""


@dataclass(slots=True)
class Run:
    """What one run of Schemathesis found."""

    exit_code: int
    report: dict[str, Any]
    scenarios: list[dict[str, Any]]
    printed: str

    def checks(self, phase: str, *, status: str) -> set[str]:
        """The names of the checks that ended so in that phase."""
        recorders = [one["recorder"] for one in self.scenarios if one["phase"] == phase]
        found = [check for one in recorders for checks in one.get("checks", {}).values() for check in checks]
        return {check["name"] for check in found if check["status"] == status}


@dataclass(slots=True)
class Walk:
    """How far one stateful scenario got with things that it had made itself: ids by step."""

    charges: set[int] = field(default_factory=set)
    drafts: set[int] = field(default_factory=set)
    finalized: set[int] = field(default_factory=set)
    collected: set[int] = field(default_factory=set)

    def step(self, method: str, path: str, sent: Any, got: Any) -> None:
        """One exchange that succeeded."""
        match method, path.removeprefix("/billing").split("/")[1:]:
            case "POST", ["charges", "quick-adjustment"]:
                self.charges.add(got["charge"]["id"])
            case "POST", ["invoices"] if self.charges.issuperset(_charge_ids(sent)):
                self.drafts.add(got["invoice"]["id"])
            case "POST", ["invoices", invoice, "finalize"] if int(invoice) in self.drafts:
                self.finalized.add(int(invoice))
            case "POST", ["invoices", invoice, "collect"] if int(invoice) in self.finalized:
                self.collected.add(int(invoice))


def _schemathesis(url: str, folder: Path, *options: str) -> Run:
    """Runs in a folder of its own, where no earlier run has left examples to try again."""
    report, events = folder / "report.json", folder / "events.ndjson"
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run", str(ROOT / "openapi.yaml"),
        "--url", url, "--report", "json,ndjson", "--report-json-path", str(report), "--report-ndjson-path", str(events),
        *options,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert report.exists(), done.stdout + done.stderr
    lines = [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines()]
    scenarios = [line["ScenarioFinished"] for line in lines if "ScenarioFinished" in line]
    return Run(done.returncode, json.loads(report.read_text(encoding="utf-8")), scenarios, done.stdout)


def _walk(recorder: dict[str, Any]) -> Walk:
    walk = Walk()
    for name, case in recorder.get("cases", {}).items():
        exchange = recorder["interactions"].get(name)
        if exchange and exchange["response"] and 200 <= exchange["response"]["status_code"] < 300:
            path = httpx.URL(exchange["request"]["uri"]).path.removeprefix("/api")
            sent, got = _value(exchange["request"].get("body")), _value(exchange["response"].get("content"))
            walk.step(case["value"]["method"], path, sent, got)
    return walk


def _charge_ids(sent: Any) -> list[int]:
    """What a request asked to invoice; `[0]`, which is no charge, where it named none."""
    return (isinstance(sent, dict) and sent.get("charge_ids")) or [0]


def _value(recorded: dict[str, str] | None) -> Any:
    try:
        return json.loads(base64.b64decode(recorded["$base64"])) if recorded else None
    except ValueError:
        return None


@dataclass(slots=True)
class Found:
    """All runs up to the one that got to a payment, and what the server says of it."""

    runs: list[Run]
    collected: set[int]
    ledger: list[dict[str, Any]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    runs: list[Run] = []
    collected: set[int] = set()
    with running() as server:
        for seed in SEEDS:
            folder = tmp_path_factory.mktemp(f"seed-{seed}")
            runs.append(_schemathesis(server.api, folder, "--max-examples", "8", "--seed", str(seed)))
            stateful = [one["recorder"] for one in runs[-1].scenarios if one["phase"] == "stateful"]
            collected |= {invoice for recorder in stateful for invoice in _walk(recorder).collected}
            if collected:
                break
        ledger = plain.get(f"{server.control}/stripe/ledger").json()["data"]
    return Found(runs, collected, ledger)


def test_nothing_fails_in_any_phase_of_any_operation(found: Found) -> None:
    for run in found.runs:
        report = run.report
        assert (run.exit_code, report["failures"], report["errors"]) == (0, [], []), run.printed
        assert report["operations"] == report["operations"] | {"total": 7, "selected": 7, "tested": 7, "errored": 0}
        assert {name: phase["status"] for name, phase in report["phases"].items()} == dict.fromkeys(PHASES, "success")
        assert (report["complete"], report["baseline"], report["filtered"]) == (True, None, 0)


def test_every_check_runs_in_every_phase(found: Found) -> None:
    for phase in PHASES:
        assert found.runs[-1].checks(phase, status="success") == CHECKS


def test_the_links_lead_from_a_charge_to_its_payment(found: Found) -> None:
    assert found.collected, f"{len(found.runs)} runs, and none collected what it had charged, created and finalized"
    scenarios = [one for run in found.runs for one in run.scenarios]
    cases = [case for one in scenarios for case in one["recorder"].get("cases", {}).values()]
    followed = {case["transition"]["id"] for case in cases if case["is_transition_applied"]}
    for source, target in LINKS:
        assert any(link.partition(" -> ")[0].endswith(source) and link.endswith(target) for link in followed), followed


def test_what_was_walked_to_was_charged_once(found: Found) -> None:
    for invoice in found.collected:
        entries = [entry for entry in found.ledger if entry["invoice"] == invoice]
        # What was generated may come to nothing, which is paid without a charge.
        times = int(entries[0]["amount"] > 0)
        outcomes = [entry["outcome"] for entry in entries]
        assert outcomes == (["succeeded"] if times else ["nothing_due"]), entries
        assert sum(entry["charged"] for entry in entries) == times


def test_the_configuration_switches_nothing_off() -> None:
    config = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    assert set(config) == {"auth", "dictionaries", "parameters", "phases", "checks", "warnings"}
    assert "enabled" not in json.dumps(config)
    assert list(config["phases"]["stateful"]) == ["max-steps"]
    # The defaults of this version are the same without 402 and 422.
    assert config["checks"] == {
        "positive_data_acceptance": {
            "expected-statuses": ["2xx", "3xx", "401", "402", "403", "404", "409", "422", "429", "5xx"]
        }
    }


class _Nonsense(Quiet):
    """Says yes to everybody and everything, with nothing in it."""

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = do_TRACE = _answer


@pytest.fixture
def nonsense() -> Iterator[str]:
    with serving(_Nonsense) as address:
        yield f"{address}/api"


def test_a_server_that_answers_nonsense_fails(nonsense: str, tmp_path: Path) -> None:
    run = _schemathesis(nonsense, tmp_path, "--max-examples", "1", "--seed", "1", "--phases", "examples,coverage")
    assert run.exit_code == 1
    assert run.report["failures"]
    failed = run.checks("coverage", status="failure")
    assert failed >= {"response_schema_conformance", "ignored_auth", "negative_data_rejection"}
