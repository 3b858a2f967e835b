"""Scenarios of creating drafts."""

from __future__ import annotations

from tests.mutants.client import Answer, Talk, at_once
from tests.mutants.scenarios.assigning import drafts_keep_nothing
from tests.mutants.scenarios.bed import TestBed, invalid, refused, rule, succeeded
from tests.mutants.scenarios.freshness import nothing_is_kept
from tests.mutants.scenarios.resembling import nothing_resembles_a_charge
from tests.mutants.scenarios.shapes import is_invoice
from tests.mutants.scenarios.sums import odd_sums_are_exact, odd_sums_of_all

SOME = 20
"""Few enough charges that the void one of the small world is among them, or is not looked for."""


def made(bed: TestBed, answer: Answer) -> Answer:
    return succeeded(answer, bed.choices.create_status)


@rule("CREATE-1")
def of_exactly_those(bed: TestBed) -> None:
    charges = [bed.charge(100 + place) for place in range(4)]
    invoice = made(bed, bed.mine.create(charges[2], charges[1])).invoice
    assert invoice["total"] == bed.exact(101, 102)
    assert [bed.status_of(charge) for charge in charges] == ["Open", "Invoiced", "Invoiced", "Open"]
    made(bed, bed.mine.create(charges[0]))
    assert bed.status_of(charges[3]) == "Open"
    refused(bed.mine.send("POST", "/billing/invoices", json_body={"charge_ids": "x"}))
    refused(bed.mine.send("POST", "/billing/invoices", json_body={"charge_ids": [charges[3], "x"]}))
    form = [("charge_ids[]", str(charges[3]))]
    invoice = made(bed, bed.mine.send("POST", "/billing/invoices", form=form)).invoice
    assert invoice["total"] == bed.exact(103)
    if bed.choices.duplicate_charge_ids == "collapse":
        twice = bed.charge(500)
        assert made(bed, bed.mine.create(twice, twice)).invoice["total"] == bed.exact(500)
    odd_sums_are_exact(bed)


@rule("CREATE-2")
def of_all(bed: TestBed) -> None:
    for ask in (bed.mine.create_all, bed.mine.create):
        theirs = bed.other.charge(5)
        for minor in (300, 300, 450):
            bed.charge(minor)
        amounts = [row["amount"] for row in bed.open_charges()]
        assert len(amounts) >= 3
        assert made(bed, ask()).invoice["total"] == sum(amounts), amounts
        assert bed.open_charges() == []
        assert bed.other.get_charge(theirs).charge["status"] == "Open"
    answer = bed.mine.create_all()
    if bed.choices.no_charges == "refuse":
        invalid(answer)
    else:
        assert made(bed, answer).invoice["total"] == 0
    charges = [bed.charge(200), bed.charge(300)]
    answers = at_once(bed.url, 4, lambda talk, place: talk.create_all(), token=str(bed.mine.token))
    totals = sorted(answer.invoice.get("total", 0) for answer in answers)
    assert totals == [0, 0, 0, bed.exact(500)] and bed.status_of(charges[0]) == "Invoiced", totals
    odd_sums_of_all(bed)


@rule("CREATE-3")
def a_draft(bed: TestBed) -> None:
    answer = made(bed, bed.mine.create(bed.charge(200)))
    assert isinstance(answer.document["message"], str)
    for invoice in (answer.invoice, bed.mine.look(answer.invoice["id"])):
        is_invoice(invoice)
        assert invoice["status"] == "Draft", invoice
        assert invoice["stripe_invoice_id"] is None and invoice["stripe_invoice_status"] is None, invoice
        assert str(invoice["chargee_id"]) == "1", invoice
    assert bed.mine.look(answer.invoice["id"]) == answer.invoice
    drafts_keep_nothing(bed)


@rule("CREATE-4")
def on_one_invoice(bed: TestBed) -> None:
    nothing_is_kept(bed)
    charges = [bed.charge(200), bed.charge(300)]
    number = made(bed, bed.mine.create(*charges)).invoice["id"]
    for step in (lambda: None, lambda: bed.mine.finalize(number), lambda: bed.mine.collect(number)):
        step()
        for charge in charges:
            assert bed.status_of(charge) == "Invoiced"
            refused(bed.mine.create(charge))
            assert charge not in [row["id"] for row in bed.open_charges()]
    shared, single = bed.charge(200), bed.charge(300)
    own = [bed.charge(10) for _ in range(4)]
    for ask in (
        lambda talk, place: talk.create(single),
        lambda talk, place: talk.create(own[place], shared),
    ):
        answers = at_once(bed.url, 4, ask, token=str(bed.mine.token))
        assert sorted(answer.status for answer in answers)[:2] == sorted(
            [bed.choices.create_status, bed.choices.invalid_request_status]
        ), [answer.status for answer in answers]
    bed.charge(400)
    answers = at_once(bed.url, 4, lambda talk, place: talk.create_all(), token=str(bed.mine.token))
    assert len([answer for answer in answers if answer.invoice.get("total")]) == 1
    everything_is_billed_once(bed)


