"""Specs that can't be used are refused, with the file and the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mockserver.contract.contract import Contract
from mockserver.core import resources
from mockserver.core.errors import (
    Unusable,
)
from tests.contract.asking import SPEC

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
