"""Scenarios of finalizing and collecting."""

from __future__ import annotations

from tests.mutants.client import Answer, Talk, at_once
from tests.mutants.reference.stripe import ANSWER_LOST, PAYS_LATER
from tests.mutants.scenarios.bed import Ground, refused, rule, succeeded

UNKNOWN = 2**40


def finalized(ground: Ground, number: object) -> Answer:
    answer = succeeded(ground.mine.finalize(number), ground.choices.finalize_status)
    assert isinstance(answer.document["message"], str)
    return answer


def collected(ground: Ground, number: object) -> Answer:
    answer = succeeded(ground.mine.collect(number), ground.choices.collect_status)
    assert isinstance(answer.document["message"], str)
    return answer


@rule("FINALIZE-1")
def locks(ground: Ground) -> None:
    charges = [ground.charge(155), ground.charge(199)]
    number = ground.mine.create(*charges).invoice["id"]
    other, later = ground.draft(700), ground.charge(900)
    finalized(ground, number)
    for step in (lambda: None, lambda: ground.mine.finalize(number), lambda: ground.mine.collect(number)):
        step()
        row = ground.mine.look(number)
        assert row["status"] != "Draft" and row["total"] == ground.exact(155, 199), row
        assert [ground.status_of(charge) for charge in charges] == ["Invoiced", "Invoiced"]
        refused(ground.mine.create(*charges))
    assert row["status"] == (ground.mine.look(number)["status"])
    assert ground.mine.look(other)["status"] == "Draft"
    assert ground.status_of(later) == "Open"
    paid = ground.locked(700)
    assert ground.mine.look(paid)["stripe_invoice_status"] != "paid"
    if ground.pays:
        collected(ground, paid)


@rule("FINALIZE-2")
def gets_to_stripe(ground: Ground) -> None:
    first, second = ground.draft(300), ground.draft(400)
    assert ground.mine.look(first)["stripe_invoice_id"] is None
    finalized(ground, first)
    finalized(ground, second)
    rows = [ground.on_stripe(first), ground.on_stripe(second)]
    assert {row["stripe_invoice_status"] for row in rows} <= {"draft", "open"}, rows
    assert rows[0]["stripe_invoice_id"] != rows[1]["stripe_invoice_id"]


@rule("FINALIZE-3")
def unknown_is_not_finalized(ground: Ground) -> None:
    for number in (UNKNOWN, 0, "x"):
        refused(ground.mine.finalize(number))


@rule("FINALIZE-4")
def again_changes_nothing(ground: Ground) -> None:
    fresh = ground.locked(300)
    ground.on_stripe(fresh)
    for number in (fresh, ground.paid(400)):
        before = ground.on_stripe(number)
        for _ in range(2):
            answer = ground.mine.finalize(number)
            if ground.choices.refinalize == "refuse":
                assert refused(answer).status == ground.choices.illegal_state_status
            else:
                succeeded(answer, ground.choices.finalize_status)
            assert ground.mine.look(number) == before
    ground.on_stripe(number)
    draft = ground.draft(500)
    answers = at_once(ground.url, 4, lambda talk, place: talk.finalize(draft), token=str(ground.mine.token))
    seen = {answer.invoice["stripe_invoice_id"] for answer in answers if answer.invoice}
    assert len(seen - {None}) <= 1, seen
    assert seen <= {None, ground.on_stripe(draft)["stripe_invoice_id"]}
    if ground.choices.refinalize == "refuse":
        assert len([answer for answer in answers if not answer.refused]) == 1


@rule("COLLECT-1")
def drafts_are_not_collected(ground: Ground) -> None:
    number = ground.draft(300)
    before = ground.mine.look(number)
    assert refused(ground.mine.collect(number)).status == ground.choices.illegal_state_status
    assert ground.mine.look(number) == before and before["status"] == "Draft"
    finalized(ground, number)


def attempted(ground: Ground) -> int:
    """The status of a first attempt to charge the card."""
    if ground.setting.cards.get(1) == ANSWER_LOST:
        return 502
    return ground.choices.collect_status if ground.pays else ground.choices.declined_status


