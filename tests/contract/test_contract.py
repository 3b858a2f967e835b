from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract import contract as contract_module
from mockserver.contract.compiled import AnswerPlan, RequestPlan
from mockserver.contract.contract import Contract
from mockserver.contract.leniency import STRICT, Leniency
from mockserver.contract.reference import ReferenceValidator
from mockserver.core import resources
from mockserver.core.errors import (
    ContractBroken,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    Refused,
    UnsupportedMediaType,
    Unusable,
)
from mockserver.core.messages import Call, Request

SPEC = resources.openapi_path().read_text(encoding="utf-8")
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
INVOICE: dict[str, Any] = {
    "id": 1,
    "charger_id": "1",
    "charger_type": "company",
    "chargee_id": 2,
    "chargee_type": "merchant",
    "created_at": "2026-02-03T10:00:16.000000Z",
    "currency": "USD",
    "status": "Draft",
    "stripe_invoice_status": None,
    "stripe_invoice_id": None,
    "description": None,
    "total": 12.5,
}


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract.load(resources.openapi_path())


def accept(
    contract: Contract,
    target: str,
    body: bytes = b"",
    kind: str | None = None,
    *,
    merchant: str | None = None,
    leniency: Leniency = STRICT,
) -> Call:
    """`accept(contract, "GET /billing/invoices?page=1")`."""
    method, _, url = target.partition(" ")
    path, _, query = url.partition("?")
    given = {} if merchant is None else {"x-selected-client-id": merchant}
    if kind is not None:
        given["content-type"] = kind
    operation, params = contract.route(method, path)
    return contract.accept(operation, params, Request(method, path, query, given, body), leniency=leniency)


def refusal(
    contract: Contract, target: str, body: bytes = b"", kind: str | None = None, *, merchant: str | None = None
) -> Refused:
    with pytest.raises(Refused) as caught:
        accept(contract, target, body, kind, merchant=merchant)
    return caught.value


LIST, CREATE, ADJUST = "GET /billing/invoices", "POST /billing/invoices", "POST /billing/charges/quick-adjustment"


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


# Refused requests: parameters


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("page=x", "page", 'page must be an integer, got "x"'),
        ("page=", "page", 'page must be an integer, got ""'),
        ("page=1.0", "page", 'page must be an integer, got "1.0"'),
        ("page=1_000", "page", 'page must be an integer, got "1_000"'),
        ("page=+1", "page", 'page must be an integer, got " 1"'),
        ("page=01", "page", 'page must be an integer, got "01"'),
        ("page=%EF%BC%91", "page", 'page must be an integer, got "\\uff11"'),
        (
            "page=9223372036854775808",
            "page",
            'page must be an integer from -9223372036854775807 to 9223372036854775807, got "9223372036854775808"',
        ),
        ("page=1&page=1", "page", "page is given more than once in the query"),
        ("page=%zz", "query", 'the query has "%zz", which is no percent-encoding; a literal % is written %25'),
        ("page=%", "query", 'the query has "%", which is no percent-encoding; a literal % is written %25'),
        ("q=%ff", "query", 'the query is not UTF-8, got "\\u00ff"'),
        ("q=\xff", "query", 'the query is not UTF-8, got "\\u00ff"'),
        ("q=\u20ac", "query", 'the query must be percent-encoded, got "\\u20ac"'),
        ("q=%ED%A0%80", "query", 'the query is not UTF-8, got "\\u00ed\\u00a0\\u0080"'),
        ("q=a%00b", "query", 'the query must not contain a NUL character, got "a\\u0000b"'),
        ("%00=1", "query", 'the query must not contain a NUL character, got "\\u0000"'),
    ],
)
def test_a_bad_query_is_refused_exactly(contract: Contract, query: str, field: str, message: str) -> None:
    refused = refusal(contract, f"{LIST}?{query}")
    assert isinstance(refused, InvalidRequest)
    assert refused.errors == {field: [message]}
    assert refused.message == message
    assert refused.because == "GEN-5"


def test_a_number_beyond_python_s_own_limit_is_refused(contract: Contract) -> None:
    assert refusal(contract, f"{LIST}?page={'9' * 5000}").errors
    assert refusal(contract, CREATE, b'{"charge_ids": [' + b"9" * 5000 + b"]}", JSON).errors == {
        "body": ["the body has a number beyond 9223372036854775807"]
    }


