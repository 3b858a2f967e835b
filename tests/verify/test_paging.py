"""The arithmetic by which every page of a run is judged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.verify.assertions.statements import Subject, of
from mockserver.verify.events import RecordedExchange
from mockserver.verify.monitor.paging import page_flaws, repeated_ids


def seen(content: object) -> Subject:
    return of(RecordedExchange("GET", "http://host/api", (), None, 200, answer=json.dumps(content).encode()))


def page(**changes: Any) -> Subject:
    """The second page of 17 at 15 a page, with changes."""
    sound = {
        "data": [{"id": 1}, {"id": 2}],
        "current_page": 2,
        "per_page": 15,
        "last_page": 2,
        "total": 17,
        "from": 16,
        "to": 17,
    }
    return seen(sound | changes)


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({}, "?page=2"),
        ({"from": 15, "to": 17}, "?page=2"),
        ({"data": [], "current_page": 3, "from": None, "to": None}, "?page=3"),
        ({"data": [], "current_page": 1, "total": 0, "last_page": 1, "from": 0, "to": 0}, ""),
        ({"per_page": 15}, "?page=2&per_page=1000"),
    ],
)
def test_a_sound_page_has_no_flaw(changes: dict[str, Any], target: str) -> None:
    assert page_flaws(page(**changes), target) == []


@pytest.mark.parametrize(
    ("changes", "target", "rule"),
    [
        ({"current_page": 1}, "?page=2", "LIST-3"),
        ({"last_page": 1}, "?page=2", "LIST-3"),
        ({"total": 18}, "?page=2", "LIST-3"),
        ({"to": 16}, "?page=2", "LIST-3"),
        ({"from": 15, "to": 16}, "?page=2", "LIST-3"),
        ({"from": 16, "to": 18}, "?page=2", "LIST-3"),
        ({"from": 18, "to": 19}, "?page=2", "LIST-3"),
        ({"from": None, "to": None}, "?page=2", "LIST-3"),
        ({"current_page": 3}, "?page=3", "LIST-4"),
        ({}, "", "LIST-2"),
        ({"per_page": 16}, "?page=2&per_page=15", "LIST-3"),
        ({"per_page": 10, "from": 11, "to": 12, "total": 12}, "?page=2", "LIST-2"),
    ],
)
def test_a_flaw_is_told_by_its_rule(changes: dict[str, Any], target: str, rule: str) -> None:
    assert rule in {flaw.rule for flaw in page_flaws(page(**changes), target)}


def test_a_row_that_comes_twice_is_a_flaw() -> None:
    assert repeated_ids(seen({"data": [{"id": 1}, {"id": 1}]}))[0].rule == "LIST-4"
    assert repeated_ids(seen({"data": [{"id": 1}, {"id": 2}]})) == []
