"""The names that the control interface takes: its document lists them, and a refusal says which was meant."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from mockserver.billing.stripe import CARDS, OUTCOMES
from mockserver.server.control.interface import DOCUMENT
from mockserver.traffic.faults.delays import DISTRIBUTIONS
from mockserver.traffic.faults.kinds import AFTER, BEFORE, KINDS
from mockserver.traffic.faults.schema_corruption import WAYS
from tests.conftest import Api

SCHEMAS: Any = yaml.safe_load(DOCUMENT.read_text())["components"]["schemas"]


@pytest.mark.parametrize(
    ("schema", "names"),
    [
        ("OutcomeName", OUTCOMES),
        ("Card", CARDS),
        ("OutcomeOrCard", dict.fromkeys([*OUTCOMES, *CARDS])),
        ("FaultKind", KINDS),
        ("FaultWay", WAYS),
        ("DistributionName", DISTRIBUTIONS),
    ],
)
def test_the_document_lists_every_name(schema: str, names: dict[str, object]) -> None:
    assert SCHEMAS[schema]["enum"] == list(names)


def test_the_document_lists_when_a_fault_strikes() -> None:
    assert SCHEMAS["GivenFault"]["properties"]["when"]["enum"] == [BEFORE, AFTER]


@pytest.mark.parametrize(
    ("method", "path", "body", "field", "meant"),
    [
        ("PUT", "/merchants/1/card", {"card": "pm_card_viza"}, "card", "pm_card_visa"),
        ("POST", "/stripe/next", {"outcome": "insufficient_fund"}, "outcome", "insufficient_funds"),
        ("POST", "/faults", {"kind": "resett"}, "kind", "reset"),
        ("POST", "/faults", {"kind": "status", "when": "befor"}, "when", "before"),
        ("POST", "/faults", {"kind": "status", "operation": "listInvoice"}, "operation", "listInvoices"),
        ("POST", "/faults", {"kind": "status", "statuss": 500}, "statuss", "status"),
        ("POST", "/faults", {"kind": "schema", "way": "mising"}, "way", "missing"),
        ("POST", "/faults", {"kind": "outcome", "outcome": "expired_cart"}, "outcome", "expired_card"),
        ("POST", "/faults", {"kind": "latency", "delay": {"distribution": "unifrom"}}, "delay", "uniform"),
        (
            "POST",
            "/journal/verify",
            {"expect": [{"operation": "colectInvoice"}]},
            "expect.0.operation",
            "collectInvoice",
        ),
        ("POST", "/journal/verify", {"expect": [{"staus": 402}]}, "expect.0.staus", "status"),
        ("POST", "/journal/verify", {"expect": [{"fault": "resett"}]}, "expect.0.fault", "reset"),
    ],
)
def test_a_refusal_of_a_name_says_which_was_meant(
    api: Api, method: str, path: str, body: dict[str, Any], field: str, meant: str
) -> None:
    answer = api.control(method, path, json=body)
    assert answer.status_code == 400
    [problem] = answer.json()["errors"][field]
    assert problem.endswith(f"did you mean {meant}?")


def test_a_refusal_of_what_is_near_to_nothing_guesses_nothing(api: Api) -> None:
    answer = api.control("POST", "/faults", json={"kind": "zebra"})
    assert "did you mean" not in answer.json()["message"]
    assert '"lost_answer"' in answer.json()["message"]


def test_a_snapshot_and_a_world_that_are_not_there_are_guessed(api: Api) -> None:
    api.control("PUT", "/snapshots/before")
    assert api.control("POST", "/snapshots/befor/restore").json()["message"].endswith("did you mean before?")
    assert api.control("DELETE", f"/worlds/{api.world}x").json()["message"].endswith("?")


def test_a_preference_of_a_wrong_name_says_which_was_meant(api: Api) -> None:
    answer = api.get("/billing/invoices", headers={"Prefer": "outcome=insufficient_fund"})
    assert answer.status_code == 400
    assert answer.json()["message"].endswith("did you mean insufficient_funds?")


@pytest.mark.parametrize(
    ("method", "path", "body", "meant"),
    [
        ("PUT", "/webhooks", {"urls": "http://127.0.0.1:9/"}, "url"),
        ("POST", "/clock/freeze", {"to": "2030-01-01T00:00:00Z"}, None),
        ("POST", "/stripe/next", {"outcome": "lost_card", "cout": 3}, "count"),
        ("POST", "/reset", {"world": "other"}, None),
        ("POST", "/reset?wrld=other", None, None),
        ("DELETE", "/journal?since=1", None, None),
        ("POST", "/journal/verify", {"expect": [], "inorder": True}, "in_order"),
        ("GET", "/journal?operaton=listInvoices", None, "operation"),
    ],
)
def test_a_control_request_with_a_name_that_nobody_knows_is_refused_and_changes_nothing(
    api: Api, method: str, path: str, body: dict[str, Any] | None, meant: str | None
) -> None:
    """To leave it out would do something else than was meant: without an address nobody is told of events."""
    api.draft()
    api.control("PUT", "/webhooks", json={"url": "http://127.0.0.1:9/hook"})

    def seen() -> tuple[Any, str, Any]:
        return api.control("GET", "/webhooks").json(), api.everything(), api.control("GET", "/journal").json()

    before = seen()
    answer = api.control(method, path, json=body) if body is not None else api.control(method, path)
    assert answer.status_code == 400, answer.text
    if meant is not None:
        assert f"did you mean {meant}?" in answer.json()["message"]
    assert seen() == before
