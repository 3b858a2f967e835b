"""Each value of each open choice is measured as what it is, and the fake then behaves alike."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from mockserver.billing.profile import CHOICES, load_profile, recorded_choices
from mockserver.core.errors import Unusable
from mockserver.verify.events import DriftFound
from mockserver.verify.options import Options
from mockserver.verify.run import verify
from tests.mutants.catalogue.making import after
from tests.mutants.conforming import CORRECT, LEGAL
from tests.mutants.reference.choices import LISTED
from tests.mutants.reference.messages import Reply, Request
from tests.mutants.server import running
from tests.verify.driving import Heard, judge

EVERY_VALUE = [(key, value) for key, values in LISTED.items() for value in values[1:]]


def measured(tmp_path: Path, **choices: Any) -> tuple[Heard, dict[str, Any]]:
    """A run that does little beside calibrating, and the profile that it writes."""
    cards = {1: "pm_card_visa", 3: "pm_card_visa_chargeDeclined"}
    config = dataclasses.replace(CORRECT, choices=choices, cards=cards)
    path = tmp_path / "measured.yaml"
    with running(config) as server:
        heard = judge(server.url, token="provider", only=("COLLECT-5",), declining_merchant="3", write_profile=path)
    return heard, load_profile(str(path)).profile.values()


def test_the_defaults_are_all_measured(tmp_path: Path) -> None:
    heard, profile = measured(tmp_path)
    assert heard.choices == profile == {key: choice.default for key, choice in CHOICES.items()}


@pytest.mark.parametrize(("key", "value"), EVERY_VALUE)
def test_every_value_of_every_choice_is_measured(tmp_path: Path, key: str, value: Any) -> None:
    needs = {"per_page_max": 25} if key == "per_page_above_max" else {}
    _, profile = measured(tmp_path, **needs, **{key: value})
    assert profile[key] == value


@pytest.mark.parametrize("largest", [15, 33, 99, 101, 4096])
@pytest.mark.parametrize("above", ["clamp", "refuse"])
def test_any_largest_page_is_found(tmp_path: Path, largest: int, above: str) -> None:
    _, profile = measured(tmp_path, per_page_max=largest, per_page_above_max=above)
    assert (profile["per_page_max"], profile["per_page_above_max"]) == (largest, above)


def test_a_choice_that_a_server_makes_both_ways_is_not_measured_and_not_failed() -> None:
    """As Express does by itself: lists pass for empty bodies, and JSON that is cut off is refused."""

    def lists_are_empty(request: Request) -> Reply | None:
        if not request.body.startswith(b"["):
            return None
        return server.api.respond(dataclasses.replace(request, body=b"{}"))

    with running() as server:
        server.api.before.append(lists_are_empty)
        heard = judge(server.url, only=("GEN-5", "GEN-6"))
    assert heard.breaches == []
    reasons = {choice.key: choice.evidence for choice in heard.measurements if not choice.measured}
    assert "a body that is a list is answered with 200" in reasons["unreadable_body"]
    assert "JSON that is cut off is answered with 422" in reasons["unreadable_body"]
    assert [note.level for note in heard.told if "bills everything" in note.text] == ["money"]


def test_taking_an_unreadable_body_for_an_empty_one_is_a_warning_about_money_and_no_breach() -> None:
    with running(dataclasses.replace(CORRECT, choices={"unreadable_body": "as_empty"})) as server:
        heard = judge(server.url, only=("GEN",))
    assert (heard.breaches, heard.end.exit_code) == ([], 0)
    (warning,) = [note.text for note in heard.told if note.level == "money"]
    assert "a client's broken JSON bills everything that is uninvoiced" in warning


@pytest.mark.parametrize(("reads_as", "told"), [(b"{}", ["money"]), (None, [])])
def test_taking_text_for_an_empty_body_is_a_warning_about_money_and_reading_it_is_none(
    reads_as: bytes | None, told: list[str]
) -> None:
    """The first is what PHP and Express do by themselves, the second what a server does that asks for no type."""

    def other_types(request: Request) -> Reply | None:
        if request.content_type != "text/plain":
            return None
        headers = {**request.headers, "content-type": "application/json"}
        body = request.body if reads_as is None else reads_as
        return server.api.respond(dataclasses.replace(request, body=body, headers=headers))

    with running() as server:
        server.api.before.append(other_types)
        heard = judge(server.url, only=("GEN-5", "GEN-6", "CREATE"))
    assert heard.breaches == []
    assert [note.level for note in heard.told if "forgets the Content-Type" in note.text] == told


@pytest.mark.parametrize(
    ("ahead", "told"),
    [
        (timedelta(hours=2), 1),
        (timedelta(hours=-5), 1),
        (timedelta(hours=5, minutes=45, seconds=20), 1),
        (timedelta(seconds=50), 0),
        (timedelta(minutes=7), 0),
        (timedelta(days=3), 0),
    ],
)
def test_local_time_that_is_labelled_as_utc_is_told_and_no_breach(ahead: timedelta, told: int) -> None:
    with running() as server:
        server.api.records.now = lambda: datetime.now(UTC) + ahead  # type: ignore[method-assign]
        after(server.api, dated)
        heard = judge(server.url, only=("CREATE", "SEARCH-5"))
    assert heard.breaches == []
    assert len([note for note in heard.told if note.level == "warning" and "labelled as UTC" in note.text]) == told


def dated(_: Request, reply: Reply) -> Reply:
    reply.headers["Date"] = format_datetime(datetime.now(UTC), usegmt=True)
    return reply


@pytest.mark.parametrize(
    "date", ["", "now", "Mon, 30 Nov 99999 20:05:34 GMT", "\xb2 Nov 2026", "Thu, 01 Jan 1970 00:00:00 -9999"]
)
def test_a_date_that_is_none_is_passed_over(date: str) -> None:
    def odd(_: Request, reply: Reply) -> Reply:
        reply.headers["Date"] = date
        return reply

    with running() as server:
        after(server.api, odd)
        heard = judge(server.url, only=("CREATE-1",))
    assert (heard.breaches, heard.end.exit_code) == ([], 0)


def test_with_charges_given_no_body_is_sent_that_might_bill_others() -> None:
    bodies: list[bytes] = []
    with running(LEGAL["four_operations"]) as server:
        server.api.before.append(lambda request: bodies.append(request.body))
        heard = judge(server.url, charge_ids=tuple(range(1, 161)), only=("GEN-5", "GEN-6"))
    assert not {b'{"charge_ids": [', b"[1]", b'{"charge_ids": null}', b"charge_ids="} & set(bodies)
    reasons = {choice.key: choice.evidence for choice in heard.measurements if not choice.measured}
    assert "--charge-ids" in reasons["unreadable_body"] and "--charge-ids" in reasons["empty_charge_ids"]


def test_what_cannot_be_measured_is_said_with_its_reason() -> None:
    with running() as server:
        heard = judge(server.url, only=("COLLECT-5",), other_token=None, declining_merchant="none")
    reasons = {choice.key: choice.evidence for choice in heard.measurements if not choice.measured}
    assert reasons["foreign_invoice_status"] == "no second token given (--other-token)"
    assert "--declining-merchant" in reasons["declined_status"]


def test_a_given_profile_is_compared_with_what_is_measured() -> None:
    expected = {key: choice.default for key, choice in CHOICES.items()} | {"create_status": 201}
    with running() as server:
        heard = judge(server.url, only=("COLLECT-5",), profile=expected)
    differing = {choice.key: choice.expected for choice in heard.measurements if choice.expected is not None}
    assert differing["create_status"] == 201
    assert heard.end.exit_code == 0


@pytest.mark.parametrize("status", CHOICES["declined_status"].values)
def test_without_a_card_that_declines_an_amount_too_small_shows_the_status(status: int) -> None:
    with running(dataclasses.replace(CORRECT, choices={"declined_status": status})) as server:
        heard = judge(server.url, only=("COLLECT-5",))
    assert heard.choices["declined_status"] == status


def drifted(recorded: dict[str, Any], **given: Any) -> Heard:
    config = dataclasses.replace(CORRECT, choices={"create_status": 201})
    with running(config) as server:
        return judge(server.url, only=("LIST-1",), expect_profile=recorded, **given)


def test_a_choice_that_is_not_the_recorded_one_fails_the_run() -> None:
    heard = drifted({"create_status": 200, "list_order": "newest_first"})
    (drift,) = [event for event in heard.events if isinstance(event, DriftFound)]
    assert (drift.key, drift.recorded, drift.measured) == ("create_status", 200, 201)
    assert heard.breaches == []
    assert heard.end.exit_code == 1


def test_choices_that_are_as_recorded_pass_and_what_was_not_recorded_is_free() -> None:
    assert drifted({"list_order": "newest_first"}).end.exit_code == 0


def test_a_recorded_choice_that_is_not_measured_is_told_and_fails_nothing() -> None:
    heard = drifted({"create_status": 200}, read_only=True)
    assert "nobody can say whether they are still as recorded: create_status" in heard.notes
    assert heard.end.exit_code == 0


def test_a_written_profile_says_what_was_not_measured_and_why(tmp_path: Path) -> None:
    path = tmp_path / "measured.yaml"
    with running() as server:
        judge(server.url, only=("LIST-1",), read_only=True, write_profile=path)
    written = path.read_text()
    assert "list_order" in written.partition("# Not measured")[2]
    assert re.search(r"^#   create_status: \S", written, re.MULTILINE)
    assert recorded_choices(path)["per_page_max"] == 100
    assert "create_status" not in recorded_choices(path)


def test_a_profile_that_cant_be_written_at_the_end_is_told_in_words(tmp_path: Path) -> None:
    heard = Heard()
    with running() as server, pytest.raises(Unusable):
        options = Options(url=server.url, token="merchant1", only=("LIST-1",), read_only=True, write_profile=tmp_path)
        verify(options, [heard.events.append])
    assert heard.end.stop_reason == f"--write-profile {tmp_path}: Is a directory"
