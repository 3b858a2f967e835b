"""Scenarios of the rules for requests in general."""

from __future__ import annotations

from decimal import Decimal

from tests.mutants.client import Answer, Talk, at_once
from tests.mutants.scenarios.bed import Ground, invalid, refused, rule, succeeded
from tests.mutants.scenarios.shapes import is_charge, is_invoice, is_page


@rule("GEN-1")
def answers_are_json(ground: Ground) -> None:
    charge = ground.mine.adjust(ground.money(1_000))
    number = charge.charge["id"]
    detail = succeeded(ground.mine.get_charge(number), 200)
    draft = succeeded(ground.mine.create(number), ground.choices.create_status)
    is_charge(charge.charge)
    is_charge(detail.charge)
    is_page(succeeded(ground.mine.charges(), 200), is_charge)
    is_page(succeeded(ground.mine.page(), 200), is_invoice)
    answers = [charge, detail, draft, ground.mine.page(), ground.mine.page(per_page="x")]
    for answer in [*answers, ground.mine.finalize(draft.invoice["id"]), ground.nobody.page()]:
        assert answer.headers["content-type"].startswith("application/json"), answer.headers
        assert isinstance(answer.document, dict) and ("message" in answer.document) is not (
            "data" in answer.document or "charge" in answer.document
        ), answer.document


@rule("GEN-2")
def bodies_are_json_or_forms(ground: Ground) -> None:
    first, second, third = ground.charge(111), ground.charge(222), ground.charge(333)
    form = [("charge_ids[]", str(first)), ("charge_ids[]", str(second))]
    made = succeeded(ground.mine.send("POST", "/billing/invoices", form=form), ground.choices.create_status)
    assert made.invoice["total"] == ground.exact(111, 222)
    assert ground.status_of(third) == "Open"
    made = ground.mine.send(
        "POST",
        "/billing/invoices",
        json_body={"charge_ids": [third]},
        headers={"Content-Type": "application/json; charset=utf-8"},
    )
    assert succeeded(made, ground.choices.create_status).invoice["total"] == ground.exact(333)
    form = [("amount", str(ground.money(1_234))), ("description", "a form")]
    made = ground.mine.send("POST", "/billing/charges/quick-adjustment", form=form)
    assert succeeded(made, ground.choices.adjustment_status).charge["amount"] == ground.exact(1_234)


@rule("GEN-3")
def token_may_be_a_parameter(ground: Ground) -> None:
    token = str(ground.mine.token)
    for path in ("/billing/invoices", "/billing/charges"):
        succeeded(ground.nobody.send("GET", path, query={"api_token": token}), 200)
    number = ground.charge(500)
    made = ground.nobody.send(
        "POST", "/billing/invoices", query={"api_token": token}, json_body={"charge_ids": [number]}
    )
    number = succeeded(made, ground.choices.create_status).invoice["id"]
    for action in ("finalize", "collect"):
        answer = ground.nobody.send("POST", f"/billing/invoices/{number}/{action}", query={"api_token": token})
        assert answer.status not in (401, 403, 404), answer


@rule("GEN-4")
def nothing_without_a_token(ground: Ground) -> None:
    number, charge = ground.draft(700), ground.charge(800)
    locked = ground.locked(900)
    charges = ground.mine.charges().document["total"]
    assert refused(ground.nobody.send("GET", "/billing/charges", query={"api_token": ""})).status == 401
    assert refused(ground.nobody.finalize(2**30)).status == 401
    for talk in (ground.nobody, ground.stranger, ground.talk("", 1), ground.talk(f"{ground.mine.token}x", 1)):
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
    assert ground.mine.look(number)["status"] == "Draft"
    assert ground.mine.look(locked)["stripe_invoice_status"] != "paid"
    assert ground.status_of(charge) == "Open"
    assert ground.mine.charges().document["total"] == charges


