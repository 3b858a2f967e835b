"""Replies: those that break the spec are told, and openapi-core prevails over the compiled validators."""

from __future__ import annotations

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
from mockserver.contract.reference import ReferenceValidator
from mockserver.core import resources
from mockserver.core.errors import (
    ContractBroken,
)
from tests.contract.asking import INVOICE, LIST, accept, refusal

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
