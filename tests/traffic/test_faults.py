"""Planned faults: what each kind does to a client, when it strikes, and that it strikes nobody else."""

from __future__ import annotations

import json
import socket
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.contract.contract import Contract
from mockserver.core.resources import openapi_path
from mockserver.traffic.faults.delays import DISTRIBUTIONS, LONGEST, read_delay
from mockserver.traffic.faults.kinds import KINDS
from mockserver.traffic.faults.schema_corruption import WAYS
from tests.conftest import Api

LIST = "/billing/invoices"


@dataclass(frozen=True)
class Seen:
    """What a client saw on the wire."""

    data: bytes
    ended: str
    """`closed` or `reset`."""
    times: tuple[float, ...]
    """When pieces came, in seconds since the request was sent."""

    @property
    def status(self) -> int:
        return int(self.data.split(b" ", 2)[1])

    @property
    def body(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[2]

    @property
    def promised(self) -> int:
        lines = self.data.partition(b"\r\n\r\n")[0].lower().split(b"\r\n")
        return int(next(line for line in lines if line.startswith(b"content-length:")).split(b":")[1])


def over_the_wire(api: Api, method: str = "GET", path: str = LIST, *, prefer: str = "") -> Seen:
    """One request by a bare socket, until the server ends the connection."""
    address = urlsplit(api.server.base)
    head = f"{method} /api{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token}@{api.world}\r\n"
    head += f"Prefer: {prefer}\r\n" if prefer else ""
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=60) as wire:
        started = time.perf_counter()
        wire.sendall(f"{head}Connection: close\r\nContent-Length: 0\r\n\r\n".encode())
        data, times, ended = b"", [], "closed"
        try:
            while piece := wire.recv(65536):
                data += piece
                times.append(time.perf_counter() - started)
        except ConnectionResetError:
            ended = "reset"
    return Seen(data, ended, tuple(times))


def plan(api: Api, **fault: Any) -> Any:
    answer = api.control("POST", "/faults", json=fault)
    assert answer.status_code == 201, answer.text
    return answer.json()


def statuses(api: Api, count: int, path: str = LIST) -> list[int]:
    return [api.get(path).status_code for _ in range(count)]


def test_a_reset_connection_is_reset_before_a_byte_is_answered(api: Api) -> None:
    for prefer in ("fault=reset", "fault=reset; when=after"):
        seen = over_the_wire(api, prefer=prefer)
        assert (seen.data, seen.ended) == (b"", "reset")


def test_an_empty_reply_is_a_closed_connection(api: Api) -> None:
    for method in ("GET", "HEAD"):
        seen = over_the_wire(api, method, prefer="fault=empty")
        assert (seen.data, seen.ended) == (b"", "closed")


def test_resets_of_some_leave_all_others_alone(api: Api) -> None:
    other = Api(api.server, f"{api.world}-other", api.token, api.http)
    done = threading.Event()

    def read_on() -> int:
        count = 0
        while not done.is_set():
            seen = over_the_wire(other)
            assert (seen.status, len(seen.body)) == (200, seen.promised)
            count += 1
        return count

    with ThreadPoolExecutor(8) as pool:
        readers = [pool.submit(read_on) for _ in range(4)]
        resets = [pool.submit(over_the_wire, api, prefer="fault=reset") for _ in range(20)]
        assert {(one.result().data, one.result().ended) for one in resets} == {(b"", "reset")}
        done.set()
        assert all(reader.result() for reader in readers)


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_a_truncated_body_is_shorter_than_promised(api: Api, share: float) -> None:
    seen = over_the_wire(api, prefer=f"fault=truncated; share={share}")
    assert seen.status == 200
    assert len(seen.body) == min(int(seen.promised * share), seen.promised - 1)


def test_malformed_json_is_complete_and_no_json(api: Api) -> None:
    seen = over_the_wire(api, prefer="fault=malformed")
    assert len(seen.body) == seen.promised
    with pytest.raises(json.JSONDecodeError):
        json.loads(seen.body)


def test_a_slow_drip_comes_in_drops_and_whole(api: Api) -> None:
    seen = over_the_wire(api, prefer="fault=drip; delay=0.6")
    assert len(seen.times) >= 5
    assert seen.times[-1] >= 0.6
    assert json.loads(seen.body)["current_page"] == 1


