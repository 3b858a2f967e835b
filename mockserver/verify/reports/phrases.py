"""The sentences that all reports share, and the cleaning of what a server sent before anybody shows it."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from mockserver.contract.rules import LEVELS, Rule
from mockserver.verify.events import Breach, DriftFound, RecordedExchange, Verdict
from mockserver.verify.reports.run_state import RuleResult, RunResult, Sighting

VERDICTS: dict[Verdict, str] = {
    "holds": "holds",
    "broken": "broken",
    "not_exercised": "not exercised",
    "accepted": "accepted",
}

MARKS: dict[Verdict, str] = {"holds": "✓", "broken": "✗", "not_exercised": "–", "accepted": "~"}  # noqa: RUF001

FOUND_BY: dict[str, str] = {
    "scenario": "a written scenario",
    "property": "generated input, shrunk to the shortest that shows it",
    "model": "a random sequence, compared with the model step by step",
    "race": "requests sent at the same time",
    "fuzzing": "fuzzing from the schema",
    "traffic": "watching what others sent",
}

MONEY = "A warning about money"

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def visible(text: str, *, lines: bool = False) -> str:
    """`text` with every character that could steer a terminal or hide written as its escape; `lines` keeps `\\n`."""
    return "".join(
        char
        if (lines and char == "\n") or unicodedata.category(char) not in _HIDDEN
        else char.encode("unicode_escape", "surrogatepass").decode("ascii")
        for char in text
    )


_ORDER = re.compile(r":(?=:[A-Za-z])|#(?=#(?:\[|vso|teamcity))")


def printed(text: str, *, lines: bool = False) -> str:
    """`visible` for a log: neither a terminal nor a CI system that reads along finds an order in it."""
    return _ORDER.sub(r"\g<0>\\", visible(text, lines=lines))


def shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def text_of(body: bytes) -> str:
    """The bytes as text; what is not UTF-8 shows as escapes."""
    return body.decode("utf-8", "backslashreplace")


def answer_line(exchange: RecordedExchange, limit: int) -> str:
    """What came, on one line: `201 {"message": …}`, or that no answer came and why."""
    if exchange.status is None:
        return shorten(visible(f"no answer: {exchange.failure or 'unknown reason'}"), limit)
    body = " ".join(text_of(exchange.answer[: 4 * limit]).split())
    return shorten(visible(f"{exchange.status} {body or '(empty)'}"), limit)


def count(number: int, singular: str, plural: str = "") -> str:
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")


def seen(sighting: Sighting) -> str:
    """How often, by what, and whether it came again: `twice, by a written scenario, reproduced 2 of 2; seed 1`."""
    breach = sighting.breach
    told = [times(sighting.times), f"by {FOUND_BY[breach.found_by]}"]
    if breach.reproduction is not None:
        told.append(breach.reproduction.words())
    proof = (
        "; what was seen is proof by itself" if breach.proves and breach.reproduction and _never_again(breach) else ""
    )
    seed = "" if breach.seed is None else f"; seed {breach.seed}"
    return f"{', '.join(told)}{proof}{seed}"


def _never_again(breach: Breach) -> bool:
    done = breach.reproduction
    return done is not None and done.tries > 0 and done.seen == 0


def word(verdict: Verdict, exercised: int) -> str:
    """`holds (12 times)`, `not exercised`."""
    return f"{VERDICTS[verdict]} ({times(exercised)})" if exercised else VERDICTS[verdict]


def tallied(verdict: Verdict, number: int) -> str:
    """`1 holds`, `35 hold`, `2 broken`."""
    return f"{number} {'hold' if verdict == 'holds' and number != 1 else VERDICTS[verdict]}"


def headline(run: RunResult) -> str:
    """The verdict on the run in one sentence."""
    broken = len(run.of("broken"))
    if signalled(run) and run.end is not None:
        return f"Ended{run.end.stop_reason.removeprefix('ended')} before its verdict{_so_far(broken)}"
    match run.exit_code:
        case 0:
            return f"Nothing broken: {_met(run)}" if watched(run) else f"Conforms: {_conforming(run)}"
        case 1:
            told = [f"{count(broken, 'rule is', 'rules are')} broken"] if broken else []
            told += [f"{count(len(run.drifts), 'choice is', 'choices are')} not as recorded"] if run.drifts else []
            return f"Does not conform: {', '.join(told)}"
        case 2:
            return f"Could not run: {run.end.stop_reason if run.end else ''}"
        case 3:
            return f"Not proved: {_unproved(run)}"
        case _:
            return f"Broke off before its verdict{_so_far(broken)}"


def _so_far(broken: int) -> str:
    return f"; {count(broken, 'rule is', 'rules are')} broken so far" if broken else ""


def _met(run: RunResult) -> str:
    """What traffic shows, which is not that the server conforms."""
    held = len(run.of("holds"))
    return f"{held} of {len(run.rules)} rules {'was met, and holds' if held == 1 else 'were met, and hold'}"


def _unproved(run: RunResult) -> str:
    if wanting := len(run.wanting):
        return f"nothing broken, but {count(wanting, 'rule')} that matter{_s(wanting)} not exercised"
    return "nothing of the API was in it" if watched(run) else "no rule could be exercised"


def _conforming(run: RunResult) -> str:
    held, rules, accepted = len(run.of("holds")), len(run.rules), len(run.of("accepted"))
    if held == rules:
        return "the one rule holds" if rules == 1 else f"all {rules} rules hold"
    known = f"{count(accepted, 'known breach', 'known breaches')} accepted" if accepted else "none is broken"
    return f"{held} of {rules} rules hold, {known}"


def _s(number: int) -> str:
    return "s was" if number == 1 else " were"


def exit_words(run: RunResult) -> str:
    """`exit code 1`, or that there is none."""
    return "the run broke off before its verdict" if run.exit_code is None else f"exit code {run.exit_code}"


def conclusion(run: RunResult) -> str:
    """The verdict and the exit code, on one line."""
    told = headline(run)
    return told if run.exit_code is None else f"{told} ({exit_words(run)})"


def ending(run: RunResult) -> str:
    """How the run came to its end, for a run that did not simply complete; else empty."""
    if run.end is None:
        return "The run broke off; this is what it had learned"
    reason = run.end.stop_reason
    if reason in ("completed", "") or run.exit_code == 2 or signalled(run):
        return ""
    return "Stopped at its time limit" if reason == "time" else f"Stopped early: {reason}"


def signalled(run: RunResult) -> bool:
    """Whether a signal ended the run."""
    return run.end is not None and run.end.stop_reason.startswith("ended by SIG")


def watched(run: RunResult) -> bool:
    """Whether others sent the requests."""
    return run.start is not None and run.start.watched


def left_behind(run: RunResult) -> str:
    """What the run has left on the server, or, where nobody counted, what it was going to; empty for nothing."""
    if run.end is not None and run.end.left_behind is not None:
        return run.end.left_behind
    return run.start.left_behind if run.start else ""


def measure(run: RunResult) -> str:
    """`1,204 requests in 41.3 s, seed 7`; without the seed where nothing was generated."""
    parts = [] if run.end is None else [count(run.end.requests, "request")]
    parts.append(f"{run.elapsed:.1f} s")
    seed = f", seed {run.start.seed}" if run.start and run.start.seed is not None else ""
    return " in ".join(parts) + seed


def see_again(run: RunResult, script: Path | None, rule: str) -> str:
    """The command that shows whether the rule is broken; the script's, where one is written. Empty where there is none.

    It needs the secrets of the run in the variables that it names.
    """
    if script is not None:
        return f"sh {shlex.quote(str(script))} {shlex.quote(rule)}"
    command = run.start.command if run.start else ""
    return f"{command} --only {shlex.quote(rule)}" if command else ""


def limits(run: RunResult) -> str:
    """What the run was not allowed to do, in words; empty when it could do all."""
    start = run.start
    if start is None:
        return ""
    if start.read_only:
        return "read-only: GET alone is sent"
    return "" if start.charges_allowed else "no charges allowed: no collect that could succeed is sent"


def target(run: RunResult) -> str:
    return run.start.target if run.start else "(not started)"


def why(result: RuleResult) -> str:
    """The reason of a verdict; for an unexercised rule also whether it matters."""
    if result.verdict == "not_exercised" and not result.matters:
        return f"{result.reason} (does not count)" if result.reason else "does not count"
    return result.reason


def unexercised(run: RunResult) -> dict[str, list[RuleResult]]:
    """The rules that matter and were not exercised, by the reason."""
    found: dict[str, list[RuleResult]] = {}
    for result in run.wanting:
        found.setdefault(why(result), []).append(result)
    return found


def nothing_failing(run: RunResult) -> str:
    """Of a run that no breach fails: `No breach was found`, or what is true where others were."""
    if not run.sightings:
        return "No breach was found"
    again = "" if all(one.accepted for one in run.sightings) else " and that came again"
    return f"No breach that isn't accepted{again} was found"


def named(results: Sequence[RuleResult]) -> str:
    """`CREATE-4`, or where there are several `18 rules`."""
    return results[0].rule if len(results) == 1 else count(len(results), "rule")


def drift_line(drift: DriftFound) -> str:
    """`create_status was recorded as 200 and is 201: a create is answered with 201`."""
    recorded, measured = choice_value(drift.recorded), choice_value(drift.measured)
    return f"{drift.key} was recorded as {recorded} and is {measured}: {drift.evidence}"


def choice_value(value: str | int | None) -> str:
    return "null" if value is None else str(value)


def provenance(rule: Rule) -> str:
    """`documented, the invoices page`; the level alone once, where the source begins with it."""
    return rule.source if rule.source.lower().startswith(rule.level) else f"{rule.level}, {rule.source}"


def worth(level: str) -> str:
    """What a level of provenance is worth, in sentences."""
    meaning = LEVELS[level]
    then = "Measured and reported, never a failure" if level == "open" else "A breach fails the run"
    return f"{meaning[0].upper()}{meaning[1:]}. {then}."
