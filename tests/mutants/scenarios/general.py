"""Scenarios of the rules for requests in general."""

from __future__ import annotations

from decimal import Decimal

from tests.mutants.client import Answer, Talk, at_once
from tests.mutants.scenarios.assigning import charges_keep_nothing, drafts_keep_nothing
from tests.mutants.scenarios.bed import TestBed, invalid, refused, rule, succeeded
from tests.mutants.scenarios.crashing import whatever_comes_it_answers
from tests.mutants.scenarios.freshness import nothing_is_kept, nothing_is_shared
from tests.mutants.scenarios.resembling import nothing_resembles_a_charge, nothing_resembles_an_amount
from tests.mutants.scenarios.shapes import is_charge, is_invoice, is_page
from tests.mutants.scenarios.sums import odd_sums_are_exact


@rule("GEN-1")
def answers_are_json(bed: TestBed) -> None:
    charge = bed.mine.adjust(bed.money(1_000))
    number = charge.charge["id"]
    detail = succeeded(bed.mine.get_charge(number), 200)
    draft = succeeded(bed.mine.create(number), bed.choices.create_status)
    is_charge(charge.charge)
    is_charge(detail.charge)
    is_page(succeeded(bed.mine.charges(), 200), is_charge)
    is_page(succeeded(bed.mine.page(), 200), is_invoice)
    answers = [charge, detail, draft, bed.mine.page(), bed.mine.page(per_page=0)]
    for answer in [*answers, bed.mine.finalize(draft.invoice["id"]), bed.nobody.page()]:
        assert answer.headers["content-type"].startswith("application/json"), answer.headers
        assert isinstance(answer.document, dict) and ("message" in answer.document) is not (
            "data" in answer.document or "charge" in answer.document
        ), answer.document


@rule("GEN-2")
def bodies_are_json_or_forms(bed: TestBed) -> None:
    first, second, third = bed.charge(111), bed.charge(222), bed.charge(333)
    form = [("charge_ids[]", str(first)), ("charge_ids[]", str(second))]
    made = succeeded(bed.mine.send("POST", "/billing/invoices", form=form), bed.choices.create_status)
    assert made.invoice["total"] == bed.exact(111, 222)
    assert bed.status_of(third) == "Open"
    made = bed.mine.send(
        "POST",
        "/billing/invoices",
        json_body={"charge_ids": [third]},
        headers={"Content-Type": "application/json; charset=utf-8"},
    )
    assert succeeded(made, bed.choices.create_status).invoice["total"] == bed.exact(333)
    form = [("amount", str(bed.money(1_234))), ("description", "a form")]
    made = bed.mine.send("POST", "/billing/charges/quick-adjustment", form=form)
    assert succeeded(made, bed.choices.adjustment_status).charge["amount"] == bed.exact(1_234)


@rule("GEN-3")
def token_may_be_a_parameter(bed: TestBed) -> None:
    token = str(bed.mine.token)
    for path in ("/billing/invoices", "/billing/charges"):
        succeeded(bed.nobody.send("GET", path, query={"api_token": token}), 200)
    number = bed.charge(500)
    made = bed.nobody.send("POST", "/billing/invoices", query={"api_token": token}, json_body={"charge_ids": [number]})
    number = succeeded(made, bed.choices.create_status).invoice["id"]
    for action in ("finalize", "collect"):
        answer = bed.nobody.send("POST", f"/billing/invoices/{number}/{action}", query={"api_token": token})
        assert answer.status not in (401, 403, 404), answer