@pytest.mark.parametrize("segment", ["abc", "1.0", "-", "\uff11".encode().decode("latin-1"), "9" * 30, "0x1"])
def test_a_path_parameter_of_another_type_is_refused(contract: Contract, segment: str) -> None:
    refused = refusal(contract, f"POST /billing/invoices/{segment}/finalize")
    assert refused.message.startswith("invoice must be an integer")


def test_a_path_that_is_no_utf_8_is_refused(contract: Contract) -> None:
    assert refusal(contract, "GET /billing/charges/\xff").message == 'the charge is not UTF-8, got "\\u00ff"'
    assert "NUL" in refusal(contract, "GET /billing/charges/1\0").message


def test_a_header_of_another_type_is_refused_under_its_own_name(contract: Contract) -> None:
    assert refusal(contract, LIST, merchant="abc").errors == {
        "X-Selected-Client-Id": ['X-Selected-Client-Id must be an integer, got "abc"']
    }


def test_every_mistake_is_told_at_once(contract: Contract) -> None:
    refused = refusal(contract, ADJUST, b'{"amount": "12", "description": null}', JSON)
    assert refused.errors == {
        "X-Selected-Client-Id": ["X-Selected-Client-Id is required"],
        "amount": ['amount must be a number, got "12"'],
        "description": ["description must be a string, got null"],
    }
    assert refused.message == "X-Selected-Client-Id is required (and 2 more errors)"


def test_a_refusal_tells_of_the_misspelling_that_it_may_come_from(contract: Contract) -> None:
    refused = refusal(contract, ADJUST, b'{"ammount": 1, "description": ""}', JSON, merchant="1")
    assert refused.errors == {"amount": ["amount is required"]}
    assert refused.message == 'amount is required; unknown body property "ammount": did you mean amount?'


# Refused requests: bodies


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        (b'{"charge_ids": [1, 2, "x"]}', "charge_ids.2", 'charge_ids.2 must be an integer, got "x"'),
        (b'{"charge_ids": [true]}', "charge_ids.0", "charge_ids.0 must be an integer, got true"),
        (b'{"charge_ids": [1.5]}', "charge_ids.0", "charge_ids.0 must be an integer, got 1.5"),
        (b'{"charge_ids": "1"}', "charge_ids", 'charge_ids must be an array, got "1"'),
        (b'{"charge_ids": null}', "charge_ids", "charge_ids must be an array, got null"),
        (b'{"charge_ids": {"0": 1}}', "charge_ids", 'charge_ids must be an array, got {"0": 1}'),
        (b"[1]", "body", "the body must be an object, got [1]"),
        (b"null", "body", "the body must be an object, got null"),
        (b'{"charge_ids": [1 2]}', "body", "the body is not valid JSON: expecting ',' delimiter at line 1 column 19"),
        (b'{"charge_ids":\n [1', "body", "the body is not valid JSON: expecting ',' delimiter at line 2 column 4"),
        (b" ", "body", "the body is not valid JSON: expecting value at line 1 column 2"),
        (b"{} x", "body", "the body is not valid JSON: extra data at line 1 column 4"),
        (b'{"a": NaN}', "body", "the body is not valid JSON: it has no NaN"),
        (b'{"a": -Infinity}', "body", "the body is not valid JSON: it has no -Infinity"),
        (b'{"a": 1e999}', "body", "the body has the number 1e999, which is too large"),
        (
            b'{"a": [-9223372036854775808]}',
            "a.0",
            "a.0 must be between -9223372036854775807 and 9223372036854775807, got -9223372036854775808",
        ),
        (b'{"a": 1, "a": 1}', "body", 'the body gives the key "a" more than once in one object'),
        (b'{"a": {"b": "\\u0000"}}', "a.b", 'a.b must not contain a NUL character, got "\\u0000"'),
        (b'{"\\u0000": 1}', "body", 'a key in body must not contain a NUL character, got "\\u0000"'),
        (b'{"a": "\\ud800"}', "a", 'a must not contain half of a surrogate pair, got "\\ud800"'),
        (b'{"a": "\x00"}', "body", "the body is not valid JSON: invalid control character at at line 1 column 8"),
        (b'{"a": "\xff"}', "body", "the body is not UTF-8: byte 0xff at position 7"),
        (b"\xef\xbb\xbf{}", "body", "the body is not valid JSON: it begins with a byte order mark at line 1 column 1"),
        ("{}".encode("utf-16"), "body", "the body is not UTF-8: byte 0xff at position 0"),
        (b"[" * 65 + b"]" * 65, "body", "the body nests deeper than 64 levels"),
        (b"[" * 100_000, "body", "the body nests deeper than 64 levels"),
        (b'{"a":' * 100_000, "body", "the body nests deeper than 64 levels"),
    ],
)
def test_a_bad_json_body_is_refused_exactly(contract: Contract, body: bytes, field: str, message: str) -> None:
    refused = refusal(contract, CREATE, body, JSON)
    assert isinstance(refused, InvalidRequest)
    assert refused.errors == {field: [message]}
    assert refused.message == message


