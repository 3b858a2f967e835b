"""Scenarios of finalizing and collecting."""

from __future__ import annotations

from tests.mutants.client import Answer, Talk, at_once
from tests.mutants.reference.stripe import ANSWER_LOST, PAYS_LATER
from tests.mutants.scenarios.assigning import actions_keep_nothing, charges_keep_nothing
from tests.mutants.scenarios.bed import TestBed, refused, rule, succeeded
from tests.mutants.scenarios.freshness import ends
from tests.mutants.scenarios.resembling import nothing_resembles_a_draft, nothing_resembles_what_is_due

UNKNOWN = 2**40


def finalized(bed: TestBed, number: object) -> Answer:
    answer = succeeded(bed.mine.finalize(number), bed.choices.finalize_status)
    assert isinstance(answer.document["message"], str)
    return answer


def collected(bed: TestBed, number: object) -> Answer:
    answer = succeeded(bed.mine.collect(number), bed.choices.collect_status)
    assert isinstance(answer.document["message"], str)
    return answer


@rule("FINALIZE-1")
def locks(bed: TestBed) -> None:
    charges = [bed.charge(155), bed.charge(199)]
    number = bed.mine.create(*charges).invoice["id"]
    other, later = bed.draft(700), bed.charge(900)
    finalized(bed, number)
    for step in (lambda: None, lambda: bed.mine.finalize(number), lambda: bed.mine.collect(number)):
        step()
        row = bed.mine.look(number)
        assert row["status"] != "Draft" and row["total"] == bed.exact(155, 199), row
        assert [bed.status_of(charge) for charge in charges] == ["Invoiced", "Invoiced"]
        refused(bed.mine.create(*charges))
    assert row["status"] == (bed.mine.look(number)["status"])
    assert bed.mine.look(other)["status"] == "Draft"
    assert bed.status_of(later) == "Open"
    paid = bed.locked(700)
    assert bed.mine.look(paid)["stripe_invoice_status"] != "paid"
    if bed.pays:
        collected(bed, paid)
    charges_keep_nothing(bed)
    actions_keep_nothing(bed)


@rule("FINALIZE-2")
def gets_to_stripe(bed: TestBed) -> None:
    first, second = bed.draft(300), bed.draft(400)
    assert bed.mine.look(first)["stripe_invoice_id"] is None
    finalized(bed, first)
    finalized(bed, second)
    rows = [bed.on_stripe(first), bed.on_stripe(second)]
    assert {row["stripe_invoice_status"] for row in rows} <= {"draft", "open"}, rows
    assert rows[0]["stripe_invoice_id"] != rows[1]["stripe_invoice_id"]
    actions_keep_nothing(bed)


@rule("FINALIZE-3")
def unknown_is_not_finalized(bed: TestBed) -> None:
    for number in (UNKNOWN, 0, "x"):
        refused(bed.mine.finalize(number))
    nothing_resembles_a_draft(bed)


@rule("FINALIZE-4")
def again_changes_nothing(bed: TestBed) -> None:
    fresh = bed.locked(300)
    bed.on_stripe(fresh)
    for number in (fresh, bed.paid(400)):
        before = bed.on_stripe(number)
        for _ in range(2):
            answer = bed.mine.finalize(number)
            if bed.choices.refinalize == "refuse":
                assert refused(answer).status == bed.choices.illegal_state_status
            else:
                succeeded(answer, bed.choices.finalize_status)
            assert bed.mine.look(number) == before
    bed.on_stripe(number)
    draft = bed.draft(500)
    answers = at_once(bed.url, 4, lambda talk, place: talk.finalize(draft), token=str(bed.mine.token))
    seen = {answer.invoice["stripe_invoice_id"] for answer in answers if answer.invoice}
    assert len(seen - {None}) <= 1, seen
    assert seen <= {None, bed.on_stripe(draft)["stripe_invoice_id"]}
    if bed.choices.refinalize == "refuse":
        assert len([answer for answer in answers if not answer.refused]) == 1


@rule("COLLECT-1")
def drafts_are_not_collected(bed: TestBed) -> None:
    number = bed.draft(300)
    before = bed.mine.look(number)
    assert refused(bed.mine.collect(number)).status == bed.choices.illegal_state_status
    assert bed.mine.look(number) == before and before["status"] == "Draft"
    finalized(bed, number)


def attempted(bed: TestBed) -> int:
    """The status of a first attempt to charge the card."""
    if bed.config.cards.get(1) == ANSWER_LOST:
        return 502
    return bed.choices.collect_status if bed.pays else bed.choices.declined_status


@rule("COLLECT-2")
def charges_at_once(bed: TestBed) -> None:
    other = bed.locked(300)
    number = bed.locked(400)
    before = bed.mine.look(number)["stripe_invoice_id"]
    answer = bed.mine.collect(number)
    assert answer.status == attempted(bed), answer
    row = bed.mine.look(number)
    assert row["stripe_invoice_id"] and before in (None, row["stripe_invoice_id"]), (before, row)
    assert row["stripe_invoice_status"] == ("paid" if bed.pays else "open")
    assert bed.mine.look(other)["stripe_invoice_status"] != "paid"
    number = bed.locked(400)
    bed.on_stripe(number)
    before = bed.mine.look(number)["stripe_invoice_id"]
    bed.mine.collect(number)
    assert bed.mine.look(number)["stripe_invoice_id"] == before


