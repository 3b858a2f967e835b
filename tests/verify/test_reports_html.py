"""The HTML page is self-contained, safe against what a server sent, and tells the whole run."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

from mockserver.contract.rules import Rule
from mockserver.verify.events import Breach, ChoiceMeasured, Coverage, Event, Note, RunFinished, RunStarted
from mockserver.verify.reports import make
from tests.verify.report_streams import BILLED_TWICE, LEAK, RULES, Ticking, exchange, mixed, run

SCRIPT = files("mockserver.verify.reports.html").joinpath("report.js").read_text(encoding="utf-8")
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
    assert not {"link", "img", "iframe", "object", "base"} & set(parsed.tags)
    assert not [name for tag, name, _ in parsed.attributes if tag == "script"]
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
    assert "img" not in parsed.tags
    assert re.findall(r"<script.*?</script>", text, re.DOTALL) == [f"<script>{SCRIPT}</script>"]
    assert not any(name.startswith("on") for _, name, _ in parsed.attributes)
    assert "alert(1)" in parsed.text
    assert "{{ 7*7 }}" in parsed.text
    assert "\x1b" not in text


def test_the_verdict_comes_first_and_in_words(tmp_path: Path) -> None:
    text, parsed = page(tmp_path, mixed())
    assert text.index("<h1>Does not conform: 2 rules are broken</h1>") < text.index('class="tiles"')
    for word in ("1,204 requests", "41.3 s", "seed 7", "03 November 2026", "9 charges and 5 invoices"):
        assert word in parsed.text


def test_what_is_broken_stands_right_below_the_verdict_as_sentences(tmp_path: Path) -> None:
    raw = replace(LEAK, actual='the answer is 200 {"data": [{"id": 14}]}')
    text, _ = page(tmp_path, run(BILLED_TWICE, raw))
    hero = text.partition('<section class="card hero')[2].partition("</section>")[0]
    first = 'href="#cause-1">CREATE-4</a>: A second invoice over the same charge is refused'
    second = (
        'href="#cause-2">GEN-8</a>: A merchant&#39;s token sees none of another merchant&#39;s invoices, but the answer'
    )
    assert hero.index(first) < hero.index(second)
    assert "{" not in hero
    assert text.index("What was found") < text.index("What was tested")


def test_breaches_that_show_the_same_are_one_article_with_the_others_in_it(tmp_path: Path) -> None:
    many = [replace(BILLED_TWICE, identity=f"CREATE-4 {place}", actual=f"fault {place} came") for place in range(6)]
    _, parsed = page(tmp_path, run(*many, LEAK))
    assert parsed.tags.count("article") == 2
    assert "explains 6 breaches in 1 rule" in parsed.text
    assert all(f"fault {place} came" in parsed.text for place in range(6))
    assert {f"breach-{number}" for number in range(1, 8)} <= parsed.ids


def test_backticks_are_shown_as_code_and_what_stands_in_them_is_never_markup(tmp_path: Path) -> None:
    told = replace(BILLED_TWICE, expected="`total` is a number", actual="`<b>` and ` alone")
    text, _ = page(tmp_path, run(told))
    assert "<dd><code>total</code> is a number</dd>" in text
    assert "<dd><code>&lt;b&gt;</code> and ` alone</dd>" in text


def test_only_the_script_of_the_page_may_run(tmp_path: Path) -> None:
    text, _ = page(tmp_path, mixed())
    allowed = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'"
    assert f'content="{policy}"' in text


def test_the_pictures_show_each_rule_each_breach_and_each_cell(tmp_path: Path) -> None:
    text, _ = page(tmp_path, mixed())
    for picture in ("Rules by area and verdict", "Timeline of the run", "Coverage by operation"):
        assert picture in text
    assert len(re.findall(r'class="tile ', text)) == len(RULES)
    assert len(re.findall(r'<div class="line', text)) == 3
    assert len(re.findall(r'class="never"', text)) == 4


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
    for heading in ("What was found", "What was tested", "When it was found", "Every rule"):
        assert heading not in parsed.text


def test_a_run_that_never_began_is_one_line_without_tables(tmp_path: Path) -> None:
    _, parsed = page(tmp_path, [run()[0], RunFinished(2, "the token is refused", 0.1, 1, "")])
    assert parsed.tags.count("section") == 1
    assert "table" not in parsed.tags
    assert "Left on the server" not in parsed.text
