"""A claim means the same in this program, in the pytest file that replays it and in jq."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from types import ModuleType

import pytest

from mockserver.verify.claims.claims import (
    All,
    Body,
    Calc,
    CannotTell,
    Claim,
    Const,
    Count,
    Cut,
    Each,
    Every,
    Get,
    Is,
    IsJson,
    Joined,
    LiveAnswer,
    Many,
    Operator,
    Row,
    Some,
    Status,
    Sum,
    Unique,
    Value,
    Where,
    answers_of,
    judged,
)
from mockserver.verify.claims.evaluation import holds
from mockserver.verify.replay.jq import DEFINITIONS, program
from mockserver.verify.reports.scripts.replay_writer import runtime

PAGE = """{"data": [
  {"id": 7, "total": 0.3, "chargee_id": "1", "created_at": "2026-01-31T09:30:00.123456Z", "stripe_invoice_id": null},
  {"id": 9, "total": 12, "chargee_id": 1, "created_at": "2026-01-31T09:30:00Z", "stripe_invoice_id": "in_1"}
], "total": 2, "per_page": 15, "current_page": 1, "from": 1, "to": 2, "last_page": 1}"""
MADE = """{"message": "Made.", "invoice": {"id": 7, "total": 0.30000000000000004, "status": "Draft", "paid": true}}"""
ANSWERS = [
    (200, PAGE),
    (201, MADE),
    (422, '{"message": "It\\u0027s no.", "errors": {}}'),
    (502, "<h1>Bad</h1>"),
    (None, ""),
]

rows = Get(Body(0), ("data",))
ids = Each(rows, ("id",))
size, total = Get(Body(0), ("per_page",)), Get(Body(0), ("total",))
CASES: list[tuple[Claim, bool | None]] = [
    (Is(Status(0), "is", Const(200)), True),
    (Is(Status(4), "is", Const(None)), True),
    (Is(Status(4), "<", Const(500)), None),
    (Is(Status(2), "is not", Const(None)), True),
    (All((Is(Status(2), ">=", Const(400)), Is(Status(2), "<", Const(500)))), True),
    (Some((Is(Status(3), "<", Const(500)), Is(IsJson(3), "is", Const(True)))), False),
    (Some((Is(Status(3), ">=", Const(500)), Is(rows, "is", Get(Body(4), ("data", "x"))))), True),
    (All(()), True),
    (Is(Get(Body(1), ("invoice", "status")), "is", Const("Draft")), True),
    (Is(Get(Body(1), ("invoice", "nothing", "there")), "is", Const(None)), True),
    (Is(Get(Body(1), ("message", "there")), "is", Const(None)), None),
    (Is(Get(Body(1), ("invoice", "paid")), "is", Const(1)), False),
    (Is(Get(Body(1), ("invoice", "total")), "is not", Const(Decimal("-0.5"))), True),
    (Is(Get(Body(2), ("message",)), "is", Const("It's no.")), True),
    (Is(Get(Row(rows, Const(9)), ("stripe_invoice_id",)), "matches", Const("^in_")), True),
    (Is(Get(Row(rows, Const(8)), ("stripe_invoice_id",)), "is", Const(None)), None),
    (Is(Get(Row(rows, Get(Body(1), ("invoice", "id"))), ("total",)), "is", Const(Decimal("0.3"))), True),
    (Is(Get(Body(1), ("invoice", "total")), "is", Sum(Many((Const(Decimal("0.1")), Const(Decimal("0.2")))))), False),
    (Is(Get(Row(rows, Const(7)), ("total",)), "is", Sum(Many((Const(Decimal("0.1")), Const(Decimal("0.2")))))), True),
    (Is(Sum(Each(rows, ("total",))), "is", Const(Decimal("12.3"))), True),
    (Is(Sum(Each(rows, ("chargee_id",))), "is", Const(2)), None),
    (Every(Each(rows, ("chargee_id",)), "agrees", Const("1")), True),
    (Every(Each(rows, ("chargee_id",)), "is", Const("1")), False),
    (Every(Each(rows, ("chargee_id",)), "disagrees", Const("2")), True),
    (Every(Each(rows, ("created_at",)), "agrees", Const("2026-01-31T09:30:00.000000Z")), True),
    (Is(Get(rows, (0, "created_at")), "agrees", Const("2026-01-31T09:31:00Z")), False),
    (Is(Get(rows, (1, "created_at")), "agrees", Const("2026-01-31T09:30:00+02:00")), False),
    (Is(Get(rows, (1, "created_at")), "agrees", Const("2026-01-31T11:30:00+02:00")), True),
    (Is(Get(rows, (1, "created_at")), "agrees", Const("2026-01-31T04:00:00.000-0530")), True),
    (Is(Get(rows, (1, "created_at")), "agrees", Const("2026-01-31T09:29:59.9")), True),
    (Is(Get(rows, (1, "created_at")), "agrees", Const("2026-01-31T09:29:58.9Z")), False),
    (Is(Get(rows, (0, "created_at")), "agrees", Const("2026-01-31T09:30:00.124Z")), True),
    (Is(Get(rows, (0, "created_at")), "disagrees", Const("2026-01-31T09:30:00.125Z")), True),
    (Is(Get(rows, (0, "created_at")), "agrees", Const("2026-01-31")), False),
    (Is(ids, "includes", Const([9, 7])), True),
    (Is(ids, "includes", Const([9, 8])), False),
    (Is(ids, "lacks", Const([8])), True),
    (Is(ids, "lacks", Const([8, 7])), False),
    (Is(ids, "within", Const([7, 8, 9])), True),
    (Is(ids, "within", Const([7])), False),
    (Is(ids, "is", Const([7, 9])), True),
    (Is(ids, "is", Const([9, 7])), False),
    (Is(Each(Get(Body(3), ("data",)), ("id",)), "is", Const([])), None),
    (Is(Cut(Joined((ids, ids)), 1, 3), "is", Const([9, 7])), True),
    (Is(Count(Unique(Joined((ids, ids, Const([None]))))), "is", Count(rows)), True),
    (Is(Count(Where(rows, ("id",), ">", Const(7))), "is", Const(1)), True),
    (Is(Where(ids, (), "in", Const([7])), "is", Const([7])), True),
    (Is(Where(ids, (), "not in", Const([7])), "is", Const([9])), True),
    (Is(Get(Body(0), ("last_page",)), "is", Calc(Calc(total, "pages", size), "most", Const(1))), True),
    (Is(Const(3), "is", Calc(Const(31), "pages", size)), True),
    (Is(Const(1), "is", Calc(Const(31), "pages", Const(0))), None),
    (Is(Calc(Calc(total, "-", Const(1)), "*", size), "is", Const(15)), True),
    (Is(Calc(Calc(total, "+", Const(1)), "least", Const(2)), "<=", Const(2)), True),
    (Is(Get(rows, (0, "total")), "is a", Const(("number", "null"))), True),
    (Is(Get(rows, (0, "total")), "is a", Const("integer")), False),
    (Is(total, "is a", Const("number")), True),
    (Is(Get(Body(2), ("errors",)), "is", Const({})), True),
    (Is(Get(Body(1), ("invoice",)), "has", Const("id")), True),
    (Is(Get(Body(1), ("invoice",)), "has", Const("ide'a")), False),
    (Is(Get(Body(1), ("message",)), "has", Const("id")), False),
    (Is(Get(Body(1), ("odd name",)), "is", Const(None)), True),
]
cases = pytest.mark.parametrize(("claim", "expected"), CASES)


def replies() -> dict[int, LiveAnswer]:
    found = {}
    for number, (status, text) in enumerate(ANSWERS):
        try:
            found[number] = LiveAnswer(status, json.loads(text, parse_float=Decimal))
        except ValueError:
            found[number] = LiveAnswer(status, None, False)
    return found


@cases
def test_here(claim: Claim, expected: bool | None) -> None:
    try:
        assert holds(claim, replies()) is expected
    except CannotTell:
        assert expected is None


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The part of a written pytest file that is the same in all."""
    file = tmp_path_factory.mktemp("written") / "written.py"
    file.write_text(runtime(), encoding="utf-8")
    about = importlib.util.spec_from_file_location("written", file)
    assert about is not None and about.loader is not None
    module = sys.modules["written"] = importlib.util.module_from_spec(about)
    about.loader.exec_module(module)
    yield module
    del sys.modules["written"]