@pytest.mark.parametrize("body", [b'{"a": NaN}', b'{"a": 1, "a": 1}', b'{"a": "\\ud800"}', b"[1,]", b"\xff"])
def test_json_that_can_not_be_read_is_refused_by_openapi_core_too(contract: Contract, body: bytes) -> None:
    validator = ReferenceValidator(contract.root)
    objections = validator.request(
        "POST", "/billing/invoices", path={}, query=[], headers={}, content_type=JSON, body=body
    )
    assert objections == ["RequestBodyValidationError: MediaTypeDeserializeError"]


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        (b"charge_ids[]=1&charge_ids[]=x", "charge_ids.1", 'charge_ids.1 must be an integer, got "x"'),
        (b"charge_ids[]=", "charge_ids.0", 'charge_ids.0 must be an integer, got ""'),
        (b"charge_ids=1", "charge_ids", 'charge_ids must be an array, got "1": write charge_ids[]=1'),
        (b"charge_ids[a]=1", "charge_ids", '"charge_ids[a]" is no item of charge_ids: write charge_ids[]'),
        (b"charge_ids[0][1]=1", "charge_ids", '"charge_ids[0][1]" is no item of charge_ids: write charge_ids[]'),
        (b"a=%g1", "body", 'the body has "%g1", which is no percent-encoding; a literal % is written %25'),
        (b"a=\xff", "body", 'the body is not UTF-8, got "\\u00ff"'),
    ],
)
def test_a_bad_form_is_refused_exactly(contract: Contract, body: bytes, field: str, message: str) -> None:
    assert refusal(contract, CREATE, body, FORM).errors == {field: [message]}


def test_a_required_body_that_is_not_there_is_refused(contract: Contract) -> None:
    refused = refusal(contract, ADJUST, merchant="1")
    assert refused.errors == {"body": [f"a body is required, as {JSON} or {FORM}"]}


@pytest.mark.parametrize("kind", [None, "", "text/plain", "application/jsonx", "multipart/form-data; boundary=x", ";"])
def test_a_body_that_is_neither_json_nor_a_form_is_unsupported(contract: Contract, kind: str | None) -> None:
    refused = refusal(contract, CREATE, b"{}", kind)
    assert isinstance(refused, UnsupportedMediaType)
    assert refused.message.startswith(f"the Content-Type of a body must be {JSON} or {FORM}; ")
    assert refused.because == "GEN-2"


def test_a_charset_other_than_utf_8_is_unsupported(contract: Contract) -> None:
    refused = refusal(contract, CREATE, b"{}", "application/json; charset=latin-1")
    assert refused.message == 'the charset of a body must be utf-8, got "latin-1"'


def test_a_refusal_stays_short_whatever_the_body(contract: Contract) -> None:
    refused = refusal(contract, CREATE, json.dumps({"charge_ids": ["x" * 100] * 300}).encode(), JSON)
    assert refused.errors is not None
    assert len(refused.errors) == 20
    assert len(json.dumps(refused.errors)) < 5000


