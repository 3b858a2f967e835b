"""The JSON report: everything that a run learned, for programs; `report.schema.json` beside this file is its form."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from mockserver.verify.events import RecordedExchange, Reproduction
from mockserver.verify.replay.jq import program
from mockserver.verify.reports.breach_words import title
from mockserver.verify.reports.causes import Cause, causes
from mockserver.verify.reports.phrases import headline, left_behind, target
from mockserver.verify.reports.run_state import RuleResult, RunResult, Sighting
from mockserver.verify.reports.scripts.shell import commands

FORMAT_VERSION = 1

Json = dict[str, object]


def json_report(run: RunResult) -> str:
    return json.dumps(as_data(run), indent=2, ensure_ascii=True) + "\n"


def as_data(run: RunResult) -> Json:
    """The report as plain values, in the order of the run's rules."""
    start, end = run.start, run.end
    return {
        "format_version": FORMAT_VERSION,
        "verdict": headline(run),
        "exit_code": run.exit_code,
        "stop_reason": end.stop_reason if end else None,
        "target": start.target if start else None,
        "seed": start.seed if start else None,
        "spec_version": start.spec_version if start else None,
        "read_only": start.read_only if start else None,
        "charges_allowed": start.charges_allowed if start else None,
        "left_behind": left_behind(run) if start else None,
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "elapsed": round(run.elapsed, 3),
        "requests": end.requests if end else None,
        "rules": {result.rule: _rule(result) for result in run.rules},
        "causes": [_cause(cause) for cause in causes(run)],
        "breaches": [_breach(sighting, target(run)) for sighting in run.sightings],
        "choices": {
            choice.key: {
                "value": choice.value,
                "measured": choice.measured,
                "evidence": choice.evidence,
                "expected": choice.expected,
            }
            for choice in run.choices
        },
        "drifts": [
            {"key": one.key, "recorded": one.recorded, "measured": one.measured, "evidence": one.evidence}
            for one in run.drifts
        ],
        "coverage": [
            {"operation": cell.operation, "status": cell.status, "state": cell.state, "met": cell.met}
            for cell in run.coverage
        ],
        "notes": [{"level": note.level, "text": note.text} for note in run.notes],
    }


def _rule(result: RuleResult) -> Json:
    return {
        "verdict": result.verdict,
        "exercised": result.exercised,
        "reason": result.reason,
        "level": result.text.level,
        "statement": result.text.statement,
        "source": result.text.source,
        "matters": result.matters,
        "judged": result.judged,
    }


def _cause(cause: Cause) -> Json:
    return {
        "title": title(cause.lead.breach),
        "rules": list(cause.rules),
        "breaches": [one.breach.identity for one in cause.sightings],
        "accepted": cause.lead.accepted,
        "counts": cause.lead.breach.counts,
    }


def _breach(sighting: Sighting, base: str) -> Json:
    breach = sighting.breach
    return {
        "rule": breach.rule,
        "identity": breach.identity,
        "accepted": sighting.accepted,
        "expected": breach.expected,
        "actual": breach.actual,
        "found_by": breach.found_by,
        "seed": breach.seed,
        "times": sighting.times,
        "found_after": round(sighting.after, 3),
        "check": "" if breach.check is None else program(breach.check),
        "exchanges": [_exchange(exchange) for exchange in breach.exchanges],
        "reproduction": _reproduction(breach.reproduction),
        "counts": breach.counts,
        "curl": list(commands(breach, base)),
    }


def _reproduction(done: Reproduction | None) -> Json | None:
    if done is None:
        return None
    return {"seen": done.seen, "tries": done.tries, "words": done.words()}


def _exchange(exchange: RecordedExchange) -> Json:
    return {
        "method": exchange.method,
        "url": exchange.url,
        "headers": _pairs(exchange.headers),
        "body": None if exchange.body is None else _content(exchange.body),
        "status": exchange.status,
        "failure": exchange.failure,
        "answer_headers": _pairs(exchange.answer_headers),
        "answer": _content(exchange.answer),
        "answer_cut": exchange.cut,
        "elapsed": round(exchange.elapsed, 6),
    }


def _pairs(headers: Sequence[tuple[str, str]]) -> list[list[str]]:
    return [[name, value] for name, value in headers]


def _content(body: bytes) -> Json:
    """`{"text": …}`, or `{"base64": …}` for bytes that are no UTF-8."""
    try:
        return {"text": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode("ascii")}
