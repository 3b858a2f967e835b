"""The HTML page is self-contained, safe against what a server sent, and tells the whole run."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mockserver.contract.rules import Rule
from mockserver.verify.events import Breach, ChoiceMeasured, Coverage, Event, Note, RunFinished, RunStarted
from mockserver.verify.reports import make
from tests.verify.report_streams import BILLED_TWICE, RULES, Ticking, exchange, mixed, run

POISON = "</pre></style></title><script>alert(1)</script><img src=http://evil.example/x onerror=x>\"'{{ 7*7 }}\x1b[2J"
VOID = {"meta", "br", "rect", "line", "circle", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """Collects elements, and checks that they are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def ids(self) -> set[str]:
        return {value for _, name, value in self.attributes if name == "id"}

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def page(directory: Path, stream: list[Event], rules: dict[str, Rule] = RULES) -> tuple[str, Page]:
    (report,) = make(["html"], directory, rules=rules, clock=Ticking())
    for event in stream:
        report(event)
    text = (directory / "report.html").read_text(encoding="utf-8")
    return text, Page(text)


def poisoned() -> list[Event]:
    breach = Breach(
        POISON,
        POISON,
        POISON,
        (
            exchange(
                "POST",
                "/" + POISON,
                sends={POISON: POISON},
                raw=POISON.encode(),
                headers=[("X-" + POISON, POISON)],
            ),
        ),
        7,
        POISON,
    )
    rules = {POISON: Rule(POISON, POISON, POISON, POISON)}
    start = RunStarted(POISON, 7, (POISON,), POISON, POISON, False, True)
    found: list[Event] = [start, *run(breach, rules=rules)[1:-1]]
    found += [ChoiceMeasured(POISON, POISON, True, POISON, POISON), Coverage(POISON, POISON, POISON, 1), Note(POISON)]
    return [*found, RunFinished(1, POISON, 1.0, 1)]


def test_the_page_needs_no_network(tmp_path: Path) -> None:
    text, parsed = page(tmp_path, mixed())
    assert not {"script", "link", "img", "iframe", "object", "base"} & set(parsed.tags)
    for _, name, value in parsed.attributes:
        if name in ("href", "src", "action", "xlink:href", "srcset"):
            assert value.startswith("#"), value
    assert "@import" not in text
    assert "url(" not in text
    assert "default-src 'none'" in text


def test_every_link_within_the_page_leads_somewhere(tmp_path: Path) -> None:
    _, parsed = page(tmp_path, mixed())
    links = {value[1:] for _, name, value in parsed.attributes if name == "href"}
    assert links
    assert links <= parsed.ids


def test_what_a_server_sent_is_shown_and_never_obeyed(tmp_path: Path) -> None:
    text, parsed = page(tmp_path, poisoned())
    assert not {"script", "img"} & set(parsed.tags)
    assert not any(name.startswith("on") for _, name, _ in parsed.attributes)
    assert "alert(1)" in parsed.text
    assert "{{ 7*7 }}" in parsed.text
    assert "\x1b" not in text


def test_the_verdict_comes_first_and_in_words(tmp_path: Path) -> None:
    text, parsed = page(tmp_path, mixed())
    assert text.index("<h1>Does not conform: 2 rules are broken</h1>") < text.index("<svg")
    for word in ("1,204 requests", "41.3 s", "seed 7", "03 November 2026", "9 charges and 5 invoices"):
        assert word in parsed.text


def test_the_pictures_show_each_rule_each_breach_and_each_cell(tmp_path: Path) -> None:
    text, parsed = page(tmp_path, mixed())
    for picture in ("Rules by area and verdict", "Timeline of the run", "Coverage by operation"):
        assert picture in text
    assert len(re.findall(r'class="tile ', text)) == len(RULES)
    assert len(re.findall(r'class="marker', text)) == 3
    assert len(re.findall(r'class="never"', text)) == 4
    assert parsed.tags.count("svg") == 3


def test_provenance_is_explained(tmp_path: Path) -> None:
    _, parsed = page(tmp_path, mixed())
    for word in ("documented", "observed", "derived", "open", "The vendor's invoices page says so"):
        assert word in parsed.text


def test_light_and_dark_are_both_there(tmp_path: Path) -> None:
    text, _ = page(tmp_path, run())
    assert "color-scheme: light dark" in text
    assert "prefers-color-scheme: dark" in text


@pytest.mark.parametrize(
    "stream",
    [[RunFinished(2, "unreachable", 0.0, 0)], run(), run(BILLED_TWICE), run(unexercised={"GEN-8": "no token"})],
)
def test_every_kind_of_run_gives_a_well_formed_page(tmp_path: Path, stream: list[Event]) -> None:
    _, parsed = page(tmp_path, stream)
    assert parsed.tags.count("h1") == 1


def test_without_coverage_or_breaches_their_sections_are_left_out(tmp_path: Path) -> None:
    _, parsed = page(tmp_path, [RunFinished(2, "unreachable", 0.0, 0)])
    assert "What is broken" not in parsed.text
    assert "svg" not in parsed.tags
