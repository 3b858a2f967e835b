"""Holds `openapi.yaml` to its promises: provenance, rules, links and statuses, and examples that are true."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from openapi_spec_validator import validate

Json = dict[str, Any]

DOCUMENT: Json = yaml.safe_load((Path(__file__).parents[2] / "openapi.yaml").read_text("utf-8"))
LEVELS = {"documented", "observed", "derived", "open"}
RULE_COUNTS = {"GEN": 9, "LIST": 4, "CREATE": 8, "FINALIZE": 4, "COLLECT": 5, "SEARCH": 6}
OPERATIONS = {
    "listInvoices": ("get", "/billing/invoices"),
    "createInvoice": ("post", "/billing/invoices"),
    "finalizeInvoice": ("post", "/billing/invoices/{invoice}/finalize"),
    "collectInvoice": ("post", "/billing/invoices/{invoice}/collect"),
    "listCharges": ("get", "/billing/charges"),
    "getCharge": ("get", "/billing/charges/{charge}"),
    "createQuickAdjustment": ("post", "/billing/charges/quick-adjustment"),
}


def resolve(part: Json) -> Json:
    """Follow a local `$ref` that stands alone."""
    reference = part.get("$ref")
    if reference is None:
        return part
    target: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        target = target[step]
    return resolve(target)


def operations(section: str = "paths") -> Iterator[tuple[str, Json]]:
    for path, item in DOCUMENT[section].items():
        for method, operation in item.items():
            yield f"{method} {path}", operation


def bearers_of_provenance() -> Iterator[tuple[str, Json]]:
    """Everything that has to say how it is known, by its place in the document."""
    for section in ("paths", "webhooks"):
        for name, operation in operations(section):
            yield name, operation
            for parameter in operation.get("parameters", ()):
                yield f"{name} parameter {resolve(parameter)['name']}", resolve(parameter)
            if "requestBody" in operation:
                yield f"{name} requestBody", resolve(operation["requestBody"])
            for status, response in operation["responses"].items():
                yield f"{name} {status}", resolve(response)
                for header, value in resolve(response).get("headers", {}).items():
                    yield f"{name} {status} {header}", resolve(value)
    for kind in ("parameters", "headers", "responses", "securitySchemes"):
        for name, part in DOCUMENT["components"][kind].items():
            yield f"{kind} {name}", part
    for name, schema in DOCUMENT["components"]["schemas"].items():
        yield from properties(schema, name)


def properties(schema: Json, place: str) -> Iterator[tuple[str, Json]]:
    """The properties of a schema and of all schemas inside it."""
    for name, inner in schema.get("properties", {}).items():
        yield f"{place}.{name}", inner
        yield from properties(inner, f"{place}.{name}")
    for inner in schema.get("allOf", []) + schema.get("anyOf", []):
        yield from properties(inner, place)
    for keyword in ("items", "additionalProperties"):
        if keyword in schema:
            yield from properties(schema[keyword], f"{place}.{keyword}")


def media_types() -> Iterator[tuple[str, Json]]:
    """Every content with a schema and examples: of requests, responses and webhooks."""
    for section in ("paths", "webhooks"):
        for name, operation in operations(section):
            parts = {"request": operation.get("requestBody", {}), **operation["responses"]}
            for label, part in parts.items():
                for kind, content in resolve(part).get("content", {}).items():
                    yield f"{name} {label} {kind}", content


def examples() -> Iterator[Any]:
    for place, content in media_types():
        for name, example in content["examples"].items():
            yield pytest.param(content["schema"], resolve(example)["value"], id=f"{place} {name}")


def judge(schema: Json) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({"components": DOCUMENT["components"], **schema}, validate_formats=True)


def test_the_document_is_valid_openapi() -> None:
    validate(DOCUMENT)


def test_it_holds_exactly_the_four_invoice_operations_and_three_companions() -> None:
    found = {operation["operationId"]: tuple(place.split(" ", 1)) for place, operation in operations()}
    assert found == OPERATIONS


@pytest.mark.parametrize("part", [pytest.param(part, id=place) for place, part in bearers_of_provenance()])
def test_every_part_says_how_it_is_known(part: Json) -> None:
    assert part.get("x-provenance") in LEVELS


@pytest.mark.parametrize("part", [pytest.param(part, id=place) for place, part in bearers_of_provenance()])
def test_every_part_is_described(part: Json) -> None:
    # A property that is a bare reference is described where it leads.
    assert part.get("description") or resolve(part).get("description")


def test_every_rule_is_there_with_level_statement_and_source() -> None:
    ids = {f"{family}-{number}" for family, count in RULE_COUNTS.items() for number in range(1, count + 1)}
    rules = DOCUMENT["x-rules"]
    assert set(rules) == ids
    for rule in rules.values():
        assert set(rule) == {"level", "statement", "source"}
        assert rule["level"] in LEVELS - {"open"}
        assert all(isinstance(text, str) and text for text in rule.values())


def test_derived_rules_say_what_they_are_derived_from_and_the_others_name_a_page() -> None:
    for name, rule in DOCUMENT["x-rules"].items():
        assert rule["source"].startswith("Derived") == (rule["level"] == "derived"), name
        if rule["level"] == "documented":
            assert "invoices page of the vendor's documentation" in rule["source"], name


def test_every_rule_is_claimed_by_an_operation_and_no_operation_claims_another() -> None:
    claimed = {rule for _, operation in operations() for rule in operation["x-rules"]}
    assert claimed == set(DOCUMENT["x-rules"])


def test_the_general_rules_hold_for_every_operation() -> None:
    general = {rule for rule in DOCUMENT["x-rules"] if rule.startswith("GEN-")}
    for name, operation in operations():
        bodiless = set() if "requestBody" in operation else {"GEN-2"}
        assert general - set(operation["x-rules"]) == bodiless, name


def test_every_response_of_an_operation_has_a_body_with_examples() -> None:
    for name, operation in operations():
        for status, response in operation["responses"].items():
            content = resolve(response)["content"]["application/json"]
            assert content["schema"] and content["examples"], f"{name} {status}"


@pytest.mark.parametrize(("schema", "value"), list(examples()))
def test_every_example_matches_its_schema(schema: Json, value: Any) -> None:
    judge(schema).validate(value)


def test_the_examples_cover_the_states_and_the_open_forms() -> None:
    shown = [resolve(example)["value"] for _, content in media_types() for example in content["examples"].values()]
    invoices = [value["invoice"] for value in shown if "invoice" in value]
    invoices += [row for value in shown if "data" in value and isinstance(value["data"], list) for row in value["data"]]
    assert {invoice.get("stripe_invoice_status") for invoice in invoices} >= {None, "open", "paid"}
    assert {type(invoice["charger_id"]) for invoice in invoices} == {str, int}
    assert {invoice["currency"] for invoice in invoices} == {"USD", "BIF"}
    assert {"links" in value for value in shown if "current_page" in value} == {True, False}
    assert any(set(value) == {"message"} for value in shown)


def test_every_link_leads_to_an_operation_with_its_parameters() -> None:
    by_id = {operation["operationId"]: operation for _, operation in operations()}
    for name, link in DOCUMENT["components"]["links"].items():
        target = by_id[link["operationId"]]
        known = {resolve(parameter)["name"] for parameter in target["parameters"]}
        assert set(link.get("parameters", {})) <= known, name
        assert "requestBody" not in link or "requestBody" in target, name


def test_links_lead_from_charge_to_create_to_finalize_to_collect_and_to_the_list() -> None:
    steps = {
        (operation["operationId"], resolve(link)["operationId"])
        for _, operation in operations()
        for response in operation["responses"].values()
        for link in resolve(response).get("links", {}).values()
    }
    assert steps >= {
        ("createQuickAdjustment", "createInvoice"),
        ("getCharge", "createInvoice"),
        ("createInvoice", "finalizeInvoice"),
        ("createInvoice", "collectInvoice"),
        ("finalizeInvoice", "collectInvoice"),
        ("createInvoice", "listInvoices"),
    }


def test_no_status_is_guessed() -> None:
    known = {"200", "201", "202", "401", "4XX", "5XX"}
    for name, operation in operations():
        assert set(operation["responses"]) <= known, name
        assert {"401", "4XX"} <= set(operation["responses"]), name
        assert ("5XX" in operation["responses"]) == (operation["operationId"] == "collectInvoice"), name
