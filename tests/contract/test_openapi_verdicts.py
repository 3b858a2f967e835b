"""Holds the verdicts of `openapi.yaml`: what is open is legal, what is known is required, requests decode alike."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

Json = dict[str, Any]
Change = Callable[[Json], object]

DOCUMENT: Json = yaml.safe_load((Path(__file__).parents[2] / "openapi.yaml").read_text("utf-8"))
OPERATIONS = {
    operation["operationId"]: (method, path)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}

# openapi-core warns of the very keyword that makes it let an empty `q` through.
pytestmark = pytest.mark.filterwarnings("ignore:Use of allowEmptyValue property is deprecated:DeprecationWarning")


@pytest.fixture(scope="module")
def spec() -> OpenAPI:
    return OpenAPI.from_dict(copy.deepcopy(DOCUMENT))


def example(name: str) -> Json:
    value: Json = copy.deepcopy(DOCUMENT["components"]["examples"][name]["value"])
    return value


def answer(spec: OpenAPI, operation: str, status: int, body: Any) -> None:
    """Let openapi-core judge an answer; raises OpenAPIError where it breaks the spec."""
    method, path = OPERATIONS[operation]
    request = MockRequest(
        "http://127.0.0.1:4010",
        method,
        "/api" + path.format(invoice=5, charge=23),
        path_pattern="/api" + path,
        view_args={name: "5" for name in ("invoice", "charge") if f"{{{name}}}" in path},
    )
    spec.validate_response(request, MockResponse(json.dumps(body).encode(), status_code=status))


LEGAL: list[tuple[str, int, str, Change]] = [
    ("createInvoice", 200, "DraftCreated", lambda body: None),
    ("createInvoice", 201, "DraftCreated", lambda body: None),
    ("createInvoice", 201, "DraftCreated", lambda body: body["invoice"].update(charger_id=1, chargee_id="2")),
    ("createInvoice", 201, "DraftCreated", lambda body: body["invoice"].update(created_at="2026-02-03T16:39:26Z")),
    ("createInvoice", 201, "DraftCreated", lambda body: body["invoice"].update(created_at="2026-02-03T16:39:26.5Z")),
    ("createInvoice", 201, "DraftCreated", lambda body: body["invoice"].update(total=0)),
    ("createInvoice", 201, "DraftCreated", lambda body: body["invoice"].update(voided_at=None, tags=[1])),
    ("createInvoice", 201, "DraftCreated", lambda body: body.update(request_id="a")),
    ("createInvoice", 422, "ChargeAlreadyInvoiced", lambda body: None),
    ("createInvoice", 409, "ChargeAlreadyInvoiced", lambda body: body.update(code=7)),
    ("finalizeInvoice", 200, "FinalizedQueued", lambda body: None),
    ("finalizeInvoice", 202, "FinalizedMessageOnly", lambda body: None),
    ("finalizeInvoice", 200, "FinalizedQueued", lambda body: body["invoice"].update(status="Awaiting payment")),
    ("finalizeInvoice", 200, "FinalizedQueued", lambda body: body["invoice"].update(stripe_invoice_status="draft")),
    ("finalizeInvoice", 403, "AlreadyFinalized", lambda body: None),
    ("collectInvoice", 200, "CollectedPaid", lambda body: None),
    ("collectInvoice", 202, "CollectedMessageOnly", lambda body: None),
    (
        "collectInvoice",
        200,
        "CollectedPaid",
        lambda body: body["invoice"].update(stripe_invoice_status="uncollectible"),
    ),
    ("collectInvoice", 402, "CardDeclined", lambda body: None),
    ("collectInvoice", 503, "StripeDown", lambda body: None),
    ("listInvoices", 401, "Unauthenticated", lambda body: None),
    ("listInvoices", 200, "InvoicePageWithLinks", lambda body: body.update({"from": 0, "to": 1})),
    ("listInvoices", 200, "InvoicePageEmpty", lambda body: body.update({"from": 0, "to": 0, "current_page": 9})),
    ("listInvoices", 200, "InvoicePageEmpty", lambda body: body.update({"from": 16, "to": 15, "total": 15})),
    ("listInvoices", 200, "InvoicePageWithoutLinks", lambda body: body.update(per_page=5000)),
    ("listInvoices", 200, "InvoicePageWithLinks", lambda body: body["links"][0].update(page=None)),
    ("listInvoices", 400, "UnreadableSearch", lambda body: body.pop("errors")),
    ("listCharges", 200, "ChargePageWithLinks", lambda body: body["data"][0].update(is_void=None)),
    ("listCharges", 200, "ChargePageWithLinks", lambda body: body["data"][0].update(created_at="2022-12-21 11:00:16")),
    ("getCharge", 200, "ChargeOpen", lambda body: body.update(charge_items=[{"id": 1, "quantity": 2}])),
    ("createQuickAdjustment", 200, "AdjustmentCreated", lambda body: None),
    ("createQuickAdjustment", 201, "AdjustmentCreated", lambda body: None),
]

BROKEN: list[tuple[str, int, str, Change]] = [
    ("createInvoice", 204, "DraftCreated", lambda body: None),
    ("createInvoice", 500, "StripeDown", lambda body: None),
    ("createInvoice", 201, "DraftCreated", lambda body: body.pop("message")),
    ("createInvoice", 201, "DraftCreated", lambda body: body.pop("invoice")),
    ("createInvoice", 201, "DraftCreated", lambda body: body["invoice"].update(id="5")),
    ("createInvoice", 201, "DraftCreated", lambda body: body["invoice"].update(total="293.80")),
    ("createInvoice", 201, "DraftCreated", lambda body: body["invoice"].update(currency="usd")),
    ("createInvoice", 201, "DraftCreated", lambda body: body["invoice"].update(created_at="yesterday")),
    ("createInvoice", 201, "DraftCreated", lambda body: body["invoice"].update(chargee_id=None)),
    ("createInvoice", 422, "ChargeAlreadyInvoiced", lambda body: body.pop("message")),
    ("createInvoice", 422, "ChargeAlreadyInvoiced", lambda body: body.update(errors={"charge_ids": "wrong"})),
    ("finalizeInvoice", 200, "FinalizedQueued", lambda body: body["invoice"].update(stripe_invoice_status="sent")),
    ("finalizeInvoice", 201, "FinalizedQueued", lambda body: None),
    ("collectInvoice", 200, "CollectedPaid", lambda body: body.update(invoice=None)),
    ("collectInvoice", 200, "CollectedPaid", lambda body: body["invoice"].update(stripe_invoice_id=7)),
    ("listInvoices", 201, "InvoicePageWithLinks", lambda body: None),
    ("listInvoices", 200, "InvoicePageWithLinks", lambda body: body.update(last_page=0)),
    ("listInvoices", 200, "InvoicePageWithLinks", lambda body: body.update(current_page=None)),
    ("listInvoices", 200, "InvoicePageWithLinks", lambda body: body.update({"from": "1"})),
    ("listCharges", 200, "ChargePageWithLinks", lambda body: body["data"][0].update(amount="12.50")),
    ("getCharge", 200, "ChargeOpen", lambda body: body.pop("charge_items")),
]


@pytest.mark.parametrize(("operation", "status", "name", "change"), LEGAL)
def test_a_legal_answer_validates(spec: OpenAPI, operation: str, status: int, name: str, change: Change) -> None:
    body = example(name)
    change(body)
    answer(spec, operation, status, body)


@pytest.mark.parametrize(("operation", "status", "name", "change"), BROKEN)
def test_a_broken_answer_does_not_validate(
    spec: OpenAPI, operation: str, status: int, name: str, change: Change
) -> None:
    body = example(name)
    change(body)
    with pytest.raises(OpenAPIError):
        answer(spec, operation, status, body)


@pytest.mark.parametrize(
    ("operation", "status", "name", "holder"),
    [
        ("createInvoice", 201, "DraftCreated", lambda body: body["invoice"]),
        ("listInvoices", 200, "InvoicePageWithoutLinks", lambda body: body["data"][0]),
        ("listInvoices", 200, "InvoicePageWithoutLinks", lambda body: body),
        ("getCharge", 200, "ChargeOpen", lambda body: body["charge"]),
        ("createQuickAdjustment", 200, "AdjustmentCreated", lambda body: body["charge"]),
    ],
)
def test_no_known_property_may_be_missing(
    spec: OpenAPI, operation: str, status: int, name: str, holder: Callable[[Json], Json]
) -> None:
    for missing in holder(example(name)):
        body = example(name)
        del holder(body)[missing]
        with pytest.raises(OpenAPIError):
            answer(spec, operation, status, body)


def ask(spec: OpenAPI, operation: str, **request: Any) -> Any:
    """Let openapi-core judge and decode a request; raises OpenAPIError where it breaks the spec."""
    method, path = OPERATIONS[operation]
    request.setdefault("headers", {"Authorization": "Bearer provider"})
    mock = MockRequest("http://127.0.0.1:4010", method, "/api" + path.format(invoice=5, charge=23), **request)
    result = spec.unmarshal_request(mock)
    result.raise_for_errors()
    return result


def test_the_paging_defaults_are_the_documented_ones(spec: OpenAPI) -> None:
    assert ask(spec, "listInvoices").parameters.query == {"page": 1, "per_page": 15}


def test_no_page_figure_is_out_of_range_by_form(spec: OpenAPI) -> None:
    asked = {"page": "-3", "per_page": "1000000"}
    assert ask(spec, "listInvoices", args=asked).parameters.query == {"page": -3, "per_page": 1_000_000}


def test_a_page_that_is_no_integer_is_refused(spec: OpenAPI) -> None:
    with pytest.raises(OpenAPIError):
        ask(spec, "listInvoices", args={"page": "two"})


@pytest.mark.parametrize("search", ["", 'created_at$DATE>="2026-01-15"', "any text at all"])
def test_every_search_text_passes_by_form(spec: OpenAPI, search: str) -> None:
    assert ask(spec, "listInvoices", args={"q": search}).parameters.query["q"] == search


@pytest.mark.parametrize("operation", OPERATIONS)
def test_both_ways_of_giving_the_token_pass_and_neither_does_not(spec: OpenAPI, operation: str) -> None:
    merchant = {"X-Selected-Client-Id": "1"}
    body = {"data": b'{"amount": 1, "description": "x"}', "content_type": "application/json"}
    ask(spec, operation, headers={"Authorization": "Bearer provider", **merchant}, **body)
    ask(spec, operation, headers=merchant, args={"api_token": "provider"}, **body)
    with pytest.raises(OpenAPIError):
        ask(spec, operation, headers=merchant, **body)


def test_the_merchant_header_is_an_integer_required_for_a_quick_adjustment_alone(spec: OpenAPI) -> None:
    body = {"data": b'{"amount": 1, "description": "x"}', "content_type": "application/json"}
    with pytest.raises(OpenAPIError):
        ask(spec, "createQuickAdjustment", **body)
    headers = {"Authorization": "Bearer provider", "X-Selected-Client-Id": "1"}
    assert ask(spec, "listInvoices", headers=headers).parameters.header == {"X-Selected-Client-Id": 1}
    with pytest.raises(OpenAPIError):
        ask(spec, "listInvoices", headers=headers | {"X-Selected-Client-Id": "one"})


@pytest.mark.parametrize("charge_ids", [[], [22], [22, 22], [22, -1, 10**30]])
def test_charge_ids_decode_alike_from_json_and_from_a_form(spec: OpenAPI, charge_ids: list[int]) -> None:
    as_json = ask(
        spec,
        "createInvoice",
        data=json.dumps({"charge_ids": charge_ids}).encode(),
        content_type="application/json",
    )
    as_form = ask(
        spec,
        "createInvoice",
        data="&".join(f"charge_ids%5B%5D={charge}" for charge in charge_ids).encode(),
        content_type="application/x-www-form-urlencoded",
    )
    assert as_json.body["charge_ids"] == charge_ids
    assert (as_form.body or {}).get("charge_ids[]", []) == charge_ids


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_an_invoice_can_be_asked_for_without_a_body(spec: OpenAPI, kind: str) -> None:
    assert ask(spec, "createInvoice").body is None
    assert not ask(spec, "createInvoice", data=b"", content_type=kind).body


@pytest.mark.parametrize(
    "body", [b'{"charge_ids": "22"}', b'{"charge_ids": [1.5]}', b'{"charge_ids": [null]}', b"[22]", b"{"]
)
def test_a_body_of_another_form_is_refused(spec: OpenAPI, body: bytes) -> None:
    with pytest.raises(OpenAPIError):
        ask(spec, "createInvoice", data=body, content_type="application/json")


@pytest.mark.parametrize(
    "body", [b"{}", b'{"amount": 1}', b'{"description": "x"}', b'{"amount": "1", "description": "x"}']
)
def test_an_adjustment_needs_an_amount_and_a_description(spec: OpenAPI, body: bytes) -> None:
    headers = {"Authorization": "Bearer provider", "X-Selected-Client-Id": "1"}
    with pytest.raises(OpenAPIError):
        ask(spec, "createQuickAdjustment", headers=headers, data=body, content_type="application/json")


def test_an_adjustment_decodes_alike_from_json_and_from_a_form(spec: OpenAPI) -> None:
    headers = {"Authorization": "Bearer provider", "X-Selected-Client-Id": "1"}
    forms = {
        "application/json": b'{"amount": 12.5, "description": "Relabelling"}',
        "application/x-www-form-urlencoded": b"amount=12.5&description=Relabelling",
    }
    decoded = [
        ask(spec, "createQuickAdjustment", headers=headers, data=data, content_type=kind).body
        for kind, data in forms.items()
    ]
    assert decoded == [{"amount": 12.5, "description": "Relabelling"}] * 2
