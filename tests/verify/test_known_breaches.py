"""Known breaches are shown without failing, until their date, and told when they are over."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from mockserver.core.errors import Unusable
from mockserver.verify.known_breaches import read_known_breaches
from tests.mutants.catalogue.every import FAULTS
from tests.mutants.server import running
from tests.verify.driving import Heard, judge

RULES = ("CREATE-5", "LIST-1", "SEARCH-2")


def run(tmp_path: Path, text: str, fault: str | None = "or_binds_tighter") -> Heard:
    path = tmp_path / "known.yaml"
    path.write_text(text, encoding="utf-8")
    with running(FAULTS[fault]) if fault else running() as server:
        return judge(server.url, accept=path, only=("SEARCH-2", "LIST-1"))


def test_a_known_breach_is_shown_and_does_not_fail(tmp_path: Path) -> None:
    heard = run(tmp_path, "- {rule: SEARCH-2, reason: being repaired, until: 2999-12-31}\n")
    assert heard.end.exit_code == 0
    assert heard.broken == {"SEARCH-2"}
    assert heard.verdicts["SEARCH-2"].verdict == "accepted"
    assert heard.verdicts["SEARCH-2"].reason == "being repaired (until 2999-12-31)"


def test_an_expired_one_fails_again(tmp_path: Path) -> None:
    heard = run(tmp_path, "- {rule: SEARCH-2, reason: being repaired, until: 2020-01-01}\n")
    assert heard.end.exit_code == 1
    assert "fails again" in heard.notes


def test_one_that_no_longer_happens_is_told(tmp_path: Path) -> None:
    heard = run(tmp_path, "- {rule: SEARCH-2, reason: being repaired}\n", fault=None)
    assert heard.end.exit_code == 0
    assert "no longer happens" in heard.notes


def test_mistakes_in_the_file_are_all_told(tmp_path: Path) -> None:
    path = tmp_path / "known.yaml"
    path.write_text("- {rule: NONE-1, reason: x}\n- {rule: LIST-1}\n- {rule: LIST-1, reason: x, until: soon, by: me}\n")
    with pytest.raises(Unusable) as unusable:
        read_known_breaches(path, RULES)
    assert len(unusable.value.problems) == 4
    assert all(str(path) in problem for problem in unusable.value.problems)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rule: LIST-1\n", ':1: must be a list, got {"rule": "LIST-1"}: begin each row with a dash'),
        ("- LIST-1\n", ':1: 0: must be a mapping of keys to values, got "LIST-1"'),
        ("- {rule: LIST-2, reason: x}\n", ':1: 0.rule: no rule is called "LIST-2": did you mean LIST-1?'),
        ("- {reason: x}\n", ":1: 0.rule: is missing"),
        ("- rule: LIST-1\n  reason: ' '\n", ":2: 0.reason: must not be empty"),
        ("- rule: LIST-1\n  reason: 0.50\n", ':2: 0.reason: must be text, got 0.50: write it in quotes, "0.50"'),
        (
            "- rule: LIST-1\n  reason: x\n  until: 2027-02-31\n",
            ':3: 0.until: must be a date such as 2027-01-31, got "2027-02-31"',
        ),
        ("- {rule: LIST-1, reason: x, unti: 2027-01-31}\n", ":1: 0.unti: unknown key: did you mean until?"),
    ],
)
def test_a_mistake_is_told_with_line_and_key_and_with_what_would_be_right(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "known.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Unusable) as unusable:
        read_known_breaches(path, RULES)
    assert unusable.value.problems == [f"{path}{told}"]


def test_the_last_day_still_counts(tmp_path: Path) -> None:
    path = tmp_path / "known.yaml"
    path.write_text("- {rule: LIST-1, reason: x, until: 2026-05-01}\n")
    entry = read_known_breaches(path, RULES).entries[0]
    assert entry.until == date(2026, 5, 1)
