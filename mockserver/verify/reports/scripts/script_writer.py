"""Writes the shell script that shows each breach again, and whose exit code says whether one is there."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator, Sequence
from importlib.resources import files

from mockserver.core.curl import word
from mockserver.verify.claims.claims import Claim, Eventually, answers_of, judged
from mockserver.verify.replay.jq import DEFINITIONS, program
from mockserver.verify.replay.playing import Ref, ReplayStep
from mockserver.verify.replay.steps import steps_of
from mockserver.verify.reports.phrases import headline, nothing_failing, provenance, seen, target, visible
from mockserver.verify.reports.run_state import RunResult, Sighting
from mockserver.verify.reports.scripts.shell import parts_of, refs_to, taken, variable, words
from mockserver.verify.transport.redaction import variables_in

_OPENING = """\
#!/bin/sh
# {told}
#
#     export TOKEN=…   # the token of the run; further ones as the messages name them
#     BASE_URL=http://127.0.0.1:8000/api sh repro.sh          # all breaches
#     BASE_URL=http://127.0.0.1:8000/api sh repro.sh 2 GEN-4  # these, by number or rule
#
# Needs curl and jq. Ends with 1 while a breach is there, with 0 once all are gone, with 2 if it cannot tell.
"""


def script(run: RunResult) -> str:
    """The script of a run; a breach that is accepted, or that did not come again, is not in it."""
    told = f"Shows again what `mockserver verify` found on {target(run)}. {headline(run)}."
    parts = [_OPENING.format(told=visible(told))]
    parts.append(f"BASE_URL=${{BASE_URL:-{word(parts_of(target(run)))}}}\nBASE_URL=${{BASE_URL%/}}\n")
    secrets = sorted({name for sighting in run.failing for name in _secrets(sighting)})
    parts += [f': "${{{name}:?set it to that of the run}}"\n' for name in secrets]
    parts.append(f"DEFINITIONS='{DEFINITIONS}'\n")
    parts.append(files(__package__).joinpath("script_runtime.sh").read_text(encoding="utf-8"))
    parts += [_breach(sighting, target(run)) for sighting in run.failing]
    if run.failing:
        parts.append(_ending(run.failing, target(run)))
    else:
        parts.append(f"echo {shlex.quote(f'{nothing_failing(run)}, so there is nothing to show again.')}\n")
    return "\n".join(parts)


def _secrets(sighting: Sighting) -> set[str]:
    text = " ".join(f"{exchange.url} {exchange.headers} {exchange.body!r}" for exchange in sighting.breach.exchanges)
    return set(variables_in(text))


def _breach(sighting: Sighting, base: str) -> str:
    breach = sighting.breach
    lines = []
    for told in (
        f"{sighting.number}. {breach.rule} ({provenance(sighting.text)}): {sighting.text.statement}",
        f"Expected: {breach.expected}.",
        f"Came: {breach.actual}.",
        f"Seen {seen(sighting)}.",
    ):
        lines += [f"# {line}" for line in textwrap.wrap(visible(told), 110)]
    lines.append(f"breach_{sighting.number}() {{")
    if breach.check is None or not breach.exchanges:
        return "\n".join([*lines, "  cannot_tell 'no requests were recorded'", "}", ""])
    lines += [f"  {line}" for line in _body(steps_of(breach, base), breach.check)]
    return "\n".join([*lines, "}", ""])


def _body(steps: Sequence[ReplayStep], check: Claim) -> Iterator[str]:
    last = max(answers_of(check), default=len(steps) - 1)
    steps = [step for place, step in enumerate(steps) if place <= last]
    if any(isinstance(part, str) and part.partition("?")[0].endswith("/collect") for s in steps for part in s.url):
        yield "may_charge"
    for place, step in enumerate(steps):
        rivals = [number for number, one in enumerate(steps) if step.race and one.race == step.race]
        if rivals and place != rivals[0]:
            continue
        if rivals:
            yield from (f"{_ask(steps[rival], rival)} &" for rival in rivals)
            yield "wait"
        elif isinstance(check, Eventually) and place == last:
            yield f"poll {place + 1} {int(check.seconds)} '{program(check)}' \\\n    {_ask(step, place)}"
        elif step.until is not None:
            yield f"poll {place + 1} \"$WAIT\" '{program(step.until)}' \\\n    {_ask(step, place)}"
        else:
            yield _ask(step, place)
        for number in rivals or [place]:
            may_lose = bool(rivals) and answers_of(check) & {*rivals} != {number}
            if not steps[number].is_free and number not in judged(check) and not may_lose:
                yield f"recorded {number + 1} {steps[number].expected or 0}"
        yield from _taken(steps, rivals or [place])
    yield f"judge {last + 1} '{program(check)}'"


def _ask(step: ReplayStep, place: int) -> str:
    before, given = words(step)
    return f"{before}ask {place + 1} {given}"


def _taken(steps: Sequence[ReplayStep], places: Sequence[int]) -> Iterator[str]:
    """What later requests need of these answers."""
    wanted: list[Ref] = list(dict.fromkeys(ref for place in places for ref in refs_to(steps, place)))
    for ref in wanted:
        numbers = " ".join(str(place + 1) for place in dict.fromkeys([ref.answer, *places]))
        why = shlex.quote(visible(f"answer {ref.answer + 1} has no {ref}"))
        yield f"{variable(ref).name}=$(from '{taken(ref)}' {numbers}) || cannot_tell {why}"


def _ending(failing: Sequence[Sighting], base: str) -> str:
    lines = ["there=0 unknown=0", *_preflight(failing, base)]
    lines += ['if [ "$#" = 0 ]; then', f"  set -- {' '.join(str(sighting.number) for sighting in failing)}", "fi"]
    lines += ['for chosen in "$@"; do', "  known=0"]
    for sighting in failing:
        is_race = any(exchange.race for exchange in sighting.breach.exchanges)
        rule = re.sub(r"[^A-Za-z0-9-]", "_", sighting.breach.rule)
        lines.append(f"  case $chosen in {sighting.number} | {rule})")
        tries = '"$RACES"' if is_race else "1"
        lines.append(f"    known=1; run {sighting.number} {tries} {rule} ;;")
        lines.append("  esac")
    lines += ['  [ "$known" = 1 ] || { echo "there is no breach $chosen" >&2; exit 2; }', "done"]
    lines += ['[ "$there" = 0 ] || exit 1', '[ "$unknown" = 0 ] || exit 2', ""]
    return "\n".join(lines)


def _preflight(failing: Sequence[Sighting], base: str) -> Iterator[str]:
    """A server that is gone, or that refuses the token, would look as if it refused what it should."""
    steps = (step for sighting in failing for step in steps_of(sighting.breach, base))
    headers = next((s.headers for s in steps if any("$TOKEN" in value for _, value in s.headers)), None)
    if headers is None:
        return
    yield f"ask 0 {words(ReplayStep('GET', ('/billing/invoices',), headers))[1]}"
    yield "case $(jq '.status' \"$work/0\") in"
    yield '  null) echo "no answer from $BASE_URL: $(cat "$work/0.error")" >&2; exit 2 ;;'
    yield '  401 | 403) echo "$BASE_URL refuses the token: $(head -c 300 "$work/0.body")" >&2; exit 2 ;;'
    yield "esac"