@rule("COLLECT-2")
def charges_at_once(ground: Ground) -> None:
    other = ground.locked(300)
    number = ground.locked(400)
    before = ground.mine.look(number)["stripe_invoice_id"]
    answer = ground.mine.collect(number)
    assert answer.status == attempted(ground), answer
    row = ground.mine.look(number)
    assert row["stripe_invoice_id"] and before in (None, row["stripe_invoice_id"]), (before, row)
    assert row["stripe_invoice_status"] == ("paid" if ground.pays else "open")
    assert ground.mine.look(other)["stripe_invoice_status"] != "paid"
    number = ground.locked(400)
    ground.on_stripe(number)
    before = ground.mine.look(number)["stripe_invoice_id"]
    ground.mine.collect(number)
    assert ground.mine.look(number)["stripe_invoice_id"] == before


@rule("COLLECT-3")
def paid_or_not(ground: Ground) -> None:
    number = ground.locked(400)
    charge = ground.charge(300)
    small = ground.mine.create(charge).invoice["id"]
    finalized(ground, small)
    if ground.pays:
        collected(ground, number)
        row = ground.mine.look(number)
        assert row["stripe_invoice_status"] == "paid" and row["status"] != "Draft", row
        stays_paid(ground, number)
        race(ground)
        return
    if ground.setting.cards[1] in (PAYS_LATER, ANSWER_LOST):
        assert ground.mine.collect(number).status >= 400
        if ground.setting.cards[1] == PAYS_LATER:
            collected(ground, number)
        assert ground.mine.look(number)["stripe_invoice_status"] == "paid"
        return
    for _ in range(3):
        for unpaid in (number, small):
            answer = refused(ground.mine.collect(unpaid))
            assert answer.status == ground.choices.declined_status, answer
            row = ground.mine.look(unpaid)
            assert row["stripe_invoice_status"] in ("draft", "open") and row["stripe_invoice_id"], row
            assert row["status"] == ground.choices.finalized_label, row
    assert ground.status_of(charge) == "Invoiced"


def stays_paid(ground: Ground, number: object) -> None:
    """Also when it is collected or finalized once more, and when the queue has had its turn.

    What is declined for good keeps its Stripe invoice as well.
    """
    before = ground.mine.look(number)
    ground.mine.finalize(number)
    if ground.setting.cards.get(1) != PAYS_LATER:
        ground.mine.collect(number)
    if 0 < ground.setting.stripe_delay < 3:
        ground.on_stripe(ground.locked(300))
    assert ground.mine.look(number) == before


def race(ground: Ground) -> None:
    """A collect that meets another one, or a finalize: who is told that it is paid finds it paid."""
    number, draft = ground.locked(500), ground.draft(600)
    at_once(ground.url, 4, lambda talk, place: talk.collect(number), token=str(ground.mine.token))
    assert ground.mine.look(number)["stripe_invoice_status"] == "paid"

    def act(talk: Talk, place: int) -> Answer:
        if place == 0:
            return talk.finalize(draft)
        tries = [talk.collect(draft) for _ in range(12)]
        return next((answer for answer in tries if not answer.refused), tries[0])

    answers = at_once(ground.url, 2, act, token=str(ground.mine.token))
    if not answers[1].refused:
        assert ground.mine.look(draft)["stripe_invoice_status"] == "paid"


@rule("COLLECT-4")
def nobody_pays_twice(ground: Ground) -> None:
    if not ground.pays:
        number = ground.locked(400)
        ground.mine.collect(number)
        stays_paid(ground, number)
        return
    number = ground.paid(400)
    before = ground.mine.look(number)
    for _ in range(2):
        answer = ground.mine.collect(number)
        if ground.choices.recollect == "refuse":
            assert refused(answer).status == ground.choices.illegal_state_status
        else:
            succeeded(answer, ground.choices.collect_status)
        assert ground.mine.look(number) == before
    stays_paid(ground, number)
    for _ in range(3):
        number = ground.locked(500)
        answers = collects(ground, number)
        won = [answer for answer in answers if answer.status == ground.choices.collect_status]
        lost = [answer for answer in answers if answer.status == ground.choices.illegal_state_status]
        assert len(won) + len(lost) == 4, [answer.status for answer in answers]
        assert len(won) == (1 if ground.choices.recollect == "refuse" else 4), len(won)
        row = ground.mine.look(number)
        assert row["stripe_invoice_status"] == "paid", row
        assert {answer.invoice.get("stripe_invoice_id") for answer in won} <= {None, row["stripe_invoice_id"]}


def collects(ground: Ground, number: object) -> list[Answer]:
    """Four at once."""
    return at_once(ground.url, 4, lambda talk, place: talk.collect(number), token=str(ground.mine.token))


@rule("COLLECT-5")
def unknown_is_not_collected(ground: Ground) -> None:
    for number in (UNKNOWN, 0, "x"):
        refused(ground.mine.collect(number))