@rule("GEN-5")
def nonsense_is_refused(ground: Ground) -> None:
    for wrong in ({"page": "x"}, {"page": "1.5"}, {"per_page": "x"}):
        invalid(ground.mine.page(**wrong))
    if ground.choices.invalid_search == "refuse":
        for text in ('id:"1', "id", 'id:"x"', 'nothing:"1"', 'created_at$DATE:"2026-02-30"', 'id:"1" id:"2"'):
            invalid(ground.mine.page(q=text))
    for query in (
        {"per_page": 0},
        {"per_page": -3},
        {"q": 'id:"1'},
        {"q": "\0"},
        {"q": 'created_at$DATE:"2026-02-30"'},
        {"page": 10**12},
    ):
        assert ground.mine.page(**query).status < 500, query
    for body in nonsense(ground):
        answer = ground.mine.send("POST", "/billing/invoices", raw=body)
        invalid(answer)
        answer = ground.mine.send("POST", "/billing/charges/quick-adjustment", raw=body)
        invalid(answer)
    made = ground.mine.send("POST", "/billing/charges/quick-adjustment", json_body={"amount": 5, "description": "\0"})
    assert made.status < 500, made
    refused(ground.mine.finalize("x"))
    refused(ground.mine.collect(10**25))
    refused(ground.mine.get_charge("x"))
    odd = ground.talk(ground.mine.token, "x y")
    refused(odd.page())
    assert ground.mine.create_all().status < 500
    refused(ground.mine.create(2**40))


def nonsense(ground: Ground) -> list[bytes]:
    """Bodies that neither create nor adjustment can take; `charge_ids` and `amount` are wrong at once."""
    number = ground.charge(999)
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
def a_refusal_changes_nothing(ground: Ground) -> None:
    free, taken = ground.charge(100), ground.charge(200)
    draft = ground.mine.create(taken).invoice["id"]
    paid = ground.paid(300)
    known = ground.mine.look(draft), ground.mine.look(paid), ground.mine.page().document["total"]
    charges = ground.mine.charges().document["total"]
    for body in ({"amount": 5}, {"description": "x"}, {"amount": "x", "description": "x"}):
        refused(ground.mine.send("POST", "/billing/charges/quick-adjustment", json_body=body))
    assert ground.mine.charges().document["total"] == charges
    refused(ground.mine.create(free, taken))
    refused(ground.mine.create(free, 2**40))
    refused(ground.mine.create("x", free))
    refused(ground.mine.collect(draft))
    ground.nobody.finalize(draft)
    ground.other.finalize(draft)
    ground.other.create(free)
    if ground.choices.refinalize == "refuse":
        refused(ground.mine.finalize(paid))
    if ground.choices.recollect == "refuse" and ground.pays:
        refused(ground.mine.collect(paid))
    assert known == (ground.mine.look(draft), ground.mine.look(paid), ground.mine.page().document["total"])
    assert ground.status_of(free) == "Open"
    succeeded(ground.mine.create(free), ground.choices.create_status)


@rule("GEN-7")
def the_header_restricts(ground: Ground) -> None:
    mine, theirs = ground.draft(400), ground.other.draft(5)
    charge, their_charge = ground.charge(400), ground.other.charge(5)
    for merchant in (2, 999_999) if not ground.has_provider else (999_999,):
        for path in ("/billing/invoices", "/billing/charges"):
            refused(ground.plain.send("GET", path, headers={"X-Selected-Client-Id": str(merchant)}))
    assert ground.mine.search(f'id:"{mine}"') == [mine]
    for talk in (ground.mine, ground.other):
        either = f'id:"{mine}" OR id:"{theirs}"'
        for answer in (talk.page(per_page=25), talk.charges(per_page=25), talk.page(q=either)):
            assert {str(row["chargee_id"]) for row in answer.rows} == {str(talk.merchant)}
        answer = ground.nobody.send(
            "GET",
            "/billing/invoices",
            query={"api_token": str(talk.token)},
            headers={"X-Selected-Client-Id": str(talk.merchant)},
        )
        assert {str(row["chargee_id"]) for row in answer.rows} == {str(talk.merchant)}
        made = talk.adjust(5).charge
        assert str(made["chargee_id"]) == str(talk.merchant)
    if ground.has_provider:
        for number in (mine, theirs):
            assert ground.whole.search(f'id:"{number}"') == [number], "without the header"
        refused(ground.mine.create(their_charge))
        refused(ground.mine.finalize(theirs))
        succeeded(ground.whole.create(charge), ground.choices.create_status)
        ground.charge(400)
        alone = succeeded(ground.mine.create_all(), ground.choices.create_status)
        assert str(alone.invoice["chargee_id"]) == "1"
        assert ground.other.get_charge(their_charge).charge["status"] == "Open"


