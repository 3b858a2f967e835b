"""How one request, one merchant or Stripe's next attempts are made to end, without a change in the client."""

from __future__ import annotations

import time
from typing import Any

import pytest

from mockserver.billing.stripe import CARDS, OUTCOMES
from tests.conftest import Api

DECLINES = sorted(name for name, outcome in OUTCOMES.items() if outcome.declined)


def prefer(value: str) -> dict[str, Any]:
    return {"headers": {"Prefer": value}}


@pytest.mark.parametrize("name", DECLINES)
def test_a_preferred_decline_happens_once_and_a_retry_pays(api: Api, name: str) -> None:
    invoice = api.finalized()
    refused = api.collect(invoice["id"], **prefer(f"outcome={name}"))
    assert refused.status_code == 402
    assert refused.headers["Preference-Applied"] == f"outcome={name}"
    assert refused.headers["X-Mock-Trace"] == f"COLLECT-3 outcome:{name} prefer:outcome={name}"
    assert api.invoice(invoice["id"])["stripe_invoice_status"] == "open"
    assert api.collect(invoice["id"]).json()["invoice"]["stripe_invoice_status"] == "paid"


def test_the_name_of_a_card_is_the_name_of_its_outcome(api: Api) -> None:
    answer = api.collect(api.finalized()["id"], **prefer("outcome=pm_card_visa_chargeDeclinedLostCard"))
    assert answer.status_code == 402
    assert "outcome:lost_card" in answer.headers["X-Mock-Trace"]


def test_a_lost_answer_of_stripe_is_no_second_charge(api: Api) -> None:
    invoice = api.finalized()
    lost = api.collect(invoice["id"], **prefer("outcome=lost_answer"))
    assert lost.status_code == 502
    assert api.collect(invoice["id"]).status_code == 200
    ledger = api.control("GET", f"/stripe/ledger?invoice={invoice['id']}").json()["data"]
    assert [(one["outcome"], one["charged"]) for one in ledger] == [("lost_answer", True), ("repeated", False)]


def test_a_preferred_success_stands_above_a_bad_card(api: Api) -> None:
    api.control("PUT", "/merchants/1/card", json={"card": "pm_card_radarBlock"})
    invoice = api.finalized()
    assert api.collect(invoice["id"]).status_code == 402
    assert api.collect(invoice["id"], **prefer("outcome=succeeded")).status_code == 200


@pytest.mark.parametrize("code", [400, 401, 404, 409, 418, 422, 429, 499, 500, 503, 599])
def test_a_preferred_code_is_answered_in_the_form_of_the_api_and_nothing_happens(api: Api, code: int) -> None:
    charge = api.charge()
    before = api.everything()
    answer = api.create(charge["id"], **prefer(f"code={code}"))
    assert answer.status_code == code
    assert answer.json()["message"]
    assert answer.headers["Preference-Applied"] == f"code={code}"
    assert ("Retry-After" in answer.headers) == (code in (429, 503))
    assert api.everything() == before


def test_the_time_to_retry_after_can_be_said(api: Api) -> None:
    answer = api.get("/billing/invoices", **prefer("code=429;retry_after=30"))
    assert answer.headers["Retry-After"] == "30"


def test_a_preferred_code_can_strike_after_it_is_done(api: Api) -> None:
    charge = api.charge()
    assert api.create(charge["id"], **prefer("code=504; when=after")).status_code == 504
    assert api.create(charge["id"]).status_code == 422, "the charge was invoiced, though the answer said nothing of it"


def test_a_preferred_delay_is_waited_for(api: Api) -> None:
    started = time.perf_counter()
    answer = api.get("/billing/invoices", **prefer("delay=0.3"))
    assert time.perf_counter() - started >= 0.3
    assert answer.headers["Preference-Applied"] == "delay=0.3"
    assert answer.status_code == 200


def test_several_preferences_go_together(api: Api) -> None:
    started = time.perf_counter()
    answer = api.collect(api.finalized()["id"], **prefer('delay=PT0.2S, outcome = "expired_card"'))
    assert time.perf_counter() - started >= 0.2
    assert answer.status_code == 402
    assert answer.headers["Preference-Applied"] == "delay=PT0.2S, outcome=expired_card"


