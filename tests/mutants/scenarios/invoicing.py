"""Scenarios of creating drafts."""

from __future__ import annotations

from tests.mutants.client import Answer, at_once
from tests.mutants.scenarios.bed import Ground, invalid, refused, rule, succeeded
from tests.mutants.scenarios.shapes import is_invoice

SOME = 20
"""Few enough charges that the void one of the small world is among them, or is not looked for."""


def made(ground: Ground, answer: Answer) -> Answer:
    return succeeded(answer, ground.choices.create_status)


@rule("CREATE-1")
def of_exactly_those(ground: Ground) -> None:
    charges = [ground.charge(100 + place) for place in range(4)]
    invoice = made(ground, ground.mine.create(charges[2], charges[1])).invoice
    assert invoice["total"] == ground.exact(101, 102)
    assert [ground.status_of(charge) for charge in charges] == ["Open", "Invoiced", "Invoiced", "Open"]
    made(ground, ground.mine.create(charges[0]))
    assert ground.status_of(charges[3]) == "Open"
    refused(ground.mine.send("POST", "/billing/invoices", json_body={"charge_ids": "x"}))
    refused(ground.mine.send("POST", "/billing/invoices", json_body={"charge_ids": [charges[3], "x"]}))
    form = [("charge_ids[]", str(charges[3]))]
    invoice = made(ground, ground.mine.send("POST", "/billing/invoices", form=form)).invoice
    assert invoice["total"] == ground.exact(103)
    if ground.choices.duplicate_charge_ids == "collapse":
        twice = ground.charge(500)
        assert made(ground, ground.mine.create(twice, twice)).invoice["total"] == ground.exact(500)


@rule("CREATE-2")
def of_all(ground: Ground) -> None:
    for ask in (ground.mine.create_all, ground.mine.create):
        theirs = ground.other.charge(5)
        for minor in (300, 300, 450):
            ground.charge(minor)
        amounts = [row["amount"] for row in ground.open_charges()]
        assert len(amounts) >= 3
        assert made(ground, ask()).invoice["total"] == sum(amounts), amounts
        assert ground.open_charges() == []
        assert ground.other.get_charge(theirs).charge["status"] == "Open"
    answer = ground.mine.create_all()
    if ground.choices.no_charges == "refuse":
        invalid(answer)
    else:
        assert made(ground, answer).invoice["total"] == 0
    charges = [ground.charge(200), ground.charge(300)]
    answers = at_once(ground.url, 4, lambda talk, place: talk.create_all(), token=str(ground.mine.token))
    totals = sorted(answer.invoice.get("total", 0) for answer in answers)
    assert totals == [0, 0, 0, ground.exact(500)] and ground.status_of(charges[0]) == "Invoiced", totals


@rule("CREATE-3")
def a_draft(ground: Ground) -> None:
    answer = made(ground, ground.mine.create(ground.charge(200)))
    assert isinstance(answer.document["message"], str)
    for invoice in (answer.invoice, ground.mine.look(answer.invoice["id"])):
        is_invoice(invoice)
        assert invoice["status"] == "Draft", invoice
        assert invoice["stripe_invoice_id"] is None and invoice["stripe_invoice_status"] is None, invoice
        assert str(invoice["chargee_id"]) == "1", invoice
    assert ground.mine.look(answer.invoice["id"]) == answer.invoice


@rule("CREATE-4")
def on_one_invoice(ground: Ground) -> None:
    charges = [ground.charge(200), ground.charge(300)]
    number = made(ground, ground.mine.create(*charges)).invoice["id"]
    for step in (lambda: None, lambda: ground.mine.finalize(number), lambda: ground.mine.collect(number)):
        step()
        for charge in charges:
            assert ground.status_of(charge) == "Invoiced"
            refused(ground.mine.create(charge))
            assert charge not in [row["id"] for row in ground.open_charges()]
    shared, single = ground.charge(200), ground.charge(300)
    own = [ground.charge(10) for _ in range(4)]
    for ask in (
        lambda talk, place: talk.create(single),
        lambda talk, place: talk.create(own[place], shared),
    ):
        answers = at_once(ground.url, 4, ask, token=str(ground.mine.token))
        assert sorted(answer.status for answer in answers)[:2] == sorted(
            [ground.choices.create_status, ground.choices.invalid_request_status]
        ), [answer.status for answer in answers]
    ground.charge(400)
    answers = at_once(ground.url, 4, lambda talk, place: talk.create_all(), token=str(ground.mine.token))
    assert len([answer for answer in answers if answer.invoice.get("total")]) == 1


