"""Breaches with one cause are told as one, and what has another cause never is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from mockserver.verify.claims.claims import Body, Claim, Const, Get, Is, Status
from mockserver.verify.events import Breach, BreachFound, RecordedExchange
from mockserver.verify.reports.causes import Cause, causes
from mockserver.verify.reports.run_state import RunState
from tests.mutants.catalogue.every import FAULTS
from tests.mutants.server import running
from tests.verify.driving import judge
from tests.verify.report_streams import HEADERS, charge, exchange, invoice

REFUSED: Claim = Is(Status(0), ">=", Const(400))


def found(*breaches: Breach) -> tuple[Cause, ...]:
    state = RunState({})
    for breach in breaches:
        state.add(BreachFound(breach))
    return causes(state.result())


def breach(rule: str, kind: str, check: Claim, *exchanges: RecordedExchange, **given: Any) -> Breach:
    return Breach(rule, "it is so", "it is not", exchanges, 1, f"{rule}:{kind}", check=check, **given)


def rules(told: Iterable[Cause]) -> list[tuple[str, ...]]:
    return [cause.rules for cause in told]


def on_server(fault: str, **given: Any) -> tuple[Cause, ...]:
    with running(FAULTS[fault]) as server:
        heard = judge(server.url, **given)
    state = RunState({})
    for event in heard.events:
        state.add(event)
    return causes(state.result())


def test_a_total_that_is_a_text_is_one_cause_in_all_rules_that_it_breaks() -> None:
    (cause,) = on_server("total_is_a_string", only=("CREATE-1", "CREATE-3", "CREATE-5", "FINALIZE-1"))
    assert set(cause.rules) == {"CREATE-1", "CREATE-3", "CREATE-5", "FINALIZE-1"}
    assert len(cause.sightings) > 4


def test_a_search_that_is_ignored_is_one_cause() -> None:
    (cause,) = on_server("search_is_ignored", only=("SEARCH-4", "SEARCH-6"))
    assert set(cause.rules) == {"SEARCH-4", "SEARCH-6"}


def test_refusals_that_are_html_are_one_cause_whatever_is_refused() -> None:
    (cause,) = on_server("refusals_are_html", only=("GEN-1", "GEN-5"))
    assert len(cause.sightings) > 10


def test_crashes_at_one_operation_are_one_cause_when_they_share_a_parameter() -> None:
    def crash(kind: str, query: str) -> Breach:
        sent = exchange("GET", f"/billing/invoices{query}", status=500)
        return breach("GEN-5", kind, Is(Status(0), "<", Const(500)), sent)

    told = found(crash("a", "?page=9&per_page=1"), crash("b", "?page=0"), crash("c", "?q=x"), crash("d", ""))
    assert sorted(len(cause.sightings) for cause in told) == [1, 1, 2]


def test_what_another_token_may_do_is_not_what_nobody_may_do() -> None:
    def let_in(kind: str, said: str | None) -> Breach:
        headers = [(name, value) for name, value in HEADERS if name != "Authorization"]
        headers += [("Authorization", said)] if said else []
        return breach("GEN-4", kind, REFUSED, exchange("POST", "/billing/invoices/7/finalize", headers=headers))

    nobody, stranger, longer = let_in("none", None), let_in("odd", "Bearer x"), let_in("more", "Bearer $TOKENx")
    told = found(nobody, let_in("other", "Bearer $OTHER_TOKEN"), stranger, longer)
    assert sorted(len(cause.sightings) for cause in told) == [1, 3]


def test_a_text_of_a_wrong_form_is_one_cause_wherever_it_is_shown() -> None:
    def local(kind: str, made: RecordedExchange) -> Breach:
        check = Is(Get(Body(0), ("invoice", "created_at")), "matches", Const("Z$"))
        return breach("LIST-1", kind, check, made)

    answers = {"invoice": {"created_at": "2026-11-29T12:53:16+02:00"}}
    paths = ("/billing/invoices", "/billing/invoices/2/finalize")
    told = found(*(local(path, exchange("POST", path, answers=answers)) for path in paths))
    assert len(told) == 1


def test_a_wrong_value_belongs_to_the_request_that_led_to_it() -> None:
    def wrong(kind: str, last: RecordedExchange) -> Breach:
        check = Is(Get(Body(2), ("invoice", "total")), "is", Const(12.5))
        return breach("FINALIZE-1", kind, check, charge(1), invoice(2, [1]), last)

    answers = {"invoice": {"id": 2, "total": 13.0}}
    finalized = exchange("POST", "/billing/invoices/2/finalize", answers=answers)
    collected = exchange("POST", "/billing/invoices/2/collect", answers=answers)
    assert len(found(wrong("a", finalized), wrong("b", finalized))) == 1
    assert len(found(wrong("a", finalized), wrong("b", collected))) == 2


def test_a_breach_that_says_nothing_of_its_answers_stays_alone() -> None:
    silent = Breach("GEN-1", "it is so", "it is not", (), 1, "GEN-1:a")
    assert len(found(silent, replace(silent, identity="GEN-1:b"))) == 2


def test_the_worst_comes_first_and_the_shortest_tells_it() -> None:
    def taken(rule: str, *before: RecordedExchange) -> Breach:
        check = Is(Status(len(before)), ">=", Const(400))
        return breach(rule, rule, check, *before, invoice(3, [1]))

    form = breach(
        "GEN-1", "form", Is(Get(Body(0), ("x",)), "is", Const(1)), exchange("GET", "/billing/invoices", answers={})
    )
    told = found(form, taken("CREATE-4", charge(1), charge(2)), taken("CREATE-6", charge(1)))
    assert rules(told) == [("CREATE-6", "CREATE-4"), ("GEN-1",)]
    assert told[0].reach == "explains 2 breaches in 2 rules"
    assert told[1].reach == ""