@pytest.mark.parametrize("way", [None, *WAYS])
def test_a_success_that_breaks_the_schema_does_so_in_the_way_that_was_named(api: Api, way: str | None) -> None:
    contract = Contract.load(openapi_path())
    plan(api, kind="schema", seed=7, **({} if way is None else {"way": way}))
    answer = api.get(LIST)
    assert answer.status_code == 200
    assert contract.reply_objections(contract.operations["listInvoices"], 200, answer.json())
    chosen = answer.headers["X-Mock-Trace"].rpartition(":")[2]
    assert chosen == way or (way is None and chosen in WAYS)


def test_the_seed_chooses_how_a_schema_is_broken(api: Api) -> None:
    def broken(seed: int) -> Any:
        return api.get(LIST, headers={"Prefer": f"fault=schema;seed={seed}"}).text

    assert broken(1) == broken(1)
    assert len({broken(seed) for seed in range(8)}) > 4


def test_a_refusal_is_no_success_whose_schema_could_be_broken(api: Api) -> None:
    plan(api, kind="schema", count=1)
    assert api.collect(4711).json()["message"]
    assert api.get(LIST).headers["X-Mock-Trace"].startswith("LIST-1 fault:1:schema"), "it was kept for a success"


def test_a_status_comes_with_the_body_of_the_api_and_nothing_happens(api: Api) -> None:
    charge = api.charge()
    before = api.everything()
    plan(api, kind="status", status=503, retry_after=7, operation="createInvoice", count=1)
    answer = api.create(charge["id"])
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert answer.json() == {"message": "Service Unavailable."}
    assert api.everything() == before
    assert api.create(charge["id"]).status_code == 200


@pytest.mark.parametrize("kind", ["reset", "empty", "status"])
def test_before_nothing_has_happened_and_after_it_has(api: Api, kind: str) -> None:
    for when, paid in (("before", None), ("after", "paid")):
        invoice = api.finalized()
        over_the_wire(api, "POST", f"/billing/invoices/{invoice['id']}/collect", prefer=f"fault={kind};when={when}")
        assert api.invoice(invoice["id"])["stripe_invoice_status"] == paid


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_latency_waits_before_or_after_it_is_done(api: Api, when: str) -> None:
    invoice = api.finalized()
    plan(api, kind="latency", delay=2, when=when, operation="collectInvoice")
    with ThreadPoolExecutor(1) as pool:
        collecting = pool.submit(api.collect, invoice["id"])
        time.sleep(0.5)
        assert api.invoice(invoice["id"])["stripe_invoice_status"] == (None if when == "before" else "paid")
        assert collecting.result().status_code == 200


def test_a_late_answer_holds_up_nobody_else(api: Api) -> None:
    plan(api, kind="latency", delay=3, operation="listCharges")
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(api.get, "/billing/charges")
        time.sleep(0.1)
        api.get(LIST)
        assert not slow.done()
        assert slow.result().status_code == 200


@pytest.mark.parametrize(
    ("kind", "status", "charged", "paid"),
    [
        ("stripe_down", 502, False, False),
        ("lost_answer", 502, True, False),
        ("stripe_slow", 200, True, True),
    ],
)
def test_stripe_has_troubles_of_its_own(api: Api, kind: str, status: int, charged: bool, paid: bool) -> None:
    invoice = api.finalized()
    plan(api, kind=kind, count=1, **({"delay": 0.3} if kind == "stripe_slow" else {}))
    started = time.perf_counter()
    answer = api.collect(invoice["id"])
    assert answer.status_code == status
    assert kind != "stripe_slow" or time.perf_counter() - started >= 0.3
    ledger = api.control("GET", f"/stripe/ledger?invoice={invoice['id']}").json()["data"]
    assert [one["charged"] for one in ledger] == [charged]
    assert (api.invoice(invoice["id"])["stripe_invoice_status"] == "paid") == paid
    assert answer.headers["X-Mock-Trace"].endswith(f"fault:1:{kind}")


def test_a_fault_can_be_any_outcome(api: Api) -> None:
    plan(api, kind="outcome", outcome="pm_card_visa_chargeDeclinedStolenCard")
    answer = api.collect(api.finalized()["id"])
    assert (answer.status_code, "stolen_card" in answer.headers["X-Mock-Trace"]) == (402, True)


def test_a_fault_of_stripe_is_kept_until_stripe_is_asked(api: Api) -> None:
    plan(api, kind="stripe_down", count=1)
    assert api.collect(api.draft()["id"]).headers["X-Mock-Trace"] == "COLLECT-1"
    assert api.collect(api.finalized()["id"]).status_code == 502


