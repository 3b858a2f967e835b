"""The compiled validators and openapi-core give the same verdict on every exchange, good and bad."""

from __future__ import annotations

import copy
import json
import logging
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from mockserver import resources
from mockserver.contract import Contract, Operation
from mockserver.errors import ContractBroken, InvalidRequest, Refused
from mockserver.messages import Request

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
JUDGED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

odd_texts = st.sampled_from(
    [
        "0", "1", "15", "-1", "-0", "01", "+1", " 1", "1 ", "1_000", "\uff11", "\u0663", "1.0", "1.5", "1e3", "1e400", "NaN",
        "inf", "true", "True", "yes", "null", "", ",", "1,2", "1,x", "x", "red", "9" * 18, "9" * 19, "9" * 25,
        str(2**63 - 1), str(2**63), "-" + "9" * 19, "USD", "é", "a\n", "\ufeff1", "[]", "{}", '"1"',
    ]
)  # fmt: skip
texts = odd_texts | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)
numbers = st.integers(-3, 40) | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.just(1.0)
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)


def names_in(node: Any) -> list[str]:
    """Every name that the schemas of a document use, so that generated objects hit them."""
    found: set[str] = set()
    pending = [node]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            found.update(value.get("properties", {}))
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return sorted(found)


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


def a_path(template: str, value: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    parts = [value if part.startswith("{") else st.just(part) for part in template.split("/")]
    return st.tuples(*parts).map("/".join)


@st.composite
def requests(draw: st.DrawFn, contract: Contract, operation: Operation) -> Request:
    segments = st.sampled_from(["1", "2", "abc"]) | texts.filter(lambda text: text and "/" not in text)
    path = draw(a_path(operation.path, segments))
    known = parameters_of(contract, operation, "query")
    some = st.sampled_from([*known, "stranger", "api_token"])
    query = draw(st.lists(st.tuples(some, texts), max_size=4, unique_by=lambda pair: pair[0]) if known else st.just([]))
    query += [("ids", draw(odd_texts))] if "ids" in known and draw(st.booleans()) else []
    latin = texts.filter(lambda text: text.isascii() and text.isprintable())
    headers = {
        name.lower(): draw(latin) for name in parameters_of(contract, operation, "header") if draw(st.booleans())
    }
    body, kind = draw(bodies(contract))
    if kind:
        headers["content-type"] = kind
    raw = path.encode("utf-8").decode("latin-1")
    return Request(operation.method, raw, urlencode(query), headers, body)


@st.composite
def bodies(draw: st.DrawFn, contract: Contract) -> tuple[bytes, str]:
    names = st.sampled_from(names_in(contract.document["paths"]) + NAMES)
    objects = st.dictionaries(names, values | st.lists(numbers, max_size=4), max_size=4)
    match draw(st.sampled_from(["none", "json", "json", "ids", "form", "form"])):
        case "none":
            return b"", draw(st.sampled_from(["", "application/json"]))
        case "json":
            return json.dumps(draw(objects | values)).encode(), "application/json; charset=UTF-8"
        case "ids":
            return json.dumps({"charge_ids": draw(st.lists(scalars, max_size=3))}).encode(), "application/json"
    pairs = draw(st.lists(st.tuples(names, texts), max_size=5))
    return urlencode(pairs).encode(), "application/x-www-form-urlencoded"


NAMES = [
    "charge_ids",
    "charge_ids[]",
    "charge_ids[0]",
    "amount",
    "description",
    "count",
    "flag",
    "ids",
    "names[]",
    "name",
]


@st.composite
def replies(draw: st.DrawFn, contract: Contract, operation: Operation) -> tuple[int, Any, dict[str, str]]:
    status, body = draw(st.sampled_from(examples_of(contract, operation)))
    for _ in range(draw(st.integers(0, 2))):
        body = draw(mutated(body))
    status = draw(st.just(status) | st.sampled_from([200, 201, 202, 204, 302, 400, 401, 404, 422, 500, 502]))
    headers = {
        name: draw(texts.filter(lambda text: text.isascii() and text.isprintable()))
        for name in ("X-Count", "X-Note", "Retry-After")
        if draw(st.booleans())
    }
    kind = draw(st.sampled_from(["application/json", "application/json; charset=utf-8", "text/plain", ""]))
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
    try:
        contract.check(operation, status, body, headers)
        allowed = True
    except ContractBroken:
        allowed = False
    assert allowed is not bool(objections), objections
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(("contract", "operation"), OPERATIONS)
def test_every_example_in_the_spec_is_an_allowed_reply(contract: Contract, operation: Operation) -> None:
    for status, body in examples_of(contract, operation)[1:]:
        contract.check(operation, status, body, {"X-Count": "1"})
