"""The HTML report: one page without network access, for people who do not read logs."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import partial
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from mockserver.contract.rules import LEVELS
from mockserver.verify.events import RecordedExchange
from mockserver.verify.reports.breach_words import sent_line, title
from mockserver.verify.reports.causes import causes
from mockserver.verify.reports.html.charts import heat_map, mosaic, timeline
from mockserver.verify.reports.phrases import (
    MARKS,
    MONEY,
    VERDICTS,
    answer_line,
    choice_value,
    count,
    drift_line,
    ending,
    exit_words,
    headline,
    left_behind,
    limits,
    measure,
    named,
    seen,
    shorten,
    target,
    text_of,
    unexercised,
    visible,
    why,
    word,
    worth,
)
from mockserver.verify.reports.run_state import RunResult
from mockserver.verify.reports.scripts.shell import commands

TONES: dict[int | None, str] = {0: "good", 1: "bad", 2: "bad", 3: "warn", None: "bad"}
ANSWER_LIMIT = 6000
"""Characters of an answer that the page shows; the JSON report has all."""


def html_report(run: RunResult) -> str:
    """The page; whatever a server sent is escaped by the template, and its control characters are shown as such."""
    environment = Environment(
        loader=PackageLoader("mockserver.verify.reports.html", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_clean,
    )
    environment.filters["ticks"] = _ticks
    environment.globals.update(
        answer_line=answer_line,
        choice_value=choice_value,
        drift_line=drift_line,
        money=MONEY,
        count=count,
        sent_line=sent_line,
        title=title,
        commands=partial(commands, base=target(run), separator=" \\\n  ", limit=4000),
        sent=_sent,
        named=named,
        why=why,
        word=word,
    )
    script = files(__package__).joinpath("report.js").read_text(encoding="utf-8")
    found = causes(run)
    return environment.get_template("report.html.j2").render(
        run=run,
        causes=found,
        broken=[cause for cause in found if cause.lead in run.failing],
        # It is ours alone, and whatever else claims to be a script has another hash.
        script=Markup(script),
        script_hash=_hash(script),
        tone=TONES.get(run.exit_code, TONES[None]),
        headline=headline(run),
        exit_words=exit_words(run),
        measure=measure(run),
        ending=ending(run),
        left_behind=left_behind(run),
        limits=limits(run),
        unexercised=unexercised(run),
        target=target(run),
        bands=list(mosaic(run)),
        heat_map=heat_map(run),
        timeline=timeline(run),
        levels={level: worth(level) for level in LEVELS},
        marks=MARKS,
        verdicts=VERDICTS,
        seen=seen,
    )


def _clean(value: object) -> object:
    """Jinja calls this on each value that the template prints."""
    return visible(value, lines=True) if type(value) is str else value


def _ticks(text: str) -> Markup:
    """The text with what stands between backticks as code."""
    told = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(visible(text, lines=True))))
    # Escaped before, so that nothing but our own element is markup.
    return Markup(told)


def _hash(script: str) -> str:
    """By which a page's policy knows its own script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _sent(exchange: RecordedExchange) -> str:
    """The answer as it came: status, headers, body."""
    if exchange.status is None:
        return f"no answer: {exchange.failure or 'unknown reason'}"
    lines = [str(exchange.status), *(f"{name}: {value}" for name, value in exchange.answer_headers), ""]
    return "\n".join([*lines, shorten(text_of(exchange.answer), ANSWER_LIMIT)])
