"""Whatever a server keeps of what nobody documented is found, and a server that keeps nothing is not blamed."""

from __future__ import annotations

import pytest

from mockserver.verify.checks import mass_assignment
from tests.mutants.catalogue.assigning import ASSIGNING
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
