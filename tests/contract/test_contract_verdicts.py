"""The compiled validators and openapi-core give the same verdict on every exchange, good and bad."""

from __future__ import annotations

import copy
import json
import logging
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from mockserver.contract.contract import Contract, Operation
from mockserver.contract.decoding import FORM, JSON
from mockserver.core import resources
from mockserver.core.errors import ContractBroken, InvalidRequest, Refused
from mockserver.core.frozen import Frozen
from mockserver.core.messages import Request
from tests.properties import examples

BILLING = Contract.load(resources.openapi_path())

# What the billing API does not use, but another document may: the contract is not made for one spec.
OTHER = Contract.parse(
    """
openapi: 3.1.0
info: {title: Things, version: '1'}
components:
  securitySchemes: {key: {type: apiKey, in: query, name: key}}
  schemas:
    Colour: {enum: [red, green, 3, null]}
    Tree:
      type: object
      required: [name]
      properties:
        name: {type: string, minLength: 1, maxLength: 3}
        size: {type: [integer, 'null'], minimum: 0}
        born: {type: string, format: date}
        children: {type: array, maxItems: 2, items: {$ref: '#/components/schemas/Tree'}}
paths:
  /things/{kind}/{size}:
    parameters:
      - {name: kind, in: path, required: true, schema: {type: string, pattern: '^[a-z]+$'}}
      - {name: size, in: path, required: true, schema: {type: number, exclusiveMaximum: 10}}
    put:
      operationId: putThing
      parameters:
        - {name: ids, in: query, schema: {type: array, maxItems: 3, items: {type: integer}}}
        - {name: tags, in: query, explode: false, schema: {type: array, uniqueItems: true, items: {type: string}}}
        - {name: deep, in: query, required: true, schema: {type: boolean}}
        - {name: either, in: query, deprecated: true, schema: {anyOf: [{type: integer}, {type: boolean}]}}
        - {name: text, in: query, allowEmptyValue: true, schema: {type: [string, integer], maxLength: 4}}
        - {name: colour, in: query, schema: {$ref: '#/components/schemas/Colour'}}
        - {name: X-Party, in: header, schema: {type: [string, integer]}}
        - {name: X-Sizes, in: header, schema: {type: array, items: {type: integer}}}
      requestBody:
        content:
          application/json:
            schema:
              oneOf:
                - {$ref: '#/components/schemas/Tree'}
                - {type: array, items: {$ref: '#/components/schemas/Colour'}}
            examples:
              tree: {value: {name: oak, size: 3, children: [{name: a, born: '2020-02-29'}]}}
              colours: {value: [red, 3, null]}
          application/x-www-form-urlencoded:
            schema:
              type: object
              required: [count]
              additionalProperties: false
              properties:
                count: {type: integer, minimum: 1}
                ratio: {type: number}
                flag: {type: boolean}
                ids: {type: array, items: {type: integer}}
                names[]: {type: array, minItems: 2, items: {type: string}}
            examples:
              all: {value: {count: 1, ratio: 1.5, flag: true, ids: [1, 2], 'names[]': [a, b]}}
      responses:
        '200':
          description: A tree.
          headers:
            X-Count: {required: true, schema: {type: integer}}
            X-Note: {schema: {type: string, maxLength: 3}}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Tree'}
              example: {name: oak, size: 3, born: '2020-01-31', children: [{name: a}, {name: b, size: null}]}
        '204': {description: Nothing.}
        4XX:
          description: Refused.
          content:
            application/json:
              schema: {type: object, required: [message], properties: {message: {type: string}}}
              example: {message: nothing}
        default:
          description: Else.
          content: {application/json: {}, text/plain: {schema: {type: string}}}
""",
    path=Path("other.yaml"),
    validate=True,
)
OPERATIONS = [
    pytest.param(contract, operation, id=operation.id)
    for contract in (BILLING, OTHER)
    for operation in contract.operations.values()
]
JUDGED = examples(150)

ODD = [
    *["0", "1", "15", "-1", "-0", "01", "+1", " 1", "1 ", "1_000", "\uff11", "\u0663", "1.0", "1.5", "1e3", "1e400"],
    *["NaN", "inf", "true", "True", "yes", "null", "", ",", "1,2", "1,x", "x", "red", "9" * 18, "9" * 19, "9" * 25],
    *[str(2**63 - 1), str(2**63), "-" + "9" * 19, "USD", "USD\n", "é", "a\n", "\ufeff1", "[]", "{}", '"1"'],
]
odd_texts = st.sampled_from(ODD)
header_texts = st.sampled_from([text for text in ODD if text.isascii() and text.isprintable()])
texts = odd_texts | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)
numbers = st.integers(-3, 40) | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.just(1.0)
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)


