"""A queue that loses what it was given is told from one that is only slow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mockserver.verify.checks import finalize
from mockserver.verify.checks.runner import Check
from mockserver.verify.context import records
from mockserver.verify.context.context import Context
from mockserver.verify.events import Breach
from mockserver.verify.reproduction.confirming import confirm
from tests.mutants.catalogue.every import FAULTS
from tests.mutants.catalogue.making import swap
from tests.mutants.config import Mutant
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Request
from tests.mutants.server import running
from tests.verify.checks.trying import tried
from tests.verify.driving import judge

LOST = FAULTS["queue_holds_one"]
WAIT = 0.1


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finalize, "LONGEST_QUEUE", WAIT)


def at_each_read(fault: Mutant, change: Callable[[Api], None] = lambda api: None) -> Mutant:
    """The fault where the queue is worked off by whoever reads, in place of the clock."""

    def patch(api: Api) -> None:
        def settle(request: Request) -> None:
            if request.method == "GET":
                original()

        fault.patch(api)
        original = swap(api.stripe, "settle", lambda: None)
        api.before.append(settle)
        change(api)

    return replace(fault, patch=patch, stripe_delay=0.0)


def finalized(context: Context) -> None:
    """Three, the second of which is waited for."""
    context.records.finalized()
    invoice = context.records.finalized()
    finalize.wait_for_stripe(context, invoice)
    context.records.must_row(context.records.finalized().id)


def of_the_queue(fault: Mutant, before_replay: Callable[[], None] = lambda: None) -> Breach:
    """The breach by what was finalized second, after its replay."""

    def replayed(context: Context) -> None:
        before_replay()
        confirm(context)

    rules = ("FINALIZE-2",)
    checks = (Check("some", rules, finalized), finalize.LATE, Check("again", rules, replayed))
    return tried(fault, checks, stripe_wait=WAIT).breaches["FINALIZE-2:never on stripe"]


def test_a_job_that_was_lost_for_another_one_is_shown_again_beside_it() -> None:
    breach = of_the_queue(at_each_read(LOST))
    assert breach.reproduction is not None
    assert breach.reproduction.words() == "reproduced 2 of 2"
    assert [one.url.rpartition("/")[2] for one in breach.exchanges].count("finalize") == 2


def loses_the_second(api: Api) -> None:
    numbers = iter(range(1_000_000))
    original = swap(api.stripe, "enqueue", lambda invoice: None if next(numbers) == 1 else original(invoice))


def test_a_job_that_was_lost_once_is_proof_where_the_queue_came_to_a_later_one() -> None:
    breach = of_the_queue(at_each_read(replace(LOST, patch=loses_the_second)))
    assert breach.reproduction is not None
    assert breach.reproduction.seen == 0
    assert breach.counts


def test_a_queue_that_stood_still_is_no_proof() -> None:
    """It comes to all of them in their order, later than was said, and so quickly once more that nobody can tell."""
    apis: list[Api] = []

    def stand_still(api: Api) -> None:
        apis.append(api)
        swap(api.stripe, "create", lambda invoice: None)

    def go_on() -> None:
        del apis[0].stripe.create

    breach = of_the_queue(at_each_read(replace(LOST, patch=stand_still)), go_on)
    assert breach.reproduction is not None
    assert breach.reproduction.words() == "seen once, not reproduced in 2 tries"
    assert not breach.counts


def test_a_queue_may_take_as_long_as_was_said_however_short_the_run() -> None:
    with running(FAULTS["never_on_stripe"]) as server:
        heard = judge(server.url, only=("FINALIZE-2",), stripe_wait=120.0, max_time=2.5)
    assert heard.breaches == []
    assert "there was no time to wait for the queue for Stripe" in heard.verdicts["FINALIZE-2"].reason


def test_where_nobody_says_what_it_may_take_a_later_one_that_came_first_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(records, "QUEUE", WAIT)
    rules = ("FINALIZE-2",)
    recorder = tried(
        at_each_read(replace(LOST, patch=loses_the_second)), (Check("some", rules, finalized), finalize.LATE)
    )
    assert recorder.breaches == {}
    (reason,) = recorder.reasons["FINALIZE-2"]
    assert reason.startswith("one of two invoices, the later one, got onto Stripe within")