@rule("COLLECT-3")
def paid_or_not(bed: TestBed) -> None:
    number = bed.locked(400)
    charge = bed.charge(300)
    small = bed.mine.create(charge).invoice["id"]
    finalized(bed, small)
    if bed.pays:
        ends(bed)
        collected(bed, number)
        row = bed.mine.look(number)
        assert row["stripe_invoice_status"] == "paid" and row["status"] != "Draft", row
        listed = [one for page in ends(bed) for one in page.rows if one["id"] == number]
        assert all(one["stripe_invoice_status"] == "paid" for one in listed), listed
        stays_paid(bed, number)
        race(bed)
        return
    if bed.config.cards[1] in (PAYS_LATER, ANSWER_LOST):
        assert bed.mine.collect(number).status >= 400
        if bed.config.cards[1] == PAYS_LATER:
            collected(bed, number)
        assert bed.mine.look(number)["stripe_invoice_status"] == "paid"
        return
    for _ in range(3):
        for unpaid in (number, small):
            answer = refused(bed.mine.collect(unpaid))
            assert answer.status == bed.choices.declined_status, answer
            row = bed.mine.look(unpaid)
            assert row["stripe_invoice_status"] in ("draft", "open") and row["stripe_invoice_id"], row
            assert row["status"] == bed.choices.finalized_label, row
    assert bed.status_of(charge) == "Invoiced"


def stays_paid(bed: TestBed, number: object) -> None:
    """Also when it is collected or finalized once more, and when the queue has had its turn.

    What is declined for good keeps its Stripe invoice as well.
    """
    before = bed.mine.look(number)
    bed.mine.finalize(number)
    if bed.config.cards.get(1) != PAYS_LATER:
        bed.mine.collect(number)
    if 0 < bed.config.stripe_delay < 3:
        bed.on_stripe(bed.locked(300))
    assert bed.mine.look(number) == before


def race(bed: TestBed) -> None:
    """A collect that meets another one, or a finalize: who is told that it is paid finds it paid."""
    number, draft = bed.locked(500), bed.draft(600)
    at_once(bed.url, 4, lambda talk, place: talk.collect(number), token=str(bed.mine.token))
    assert bed.mine.look(number)["stripe_invoice_status"] == "paid"
    several = [bed.locked(500) for _ in range(4)]
    paid = at_once(bed.url, 4, lambda talk, place: talk.collect(several[place]), token=str(bed.mine.token))
    for one, answer in zip(several, paid, strict=True):
        assert answer.refused or bed.mine.look(one)["stripe_invoice_status"] == "paid", one

    def act(talk: Talk, place: int) -> Answer:
        if place == 0:
            return talk.finalize(draft)
        tries = [talk.collect(draft) for _ in range(12)]
        return next((answer for answer in tries if not answer.refused), tries[0])

    answers = at_once(bed.url, 2, act, token=str(bed.mine.token))
    if not answers[1].refused:
        assert bed.mine.look(draft)["stripe_invoice_status"] == "paid"


@rule("COLLECT-4")
def nobody_pays_twice(bed: TestBed) -> None:
    if not bed.pays:
        number = bed.locked(400)
        bed.mine.collect(number)
        stays_paid(bed, number)
        return
    number = bed.paid(400)
    before = bed.mine.look(number)
    for _ in range(2):
        answer = bed.mine.collect(number)
        if bed.choices.recollect == "refuse":
            assert refused(answer).status == bed.choices.illegal_state_status
        else:
            succeeded(answer, bed.choices.collect_status)
        assert bed.mine.look(number) == before
    stays_paid(bed, number)
    for _ in range(3):
        number = bed.locked(500)
        answers = collects(bed, number)
        won = [answer for answer in answers if answer.status == bed.choices.collect_status]
        lost = [answer for answer in answers if answer.status == bed.choices.illegal_state_status]
        assert len(won) + len(lost) == 4, [answer.status for answer in answers]
        assert len(won) == (1 if bed.choices.recollect == "refuse" else 4), len(won)
        row = bed.mine.look(number)
        assert row["stripe_invoice_status"] == "paid", row
        assert {answer.invoice.get("stripe_invoice_id") for answer in won} <= {None, row["stripe_invoice_id"]}


def collects(bed: TestBed, number: object) -> list[Answer]:
    """Four at once."""
    return at_once(bed.url, 4, lambda talk, place: talk.collect(number), token=str(bed.mine.token))


@rule("COLLECT-5")
def unknown_is_not_collected(bed: TestBed) -> None:
    for number in (UNKNOWN, 0, "x"):
        refused(bed.mine.collect(number))
    nothing_resembles_what_is_due(bed)
