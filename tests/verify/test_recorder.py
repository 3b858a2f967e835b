"""What was seen of a fault: the shortest sequence of all sightings, how often, and nothing before its time."""

from __future__ import annotations

from dataclasses import replace

from mockserver.verify.assertions.recorder import Recorder
from mockserver.verify.claims.claims import Const, Is, Status
from mockserver.verify.events import BreachFound, Event, RecordedExchange, Reproduction
from mockserver.verify.reports.run_state import RunState
from tests.verify.report_streams import RULES, exchange

SENT = exchange("GET", "/billing/invoices")


def recorder(*listeners: RunState) -> Recorder:
    return Recorder([listener.add for listener in listeners], 1, frozenset(RULES))


def sight(record: Recorder, *exchanges: RecordedExchange) -> None:
    check = Is(Status(0), "is", Const(200))
    record.breach("LIST-1", kind="status", expected="200 comes", actual="it is 500", exchanges=exchanges, check=check)


def test_reports_show_the_shortest_sequence_of_all_sightings_and_how_often_it_was_seen() -> None:
    state = RunState(RULES)
    record = recorder(state)
    for length in (3, 2, 4, 1, 2):
        sight(record, *[SENT] * length)
    record.count_up()
    (told,) = state.result().sightings
    assert (len(told.breach.exchanges), told.times) == (1, 5)


def test_a_shorter_sequence_that_is_found_while_breaches_are_kept_back_is_told() -> None:
    state = RunState(RULES)
    record = recorder(state)
    sight(record, SENT, SENT)
    record.begin()
    sight(record, SENT)
    record.commit()
    (told,) = state.result().sightings
    assert (len(told.breach.exchanges), told.times) == (1, 2)


def test_what_is_kept_back_is_told_once_it_counts_and_forgotten_if_it_never_does() -> None:
    heard: list[Event] = []
    record = Recorder([heard.append], 1, frozenset(RULES))
    record.begin()
    sight(record, SENT, SENT)
    sight(record, SENT)
    assert heard == []
    record.rollback()
    assert (record.exercised["LIST-1"], record.sightings.total()) == (0, 0)
    record.begin()
    sight(record, SENT)
    record.commit()
    assert [(type(event), event.times) for event in heard if isinstance(event, BreachFound)] == [(BreachFound, 1)]


def test_a_secret_that_a_replay_met_is_in_no_report() -> None:
    state = RunState(RULES)
    record = recorder(state)
    record.hide = lambda text: text.replace("secret", "$TOKEN")
    sight(record, SENT)
    (breach,) = record.breaches.values()
    record.replace(replace(breach, reproduction=Reproduction(0, 0, "there is no id in secret")))
    (told,) = state.result().sightings
    assert told.breach.reproduction is not None
    assert told.breach.reproduction.why == "there is no id in $TOKEN"


def test_what_is_told_of_an_answer_is_no_longer_than_anybody_reads() -> None:
    record = recorder()
    record.breach(
        "LIST-1",
        kind="x",
        expected="a word",
        actual=": " * 900_000,
        exchanges=[SENT],
        check=Is(Status(0), "is", Const(1)),
    )
    (breach,) = record.breaches.values()
    assert len(breach.actual) < 10_000