def everything_is_billed_once(bed: TestBed) -> None:
    """Also what is charged meanwhile, and what another create names meanwhile."""
    first = bed.charge(500)

    def act(talk: Talk, place: int) -> Answer:
        if place % 2:
            return talk.adjust(bed.money(100 + place))
        return talk.create_all() if place % 4 else talk.create(first)

    answers = [*at_once(bed.url, 8, act, token=str(bed.mine.token)), bed.mine.create_all()]
    charged = bed.exact(500) + sum(answer.charge.get("amount", 0) for answer in answers)
    assert sum(answer.invoice.get("total", 0) for answer in answers) == charged, answers


@rule("CREATE-5")
def exact_totals(bed: TestBed) -> None:
    several = ([10] * 10, [1], [29, 115], [1_999_999, 1], [300, 500], [123_457] * 3, [7] * 13, [10_010, 20_020])
    for minor in several:
        answer = made(bed, bed.mine.create(*[bed.charge(amount) for amount in minor]))
        number = answer.invoice["id"]
        for invoice in (answer.invoice, bed.mine.look(number)):
            assert invoice["total"] == bed.exact(*minor), (invoice, minor)
            assert invoice["currency"] == bed.currency, invoice
    bed.mine.finalize(number)
    assert bed.mine.look(number)["total"] == bed.exact(*minor)
    if bed.choices.duplicate_charge_ids == "collapse":
        twice = bed.charge(500)
        assert made(bed, bed.mine.create(twice, twice)).invoice["total"] == bed.exact(500)
    form = [("amount", str(bed.money(1_234))), ("description", "a form")]
    charge = bed.mine.send("POST", "/billing/charges/quick-adjustment", form=form).charge
    assert charge["amount"] == bed.exact(1_234)
    odd_sums_are_exact(bed)
    drafts_keep_nothing(bed)
    if "mixed_currencies" not in bed.config.nuisances:
        bed.mine.create_all()
        everything_is_billed_once(bed)


@rule("CREATE-6")
def what_is_refused(bed: TestBed) -> None:
    nothing_resembles_a_charge(bed)
    free, taken, theirs = bed.charge(100), bed.charge(200), bed.other.charge(5)
    made(bed, bed.mine.create(taken))
    void = [row["id"] for row in bed.mine.charges(per_page=SOME).rows if row["status"] == "Void"][:1]
    for bad in (taken, theirs, 2**40, *void):
        invalid(bed.mine.create(bad))
        invalid(bed.mine.create(free, bad))
        invalid(bed.mine.create(bad, free))
        assert bed.status_of(free) == "Open"
    assert bed.other.get_charge(theirs).charge["status"] == "Open"
    made(bed, bed.mine.create(free))
    bed.charge(100)
    made(bed, bed.mine.create_all())
    assert all(bed.status_of(charge) == "Void" for charge in void)


@rule("CREATE-7")
def listed_at_once(bed: TestBed) -> None:
    nothing_is_kept(bed)
    newest = 0
    known: set[object] = set()
    for place in range(12):
        their = bed.other.draft(5)
        number = bed.draft(*[100] * (1 + place % 2))
        found = bed.mine.search(f'id:"{number}"')
        assert found == [number] and number not in known and their != number, (found, number)
        page = bed.mine.page(per_page=SOME)
        if bed.choices.list_order == "newest_first":
            assert page.rows[0]["id"] == number
        assert type(number) is int and number > newest
        newest, known = number, known | {number, their}
    if bed.choices.no_charges == "empty_draft":
        bed.mine.create_all()
        number = made(bed, bed.mine.create_all()).invoice["id"]
        assert bed.mine.search(f'id:"{number}"') == [number]
    charges = [bed.charge(600) for _ in range(4)]
    answers = at_once(bed.url, 4, lambda talk, place: talk.create(charges[place]), token=str(bed.mine.token))
    numbers = {answer.invoice.get("id") for answer in answers}
    assert len(numbers) == 4 and all(bed.mine.search(f'id:"{number}"') for number in numbers)
    drafts_keep_nothing(bed)


@rule("CREATE-8")
def of_one_merchant_and_currency(bed: TestBed) -> None:
    mine, theirs = bed.charge(100), bed.other.charge(5)
    drafts_keep_nothing(bed)
    refused(bed.whole.create(mine, theirs))
    assert bed.status_of(mine) == "Open"
    assert bed.other.get_charge(theirs).charge["status"] == "Open"
    answer = bed.whole.create(mine)
    assert answer.refused or str(answer.invoice["chargee_id"]) == "1", answer.invoice
    if "mixed_currencies" in bed.config.nuisances:
        refused(bed.mine.create(2, 3))
        made(bed, bed.mine.create(1, 2))
        assert made(bed, bed.mine.create(3, 4)).invoice["currency"] == "EUR"