@rule("GEN-4")
def nothing_without_a_token(bed: TestBed) -> None:
    number, charge = bed.draft(700), bed.charge(800)
    locked = bed.locked(900)
    charges = bed.mine.charges().document["total"]
    assert refused(bed.nobody.send("GET", "/billing/charges", query={"api_token": ""})).status == 401
    assert refused(bed.nobody.finalize(2**30)).status == 401
    for talk in (bed.nobody, bed.stranger, bed.talk("", 1), bed.talk(f"{bed.mine.token}x", 1)):
        answers = [
            talk.page(),
            talk.charges(),
            talk.get_charge(charge),
            talk.adjust(5),
            talk.create(charge),
            talk.finalize(number),
            talk.collect(locked),
        ]
        assert [refused(answer).status for answer in answers] == [401] * 7, answers
    assert bed.mine.look(number)["status"] == "Draft"
    assert bed.mine.look(locked)["stripe_invoice_status"] != "paid"
    assert bed.status_of(charge) == "Open"
    assert bed.mine.charges().document["total"] == charges
    nothing_is_shared(bed)


@rule("GEN-5")
def nonsense_is_refused(bed: TestBed) -> None:
    for wrong in ({"page": "x"}, {"page": "1.5"}, {"per_page": "x"}):
        if bed.choices.page_not_a_number == "refuse":
            invalid(bed.mine.page(**wrong))
        else:
            assert bed.mine.page(**wrong).rows == bed.mine.page().rows
    if bed.choices.bad_search_syntax == "refuse":
        for text in ('id:"1', "id", 'id:"x"', 'nothing:"1"', 'created_at$DATE:"2026-02-30"', 'id:"1" id:"2"'):
            invalid(bed.mine.page(q=text))
    for query in (
        {"per_page": 0},
        {"per_page": -3},
        {"q": 'id:"1'},
        {"q": "\0"},
        {"q": 'created_at$DATE:"2026-02-30"'},
        {"page": 10**12},
    ):
        assert bed.mine.page(**query).status < 500, query
    for body in nonsense(bed):
        if bed.choices.unreadable_body == "refuse":
            invalid(bed.mine.send("POST", "/billing/invoices", raw=body))
        answer = bed.mine.send("POST", "/billing/charges/quick-adjustment", raw=body)
        invalid(answer)
    made = bed.mine.send("POST", "/billing/charges/quick-adjustment", json_body={"amount": 5, "description": "\0"})
    assert made.status < 500, made
    refused(bed.mine.finalize("x"))
    refused(bed.mine.collect(10**25))
    refused(bed.mine.get_charge("x"))
    odd = bed.talk(bed.mine.token, "x y")
    refused(odd.page())
    assert bed.mine.create_all().status < 500
    refused(bed.mine.create(2**40))
    whatever_comes_it_answers(bed)
    nothing_resembles_a_charge(bed)
    nothing_resembles_an_amount(bed)


def nonsense(bed: TestBed) -> list[bytes]:
    """Bodies that neither create nor adjustment can take; `charge_ids` and `amount` are wrong at once."""
    number = bed.charge(999)
    mixed = f'{{"charge_ids": [{number}, "x"], "amount": {number}}}'
    return [
        b"{",
        b"[1]",
        b"7",
        b"null",
        b"\xff\xfe",
        b"[" * 5_000,
        b'{"charge_ids": "x", "amount": "x", "description": "d"}',
        b'{"charge_ids": 7, "description": "d"}',
        b'{"charge_ids": ["x"], "amount": true, "description": "d"}',
        b'{"charge_ids": [[1]], "amount": 1}',
        b'{"charge_ids": [null], "amount": null, "description": "d"}',
        b'{"charge_ids": [1.5], "amount": 1, "description": 7}',
        mixed.encode(),
    ]


@rule("GEN-6")
def a_refusal_changes_nothing(bed: TestBed) -> None:
    free, taken = bed.charge(100), bed.charge(200)
    draft = bed.mine.create(taken).invoice["id"]
    paid = bed.paid(300)
    known = bed.mine.look(draft), bed.mine.look(paid), bed.mine.page().document["total"]
    charges = bed.mine.charges().document["total"]
    for body in ({"amount": 5}, {"description": "x"}, {"amount": "x", "description": "x"}):
        refused(bed.mine.send("POST", "/billing/charges/quick-adjustment", json_body=body))
    assert bed.mine.charges().document["total"] == charges
    refused(bed.mine.create(free, taken))
    refused(bed.mine.create(free, 2**40))
    refused(bed.mine.create("x", free))
    refused(bed.mine.collect(draft))
    bed.nobody.finalize(draft)
    bed.other.finalize(draft)
    bed.other.create(free)
    if bed.choices.refinalize == "refuse":
        refused(bed.mine.finalize(paid))
    if bed.choices.recollect == "refuse" and bed.pays:
        refused(bed.mine.collect(paid))
    assert known == (bed.mine.look(draft), bed.mine.look(paid), bed.mine.page().document["total"])
    assert bed.status_of(free) == "Open"
    succeeded(bed.mine.create(free), bed.choices.create_status)


