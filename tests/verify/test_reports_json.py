"""The JSON report keeps its schema, and tells all."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from mockserver.verify.events import Breach, Event, RunFinished
from mockserver.verify.reports import make
from tests.verify.report_streams import BILLED_TWICE, LEAK, RULES, SERVER_ERROR, Ticking, exchange, mixed, run

SCHEMA: dict[str, Any] = json.loads(
    files("mockserver.verify.reports").joinpath("report.schema.json").read_text(encoding="utf-8")
)
ODD = Breach(
    "GEN-5",
    "an answer",
    "none came, or \ud800 odd \x1b[2J ones",
    (
        exchange("GET", "/billing/invoices", status=None, failure="connection reset"),
        exchange("GET", "/billing/invoices", raw=b"\xff\xfe\x00"),
    ),
    7,
    "GEN-5 odd",
)


def report(directory: Path, stream: list[Event], *, close: bool = False) -> dict[str, Any]:
    (made,) = make(["json"], directory, rules=RULES, clock=Ticking())
    for event in stream:
        made(event)
    if close:
        made.close()
    data: dict[str, Any] = json.loads((directory / "report.json").read_bytes())
    return data


def test_the_schema_is_a_schema() -> None:
    jsonschema_rs.meta.validate(SCHEMA)


@pytest.mark.parametrize(
    "stream",
    [
        mixed(),
        run(),
        run(ODD),
        run(BILLED_TWICE, finished=False),
        [RunFinished(2, "unreachable", 0.1, 1)],
    ],
)
def test_every_report_fits_the_schema(tmp_path: Path, stream: list[Event]) -> None:
    jsonschema_rs.validate(SCHEMA, report(tmp_path, stream, close=True))


def test_no_report_is_written_of_a_run_that_never_began(tmp_path: Path) -> None:
    (made,) = make(["json"], tmp_path, rules=RULES, clock=Ticking())
    made.close()
    assert list(tmp_path.iterdir()) == []


def test_it_holds_the_run_rule_by_rule(tmp_path: Path) -> None:
    data = report(tmp_path, mixed())
    assert (data["exit_code"], data["stop_reason"], data["seed"]) == (1, "completed", 7)
    assert (data["elapsed"], data["requests"]) == (41.3, 1204)
    assert data["rules"]["COLLECT-4"] == {
        "verdict": "not_exercised",
        "exercised": 0,
        "reason": "charges are not allowed on this host (--allow-charges)",
        "level": "derived",
        "statement": "Nobody pays twice.",
        "source": "nobody is billed twice",
        "matters": True,
        "judged": True,
    }
    assert data["rules"]["SEARCH-2"]["matters"] is False
    assert data["choices"]["refinalize"]["expected"] == "refuse"
    assert len(data["coverage"]) == 25


def test_a_breach_has_its_exchanges_its_curl_and_whether_it_is_accepted(tmp_path: Path) -> None:
    data = report(tmp_path, run(LEAK, SERVER_ERROR, accepted=["GEN-5"]))
    leak, error = data["breaches"]
    assert (leak["rule"], leak["accepted"], error["rule"], error["accepted"]) == ("GEN-8", False, "GEN-5", True)
    assert len(leak["curl"]) == len(leak["exchanges"]) == 3
    assert leak["exchanges"][1]["body"] == {"text": '{"charge_ids": [58]}'}


def test_bytes_that_are_no_text_are_kept_whole(tmp_path: Path) -> None:
    data = report(tmp_path, run(ODD))
    reset, odd = data["breaches"][0]["exchanges"]
    assert (reset["status"], reset["failure"]) == (None, "connection reset")
    assert odd["answer"] == {"base64": "//4A"}
