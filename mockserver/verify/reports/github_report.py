"""The annotations of a workflow on GitHub: a line for each broken rule, which the workflow prints to make it show."""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.verify.reports.phrases import (
    MONEY,
    conclusion,
    drift_line,
    ending,
    left_behind,
    limits,
    named,
    provenance,
    seen,
    shorten,
    target,
    unexercised,
)
from mockserver.verify.reports.phrases import printed as safe
from mockserver.verify.reports.run_state import RunResult, Sighting

_LEVELS: dict[int | None, str] = {0: "notice", 3: "warning"}
"""As what the verdict is shown; all else is an error."""
_LONGEST = 4_000
"""Characters of one message: GitHub shows 4,096 bytes of it."""


def github_report(run: RunResult) -> str:
    """The verdict, the broken rules, each with a breach of it, then what is dangerous and what was not exercised."""
    return "".join(f"{line}\n" for line in _lines(run))


def _lines(run: RunResult) -> Iterator[str]:
    told = [conclusion(run), target(run), limits(run), ending(run)]
    if left_behind(run):
        told.append(f"left on the server: {left_behind(run)}")
    yield _command(_LEVELS.get(run.exit_code, "error"), "mockserver verify", "\n".join(one for one in told if one))
    rules: set[str] = set()
    for sighting in run.sightings:
        rule = sighting.breach.rule
        if rule not in rules:
            rules.add(rule)
            yield _breach(sighting, sum(one.breach.rule == rule for one in run.sightings) - 1)
    for drift in run.drifts:
        yield _command("error", f"{drift.key} is not as recorded", drift_line(drift))
    for note in run.dangers:
        yield _command("warning", MONEY, note.text)
    # GitHub shows ten warnings of a step.
    for reason, results in unexercised(run).items():
        told = [reason, *(f"{result.rule}: {result.text.statement}" for result in results)]
        title = f"{named(results)} {'was' if len(results) == 1 else 'were'} not exercised"
        yield _command("warning", title, "\n".join(told))


def _breach(sighting: Sighting, more: int) -> str:
    breach, text = sighting.breach, sighting.text
    fails = breach.counts and not sighting.accepted
    lines = [
        f"{text.statement} ({provenance(text)})",
        f"expected: {breach.expected}",
        f"came: {breach.actual}",
        f"seen {seen(sighting)}",
    ]
    if more:
        lines.append(f"and {more} more of this rule, which the other reports hold")
    word = "is broken" if fails else "is broken as accepted" if sighting.accepted else "was seen broken once"
    return _command("error" if fails else "notice", f"{breach.rule} {word}", "\n".join(lines))


def _command(level: str, title: str, message: str) -> str:
    """A workflow command; what a server has sent stays within it, since it holds no line break."""
    data = _escaped(shorten(safe(message, lines=True), _LONGEST))
    return f"::{level} title={_escaped(safe(title)).replace(':', '%3A').replace(',', '%2C')}::{data}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