def test_a_fault_is_about_its_operations_only(api: Api) -> None:
    plan(api, kind="status", status=500, operation=["listInvoices", "getCharge"])
    assert statuses(api, 1) == [500]
    assert statuses(api, 1, "/billing/charges/1") == [500]
    assert statuses(api, 1, "/billing/charges") == [200]


def test_a_fault_is_about_its_invoice_only(api: Api) -> None:
    one, other = api.draft(), api.draft()
    plan(api, kind="status", status=500, invoice=one["id"])
    assert api.finalize(other["id"]).status_code == 200
    assert api.finalize(one["id"]).status_code == 500
    assert statuses(api, 1) == [200]


def test_the_nth_request_is_struck_and_no_other(api: Api) -> None:
    plan(api, kind="status", status=500, nth=3)
    assert statuses(api, 5) == [200, 200, 500, 200, 200]


def test_from_the_nth_on_as_many_are_struck_as_were_asked_for(api: Api) -> None:
    plan(api, kind="status", status=500, nth=2, count=2)
    assert statuses(api, 5) == [200, 500, 500, 200, 200]


def test_a_count_ends_a_fault(api: Api) -> None:
    fault = plan(api, kind="status", status=500, count=2)
    assert statuses(api, 4) == [500, 500, 200, 200]
    (told,) = api.control("GET", "/faults").json()["data"]
    assert (told["id"], told["seen"], told["struck"], told["in_force"]) == (fault["id"], 4, 2, False)


def test_a_probability_follows_its_seed(api: Api) -> None:
    def draw(seed: int) -> list[int]:
        api.control("DELETE", "/faults")
        plan(api, kind="status", status=500, probability=0.5, seed=seed)
        return statuses(api, 20)

    assert draw(1) == draw(1) != draw(2)
    assert {200, 500} == set(draw(1))


def test_a_duration_goes_by_the_clock_of_the_world(api: Api) -> None:
    api.control("POST", "/clock/freeze")
    plan(api, kind="status", status=500, duration="PT1H")
    assert statuses(api, 2) == [500, 500]
    api.control("POST", "/clock/advance", json={"by": "PT59M59S"})
    assert statuses(api, 1) == [500]
    api.control("POST", "/clock/advance", json={"by": 1})
    assert statuses(api, 1) == [200]


def test_delays_add_up_and_of_two_that_change_the_answer_the_older_strikes(api: Api) -> None:
    for fault in (
        {"kind": "latency", "delay": 0.2},
        {"kind": "latency", "delay": 0.2, "when": "before"},
        {"kind": "status", "status": 500, "count": 1},
        {"kind": "status", "status": 418, "count": 1},
    ):
        plan(api, **fault)
    started = time.perf_counter()
    first = api.get(LIST)
    assert time.perf_counter() - started >= 0.4
    assert first.headers["X-Mock-Trace"] == "fault:1:latency fault:2:latency fault:3:status"
    assert statuses(api, 2) == [418, 200]


def test_faults_are_taken_away_one_by_one_or_all_at_once(api: Api) -> None:
    one = plan(api, kind="status", status=500)
    plan(api, kind="status", status=418)
    assert api.control("DELETE", f"/faults/{one['id']}").status_code == 200
    assert statuses(api, 1) == [418]
    assert api.control("DELETE", f"/faults/{one['id']}").status_code == 404
    assert api.control("DELETE", "/faults").status_code == 200
    assert statuses(api, 1) == [200]
    assert api.control("GET", "/faults").json() == {"data": []}


def test_a_reset_takes_faults_away(api: Api) -> None:
    plan(api, kind="status", status=500)
    api.control("POST", "/reset")
    assert statuses(api, 1) == [200]


def test_worlds_share_no_faults(api: Api) -> None:
    plan(api, kind="reset")
    other = Api(api.server, f"{api.world}-other", api.token, api.http)
    assert statuses(other, 1) == [200]
    assert other.control("GET", "/faults").json() == {"data": []}


def test_a_fault_is_told_as_it_was_planned(api: Api) -> None:
    asked = {
        "kind": "latency",
        "when": "before",
        "operation": ["listInvoices"],
        "probability": 0.25,
        "count": 3,
        "duration": 90,
        "seed": 5,
        "delay": {"distribution": "lognormal", "median": 0.2, "sigma": 0.5},
    }
    told = plan(api, **asked)
    assert {name: told[name] for name in asked} == asked
    assert (told["in_force"], told["seen"], told["struck"]) == (True, 0, 0)


