"""What a workflow on GitHub shows of a run: one annotation for each broken rule, and no order of a server's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

import pytest

from mockserver.verify.events import Breach, Event, Note
from tests.verify.report_streams import BILLED_TWICE, LEAK, SERVER_ERROR, mixed, run
from tests.verify.test_reports import written


def annotated(folder: Path, stream: Sequence[Event]) -> list[tuple[str, str, str]]:
    """Level, title and message of each, as GitHub's runner reads them."""
    lines = written(folder, stream, "github")["annotations.txt"].splitlines()
    found = [re.fullmatch(r"::(error|warning|notice) title=([^:,]*)::(.*)", line) for line in lines]
    assert all(found), lines
    return [(one[1], unquote(one[2]), unquote(one[3])) for one in found if one]


def test_each_broken_rule_is_one_error_that_says_what_was_expected_and_what_came(tmp_path: Path) -> None:
    told = annotated(tmp_path, run(BILLED_TWICE, LEAK))
    errors = {title: text for level, title, text in told[1:] if level == "error"}
    assert set(errors) == {"CREATE-4 is broken", "GEN-8 is broken"}
    text = errors["CREATE-4 is broken"]
    assert "A charge is on at most one invoice" in text
    assert BILLED_TWICE.expected in text
    assert BILLED_TWICE.actual in text
    assert told[0][:2] == ("error", "mockserver verify")
    assert "2 rules are broken" in told[0][2]


def test_several_breaches_of_a_rule_are_one_error_that_counts_them(tmp_path: Path) -> None:
    again = Breach("CREATE-4", "once", "thrice", BILLED_TWICE.exchanges, 7, "CREATE-4 another")
    [_, (_, title, text)] = annotated(tmp_path, run(BILLED_TWICE, again))
    assert title == "CREATE-4 is broken"
    assert "and 1 more of this rule" in text


def test_an_accepted_breach_is_no_error(tmp_path: Path) -> None:
    told = annotated(tmp_path, run(SERVER_ERROR, accepted=["GEN-5"]))
    assert told[0][0] == "notice"
    assert [(level, title) for level, title, _ in told[1:]] == [("notice", "GEN-5 is broken as accepted")]


def test_what_was_not_exercised_and_matters_is_a_warning_that_says_why(tmp_path: Path) -> None:
    told = annotated(tmp_path, run(unexercised={"GEN-8": "no second token given"}, idle=["SEARCH-2"]))
    assert [(level, title) for level, title, _ in told] == [
        ("warning", "mockserver verify"),
        ("warning", "GEN-8 was not exercised"),
    ]
    assert "no second token given" in told[1][2]


def test_a_run_that_could_not_be_made_is_an_error_that_says_why(tmp_path: Path) -> None:
    [(level, _, text)] = annotated(tmp_path, run(exit_code=2, stop_reason="nobody listens"))
    assert level == "error"
    assert "nobody listens" in text


def test_danger_to_money_is_a_warning(tmp_path: Path) -> None:
    told = annotated(tmp_path, run(exit_code=0, notes=[Note("it bills everything", "money"), Note("slow", "warning")]))
    assert ("warning", "A warning about money", "it bills everything") in told
    assert len(told) == 2


@pytest.mark.parametrize(
    "text", ["a\n::error::b", "a\r::stop-commands::x", "100% of ::set-output name=x::y", "\u2028::x"]
)
def test_text_of_a_server_is_no_order_to_the_runner(tmp_path: Path, text: str) -> None:
    hostile = Breach("GEN-5", "nothing", text, SERVER_ERROR.exchanges, 7, "GEN-5 hostile")
    raw = written(tmp_path, run(hostile), "github")["annotations.txt"]
    assert len(raw.splitlines()) == len(annotated(tmp_path, run(hostile))) == 2
    assert not re.search(r"(?<!^)::(error|stop-commands|set-output|x)", raw, re.MULTILINE)


def test_a_long_message_is_cut_to_what_is_shown(tmp_path: Path) -> None:
    long = Breach("GEN-5", "nothing", "x" * 50_000, SERVER_ERROR.exchanges, 7, "GEN-5 long")
    assert all(len(text) <= 4_000 for _, _, text in annotated(tmp_path, run(long)))
    assert annotated(tmp_path, mixed())
