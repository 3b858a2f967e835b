"""The Markdown report: for a job summary or a comment on a pull request, and short enough for both."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mockserver.verify.reports.breach_words import sent_line, title
from mockserver.verify.reports.causes import Cause, causes
from mockserver.verify.reports.console.tables import grid, state_name
from mockserver.verify.reports.phrases import (
    MONEY,
    VERDICTS,
    answer_line,
    choice_value,
    drift_line,
    ending,
    exit_words,
    headline,
    left_behind,
    limits,
    measure,
    provenance,
    seen,
    target,
    visible,
    why,
    word,
)
from mockserver.verify.reports.run_state import RunResult
from mockserver.verify.reports.scripts.shell import commands

LIMIT = 60_000
"""Characters. A comment on GitHub holds 65,536."""

BENEATH = 12
"""Further breaches of one cause that are told, by a line each."""

BADGES: dict[int | None, str] = {0: "✅", 1: "❌", 2: "⛔", 3: "⚠️", None: "⛔"}
SIGNS = {"holds": "✅", "broken": "❌", "not_exercised": "⚪", "accepted": "🟣"}


def markdown_report(run: RunResult) -> str:
    """Verdict, breaches, rules, choices, coverage; breaches that would pass the limit are counted, not shown."""
    opening = "\n".join(_opening(run))
    closing = "\n".join([*_rules(run), *_choices(run), *_coverage(run), *_ending(run)])
    room = LIMIT - len(opening) - len(closing)
    shown: list[str] = []
    left = len(run.sightings)
    for cause in causes(run):
        told = "\n".join(_cause(cause, target(run)))
        if room < len(told) + 200:
            shown.append(f"\n**{left} further breaches** are left out here; the other reports hold them.\n")
            break
        shown.append(told)
        room -= len(told)
        left -= len(cause.sightings)
    return "\n".join([opening, *shown, closing]) + "\n"


def inline(text: str) -> str:
    """`text` as it is, whatever it holds: no markup, no HTML, no mention of anybody, no line break."""
    escaped = re.sub(r"([\\`*_\[\]|~<>&$]|^[-+#=])", r"\\\1", visible(text))
    escaped = escaped.replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\\&", "&amp;").replace("@", "@\u2060")
    return re.sub(r"(https?|www)(:|\.)", "\\1\u2060\\2", escaped)


def code(text: str) -> str:
    """`text` as inline code."""
    clean = visible(text).replace("|", "\\|")
    ticks = "`" * (1 + max((len(run) for run in re.findall(r"`+", clean)), default=0))
    space = " " if clean.startswith("`") or clean.endswith("`") else ""
    return f"{ticks}{space}{clean}{space}{ticks}" if clean else ""


def block(text: str, language: str) -> str:
    """`text` as a fenced block."""
    clean = visible(text, lines=True)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", clean)), default=0))
    return f"{fence}{language}\n{clean}\n{fence}"


def _opening(run: RunResult) -> Iterator[str]:
    yield f"## {BADGES.get(run.exit_code, BADGES[None])} {inline(headline(run))}"
    yield ""
    yield f"{code(target(run))}: {measure(run)}, {exit_words(run)}."
    for line in (ending(run), limits(run)):
        if line:
            yield f"\n{inline(line)}."
    for drift in run.drifts:
        yield f"\n{SIGNS['broken']} {inline(drift_line(drift))}"
    for note in run.dangers:
        yield f"\n> [!CAUTION]\n> **{MONEY}:** {inline(note.text)}"
    if not run.began:
        return
    yield ""
    yield "| " + " | ".join(f"{SIGNS[verdict]} {name}" for verdict, name in VERDICTS.items()) + " |"
    yield "| --: | --: | --: | --: |"
    yield "| " + " | ".join(str(len(run.of(verdict))) for verdict in VERDICTS) + " |"


def _cause(cause: Cause, base: str) -> Iterator[str]:
    sighting = cause.lead
    breach, text = sighting.breach, sighting.text
    sign = SIGNS["accepted" if sighting.accepted else "broken"]
    yield f"\n### {sign} {inline(breach.rule)}: {inline(title(breach))}\n"
    if cause.reach:
        yield f"**{cause.reach[0].upper()}{cause.reach[1:]}** ({inline(', '.join(cause.rules))}).\n"
    yield f"**Rule** ({inline(provenance(text))}): {inline(text.statement)}\n"
    yield f"**Expected:** {inline(breach.expected)}.  "
    yield f"**Came:** {inline(breach.actual)}.  "
    yield f"Seen {inline(seen(sighting))}.\n"
    lines: list[str] = []
    told = zip(commands(breach, base, separator=" \\\n  ", limit=2000), breach.exchanges, strict=True)
    for number, (command, exchange) in enumerate(told, 1):
        lines += [f"# {number}.", command, f"# {answer_line(exchange, 500)}", ""]
    yield f"<details><summary>{len(breach.exchanges)} requests that show it</summary>\n"
    yield block("\n".join(lines).rstrip(), "sh")
    yield "\n</details>"
    if cause.others:
        yield "\n<details><summary>The same in other breaches</summary>\n"
        for other in cause.others[:BENEATH]:
            sent = code(sent_line(other.breach, 160))
            yield f"- **{inline(other.breach.rule)}** {inline(title(other.breach))}: {sent}"
        if len(cause.others) > BENEATH:
            yield f"- and {len(cause.others) - BENEATH} more, which the other reports hold"
        yield "\n</details>"


def _rules(run: RunResult) -> Iterator[str]:
    if not run.rules or not run.began:
        return
    open_ = " open" if run.exit_code == 3 else ""
    yield f"\n<details{open_}><summary>All {len(run.rules)} rules</summary>\n"
    yield "| Rule | Provenance | Verdict | What it says |\n| --- | --- | --- | --- |"
    for result in run.rules:
        because = f"<br>*{inline(why(result))}*" if why(result) else ""
        verdict = f"{SIGNS[result.verdict]} {word(result.verdict, result.exercised)}"
        told = f"{inline(result.text.statement)}{because}"
        yield f"| {inline(result.rule)} | {inline(result.text.level)} | {verdict} | {told} |"
    yield "\n</details>"


def _choices(run: RunResult) -> Iterator[str]:
    if not run.choices:
        return
    yield f"\n<details><summary>The {len(run.choices)} open choices, as measured</summary>\n"
    yield "| Choice | Value | How it shows |\n| --- | --- | --- |"
    for choice in run.choices:
        value = code(choice_value(choice.value)) if choice.measured else "not measured"
        said = "" if choice.expected is None else f" (the profile says {code(choice_value(choice.expected))})"
        yield f"| {code(choice.key)} | {value}{said} | {inline(choice.evidence)} |"
    yield "\n</details>"


def _coverage(run: RunResult) -> Iterator[str]:
    if not run.coverage:
        return
    states, rows = grid(run.coverage)
    met, all_ = run.met, len(run.coverage)
    yield f"\n<details><summary>Coverage of the spec: {met} of {all_} met</summary>\n"
    yield "| Operation | Gives | " + " | ".join(inline(state_name(state)) for state in states) + " |"
    yield "| --- | --- | " + " | ".join("--:" for _ in states) + " |"
    for (operation, status), cells in rows.items():
        shown = ["" if state not in cells else str(cells[state] or "never") for state in states]
        yield f"| {inline(operation)} | {inline(status)} | " + " | ".join(shown) + " |"
    yield "\n</details>"


def _ending(run: RunResult) -> Iterator[str]:
    notes = [note for note in run.notes if note.level != "money"]
    if notes:
        yield ""
        for note in notes:
            yield f"- {inline(note.text)}"
    if left_behind(run):
        yield f"\nLeft on the server: {inline(left_behind(run))}"
