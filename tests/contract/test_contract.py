"""What the spec says as the contract has it: its operations, its routes, and the requests that it accepts."""

from __future__ import annotations

import json

import pytest

from mockserver.contract.contract import Contract
from mockserver.contract.leniency import Leniency
from mockserver.core.errors import (
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
)
from mockserver.core.messages import Call
from tests.contract.asking import ADJUST, CREATE, FORM, JSON, LIST, accept, refusal

# What the spec says


def test_every_operation_of_the_spec_is_known_with_its_rules_and_provenance(contract: Contract) -> None:
    assert {(op.id, op.method, op.path) for op in contract.operations.values()} == {
        ("listInvoices", "GET", "/billing/invoices"),
        ("createInvoice", "POST", "/billing/invoices"),
        ("finalizeInvoice", "POST", "/billing/invoices/{invoice}/finalize"),
        ("collectInvoice", "POST", "/billing/invoices/{invoice}/collect"),
        ("listCharges", "GET", "/billing/charges"),
        ("getCharge", "GET", "/billing/charges/{charge}"),
        ("createQuickAdjustment", "POST", "/billing/charges/quick-adjustment"),
    }
    collect = contract.operations["collectInvoice"]
    assert collect.provenance == "documented"
    assert "COLLECT-4" in collect.rules
    assert collect.summary == "Collect payment for an invoice"


def test_every_rule_has_a_level_a_statement_and_a_source(contract: Contract) -> None:
    rule = contract.rules["CREATE-4"]
    assert (rule.id, rule.level) == ("CREATE-4", "derived")
    assert all(rule.statement and rule.source for rule in contract.rules.values())


def test_the_document_can_be_served_as_json(contract: Contract) -> None:
    assert json.loads(json.dumps(contract.document))["openapi"] == "3.1.0"


# Routes


def test_a_path_that_is_spelt_out_goes_before_a_template(contract: Contract) -> None:
    operation, params = contract.route("POST", "/billing/charges/quick-adjustment")
    assert (operation.id, params) == ("createQuickAdjustment", {})
    operation, params = contract.route("GET", "/billing/charges/7")
    assert (operation.id, params) == ("getCharge", {"charge": "7"})


def test_a_head_is_a_get(contract: Contract) -> None:
    assert contract.route("HEAD", "/billing/invoices")[0].id == "listInvoices"


@pytest.mark.parametrize(
    "path", ["/", "", "/nothing", "/billing/invoices/", "/billing/invoices//finalize", "/billing/invoices/1", "billing"]
)
def test_an_unknown_path_is_not_found(contract: Contract, path: str) -> None:
    with pytest.raises(NotFound):
        contract.route("GET", path)


def test_a_mistyped_path_is_answered_with_the_one_that_was_meant(contract: Contract) -> None:
    with pytest.raises(NotFound, match=r"did you mean /billing/invoices\?"):
        contract.route("GET", "/billing/invoice")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/billing/invoices", "GET, HEAD, POST"),
        ("GET", "/billing/invoices/1/collect", "POST"),
        ("GET", "/billing/charges/quick-adjustment", "POST"),
        ("NONSENSE", "/billing/charges/1", "GET, HEAD"),
    ],
)
def test_another_method_is_told_which_are_allowed(contract: Contract, method: str, path: str, allowed: str) -> None:
    with pytest.raises(MethodNotAllowed) as caught:
        contract.route(method, path)
    assert caught.value.headers == {"Allow": allowed}


# Accepted requests


def test_parameters_arrive_with_the_types_of_the_spec(contract: Contract) -> None:
    call = accept(contract, LIST + "?q=id%3A%221%22&page=2&per_page=15", merchant="3")
    assert call == Call(
        "listInvoices",
        path={},
        query={"q": 'id:"1"', "page": 2, "per_page": 15},
        headers={"x-selected-client-id": 3},
        body={},
    )
    assert call.merchant == 3
    assert accept(contract, "POST /billing/invoices/12/collect").path == {"invoice": 12}


def test_the_spec_s_defaults_are_filled_in(contract: Contract) -> None:
    assert accept(contract, LIST).query == {"page": 1, "per_page": 15}


def test_an_empty_search_is_no_search(contract: Contract) -> None:
    assert "q" not in accept(contract, LIST + "?q=").query


def test_an_absent_body_is_an_empty_one(contract: Contract) -> None:
    assert accept(contract, CREATE).body == {}
    assert accept(contract, CREATE, b"", JSON).body == {}
    assert accept(contract, CREATE, b"", "text/plain").body == {}


@pytest.mark.parametrize(
    "kind", [JSON, "application/json; charset=utf-8", "Application/JSON;Charset=UTF-8", ' application/json ; a="b"']
)
def test_json_is_known_in_every_spelling(contract: Contract, kind: str) -> None:
    assert accept(contract, CREATE, b'{"charge_ids": [1, 2]}', kind).body == {"charge_ids": [1, 2]}


