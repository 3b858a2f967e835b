"""A reply of objects that can't change is judged as any other, whatever was found out about them before."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.contract.contract import Contract
from mockserver.core.errors import ContractBroken
from mockserver.core.frozen import Frozen

ROW = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
ROWS: dict[str, Any] = {"type": "array", "items": {"$ref": "#/components/schemas/Row"}}
PLAIN = {"type": "object", "required": ["data"], "properties": {"data": ROWS}}
SCHEMAS: dict[str, dict[str, Any]] = {
    "plain": PLAIN,
    "all of": {"allOf": [{"type": "object", "required": ["total"], "properties": {"total": {"minimum": 1}}}, PLAIN]},
    "two lists": {"properties": {"data": ROWS, "more": ROWS}},
    "at least two": {"properties": {"data": {**ROWS, "minItems": 2}}},
    "at most one": {"properties": {"data": {**ROWS, "maxItems": 1}}},
    "no two alike": {"properties": {"data": {**ROWS, "uniqueItems": True}}},
    "one with a name": {"properties": {"data": {**ROWS, "contains": {"required": ["name"]}}}},
    "only if": {"properties": {"data": ROWS}, "if": {"properties": {"data": {"maxItems": 0}}}, "then": False},
    "beside it": {"properties": {"data": {**ROWS, "items": {**ROWS["items"], "required": ["name"]}}}},
    "of two parts": {"allOf": [{"properties": {"data": ROWS}}, {"properties": {"data": {"maxItems": 1, **ROWS}}}]},
    "one of": {"oneOf": [PLAIN, {"properties": {"data": {"maxItems": 0}}}]},
    "not": {"properties": {"data": ROWS}, "not": {"properties": {"data": {"maxItems": 0}}}},
    "nothing else": {"properties": {"data": ROWS}, "unevaluatedProperties": False},
}
LISTS: list[list[dict[str, Any]]] = [
    [],
    [{"id": 1}],
    [{"id": 1}, {"id": 1}],
    [{"id": 1}, {"id": 2, "name": "x"}],
    [{"id": "1"}],
    [{"id": 1}, {}],
]
BODIES: list[dict[str, Any]] = [{"data": rows, **more} for rows in LISTS for more in ({}, {"total": 1}, {"total": 0})]


def contract_of(schema: dict[str, Any]) -> Contract:
    answer = {"description": "Rows.", "content": {"application/json": {"schema": schema}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Rows", "version": "1"},
        "paths": {"/rows": {"get": {"operationId": "listRows", "responses": {"200": answer}}}},
        "components": {"schemas": {"Row": ROW}},
    }
    return Contract.parse(json.dumps(document), path=Path("rows.yaml"))


def is_allowed(contract: Contract, body: Any) -> bool:
    try:
        contract.check(contract.operations["listRows"], 200, body)
    except ContractBroken:
        return False
    return True


@pytest.mark.parametrize("name", SCHEMAS)
def test_frozen_objects_are_judged_as_plain_ones_the_first_time_and_the_next(name: str) -> None:
    contract = contract_of(SCHEMAS[name])
    verdicts = set()
    for body in BODIES:
        frozen = {**body, "data": [Frozen(row) for row in body["data"]]}
        due = is_allowed(contract, body)
        assert [is_allowed(contract, frozen) for _ in range(3)] == [due] * 3, body
        verdicts.add(due)
    assert verdicts == {True, False}


def test_what_one_schema_allows_is_judged_anew_by_another() -> None:
    rows = [Frozen({"id": 1, "name": 2})]
    strict = contract_of({"properties": {"data": {"type": "array", "items": {"$ref": "#/components/schemas/Row"}}}})
    assert is_allowed(strict, {"data": rows})
    named = contract_of(PLAIN)
    named.root.value["components"]["schemas"]["Row"]["properties"]["name"] = {"type": "string"}
    assert not is_allowed(Contract(named.root), {"data": rows})


def test_a_frozen_object_refuses_every_change_and_is_copied_as_a_plain_one() -> None:
    frozen = Frozen({"id": 1})
    changes: tuple[Callable[[], object], ...] = (
        lambda: frozen.__setitem__("id", 2),
        lambda: frozen.__delitem__("id"),
        lambda: frozen.update(id=2),
        lambda: frozen.setdefault("a", 2),
        lambda: frozen.pop("id"),
        lambda: frozen.popitem(),
        lambda: frozen.clear(),
    )
    for change in changes:
        with pytest.raises(TypeError, match="change a copy"):
            change()
    assert frozen == {"id": 1}
    copies = (frozen.copy(), copy.copy(frozen), copy.deepcopy([frozen])[0], pickle.loads(pickle.dumps(frozen)))
    assert [type(one) for one in copies] == [dict] * 4
    assert all(one == frozen for one in copies)
