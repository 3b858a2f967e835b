"""Writes the pytest file that replays each breach against a live server."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from importlib.resources import files

from mockserver.verify.replay.playing import ReplayStep
from mockserver.verify.replay.steps import steps_of
from mockserver.verify.reports.phrases import headline, nothing_failing, provenance, target, visible
from mockserver.verify.reports.run_state import RunResult, Sighting

_RUNTIME = (
    "core/loopback.py",
    "verify/transport/placeholders.py",
    "verify/claims/claims.py",
    "verify/claims/evaluation.py",
    "verify/replay/playing.py",
    "verify/reports/scripts/replay_runtime.py",
)
"""Modules below `mockserver` whose text the file consists of; the last one brings its opening comment."""


def replay_file(run: RunResult) -> str:
    """A self-contained pytest module: one test for each breach that is not accepted."""
    opening = [f"Replays what `mockserver verify` found on {target(run)}.", f"{headline(run)}."]
    if not run.failing:
        opening.append(f"{nothing_failing(run)}, so there is nothing to replay.")
    parts = ["".join(f"# {visible(line)}\n" for line in opening), "#\n", runtime()]
    parts.append(f"\n\nTARGET = {target(run)!r}\n")
    numbers: dict[str, int] = {}
    for sighting in run.failing:
        numbers[sighting.breach.rule] = numbers.get(sighting.breach.rule, 0) + 1
        parts.append("\n\n" + _test(sighting, numbers[sighting.breach.rule], target(run)))
    if not run.failing:
        # Without any test pytest ends with 5, which is red in every pipeline.
        parts.append("\n\ndef test_nothing_is_to_be_replayed() -> None:\n    pass\n")
    return "".join(parts)


def runtime() -> str:
    """The part of the file that does not depend on the run: our own modules as one text, their imports in front."""
    texts = [files("mockserver").joinpath(name).read_text(encoding="utf-8") for name in _RUNTIME]
    modules: set[str] = set()
    names: dict[str, set[str]] = {}
    bodies: list[str] = []
    for text in texts:
        first = 0
        for node in ast.parse(text).body:
            if isinstance(node, ast.Import):
                modules.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.setdefault(node.module, set()).update(alias.name for alias in node.names)
            elif not (isinstance(node, ast.Expr) and node.lineno == 1):
                break
            first = node.end_lineno or 0
        bodies.append("\n".join(text.splitlines()[first:]).strip("\n"))
    opening = "".join(line + "\n" for line in texts[-1].splitlines() if line.startswith("# "))
    foreign = sorted(name for name in names if name != "__future__" and not name.startswith("mockserver."))
    imports = [
        "from __future__ import annotations\n",
        *(f"import {name}" for name in sorted(modules - _THIRD)),
        *(f"from {name} import {', '.join(sorted(names[name]))}" for name in foreign),
        "",
        *(f"import {name}" for name in sorted(modules & _THIRD)),
    ]
    return opening + "\n".join(imports) + "\n\n\n" + "\n\n\n".join(bodies) + "\n"


_THIRD = frozenset({"httpx", "pytest"})


def _test(sighting: Sighting, number: int, base: str) -> str:
    breach = sighting.breach
    name = "".join(char if char.isascii() and char.isalnum() else "_" for char in breach.rule.lower())
    lines = [f"def test_{name}_{number}() -> None:"]
    told = f"{breach.rule} ({provenance(sighting.text)}): {sighting.text.statement}"
    texts = [told, f"Expected: {breach.expected}.", f"Came: {breach.actual}."]
    for text in texts if breach.seed is None else [*texts, f"Seed {breach.seed}."]:
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