def resolved(contract: Contract, node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        target: Any = contract.document
        for step in node["$ref"][2:].split("/"):
            target = target[step.replace("~1", "/")]
        node = target
    return node


def parameters_of(contract: Contract, operation: Operation, where: str) -> list[str]:
    item = contract.document["paths"][operation.path]
    declared = [*item.get("parameters", []), *item[operation.method.lower()].get("parameters", [])]
    return [p["name"] for p in (resolved(contract, each) for each in declared) if p["in"] == where]


def request_examples(contract: Contract, operation: Operation, kind: str) -> list[Any]:
    body = contract.document["paths"][operation.path][operation.method.lower()].get("requestBody", {})
    content = body.get("content", {}).get(kind, {})
    return [resolved(contract, each)["value"] for each in content.get("examples", {}).values()] or [{}]


def mostly(usual: str, odd: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.integers(0, 4).flatmap(lambda roll: odd if roll == 0 else st.just(usual))


@st.composite
def requests(draw: st.DrawFn, contract: Contract, operation: Operation) -> Request:
    segments = mostly("1", texts.filter(lambda text: text and "/" not in text))
    usual = {"kind": "oak", "deep": "true", "q": 'id:"1"'}
    parts = [
        draw(mostly(usual.get(part[1:-1], "1"), segments)) if part.startswith("{") else part
        for part in operation.path.split("/")
    ]
    names = [*parameters_of(contract, operation, "query"), "api_token", "stranger"]
    query = [(name, draw(mostly(usual.get(name, "1"), texts))) for name in names if draw(st.integers(0, 3))]
    query += [("ids", draw(odd_texts))] if "ids" in names and draw(st.booleans()) else []
    headers = {
        name.lower(): draw(mostly("1", header_texts))
        for name in parameters_of(contract, operation, "header")
        if draw(st.integers(0, 4))
    }
    body, kind = draw(bodies(contract, operation))
    if kind:
        headers["content-type"] = kind
    return Request(operation.method, "/".join(parts).encode().decode("latin-1"), urlencode(query), headers, body)


@st.composite
def bodies(draw: st.DrawFn, contract: Contract, operation: Operation) -> tuple[bytes, str]:
    kind = draw(st.sampled_from(["", JSON, FORM]))
    if not kind:
        return b"", draw(st.sampled_from(["", JSON]))
    example = draw(st.sampled_from(request_examples(contract, operation, kind)))
    if kind == JSON:
        for _ in range(draw(st.integers(0, 2))):
            example = draw(mutated(example))
        return json.dumps(example).encode(), "application/json; charset=UTF-8"
    pairs = [
        (name, text) for name, value in example.items() for text in (value if isinstance(value, list) else [value])
    ]
    strangers = st.sampled_from(["charge_ids", "charge_ids[0]", "ids[]", "names[3]", "flag", "ratio", "else", "amount"])
    pairs = [(name, draw(mostly(str(text), texts))) for name, text in pairs if draw(st.integers(0, 5))]
    pairs += draw(st.lists(st.tuples(strangers, texts), max_size=2))
    return urlencode(pairs).encode(), kind


@st.composite
def replies(draw: st.DrawFn, contract: Contract, operation: Operation) -> tuple[int, Any, dict[str, str]]:
    status, body = draw(st.sampled_from(examples_of(contract, operation)))
    for _ in range(draw(st.integers(0, 2))):
        body = draw(mutated(body))
    if not draw(st.integers(0, 3)):
        status = draw(st.sampled_from([200, 201, 202, 204, 302, 400, 401, 404, 422, 500, 502]))
    headers = {
        name: draw(mostly("1", header_texts))
        for name in ("X-Count", "X-Note", "Retry-After")
        if draw(st.integers(0, 3))
    }
    kind = draw(st.sampled_from([JSON, "application/json; charset=utf-8", "", "", "text/plain"]))
    return status, body, {**headers, "Content-Type": kind} if kind else headers


def examples_of(contract: Contract, operation: Operation) -> list[tuple[int, Any]]:
    found: list[tuple[int, Any]] = [(200, None)]
    responses = contract.document["paths"][operation.path][operation.method.lower()]["responses"]
    for status, response in responses.items():
        for content in resolved(contract, response).get("content", {}).values():
            examples = [resolved(contract, each)["value"] for each in content.get("examples", {}).values()]
            examples += [content["example"]] if "example" in content else []
            code = int(status.replace("XX", "22")) if status[0].isdigit() else 302
            found += [(code, example) for example in examples]
    return found


@st.composite
def mutated(draw: st.DrawFn, value: Any) -> Any:
    """The value with one thing in it replaced, removed or added."""
    places = list(walk(value, ()))
    path = draw(st.sampled_from(places))
    if not path:
        return draw(values)
    changed = copy.deepcopy(value)
    parent = changed
    for step in path[:-1]:
        parent = parent[step]
    match draw(st.sampled_from(["replace", "replace", "remove", "add"])):
        case "replace":
            parent[path[-1]] = draw(values)
        case "remove":
            del parent[path[-1]]
        case "add" if isinstance(parent, dict):
            parent[draw(texts)] = draw(values)
        case _:
            parent.append(draw(values))
    return changed


def walk(value: Any, path: tuple[Any, ...]) -> Any:
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from walk(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from walk(item, (*path, index))


def with_frozen_rows(body: Any) -> Any:
    """The body with objects in its lists that can't change, as our own replies have them."""
    if not isinstance(body, dict):
        return body

    def frozen(value: Any) -> Any:
        return [Frozen(one) if isinstance(one, dict) else one for one in value] if isinstance(value, list) else value

    return {name: frozen(value) for name, value in body.items()}


@pytest.mark.parametrize(("contract", "operation"), OPERATIONS)
@given(data=st.data())
@JUDGED
def test_the_compiled_validators_and_openapi_core_agree_on_requests(
    contract: Contract, operation: Operation, data: st.DataObject, caplog: pytest.LogCaptureFixture
) -> None:
    request = data.draw(requests(contract, operation))
    try:
        found, params = contract.route(request.method, request.path)
    except Refused:
        return
    try:
        objections = contract.request_objections(found, params, request)
    except Refused:
        event("unreadable")
        with pytest.raises(Refused):
            contract.accept(found, params, request)
        return
    event("refused" if objections else "allowed")
    caplog.clear()
    try:
        contract.accept(found, params, request)
        accepted = True
    except InvalidRequest:
        accepted = False
    assert accepted is not bool(objections), objections
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(("contract", "operation"), OPERATIONS)
@given(data=st.data())
@JUDGED
def test_the_compiled_validators_and_openapi_core_agree_on_replies(
    contract: Contract, operation: Operation, data: st.DataObject, caplog: pytest.LogCaptureFixture
) -> None:
    status, body, headers = data.draw(replies(contract, operation))
    objections = contract.reply_objections(operation, status, body, headers)
    event("refused" if objections else "allowed")
    caplog.clear()
    for form in (body, body := with_frozen_rows(body), body):
        try:
            contract.check(operation, status, form, headers)
            allowed = True
        except ContractBroken:
            allowed = False
        assert allowed is not bool(objections), objections
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(("contract", "operation"), OPERATIONS)
def test_every_example_in_the_spec_is_an_allowed_reply(contract: Contract, operation: Operation) -> None:
    for status, body in examples_of(contract, operation)[1:]:
        contract.check(operation, status, body, {"X-Count": "1"})


@pytest.mark.parametrize(
    ("kind", "body", "is_allowed"),
    [
        ("text/plain", "", True),
        ("text/plain", "x", True),
        ("text/plain", None, False),
        ("text/plain", 1, False),
        ("text/plain", "\ud800", False),
        (JSON, "", True),
        (JSON, None, False),
        (JSON, {}, True),
        ("text/html", "", False),
    ],
)
def test_an_empty_text_is_a_body_and_none_is_not(kind: str, body: Any, is_allowed: bool) -> None:
    operation = OTHER.operations["putThing"]
    headers = {"Content-Type": kind}
    assert (not OTHER.reply_objections(operation, 500, body, headers)) is is_allowed
    if is_allowed:
        OTHER.check(operation, 500, body, headers)
    else:
        with pytest.raises(ContractBroken):
            OTHER.check(operation, 500, body, headers)