@pytest.mark.parametrize(
    "body",
    [
        b"charge_ids[]=1&charge_ids[]=2",
        b"charge_ids%5B%5D=1&charge_ids%5b%5d=2",
        b"charge_ids[0]=1&charge_ids[1]=2",
        b"&charge_ids[]=1&&charge_ids[7]=2&",
    ],
)
def test_an_array_in_a_form_carries_brackets(contract: Contract, body: bytes) -> None:
    call = accept(contract, CREATE, body, FORM)
    assert call.body == {"charge_ids": [1, 2]}
    assert call.warnings == ()


def test_a_form_is_read_as_the_schema_says(contract: Contract) -> None:
    call = accept(contract, ADJUST, b"amount=1.50&description=caf%C3%A9+%2B+1", FORM, merchant="1")
    assert call.body == {"amount": 1.5, "description": "café + 1"}


def test_an_integer_may_be_written_as_a_float_in_json_and_arrives_as_one(contract: Contract) -> None:
    ids = accept(contract, CREATE, b'{"charge_ids": [1.0, 2e0]}', JSON).body["charge_ids"]
    assert ids == [1, 2]
    assert all(type(each) is int for each in ids)


def test_numeric_strings_count_as_integers_only_where_the_profile_says_so(contract: Contract) -> None:
    lenient = Leniency(numeric_strings=True)
    body = b'{"charge_ids": ["1", 2], "note": "3"}'
    assert accept(contract, CREATE, body, JSON, leniency=lenient).body == {"charge_ids": [1, 2], "note": "3"}
    assert refusal(contract, CREATE, body, JSON).errors == {
        "charge_ids.0": ['charge_ids.0 must be an integer, got "1"']
    }
    for odd in ("1_0", " 1", "+1", "1.0", "", "\uff11"):
        with pytest.raises(InvalidRequest):
            accept(contract, CREATE, json.dumps({"charge_ids": [odd]}).encode(), JSON, leniency=lenient)


# Warnings


def test_unknown_names_are_let_through_and_reported_with_what_was_probably_meant(contract: Contract) -> None:
    assert accept(contract, LIST + "?perpage=5&zzz=1").warnings == (
        'unknown query parameter "perpage": did you mean per_page?',
        'unknown query parameter "zzz", ignored',
    )
    assert accept(contract, CREATE, b'{"chargeIds": [1]}', JSON).warnings == (
        'unknown body property "chargeIds": did you mean charge_ids?',
    )
    assert accept(contract, CREATE, b"charge_id=1&colour=2", FORM).warnings == (
        'unknown body property "charge_id": did you mean charge_ids[]?',
        'unknown body property "colour", ignored',
    )


@pytest.mark.parametrize("body", [b'{"charge_ids": [1]}', b'\n{"a": "x=y&z"}', b"[1]"])
def test_json_that_was_sent_as_a_form_is_told_as_such(contract: Contract, body: bytes) -> None:
    call = accept(contract, CREATE, body, FORM)
    assert call.warnings == (
        "the body looks like JSON and was sent as a form, so that nothing in it counts: "
        "give Content-Type: application/json",
    )
    assert call.body == {}


def test_json_that_was_sent_as_a_form_is_told_in_the_refusal_too(contract: Contract) -> None:
    adjustment = "POST /billing/charges/quick-adjustment"
    refused = refusal(contract, adjustment, b'{"amount": 1, "description": "x"}', FORM, merchant="1")
    assert "give Content-Type: application/json" in refused.message


def test_a_token_given_as_a_parameter_is_no_stranger(contract: Contract) -> None:
    assert accept(contract, LIST + "?api_token=x").warnings == ()
    assert accept(contract, CREATE, b'{"api_token": "x"}', JSON).warnings == ()
    assert accept(contract, CREATE, b"api_token=x", FORM).warnings == ()
    assert accept(contract, "POST /billing/invoices/1/finalize", b"api_token=x", FORM).warnings == ()


def test_a_body_where_none_is_taken_is_ignored_and_reported(contract: Contract) -> None:
    target = "POST /billing/invoices/1/finalize"
    assert accept(contract, target, b"{}", JSON).warnings == ()
    for body, kind in [(b'{"force": true}', JSON), (b"{", JSON), (b"x", "text/plain"), (b"[]", JSON)]:
        call = accept(contract, target, body, kind)
        assert call.warnings == ("finalizeInvoice takes no body: the one that was sent is ignored",)
        assert call.body == {}


def test_warnings_fit_in_a_header_whatever_the_name(contract: Contract) -> None:
    many = "&".join(f"{name}=1" for name in ["%0D%0AX:%20y", "%F0%9F%98%80", "x" * 9000, *"abcdefgh"])
    warnings = accept(contract, f"{LIST}?{many}").warnings
    assert len(warnings) == 9
    assert all(text.isascii() and text.isprintable() and len(text) < 200 for text in warnings)
