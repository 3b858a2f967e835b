"""Requests that are refused, each with the field and the words that help."""

from __future__ import annotations

import json

import pytest

from mockserver.contract.contract import Contract
from mockserver.contract.reference import ReferenceValidator
from mockserver.core.errors import (
    InvalidRequest,
    UnsupportedMediaType,
)
from tests.contract.asking import ADJUST, CREATE, FORM, JSON, LIST, refusal

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