@rule("GEN-7")
def the_header_restricts(bed: TestBed) -> None:
    charges_keep_nothing(bed)
    nothing_is_shared(bed)
    mine, theirs = bed.draft(400), bed.other.draft(5)
    charge, their_charge = bed.charge(400), bed.other.charge(5)
    for merchant in (2, 999_999) if not bed.has_provider else (999_999,):
        for path in ("/billing/invoices", "/billing/charges"):
            refused(bed.plain.send("GET", path, headers={"X-Selected-Client-Id": str(merchant)}))
    assert bed.mine.search(f'id:"{mine}"') == [mine]
    for talk in (bed.mine, bed.other):
        either = f'id:"{mine}" OR id:"{theirs}"'
        for answer in (talk.page(per_page=25), talk.charges(per_page=25), talk.page(q=either)):
            assert {str(row["chargee_id"]) for row in answer.rows} == {str(talk.merchant)}
        answer = bed.nobody.send(
            "GET",
            "/billing/invoices",
            query={"api_token": str(talk.token)},
            headers={"X-Selected-Client-Id": str(talk.merchant)},
        )
        assert {str(row["chargee_id"]) for row in answer.rows} == {str(talk.merchant)}
        made = talk.adjust(5).charge
        assert str(made["chargee_id"]) == str(talk.merchant)
    if bed.has_provider:
        for number in (mine, theirs):
            assert bed.whole.search(f'id:"{number}"') == [number], "without the header"
        refused(bed.mine.create(their_charge))
        refused(bed.mine.finalize(theirs))
        succeeded(bed.whole.create(charge), bed.choices.create_status)
        bed.charge(400)
        alone = succeeded(bed.mine.create_all(), bed.choices.create_status)
        assert str(alone.invoice["chargee_id"]) == "1"
        assert bed.other.get_charge(their_charge).charge["status"] == "Open"


@rule("GEN-8")
def tokens_are_apart(bed: TestBed) -> None:
    theirs, their_charge = bed.other.draft(5), bed.other.charge(5)
    mine = bed.draft(400)
    own = [bed.talk("merchant1", 1), bed.talk("merchant1")]
    for talk in own:
        for text in (f'id:"{theirs}"', f'id:"{mine}" OR id:"{theirs}"', f'id>="{theirs}"', f'id:"0" OR id:"{theirs}"'):
            assert theirs not in talk.search(text), text
        assert theirs not in ids(talk.page(per_page=25))
        for page in (2, 3, 4):
            assert {str(row["chargee_id"]) for row in talk.page(page=page, per_page=2).rows} <= {"1"}
        assert their_charge not in ids(talk.charges(per_page=25))
        refused(talk.get_charge(their_charge))
        refused(talk.create(their_charge))
        refused(talk.send("POST", "/billing/invoices", form=[("charge_ids[]", str(their_charge))]))
        refused(talk.finalize(theirs))
    assert bed.other.look(theirs)["status"] == "Draft"
    bed.other.finalize(theirs)
    for talk in own:
        refused(talk.collect(theirs))
    assert bed.other.look(theirs)["stripe_invoice_status"] != "paid"
    assert bed.other.get_charge(their_charge).charge["status"] == "Open"
    header = bed.talk("merchant1", 2)
    refused(header.page())
    refused(header.charges())
    refused(header.adjust(5))
    nothing_is_shared(bed)
    at_the_same_time(bed, theirs)
    bed.charge(400)
    own[1].create_all()
    assert bed.other.get_charge(their_charge).charge["status"] == "Open"


