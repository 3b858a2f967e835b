"""A sequence gets shorter without getting another meaning, and starts with what makes its records."""

from __future__ import annotations

from dataclasses import replace

from mockserver.verify.claims.claims import Body, Claim, Const, Get, Is, Status
from mockserver.verify.events import Breach, RecordedExchange
from mockserver.verify.replay.ledger import Ledger
from mockserver.verify.reproduction.shrinking import shrunk, without
from tests.verify.report_streams import charge, exchange, invoice

REFUSED = Is(Status(2), ">=", Const(400))


def breach(*exchanges: RecordedExchange, check: Claim) -> Breach:
    return Breach("CREATE-4", "a rule holds", "it does not", exchanges, 1, "CREATE-4:kind", check=check)


def read(number: int) -> RecordedExchange:
    return exchange("GET", f"/billing/charges/{number}", answers={"charge": {"id": number, "status": "Open"}})


def test_the_create_that_makes_the_second_one_wrong_stays() -> None:
    twice = breach(charge(57), invoice(12, [57]), invoice(13, [57]), check=REFUSED)
    assert without(twice, 1) is None


def test_a_create_of_whatever_is_open_stays_since_it_may_have_taken_any_charge() -> None:
    everything = exchange("POST", "/billing/invoices", sends={}, answers={"invoice": {"id": 12, "total": 1}})
    taken = Is(Get(Body(2), ("charge", "status")), "is", Const("Invoiced"))
    assert without(breach(charge(57), everything, read(57), check=taken), 1) is None


def test_what_reads_what_was_refused_and_what_is_about_others_goes() -> None:
    refused = exchange(
        "POST", "/billing/invoices", status=422, sends={"charge_ids": [57, 9]}, answers={"message": "no"}
    )
    long = breach(
        charge(57),
        charge(60),
        invoice(11, [60]),
        read(57),
        refused,
        invoice(12, [57]),
        invoice(13, [57]),
        check=Is(Status(6), ">=", Const(400)),
    )
    short = shrunk(long, lambda candidate: True)
    assert short.exchanges == (charge(57), invoice(12, [57]), invoice(13, [57]))
    assert short.check == REFUSED


def test_nothing_goes_that_the_breach_does_not_show_without() -> None:
    refused = exchange(
        "POST", "/billing/invoices", status=422, sends={"charge_ids": [57, 9]}, answers={"message": "no"}
    )
    taken = breach(charge(57), refused, read(57), check=Is(Get(Body(2), ("charge", "status")), "is", Const("Open")))
    assert shrunk(taken, lambda candidate: len(candidate.exchanges) == 3) == taken


def test_a_request_is_made_plainer_only_where_any_request_must_do() -> None:
    noisy = exchange("GET", "/billing/invoices?q=%22&page=3&per_page=2", status=500)
    form = breach(noisy, check=Is(Status(0), "<", Const(500)))
    assert shrunk(form, lambda candidate: "q=%22" in candidate.exchanges[0].url).exchanges[0].url.endswith("?q=%22")
    figure = breach(noisy, check=Is(Get(Body(0), ("per_page",)), "is", Const(2)))
    assert shrunk(figure, lambda candidate: True) == figure


def test_the_ledger_knows_what_made_a_record_and_what_was_done_with_it() -> None:
    ledger = Ledger()
    finalized = exchange("POST", "/billing/invoices/12/finalize", answers={"message": "Finalized"})
    listed = exchange("GET", "/billing/invoices?q=id%3A%2212%22", answers={"data": []})
    sent = [charge(57), charge(60), invoice(12, [57]), finalized, listed]
    numbered = [replace(one, number=number) for number, one in enumerate(sent, 1)]
    made = [{"charge": {"id": 57}}, {"charge": {"id": 60}}, {"invoice": {"id": 12}}, {}, {}]
    for one, content in zip(numbered, made, strict=True):
        ledger.note(one, content)
    assert [one.number for one in ledger.complete(numbered[4:])] == [1, 3, 4, 5]


def test_with_one_request_of_a_race_come_all_of_it() -> None:
    ledger = Ledger()
    sent = [replace(invoice(number, [57]), number=number, race=4) for number in (2, 3, 5)]
    for one in [replace(charge(57), number=1), *sent]:
        ledger.note(one, {"charge": {"id": 57}} if one.number == 1 else {})
    assert [one.number for one in ledger.complete(sent[:1])] == [1, 2, 3, 5]