@pytest.mark.parametrize(
    ("preference", "told"),
    [
        ("outcome=insufficent_funds", list(OUTCOMES) + list(CARDS)),
        ("fault=explosion", ["latency", "reset", "schema", "lost_answer"]),
        ("code=200", ["400 to 599"]),
        ("code=abc", ["400 to 599"]),
        ("code=0429", ["400 to 599"]),
        ("delay=soon", ["PT90M"]),
        ("delay=100000", ["600 seconds"]),
        ("fault=schema;way=sideways", ["missing", "type", "null", "value", "shape"]),
        ("fault=truncated;share=2", ["between 0 and 1"]),
        ("fault=truncated;share=0_1", ["between 0 and 1"]),
        ("fault=truncated;share=nan", ["between 0 and 1"]),
        ("fault=latency;delay=1_0", ["PT90M"]),
        ("fault=truncated;when=before", ["after"]),
        ("fault=reset;nth=3", ["single request"]),
        ("fault=reset;share=0.5", ["reset"]),
        ("fault=latency", ["delay"]),
        ("fault=reset, code=500", ["one of them"]),
        ("fault=reset; seed*=utf-8''5", ["seed* is nothing", "did you mean seed?"]),
        ("fault=reset; seed*0=5", ["seed*0 is nothing"]),
        (f"fault=reset; a*{'9' * 1500}=x", ["is nothing that a fault of kind reset has"]),
        ("fault=reset; =5", ["NAME=VALUE", '"=5"']),
        ('fault="reset', ["NAME=VALUE", '"fault=\\"reset"']),
        ('delay=0, fault="reset" now', ["NAME=VALUE", "now"]),
        ("fault reset=1", ["NAME=VALUE", '"fault reset=1"']),
        ("delay=0," * 300, ["2,000 characters", "2,400"]),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(api: Api, preference: str, told: list[str]) -> None:
    before = api.everything()
    answer = api.create(1, **prefer(preference))
    assert answer.status_code == 400
    assert answer.headers["X-Mock-Trace"] == "prefer"
    assert all(name in answer.json()["message"] for name in told)
    assert list(answer.json()["errors"]) == ["Prefer"]
    assert api.everything() == before


@pytest.mark.parametrize(
    "preference",
    [
        "code=429;retry_after=30",
        "code = 429 ; retry_after = 30",
        'Code="429"; Retry_After="3\\0"',
        ", code=429;; retry_after=30; ,",
        "code=429;retry_after=30, code=500",
        'return=minimal; a="1, code=500; b", code=429; retry_after=30',
        "timezone=Europe/Paris, code=429; retry_after=30",
    ],
)
def test_a_preference_may_be_written_in_any_way_that_the_rfc_allows(api: Api, preference: str) -> None:
    answer = api.get("/billing/invoices", **prefer(preference))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")
    assert answer.headers["Preference-Applied"] == "code=429"


def test_a_preference_of_another_vocabulary_is_ignored_with_a_warning(api: Api) -> None:
    answer = api.get("/billing/invoices", **prefer("respond-async, outcom=late"))
    assert answer.status_code == 200
    assert "respond-async" in answer.headers["X-Mock-Warning"]
    assert "did you mean outcome" in answer.headers["X-Mock-Warning"]
    assert "Preference-Applied" not in answer.headers


def test_an_outcome_for_a_request_that_charges_nobody_is_not_applied(api: Api) -> None:
    listed = api.get("/billing/invoices", **prefer("outcome=late"))
    assert "collectInvoice only" in listed.headers["X-Mock-Warning"]
    draft = api.collect(api.draft()["id"], **prefer("outcome=late"))
    assert "came to nothing" in draft.headers["X-Mock-Warning"]
    assert "Preference-Applied" not in listed.headers
    assert "Preference-Applied" not in draft.headers
    assert draft.headers["X-Mock-Trace"] == "COLLECT-1"


def test_bad_input_goes_before_preferences(api: Api) -> None:
    answer = api.get("/billing/invoices?page=x", **prefer("code=503"))
    assert answer.status_code == 422


def test_a_merchant_gets_another_card(api: Api) -> None:
    answer = api.control("PUT", "/merchants/1/card", json={"card": "pm_card_chargeDeclinedExpiredCard"})
    assert answer.json() == {
        "merchant": 1,
        "card": "pm_card_chargeDeclinedExpiredCard",
        "was": "pm_card_visa",
        "outcome": "expired_card",
    }
    invoice = api.finalized()
    assert [api.collect(invoice["id"]).status_code for _ in range(2)] == [402, 402]
    api.control("PUT", "/merchants/1/card", json={"card": "pm_card_visa"})
    assert api.collect(invoice["id"]).status_code == 200


def test_a_card_that_does_not_exist_is_refused_with_those_that_do(api: Api) -> None:
    answer = api.control("PUT", "/merchants/1/card", json={"card": "pm_card_gold"})
    assert answer.status_code == 400
    assert all(card in answer.json()["errors"]["card"][0] for card in CARDS)


def test_a_merchant_that_does_not_exist_gets_no_card(api: Api) -> None:
    assert api.control("PUT", "/merchants/4711/card", json={"card": "pm_card_visa"}).status_code == 404


def test_the_next_collects_end_as_said_and_then_as_the_card_says(api: Api) -> None:
    api.control("POST", "/stripe/next", json={"outcome": "insufficient_funds", "count": 2})
    answer = api.control("POST", "/stripe/next", json={"outcome": "stripe_down"})
    assert answer.json() == {"outcomes": ["insufficient_funds", "insufficient_funds", "stripe_down"]}
    invoice = api.finalized()
    assert [api.collect(invoice["id"]).status_code for _ in range(4)] == [402, 402, 502, 200]
    assert api.control("GET", "/stripe/next").json() == {"outcomes": []}


def test_a_refused_collect_uses_no_next_outcome_up(api: Api) -> None:
    api.control("POST", "/stripe/next", json={"outcome": "lost_card"})
    assert api.collect(api.draft()["id"]).status_code == 422
    assert api.control("GET", "/stripe/next").json() == {"outcomes": ["lost_card"]}
    assert api.collect(api.finalized()["id"]).status_code == 402


def test_next_outcomes_are_taken_back(api: Api) -> None:
    api.control("POST", "/stripe/next", json={"outcome": "lost_card", "count": 5})
    assert api.control("DELETE", "/stripe/next").status_code == 200
    assert api.collect(api.finalized()["id"]).status_code == 200


@pytest.mark.parametrize(
    "body", [{"outcome": "nope"}, {"outcome": "late", "count": 0}, {"outcome": "late", "count": 1001}]
)
def test_next_outcomes_that_make_no_sense_are_refused(api: Api, body: dict[str, Any]) -> None:
    assert api.control("POST", "/stripe/next", json=body).status_code == 400
    assert api.control("GET", "/stripe/next").json() == {"outcomes": []}


def test_worlds_share_no_forced_outcomes(api: Api) -> None:
    api.control("POST", "/stripe/next", json={"outcome": "lost_card"})
    api.control("PUT", "/merchants/1/card", json={"card": "none"})
    other = Api(api.server, f"{api.world}-other", api.token, api.http)
    assert other.collect(other.finalized()["id"]).status_code == 200


def test_a_reset_takes_forced_outcomes_back(api: Api) -> None:
    api.control("POST", "/stripe/next", json={"outcome": "lost_card"})
    api.control("PUT", "/merchants/1/card", json={"card": "none"})
    api.control("POST", "/reset")
    assert api.collect(api.finalized()["id"]).status_code == 200


def test_everything_that_can_be_asked_for_is_listed(api: Api) -> None:
    known = api.control("GET", "/outcomes").json()
    assert [one["name"] for one in known["outcomes"]] == list(OUTCOMES)
    assert [one["name"] for one in known["cards"]] == list(CARDS)
    for one in known["outcomes"]:
        assert api.collect(api.finalized()["id"], **prefer(f"outcome={one['name']}, delay=0")).status_code != 400
    assert all(one["description"] for one in known["faults"] + known["ways"] + known["distributions"])
