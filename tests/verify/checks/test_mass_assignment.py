"""Whatever a server keeps of what nobody documented is found, and a server that keeps nothing is not blamed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mockserver.verify.checks import mass_assignment
from mockserver.verify.checks.runner import Check
from mockserver.verify.context.context import Context
from mockserver.verify.replay.steps import steps_of
from mockserver.verify.reproduction.live import LivePlay
from tests.mutants.catalogue.assigning import ASSIGNING
from tests.mutants.config import without_fault
from tests.mutants.conforming import LEGAL
from tests.mutants.reference.messages import Reply, Request
from tests.mutants.server import running
from tests.verify.checks.trying import broken, tried
from tests.verify.driving import judge


@pytest.mark.parametrize("name", ASSIGNING.faults)
def test_what_is_kept_of_a_request_is_found(name: str) -> None:
    fault = ASSIGNING.faults[name]
    assert broken(tried(fault, mass_assignment.CHECKS, enough=fault.rules)) & set(fault.rules)


@pytest.mark.parametrize("name", ["correct", "laravel", "lenient", "provider", "mixed_currencies", "declining"])
def test_a_server_that_keeps_nothing_is_not_blamed(name: str) -> None:
    assert broken(tried(LEGAL[name], mass_assignment.CHECKS)) == set()


def test_that_nothing_is_kept_does_not_put_a_rule_to_the_test() -> None:
    """An invoice of one charge says nothing of several merchants or currencies."""
    recorder = tried(LEGAL["correct"], mass_assignment.CHECKS)
    assert recorder.exercised["CREATE-8"] == 0


def test_a_server_that_refuses_what_is_not_documented_is_not_blamed() -> None:
    def refuse(request: Request) -> Reply | None:
        odd = b"status" in request.body or "status" in request.query
        errors = {"status": ["The property is not known."]}
        return Reply(422, {"message": "The property is not known.", "errors": errors}) if odd else None

    with running(LEGAL["correct"]) as server:
        server.api.before.append(refuse)
        assert judge(server.url, only=("CREATE-3", "FINALIZE-1", "FINALIZE-2")).breaches == []


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("adjustment_writes_over_a_charge", "GEN-9:id in the body of an adjustment kept"),
        ("adjustment_writes_over_a_charge", "CREATE-4:charge overwritten by an id in the body of an adjustment"),
        ("create_keeps_an_id", "CREATE-7:id in the body of a create kept"),
    ],
)
def test_an_id_in_a_body_is_shown_again_where_records_have_other_ids(name: str, identity: str) -> None:
    fault = ASSIGNING.faults[name]
    breach = tried(fault, mass_assignment.CHECKS).breaches[identity]
    shown: list[bool] = []

    def again(context: Context) -> None:
        check = breach.check
        assert check is not None
        base = breach.exchanges[0].url.partition("/billing/")[0]
        with context.monitor.resting():
            shown.append(LivePlay(context, steps_of(breach, base)).shows(check, patience=0.0))

    tried(replace(fault, choices={**fault.choices, "first_id": 5_000}), [Check("again", ("GEN-9",), again)])
    tried(
        replace(without_fault(fault), choices={**fault.choices, "first_id": 5_000}), [Check("again", ("GEN-9",), again)]
    )
    assert shown == [True, False]
