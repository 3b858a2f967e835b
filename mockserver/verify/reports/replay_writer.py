"""Writes the pytest file that replays each breach against a live server."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from importlib.resources import files

from mockserver.verify.replay.playing import ReplayStep
from mockserver.verify.replay.steps import steps_of
from mockserver.verify.reports.phrases import headline, target, visible
from mockserver.verify.reports.run_state import RunResult, Sighting

_RUNTIME = ("claims/claims.py", "claims/evaluation.py", "replay/playing.py", "reports/replay_runtime.py")
"""Modules below `mockserver.verify` whose text the file consists of; the last one brings its opening comment."""


def replay_file(run: RunResult) -> str:
    """A self-contained pytest module: one test for each breach that is not accepted."""
    opening = [f"Replays what `mockserver verify` found on {target(run)}.", f"{headline(run)}."]
    if not run.failing:
        opening.append("No breach was found, so there is nothing to replay.")
    parts = ["".join(f"# {visible(line)}\n" for line in opening), "#\n", runtime()]
    parts.append(f"\n\nTARGET = {target(run)!r}\n")
    numbers: dict[str, int] = {}
    for sighting in run.failing:
        numbers[sighting.breach.rule] = numbers.get(sighting.breach.rule, 0) + 1
        parts.append("\n\n" + _test(sighting, numbers[sighting.breach.rule], target(run)))
    return "".join(parts)


def runtime() -> str:
    """The part of the file that does not depend on the run: our own modules as one text, without their imports."""
    texts = [files("mockserver.verify").joinpath(name).read_text(encoding="utf-8") for name in _RUNTIME]
    imports: set[str] = set()
    bodies: list[str] = []
    for text in texts:
        tree = ast.parse(text)
        lines = text.splitlines()
        first = 0
        for node in tree.body:
            is_import = isinstance(node, ast.Import | ast.ImportFrom)
            if not is_import and not (isinstance(node, ast.Expr) and node.lineno == 1):
                break
            source = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            if is_import and "mockserver" not in source and "__future__" not in source:
                imports.add(source)
            first = node.end_lineno or 0
        bodies.append("\n".join(lines[first:]).strip("\n"))
    opening = "".join(line + "\n" for line in texts[-1].splitlines() if line.startswith("# "))
    plain = sorted(line for line in imports if line.startswith("import") and line not in _THIRD)
    named = sorted(line for line in imports if line.startswith("from"))
    head = "\n".join(["from __future__ import annotations", "", *plain, *named, "", *_THIRD])
    return f"{opening}{head}\n\n" + "\n\n\n".join(bodies) + "\n"


_THIRD = ("import httpx", "import pytest")


def _test(sighting: Sighting, number: int, base: str) -> str:
    breach = sighting.breach
    name = "".join(char if char.isascii() and char.isalnum() else "_" for char in breach.rule.lower())
    lines = [f"def test_{name}_{number}() -> None:"]
    told = f"{breach.rule} ({sighting.text.level}: {sighting.text.source}): {sighting.text.statement}"
    for text in (told, f"Expected: {breach.expected}.", f"Came: {breach.actual}.", f"Seed {breach.seed}."):
        lines += [f"    # {line}" for line in textwrap.wrap(visible(text), 104)]
    rule = f"{breach.rule}: expected that {breach.expected}"
    if breach.check is None or not breach.exchanges:
        return "\n".join([*lines, f"    pytest.skip({'no requests were recorded: ' + rule!r})"]) + "\n"
    lines.append("    steps = [")
    for place, step in enumerate(steps_of(breach, base), 1):
        lines += [f"        # {place}.", *_step(step)]
    lines.append("    ]")
    lines.append(f"    check = {breach.check!r}")
    lines.append(f"    must_hold(TARGET, steps, {rule!r}, check)")
    return "\n".join(lines) + "\n"


def _step(step: ReplayStep) -> Iterator[str]:
    yield "        ReplayStep("
    yield f"            {step.method!r},"
    yield f"            {step.url!r},"
    yield "            headers=("
    yield from (f"                {header!r}," for header in step.headers)
    yield "            ),"
    if step.body:
        yield f"            body={step.body!r},"
    yield f"            expected={step.expected!r},"
    if step.race:
        yield f"            race={step.race},"
    if step.is_free:
        yield "            is_free=True,"
    if step.until is not None:
        yield f"            until={step.until!r},"
    yield "        ),"