def test_openapi_core_is_spared_large_bodies(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ReferenceValidator, "request", lambda *args, **kwargs: pytest.fail("was asked"))
    body = json.dumps({"charge_ids": ["x"] * 200_000}).encode()
    assert refusal(contract, CREATE, body, JSON).errors == {
        "charge_ids.0": ['charge_ids.0 must be an integer, got "x"']
    }


# Replies


def test_a_reply_as_the_spec_has_it_passes(contract: Contract) -> None:
    create, list_ = contract.operations["createInvoice"], contract.operations["listInvoices"]
    contract.check(create, 201, {"message": "Made.", "invoice": {**INVOICE, "more": 1}})
    contract.check(list_, 422, {"message": "No.", "errors": {"page": ["page must be an integer"]}})
    contract.check(list_, 401, {"message": "No."}, {"content-type": "application/json; charset=utf-8"})


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (200, {"message": "x", "invoice": {**INVOICE, "total": "12.5"}}, 'invoice.total must be a number, got "12.5"'),
        (200, {"message": "x", "invoice": {**INVOICE, "total": date(2026, 1, 31)}}, "the body is no JSON value"),
        (200, {"message": "x", "invoice": {**INVOICE, "total": float("nan")}}, "invoice.total must be a number"),
        (200, {"message": "x", "invoice": {**INVOICE, "id": None}}, "invoice.id must be an integer, got null"),
        (200, {"message": "x"}, "invoice is required"),
        (200, None, "status 200 must have a body, as application/json"),
        (200, [], "the body must be an object, got []"),
        (404, {}, "message is required"),
        (302, {"message": "x"}, "status 302 is not documented; documented are 200, 201, 401, 4XX"),
        (500, {"message": "x"}, "status 500 is not documented; documented are 200, 201, 401, 4XX"),
        (
            200,
            {"message": "x", "invoice": {**INVOICE, "stripe_invoice_status": "new"}},
            'invoice.stripe_invoice_status must be "draft", "open", "paid", "void", "uncollectible" or null, got "new"',
        ),
        (
            200,
            {"message": "x", "invoice": {**INVOICE, "created_at": "2026-02-30T00:00:00Z"}},
            "invoice.created_at must be a date and time such as 2026-01-31T09:30:00Z, got",
        ),
    ],
)
def test_a_reply_that_breaks_the_spec_is_told_exactly(contract: Contract, status: int, body: Any, problem: str) -> None:
    with pytest.raises(ContractBroken) as caught:
        contract.check(contract.operations["createInvoice"], status, body)
    assert caught.value.operation == "createInvoice"
    assert caught.value.problems[0].startswith(problem)


def test_a_reply_of_another_media_type_breaks_the_spec(contract: Contract) -> None:
    with pytest.raises(ContractBroken, match="the Content-Type must be application/json"):
        contract.check(contract.operations["createInvoice"], 404, {"message": "x"}, {"Content-Type": "text/html"})


def test_a_large_reply_that_breaks_the_spec_is_caught_without_openapi_core(
    contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReferenceValidator, "response", lambda *args, **kwargs: pytest.fail("was asked"))
    with pytest.raises(ContractBroken, match="message is required"):
        contract.check(contract.operations["createInvoice"], 404, {"errors": {"a": ["x" * 40_000]}})


# openapi-core prevails