def at_the_same_time(bed: TestBed, theirs: object) -> None:
    """Merchants who list at once see their own."""
    from_both = race_of_lists(bed)
    for merchant, answer in from_both:
        assert {str(row["chargee_id"]) for row in answer.rows} <= {str(merchant)}


def race_of_lists(bed: TestBed) -> list[tuple[int, Answer]]:
    def look(talk: Talk, number: int) -> tuple[int, Answer]:
        merchant = 1 + number % 2
        with_own = bed.talk(f"merchant{merchant}")
        answers = [with_own.page(per_page=5) for _ in range(3)]
        return merchant, next((answer for answer in answers if foreign(answer, merchant)), answers[0])

    return at_once(bed.url, 6, look)


def foreign(answer: Answer, merchant: int) -> bool:
    return any(str(row["chargee_id"]) != str(merchant) for row in answer.rows)


@rule("GEN-9")
def the_list_shows_what_was_answered(bed: TestBed) -> None:
    for minor in (29, 115, 1_055, 99_999, 8_200):
        made = bed.mine.adjust(bed.money(minor), "a description of <several> words").charge
        shown = bed.mine.get_charge(made["id"]).charge
        assert made == shown and made["amount"] == made["price"] == bed.exact(minor), (made, minor)
        listed = next(row for row in bed.mine.charges().rows if row["id"] == made["id"])
        assert listed == shown
    charge = bed.charge(1_055)
    made = bed.mine.create(charge).invoice
    number = made["id"]
    odd_sums_are_exact(bed)
    assert bed.mine.look(number) == made
    assert bed.mine.look(number) == made, "looking changes it"
    assert bed.status_of(charge) == "Invoiced"
    others = bed.draft(2_000), bed.locked(2_000)
    before = [bed.mine.look(other)["status"] for other in others]
    finalized = bed.mine.finalize(number)
    same_in_list(bed, finalized, number)
    assert bed.mine.look(number)["status"] == bed.choices.finalized_label
    assert bed.mine.look(number)["created_at"] == made["created_at"]
    if bed.pays:
        same_in_list(bed, bed.mine.collect(number), number)
        assert bed.mine.look(number)["stripe_invoice_status"] == "paid"
    assert [bed.mine.look(other)["status"] for other in others] == before
    several_at_once(bed)
    nothing_is_kept(bed)
    drafts_keep_nothing(bed)
    charges_keep_nothing(bed)


def same_in_list(bed: TestBed, answer: Answer, number: object) -> None:
    shown = bed.mine.look(number)
    if answer.invoice.get("stripe_invoice_id") is None:
        names = [name for name in shown if not name.startswith("stripe_")]
    else:
        names = list(shown)
    if answer.invoice:
        assert {name: answer.invoice.get(name) for name in names} == {name: shown[name] for name in names}


def several_at_once(bed: TestBed) -> None:
    """Creates and finalizes at the same time are all there afterwards."""
    charges = [bed.charge(600) for _ in range(6)]
    made = at_once(bed.url, 6, lambda talk, place: talk.create(charges[place]), token=str(bed.mine.token))
    numbers = [answer.invoice.get("id") for answer in made]
    assert len(set(numbers)) == 6 and all(bed.mine.look(number) for number in numbers), numbers
    at_once(bed.url, 6, lambda talk, place: talk.finalize(numbers[place]), token=str(bed.mine.token))
    assert {bed.mine.look(number)["status"] for number in numbers} == {bed.choices.finalized_label}
    if bed.pays:
        drafts = [bed.draft(700) for _ in range(3)]
        at_once(
            bed.url,
            6,
            lambda talk, place: (talk.collect if place % 2 else talk.finalize)(drafts[place // 2]),
            token=str(bed.mine.token),
        )


def ids(answer: Answer) -> set[object]:
    return {row["id"] for row in answer.rows}


def decimal(value: object) -> Decimal:
    assert isinstance(value, int | Decimal) and not isinstance(value, bool), value
    return Decimal(value)
