"""Operations on charges that a server lacks altogether: said to be absent, never judged, and done without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.mutants.config import ServerConfig
from tests.mutants.conforming import CORRECT, LEGAL
from tests.mutants.reference.messages import Reply, Request
from tests.mutants.reference.records import Caller
from tests.mutants.server import running
from tests.verify.driving import Heard, judge

Gone = Callable[[Request], bool]
LACKING: dict[str, tuple[Gone, str]] = {
    "listCharges": (lambda request: request.path.endswith("/billing/charges"), "GET /billing/charges"),
    "createQuickAdjustment": (
        lambda request: request.path.endswith("/quick-adjustment"),
        "POST /billing/charges/quick-adjustment",
    ),
    "getCharge": (
        lambda request: "/billing/charges/" in request.path and request.method == "GET",
        "GET /billing/charges/{charge}",
    ),
}
GIVEN = tuple(range(1, 161))


def without(name: str, status: int, **given: Any) -> Heard:
    """A run on a server that lacks this operation, as a web framework answers for it."""
    gone, _ = LACKING[name]

    def hook(request: Request) -> Reply | None:
        page = Reply(status, headers={"Content-Type": "text/html"}, raw=b"<h1>Not here</h1>")
        return page if gone(request) else None

    with running(ServerConfig(name="test", says="has charges to be billed", nuisances=("charges_given",))) as server:
        server.api.before.append(hook)
        return judge(server.url, **given)


@pytest.mark.parametrize(("name", "status"), [("listCharges", 404), ("createQuickAdjustment", 405), ("getCharge", 405)])
def test_a_companion_that_is_absent_is_said_to_be_and_not_judged(name: str, status: int) -> None:
    given = {"charge_ids": GIVEN} if name == "createQuickAdjustment" else {}
    heard = without(name, status, fuzz=(name, status) == ("getCharge", 405), **given)
    assert f"the server has no {name} ({LACKING[name][1]} is answered with {status})" in heard.notes
    assert heard.breaches == []
    assert heard.verdicts["CREATE-1"].verdict == heard.verdicts["COLLECT-3"].verdict == "holds"


def test_without_charges_that_can_be_made_the_run_says_what_would_help() -> None:
    heard = without("createQuickAdjustment", 404)
    assert heard.breaches == []
    assert heard.end.exit_code == 3
    assert "--charge-ids" in heard.verdicts["CREATE-1"].reason


def test_a_server_of_the_four_operations_alone_is_judged_on_the_charges_given() -> None:
    with running(LEGAL["four_operations"]) as server:
        heard = judge(server.url, charge_ids=GIVEN)
    assert heard.breaches == []
    assert heard.notes.count("the server has no") == 3
    for rule in ("CREATE-4", "CREATE-6", "FINALIZE-1", "FINALIZE-2", "COLLECT-3", "COLLECT-4", "LIST-4", "SEARCH-2"):
        assert heard.verdicts[rule].verdict == "holds", rule


def test_charges_given_that_are_no_longer_uninvoiced_are_set_aside_and_named() -> None:
    """A run uses them up, so that the next one is given them spent."""
    with running(CORRECT) as server:
        records = server.api.records
        made = [records.add_charge(records.merchants[1], 500 + number, "for the run").id for number in range(6)]
        server.api.billing.create(Caller(frozenset({1}), 1), made[1:3])
        first = judge(server.url, charge_ids=tuple(made), only=("CREATE-1", "GEN-2", "GEN-3"))
        second = judge(server.url, charge_ids=tuple(made))
    assert (first.breaches, second.breaches) == ([], [])
    assert f"no longer uninvoiced, and set aside: {made[1]}, {made[2]}" in first.notes
    assert f"set aside: {', '.join(map(str, made))}" in second.notes
    assert second.end.exit_code == 3
    assert "used up" in second.verdicts["CREATE-1"].reason


def test_a_charge_that_alone_is_not_found_is_no_absent_operation() -> None:
    def hook(request: Request) -> Reply | None:
        last = request.path.rpartition("/")[2]
        odd = "/billing/charges/" in request.path and last.isdigit() and int(last) % 2
        return Reply(404, {"message": "There is no such charge."}) if odd else None

    with running() as server:
        server.api.before.append(hook)
        heard = judge(server.url)
    assert "the server has no" not in heard.notes
    assert heard.broken