def test_where_openapi_core_allows_what_the_compiled_validators_refuse_the_request_is_accepted_and_logged(
    contract: Contract, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(RequestPlan, "fits", lambda *args: False)
    with caplog.at_level(logging.ERROR):
        assert accept(contract, LIST + "?page=2").query["page"] == 2
    assert "only the compiled validators refuse this request" in caplog.text


def test_where_openapi_core_allows_what_the_compiled_validators_refuse_the_reply_is_sent_and_logged(
    contract: Contract, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(AnswerPlan, "fits", lambda *args: False)
    with caplog.at_level(logging.ERROR):
        contract.check(contract.operations["listInvoices"], 404, {"message": "x"})
    assert "only the compiled validators refuse this reply" in caplog.text


def test_openapi_core_is_imported_only_when_it_is_needed() -> None:
    code = (
        "import sys; from mockserver.contract.contract import Contract; from mockserver.core import resources;"
        "made = Contract.load(resources.openapi_path()); assert 'openapi_core' not in sys.modules;"
        "made.warm(); assert 'openapi_core' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(contract_module.__file__).parents[2])


def test_many_threads_may_refuse_at_once() -> None:
    contract = Contract.load(resources.openapi_path())
    messages: list[str] = []

    def refuse() -> None:
        messages.append(refusal(contract, LIST + "?page=x").message)

    threads = [threading.Thread(target=refuse) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert messages == ['page must be an integer, got "x"'] * 8


# Specs that can't be used


def test_the_spec_is_valid_openapi() -> None:
    assert Contract.load(resources.openapi_path(), validate=True).operations


def line_of(text: str) -> int:
    return SPEC[: SPEC.index(text)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("paths:\n", "paths: [\n", "not valid YAML"),
        ("openapi: 3.1.0", "openapi: 3.0.3", "this is not OpenAPI 3.1: openapi is '3.0.3'"),
        ("parameters/Page'", "parameters/Pag'", "the reference '#/components/parameters/Pag' leads nowhere"),
        ("      operationId: listInvoices\n", "", "operationId is missing"),
        ("operationId: createInvoice", "operationId: listInvoices", "'listInvoices' is the id of two operations"),
        ("      summary: List invoices\n", "      summary: a\n      summary: b\n", 'the key "summary" is given twice'),
        ("type: integer", "type: intger", '"intger" is not valid'),
        ("x-rules: [GEN-1,", "x-rules: [GEN-99,", "there is no rule 'GEN-99'"),
        ("level: observed\n", "level: seen\n", "the level must be documented, observed, derived, open, got 'seen'"),
        ("in: query\n      required", "in: cookie\n      required", "a parameter in 'cookie' is not supported"),
        (
            "application/json:\n            schema:",
            "text/csv:\n            schema:",
            "request bodies are application/json",
        ),
        (
            "/{invoice}/finalize",
            "/{number}/finalize",
            "its path parameters are not those of /billing/invoices/{number}",
        ),
        ("{invoice}/finalize", "i{invoice}/finalize", "a path parameter must fill the whole of a segment"),
    ],
)
def test_a_spec_that_can_not_be_used_is_refused_with_file_and_line(old: str, new: str, problem: str) -> None:
    with pytest.raises(Unusable) as caught:
        Contract.parse(SPEC.replace(old, new, 1), path=Path("mine.yaml"))
    assert problem in caught.value.problems[0]
    place = caught.value.problems[0].split(": ")[0]
    assert place.startswith("mine.yaml:")
    assert place.removeprefix("mine.yaml:").isdecimal()


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("\ninfo:", "\nxinfo:", '"info" is a required property'),
        ("      responses:", "      replies:", "'replies' was unexpected"),
        ("    PartyId:\n", "    PartyId:\n      $ref: '#/components/schemas/PartyId'\n", "leads back to itself"),
        ("examples/InvoicePageEmpty'", "examples/Gone'", "the reference '#/components/examples/Gone' leads nowhere"),
    ],
)
def test_a_full_check_finds_what_openapi_forbids(old: str, new: str, problem: str) -> None:
    with pytest.raises(Unusable) as caught:
        Contract.parse(SPEC.replace(old, new, 1), path=Path("mine.yaml"), validate=True)
    assert problem in "\n".join(caught.value.problems)
    assert all(each.startswith("mine.yaml:") and len(each) < 400 for each in caught.value.problems)


def test_the_line_of_a_mistake_is_the_right_one() -> None:
    with pytest.raises(Unusable) as caught:
        Contract.parse(SPEC.replace("x-rules: [GEN-1, GEN-2", "x-rules: [GEN-98"), path=Path("mine.yaml"))
    assert caught.value.problems[0].startswith(f"mine.yaml:{line_of('x-rules: [GEN-1, GEN-2')}: ")


@pytest.mark.parametrize(
    "text", ["", "[1]", "x", "1: [", "openapi: 3.1.0\npaths: 5\n", "openapi: 3.1.0\nx-rules: [1]\n"]
)
def test_what_is_no_spec_at_all_is_refused(text: str) -> None:
    with pytest.raises(Unusable):
        Contract.parse(text, path=Path("mine.yaml"))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="no such file"):
        Contract.load(tmp_path / "none.yaml")