@cases
def test_in_the_pytest_file_that_is_written(written: ModuleType, claim: Claim, expected: bool | None) -> None:
    live = {number: written.LiveAnswer(one.status, one.content, one.is_json) for number, one in replies().items()}
    try:
        assert written.holds(eval(repr(claim), vars(written)), live) is expected
    except written.CannotTell:
        assert expected is None


def test_in_jq() -> None:
    answers = ", ".join(
        json.dumps({"status": status, "is_json": replies()[number].is_json})[:-1]
        + f', "json": {text if replies()[number].is_json else "null"}}}'
        for number, (status, text) in enumerate(ANSWERS)
    )
    # One after the other takes a second; what can't tell becomes null.
    each = ", ".join(f"(try ({program(claim)}) catch null)" for claim, _ in CASES)
    done = subprocess.run(["jq", "-c", f"{DEFINITIONS} [{each}]"], input=f"[{answers}]", capture_output=True, text=True)
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert [(program(claim), came) for (claim, _), came in zip(CASES, told, strict=True)] == [
        (program(claim), due) for claim, due in CASES
    ]


def test_every_operator_and_kind_of_value_is_among_the_cases() -> None:
    text = repr(CASES)
    operators: set[str] = {repr(name) for name in Operator.__args__}  # type: ignore[attr-defined]
    kinds = {f"{kind.__name__}(" for kind in Value.__args__} - {"Id("}
    assert {name for name in operators | kinds if name not in text} == set()


def test_a_claim_knows_of_which_answers_it_speaks_and_whose_status_it_judges() -> None:
    claim = Some((Is(Status(3), "<", Const(300)), Is(ids, "lacks", Many((Get(Body(1), ("invoice", "id")),)))))
    assert answers_of(claim) == {0, 1, 3}
    assert judged(claim) == {3}