@rule("CREATE-5")
def exact_totals(ground: Ground) -> None:
    several = ([10] * 10, [1], [29, 115], [1_999_999, 1], [300, 500], [123_457] * 3, [7] * 13, [10_010, 20_020])
    for minor in several:
        answer = made(ground, ground.mine.create(*[ground.charge(amount) for amount in minor]))
        number = answer.invoice["id"]
        for invoice in (answer.invoice, ground.mine.look(number)):
            assert invoice["total"] == ground.exact(*minor), (invoice, minor)
            assert invoice["currency"] == ground.currency, invoice
    ground.mine.finalize(number)
    assert ground.mine.look(number)["total"] == ground.exact(*minor)
    if ground.choices.duplicate_charge_ids == "collapse":
        twice = ground.charge(500)
        assert made(ground, ground.mine.create(twice, twice)).invoice["total"] == ground.exact(500)
    form = [("amount", str(ground.money(1_234))), ("description", "a form")]
    charge = ground.mine.send("POST", "/billing/charges/quick-adjustment", form=form).charge
    assert charge["amount"] == ground.exact(1_234)


@rule("CREATE-6")
def what_is_refused(ground: Ground) -> None:
    free, taken, theirs = ground.charge(100), ground.charge(200), ground.other.charge(5)
    made(ground, ground.mine.create(taken))
    void = [row["id"] for row in ground.mine.charges(per_page=SOME).rows if row["status"] == "Void"][:1]
    for bad in (taken, theirs, 2**40, *void):
        invalid(ground.mine.create(bad))
        invalid(ground.mine.create(free, bad))
        invalid(ground.mine.create(bad, free))
        assert ground.status_of(free) == "Open"
    assert ground.other.get_charge(theirs).charge["status"] == "Open"
    made(ground, ground.mine.create(free))
    ground.charge(100)
    made(ground, ground.mine.create_all())
    assert all(ground.status_of(charge) == "Void" for charge in void)


@rule("CREATE-7")
def listed_at_once(ground: Ground) -> None:
    newest = 0
    known: set[object] = set()
    for place in range(12):
        their = ground.other.draft(5)
        number = ground.draft(*[100] * (1 + place % 2))
        found = ground.mine.search(f'id:"{number}"')
        assert found == [number] and number not in known and their != number, (found, number)
        page = ground.mine.page(per_page=SOME)
        if ground.choices.list_order == "newest_first":
            assert page.rows[0]["id"] == number
        assert type(number) is int and number > newest
        newest, known = number, known | {number, their}
    if ground.choices.no_charges == "empty_draft":
        ground.mine.create_all()
        number = made(ground, ground.mine.create_all()).invoice["id"]
        assert ground.mine.search(f'id:"{number}"') == [number]
    charges = [ground.charge(600) for _ in range(4)]
    answers = at_once(ground.url, 4, lambda talk, place: talk.create(charges[place]), token=str(ground.mine.token))
    numbers = {answer.invoice.get("id") for answer in answers}
    assert len(numbers) == 4 and all(ground.mine.search(f'id:"{number}"') for number in numbers)


@rule("CREATE-8")
def of_one_merchant_and_currency(ground: Ground) -> None:
    mine, theirs = ground.charge(100), ground.other.charge(5)
    refused(ground.whole.create(mine, theirs))
    assert ground.status_of(mine) == "Open"
    assert ground.other.get_charge(theirs).charge["status"] == "Open"
    answer = ground.whole.create(mine)
    assert answer.refused or str(answer.invoice["chargee_id"]) == "1", answer.invoice
    if "mixed_currencies" in ground.setting.nuisances:
        refused(ground.mine.create(2, 3))
        made(ground, ground.mine.create(1, 2))
        assert made(ground, ground.mine.create(3, 4)).invoice["currency"] == "EUR"
