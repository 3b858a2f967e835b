"""The JUnit report: one test case a rule, for CI systems."""

from __future__ import annotations

import io

from junitparser import Error, Failure, JUnitXml, Properties, Property, Skipped, TestCase, TestSuite

from mockserver.verify.reports.causes import first_of_rules
from mockserver.verify.reports.phrases import (
    MONEY,
    VERDICTS,
    answer_line,
    choice_value,
    drift_line,
    exit_words,
    headline,
    provenance,
    signalled,
    target,
    visible,
    why,
)
from mockserver.verify.reports.run_state import RuleResult, RunResult, Sighting
from mockserver.verify.reports.scripts.shell import commands


def junit_report(run: RunResult) -> str:
    """A rule that is broken fails, one that is accepted or unexercised is skipped; a last case is the run itself.

    The case of the run keeps a CI system from showing green where the exit code is not 0.
    """
    suite = TestSuite("mockserver verify")
    suite.time = round(run.elapsed, 3)
    suite.hostname = _clean(target(run))
    if run.started_at:
        suite.timestamp = run.started_at.isoformat(timespec="seconds")
    for name, value in _properties(run):
        suite.add_property(_clean(name), _clean(value))
    for result in run.rules:
        suite.add_testcase(_case(result, _seen(run, result.rule), target(run)))
    for drift in run.drifts:
        case = TestCase(f"choice.{drift.key}", "verify.choices", 0)
        case.result = [Failure(_clean(drift_line(drift)), "drift")]
        suite.add_testcase(case)
    suite.add_testcase(_run(run))
    document = JUnitXml("mockserver verify")
    document.add_testsuite(suite)
    written = io.BytesIO()
    document.write(written, pretty=True)
    return written.getvalue().decode("utf-8")


def _seen(run: RunResult, rule: str) -> list[Sighting]:
    """The breaches of a rule, the one that tells it best first."""
    first = first_of_rules(run).get(rule)
    return sorted((one for one in run.sightings if one.breach.rule == rule), key=lambda one: one is not first)


def _clean(text: str) -> str:
    """XML 1.0 has no place for most control characters, escaped or not."""
    return visible(text, lines=True)


def _properties(run: RunResult) -> list[tuple[str, str]]:
    start = run.start
    found = [("verdict", headline(run)), ("exit_code", str(run.exit_code))]
    if start:
        found += [("target", start.target), ("spec_version", start.spec_version)]
        found += [] if start.seed is None else [("seed", str(start.seed))]
    found += [
        (f"choice.{choice.key}", choice_value(choice.value) if choice.measured else "not measured")
        for choice in run.choices
    ]
    return found


def _case(result: RuleResult, sightings: list[Sighting], base: str) -> TestCase:
    # A name that stays when the words of a rule change, so that a CI system knows it again.
    case = TestCase(_clean(result.rule), f"verify.{result.area}", 0)
    properties = Properties()  # type: ignore[no-untyped-call]  # junitparser 5 annotates only part of itself
    for name, value in (
        ("statement", result.text.statement),
        ("level", result.text.level),
        ("source", result.text.source),
        ("exercised", str(result.exercised)),
    ):
        properties.add_property(Property(name, _clean(value)))
    case.append(properties)  # type: ignore[no-untyped-call]
    reason = _clean(why(result) or VERDICTS[result.verdict])
    match result.verdict:
        case "broken":
            counting = [one for one in sightings if one.breach.counts]
            case.result = [_failure(counting, base) if counting else Failure(reason, result.rule)]
        case "not_exercised":
            case.result = [Skipped(reason)]
        case "accepted":
            case.result = [Skipped(f"accepted: {reason}")]
            case.system_out = "\n\n".join(_told(sighting, base) for sighting in sightings)
    return case


def _failure(sightings: list[Sighting], base: str) -> Failure:
    """One failure of the rule, in which all of its breaches are told."""
    breach = sightings[0].breach
    more = f" (and {len(sightings) - 1} more)" if len(sightings) > 1 else ""
    failure = Failure(_clean(f"expected that {breach.expected}; came: {breach.actual}{more}"), breach.rule)
    failure.text = "\n\n".join(_told(one, base) for one in sightings)
    return failure


def _told(sighting: Sighting, base: str) -> str:
    breach = sighting.breach
    lines = [
        f"{breach.rule} ({provenance(sighting.text)}): {sighting.text.statement}",
        f"Expected: {breach.expected}.",
        f"Came: {breach.actual}.",
    ]
    if breach.reproduction is not None:
        lines.append(f"Then: {breach.reproduction.words()}.")
    for command, exchange in zip(commands(breach, base, limit=4000), breach.exchanges, strict=True):
        lines += [command, f"# {answer_line(exchange, 500)}"]
    return _clean("\n".join(lines if breach.seed is None else [*lines, f"Seed {breach.seed}."]))


def _run(run: RunResult) -> TestCase:
    case = TestCase("the run comes to a verdict", "verify", round(run.elapsed, 3))
    if run.exit_code in (2, None) or signalled(run):
        case.result = [Error(_clean(headline(run)), "not_run")]
    elif run.exit_code == 3:
        failure = Failure(_clean(headline(run)), "not_proved")
        failure.text = _clean("\n".join(f"{result.rule}: {result.reason}" for result in run.wanting))
        case.result = [failure]
    told = [exit_words(run), *(f"{MONEY}: {note.text}" for note in run.dangers)]
    case.system_out = _clean("\n".join(told))
    return case