@rule("GEN-8")
def tokens_are_apart(ground: Ground) -> None:
    theirs, their_charge = ground.other.draft(5), ground.other.charge(5)
    mine = ground.draft(400)
    own = [ground.talk("merchant1", 1), ground.talk("merchant1")]
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
    assert ground.other.look(theirs)["status"] == "Draft"
    ground.other.finalize(theirs)
    for talk in own:
        refused(talk.collect(theirs))
    assert ground.other.look(theirs)["stripe_invoice_status"] != "paid"
    assert ground.other.get_charge(their_charge).charge["status"] == "Open"
    header = ground.talk("merchant1", 2)
    refused(header.page())
    refused(header.charges())
    refused(header.adjust(5))
    at_the_same_time(ground, theirs)
    ground.charge(400)
    own[1].create_all()
    assert ground.other.get_charge(their_charge).charge["status"] == "Open"


def at_the_same_time(ground: Ground, theirs: object) -> None:
    """Merchants who list at once see their own."""
    from_both = race_of_lists(ground)
    for merchant, answer in from_both:
        assert {str(row["chargee_id"]) for row in answer.rows} <= {str(merchant)}


def race_of_lists(ground: Ground) -> list[tuple[int, Answer]]:
    def look(talk: Talk, number: int) -> tuple[int, Answer]:
        merchant = 1 + number % 2
        with_own = ground.talk(f"merchant{merchant}")
        answers = [with_own.page(per_page=5) for _ in range(3)]
        return merchant, next((answer for answer in answers if foreign(answer, merchant)), answers[0])

    return at_once(ground.url, 6, look)


def foreign(answer: Answer, merchant: int) -> bool:
    return any(str(row["chargee_id"]) != str(merchant) for row in answer.rows)


@rule("GEN-9")
def the_list_shows_what_was_answered(ground: Ground) -> None:
    for minor in (29, 115, 1_055, 99_999, 8_200):
        made = ground.mine.adjust(ground.money(minor), "a description of <several> words").charge
        shown = ground.mine.get_charge(made["id"]).charge
        assert made == shown and made["amount"] == made["price"] == ground.exact(minor), (made, minor)
        listed = next(row for row in ground.mine.charges().rows if row["id"] == made["id"])
        assert listed == shown
    charge = ground.charge(1_055)
    made = ground.mine.create(charge).invoice
    number = made["id"]
    assert ground.mine.look(number) == made
    assert ground.mine.look(number) == made, "looking changes it"
    assert ground.status_of(charge) == "Invoiced"
    others = ground.draft(2_000), ground.locked(2_000)
    before = [ground.mine.look(other)["status"] for other in others]
    finalized = ground.mine.finalize(number)
    same_in_list(ground, finalized, number)
    assert ground.mine.look(number)["status"] == ground.choices.finalized_label
    assert ground.mine.look(number)["created_at"] == made["created_at"]
    if ground.pays:
        same_in_list(ground, ground.mine.collect(number), number)
        assert ground.mine.look(number)["stripe_invoice_status"] == "paid"
    assert [ground.mine.look(other)["status"] for other in others] == before
    several_at_once(ground)


def same_in_list(ground: Ground, answer: Answer, number: object) -> None:
    shown = ground.mine.look(number)
    if answer.invoice.get("stripe_invoice_id") is None:
        names = [name for name in shown if not name.startswith("stripe_")]
    else:
        names = list(shown)
    if answer.invoice:
        assert {name: answer.invoice.get(name) for name in names} == {name: shown[name] for name in names}


def several_at_once(ground: Ground) -> None:
    """Creates and finalizes at the same time are all there afterwards."""
    charges = [ground.charge(600) for _ in range(6)]
    made = at_once(ground.url, 6, lambda talk, place: talk.create(charges[place]), token=str(ground.mine.token))
    numbers = [answer.invoice.get("id") for answer in made]
    assert len(set(numbers)) == 6 and all(ground.mine.look(number) for number in numbers), numbers
    at_once(ground.url, 6, lambda talk, place: talk.finalize(numbers[place]), token=str(ground.mine.token))
    assert {ground.mine.look(number)["status"] for number in numbers} == {ground.choices.finalized_label}
    if ground.pays:
        drafts = [ground.draft(700) for _ in range(3)]
        at_once(
            ground.url,
            6,
            lambda talk, place: (talk.collect if place % 2 else talk.finalize)(drafts[place // 2]),
            token=str(ground.mine.token),
        )


def ids(answer: Answer) -> set[object]:
    return {row["id"] for row in answer.rows}


def decimal(value: object) -> Decimal:
    assert isinstance(value, int | Decimal) and not isinstance(value, bool), value
    return Decimal(value)