@pytest.mark.parametrize(
    ("fault", "field", "told"),
    [
        ({"kind": "explosion"}, "kind", '"latency", "status", "reset"'),
        ({"kind": "status", "status": 200}, "status", "400 to 599"),
        ({"kind": "status", "operation": "payInvoice"}, "operation", "collectInvoice"),
        ({"kind": "stripe_down", "operation": "listInvoices"}, "operation", "collectInvoice"),
        ({"kind": "stripe_down", "when": "after"}, "when", "makes no sense"),
        ({"kind": "schema", "when": "before"}, "when", "after"),
        ({"kind": "schema", "way": "sideways"}, "way", '"missing", "type"'),
        ({"kind": "reset", "delay": 2}, "delay", "nothing that a fault of kind reset has"),
        ({"kind": "outcome"}, "outcome", "succeeded"),
        ({"kind": "outcome", "outcome": "nope"}, "outcome", "insufficient_funds"),
        ({"kind": "latency"}, "delay", "is needed"),
        ({"kind": "latency", "delay": -1}, "delay", "600 seconds"),
        ({"kind": "latency", "delay": {"distribution": "zipf"}}, "delay", "lognormal"),
        ({"kind": "latency", "delay": {"distribution": "uniform", "low": 1}}, "delay", "uniform needs high"),
        ({"kind": "latency", "delay": {"distribution": "uniform", "low": 1, "high": 2, "x": 3}}, "delay", "not x"),
        ({"kind": "reset", "probability": 1.5}, "probability", "between 0 and 1"),
        ({"kind": "reset", "probability": "0_1"}, "probability", 'must be a number, got "0_1"'),
        ({"kind": "reset", "probability": "nan"}, "probability", 'must be a number, got "nan"'),
        ({"kind": "reset", "nth": 0}, "nth", "at least 1"),
        ({"kind": "reset", "nth": "010"}, "nth", 'must be an integer, got "010"'),
        ({"kind": "latency", "delay": "1_0"}, "delay", 'PT90M, got "1_0"'),
        ({"kind": "latency", "delay": "x" * 9000}, "delay", 'xxx..."'),
        ({"kind": "reset", "duration": "tomorrow"}, "duration", "PT90M"),
        ({"kind": "reset", "duration": 0}, "duration", "longer than no time"),
        ({"kind": "reset", "duration": "-PT1S"}, "duration", "longer than no time"),
        ({"kind": "reset", "often": True}, "often", "nth"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(api: Api, fault: dict[str, Any], field: str, told: str) -> None:
    answer = api.control("POST", "/faults", json=fault)
    assert answer.status_code == 400
    (problem,) = answer.json()["errors"][field]
    assert told in problem
    assert api.control("GET", "/faults").json() == {"data": []}


@given(st.integers(0), st.sampled_from(sorted(DISTRIBUTIONS)), st.data())
def test_a_drawn_delay_is_never_negative_and_never_endless(seed: int, name: str, data: st.DataObject) -> None:
    numbers = st.floats(0, LONGEST)
    parameters = {parameter: data.draw(numbers) for parameter in DISTRIBUTIONS[name].parameters}
    given = read_delay({"distribution": name, **parameters})
    assert 0 <= given.draw(Random(seed)) <= LONGEST
    assert read_delay(given.to_json()) == given


@pytest.mark.parametrize(
    ("delay", "measure", "expected"),
    [
        ({"distribution": "uniform", "low": 1, "high": 3}, statistics.mean, 2),
        ({"distribution": "normal", "mean": 5, "deviation": 0.5}, statistics.mean, 5),
        ({"distribution": "lognormal", "median": 2, "sigma": 0.7}, statistics.median, 2),
        ({"distribution": "exponential", "mean": 3}, statistics.mean, 3),
        ("PT4S", statistics.mean, 4),
    ],
)
def test_delays_are_distributed_as_named(delay: Any, measure: Callable[[list[float]], float], expected: float) -> None:
    chance = Random(1)
    drawn = [read_delay(delay).draw(chance) for _ in range(4000)]
    assert measure(drawn) == pytest.approx(expected, rel=0.05)


def test_every_kind_of_fault_is_tested_here() -> None:
    text = Path(__file__).read_text()
    assert not [kind for kind in KINDS if f'"{kind}"' not in text and f"fault={kind}" not in text]
