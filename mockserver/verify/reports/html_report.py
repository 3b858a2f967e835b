"""The HTML report: one page without network access, for people who do not read logs."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from mockserver.verify.events import Exchange
from mockserver.verify.reports.curl import curl
from mockserver.verify.reports.html_charts import heat_map, mosaic, timeline
from mockserver.verify.reports.id_tracing import origins
from mockserver.verify.reports.phrases import (
    FOUND_BY,
    LEVELS,
    MARKS,
    VERDICTS,
    answer_line,
    choice_value,
    count,
    ending,
    exit_meaning,
    headline,
    limits,
    measure,
    shorten,
    target,
    text_of,
    times,
    visible,
    why,
    word,
)
from mockserver.verify.reports.run_state import Findings

TONES: dict[int | None, str] = {0: "good", 1: "bad", 2: "bad", 3: "warn", None: "bad"}
ANSWER_LIMIT = 6000
"""Characters of an answer that the page shows; the JSON report has all."""


def html_report(findings: Findings) -> str:
    """The page; whatever a server sent is escaped by the template, and its control characters are shown as such."""
    environment = Environment(
        loader=PackageLoader("mockserver.verify.reports", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_clean,
    )
    environment.globals.update(
        answer_line=answer_line,
        choice_value=choice_value,
        count=count,
        curl=_curl,
        origins=origins,
        sent=_sent,
        times=times,
        why=why,
        word=word,
    )
    return environment.get_template("report.html.j2").render(
        findings=findings,
        tone=TONES[findings.exit_code],
        headline=headline(findings),
        exit_meaning=exit_meaning(findings),
        measure=measure(findings),
        ending=ending(findings),
        limits=limits(findings),
        target=target(findings),
        mosaic=mosaic(findings),
        heat_map=heat_map(findings),
        timeline=timeline(findings),
        levels=LEVELS,
        marks=MARKS,
        verdicts=VERDICTS,
        found_by=FOUND_BY,
    )


def _clean(value: object) -> object:
    """Jinja calls this on each value that the template prints."""
    return visible(value, lines=True) if type(value) is str else value


def _curl(exchange: Exchange) -> str:
    return curl(exchange, separator=" \\\n  ", body_limit=4000)


def _sent(exchange: Exchange) -> str:
    """The answer as it came: status, headers, body."""
    if exchange.status is None:
        return f"no answer: {exchange.failure or 'unknown reason'}"
    lines = [str(exchange.status), *(f"{name}: {value}" for name, value in exchange.answer_headers), ""]
    return "\n".join([*lines, shorten(text_of(exchange.answer), ANSWER_LIMIT)])
