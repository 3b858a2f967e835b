"""The clock of a world: frozen, running, set and moved, and everything that follows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Any

import pytest

from mockserver.core.clock import LATEST, Clock, from_datetime, moved, parse_duration, render_time
from tests.conftest import Api


def clock(api: Api, action: str, **body: Any) -> Any:
    answer = api.control("POST", f"/clock/{action}", **({"json": body} if body else {}))
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(api: Api, action: str, **body: Any) -> str:
    before = api.control("GET", "/clock").json()
    answer = api.control("POST", f"/clock/{action}", json=body)
    assert answer.status_code == 400, answer.text
    after = api.control("GET", "/clock").json()
    assert after["frozen"] == before["frozen"]
    assert abs(instant(after) - instant(before)) < timedelta(seconds=30), "a refused request changes nothing"
    return str(answer.json()["message"])


def instant(shown: Any) -> datetime:
    return datetime.fromisoformat(shown["now"])


def test_a_world_starts_at_the_real_time(api: Api) -> None:
    shown = api.control("GET", "/clock").json()
    assert not shown["frozen"]
    assert abs(instant(shown) - datetime.now(UTC)) < timedelta(seconds=30)


def test_a_frozen_clock_stands_still(api: Api) -> None:
    shown = clock(api, "freeze")
    assert shown["frozen"]
    assert api.control("GET", "/clock").json() == shown
    assert api.charge()["created_at"] == api.charge()["created_at"] == shown["now"]


def test_a_clock_can_be_frozen_at_a_moment(api: Api) -> None:
    assert clock(api, "freeze", at="2026-01-15T10:00:00+02:00") == {
        "now": "2026-01-15T08:00:00.000000Z",
        "frozen": True,
    }


def test_a_clock_that_is_set_keeps_running(api: Api) -> None:
    assert not clock(api, "set", to="2030-06-01T00:00:00Z")["frozen"]
    first = instant(api.control("GET", "/clock").json())
    assert datetime(2030, 6, 1, tzinfo=UTC) < first < instant(api.control("GET", "/clock").json())


def test_a_frozen_clock_that_is_set_stays_frozen(api: Api) -> None:
    clock(api, "freeze")
    assert clock(api, "set", to="2026-02-03") == {"now": "2026-02-03T00:00:00.000000Z", "frozen": True}


def test_a_clock_runs_on_from_where_it_stood(api: Api) -> None:
    clock(api, "freeze", at="2030-06-01T00:00:00Z")
    assert not clock(api, "run")["frozen"]
    shown = instant(api.control("GET", "/clock").json())
    assert timedelta() < shown - datetime(2030, 6, 1, tzinfo=UTC) < timedelta(seconds=30)


@pytest.mark.parametrize(
    ("by", "to"),
    [
        (90, "2026-01-31T12:01:30"),
        (0.5, "2026-01-31T12:00:00.5"),
        (-43200, "2026-01-31T00:00:00"),
        ("PT90M", "2026-01-31T13:30:00"),
        ("P1W", "2026-02-07T12:00:00"),
        ("-P1D", "2026-01-30T12:00:00"),
        ("P1M", "2026-02-28T12:00:00"),
        ("-P1M", "2025-12-31T12:00:00"),
        ("P1Y2M3DT4H5M6.5S", "2027-04-03T16:05:06.5"),
        ("P0D", "2026-01-31T12:00:00"),
    ],
)
def test_a_clock_advances_by_seconds_and_by_the_calendar(api: Api, by: float | str, to: str) -> None:
    clock(api, "freeze", at="2026-01-31T12:00:00Z")
    assert instant(clock(api, "advance", by=by)) == datetime.fromisoformat(to).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "by", ["soon", "", "P", "1 hour", "P0.5M", "P99999Y", "-P3000Y", 1e30, -1e300, "P9" + "9" * 400 + "D"]
)
def test_what_is_no_duration_on_a_clock_is_refused(api: Api, by: float | str) -> None:
    assert refused(api, "advance", by=by).startswith("by: ")


@pytest.mark.parametrize("to", ["tomorrow", "2026-01-15T10:00:00", "2026-13-01", "", "99999-01-01", "0000-01-01"])
def test_what_is_no_moment_is_refused(api: Api, to: str) -> None:
    assert refused(api, "set", to=to).startswith("to: ")
    assert refused(api, "freeze", at=to).startswith("at: ")


def test_a_body_of_another_form_is_refused(api: Api) -> None:
    assert "to" in refused(api, "set", at="2026-01-15")
    assert "by" in refused(api, "advance", by=None)


def test_invoices_come_to_stripe_by_the_worlds_clock(api: Api) -> None:
    clock(api, "freeze")
    invoice = api.finalized()
    assert invoice["stripe_invoice_id"] is None
    clock(api, "advance", by=59)
    assert api.invoice(invoice["id"])["stripe_invoice_id"] is None
    clock(api, "set", to=render_time(from_datetime(instant(clock(api, "freeze")) + timedelta(seconds=1))))
    assert api.invoice(invoice["id"])["stripe_invoice_id"].startswith("in_")


def test_attempts_to_charge_are_entered_at_the_worlds_time(api: Api) -> None:
    invoice = api.finalized()
    clock(api, "freeze", at="2027-03-04T05:06:07Z")
    assert api.collect(invoice["id"]).status_code == 200
    (attempt,) = api.control("GET", "/stripe/ledger", params={"invoice": invoice["id"]}).json()["data"]
    assert attempt["at"] == "2027-03-04T05:06:07.000000Z"


def test_a_clock_that_is_set_back_breaks_nothing(api: Api) -> None:
    """Ids go on, and the list is in the order of the times that the invoices say."""
    times = ["2028-01-01", "2027-01-01", "2029-01-01", "2026-12-31", "2027-01-01"]
    made = []
    for moment in times:
        clock(api, "freeze", at=moment)
        made.append(api.draft())
    ids = [invoice["id"] for invoice in made]
    assert ids == sorted(set(ids))
    rows = api.get("/billing/invoices", params={"q": f'id>="{ids[0]}"', "per_page": 100}).json()["data"]
    expected = sorted(made, key=lambda invoice: (invoice["created_at"], invoice["id"]), reverse=True)
    assert rows == expected
    on_that_day = api.get("/billing/invoices", params={"q": 'created_at$DATE:"2027-01-01"'}).json()["data"]
    assert {row["id"] for row in on_that_day} == {ids[1], ids[4]}


def test_what_was_queued_waits_for_a_clock_that_was_set_back(api: Api) -> None:
    clock(api, "freeze", at="2028-01-01")
    invoice = api.finalized()
    clock(api, "set", to="2027-01-01")
    clock(api, "advance", by=3600)
    assert api.invoice(invoice["id"])["stripe_invoice_id"] is None
    clock(api, "set", to="2028-01-01T00:01:00Z")
    assert api.invoice(invoice["id"])["stripe_invoice_id"] is not None


@pytest.mark.parametrize("looked", [True, False])
@pytest.mark.parametrize("action", ["freeze", "set"])
def test_what_was_due_before_a_clock_was_set_back_is_done(api: Api, action: str, looked: bool) -> None:
    invoice = api.finalized()
    # The world does not notice before it is asked.
    clock(api, "advance", by=59.9)
    sleep(0.15)
    if looked:
        assert api.invoice(invoice["id"])["stripe_invoice_id"] is not None
    clock(api, action, **{"freeze": {"at": "2020-01-15"}, "set": {"to": "2020-01-15"}}[action])
    assert api.invoice(invoice["id"])["stripe_invoice_id"] is not None


def test_clocks_of_two_worlds_are_apart(api: Api) -> None:
    clock(api, "freeze", at="2040-01-01")
    other = Api(api.server, f"{api.world}-other", api.token, api.http)
    assert not other.control("GET", "/clock").json()["frozen"]


def test_a_reset_sets_the_clock_as_the_fixture_has_it(api: Api) -> None:
    clock(api, "freeze", at="2040-01-01")
    assert api.control("POST", "/reset").status_code == 200
    shown = api.control("GET", "/clock").json()
    assert not shown["frozen"]
    assert abs(instant(shown) - datetime.now(UTC)) < timedelta(seconds=30)


def test_everything_works_at_the_end_of_time(api: Api) -> None:
    clock(api, "set", to="9999-12-31T23:59:59.999999Z")
    invoice = api.finalized()
    assert invoice["created_at"] == "9999-12-31T23:59:59.999999Z"
    assert api.control("GET", "/clock").json()["now"] == "9999-12-31T23:59:59.999999Z"
    assert api.control("GET", "/export").status_code == 200
    assert api.invoice(invoice["id"])["stripe_invoice_id"] is not None
    clock(api, "set", to="0001-01-01")
    assert api.draft()["created_at"].startswith("0001-01-01T")
    assert api.control("GET", "/export").status_code == 200


def test_a_running_clock_stops_at_the_end_of_time() -> None:
    late = Clock()
    late.set(LATEST)
    assert late.now() == LATEST


def test_a_duration_of_no_fixed_length_is_none() -> None:
    with pytest.raises(ValueError, match="no fixed length"):
        parse_duration("P1M")
    assert moved(0, "P1M") == 31 * 86_400_000_000
