"""The journal and the records of a world by the Python client."""

from __future__ import annotations

from typing import get_type_hints

import pytest

from mockserver.client import Control, ControlRefused, payloads
from tests.client.document import SPEC
from tests.conftest import Api


def test_the_journal_is_read_from_a_cursor_on(control: Control, api: Api) -> None:
    api.charge()
    first = control.journal()
    assert ([entry["operation"] for entry in first], first.lost) == (["createQuickAdjustment"], 0)
    api.get("/billing/invoices")
    api.get("/billing/charges", params={"per_page": "many"})
    assert [entry["operation"] for entry in control.journal(since=first.cursor)] == ["listInvoices", "listCharges"]
    assert [entry["operation"] for entry in control.journal(invalid=True)] == ["listCharges"]
    assert [entry["operation"] for entry in control.journal(status="2xx", limit=1)] == ["listInvoices"]
    assert set(first[0]["request"]) == set(get_type_hints(payloads.SentRequest))
    assert set(first[0]["response"]) == set(get_type_hints(payloads.SentResponse))
    control.clear_journal()
    assert control.journal() == []


def test_the_journal_is_chosen_by_all_that_the_server_knows() -> None:
    parameters = {one["name"] for one in SPEC["paths"]["/journal"]["get"]["parameters"]}
    assert parameters == {*get_type_hints(payloads.Chosen), "format"}


def test_the_journal_is_a_har_file_and_curl_commands_too(control: Control, api: Api) -> None:
    invoice = api.finalized()["id"]
    (entry,) = control.har(operation="finalizeInvoice")["log"]["entries"]
    assert entry["request"]["url"].endswith(f"/billing/invoices/{invoice}/finalize")
    (command,) = control.curl(operation="finalizeInvoice")
    assert command.startswith("curl ")
    assert len(control.curl(invoice=invoice)) == 2


def test_what_was_said_is_verified(control: Control, api: Api) -> None:
    invoice = api.finalized()["id"]
    since = control.journal().cursor
    with control.declines("expired_card"):
        api.collect(invoice)
    api.collect(invoice)
    declined: payloads.Expectation = {"operation": "collectInvoice", "status": 402, "at_most": 1}
    paid: payloads.Expectation = {"operation": "collectInvoice", "status": 200, "invoice": invoice}
    verdict = control.verify(declined, paid, in_order=True, since=since)
    assert [result["matched"] for result in verdict["results"]] == [1, 1]
    assert set(verdict["results"][0]) == set(get_type_hints(payloads.ExpectationResult))
    with pytest.raises(AssertionError, match="came near"):
        control.verify({"operation": "collectInvoice", "status": 409})
    with pytest.raises(ControlRefused, match="the operations are"):
        control.verify({"operation": "collectInvoices"})


def test_the_records_of_a_world_are_there_with_what_the_api_does_not_show(control: Control, api: Api) -> None:
    invoice = api.draft(12.5)["id"]
    assert control.summary()["name"] == control.name
    assert control.summary()["counts"]["exchanges"] == 2
    assert control.merchants()[0]["card"] == "pm_card_visa"
    [row] = control.invoices(q=f'id:"{invoice}"')
    assert row["state"] == "draft"
    assert control.invoice(invoice)["charges"][0]["amount"] == 12.5
    page = control.charges(per_page=2)
    assert (len(page), page.page) == (2, 1)
    assert page.total == control.summary()["counts"]["charges"] > 2
    assert control.charges(per_page=2, page=page.last_page)[-1]["id"] != page[0]["id"]


def test_exchanges_are_streamed_as_they_are_said(control: Control, api: Api) -> None:
    api.get("/billing/invoices")
    stream = control.stream()
    first = next(stream)
    assert (first["number"], first["operation"]) == (1, "listInvoices")
    api.get("/billing/charges")
    assert next(stream)["operation"] == "listCharges"
    stream.close()
    assert control.exchange(2)["request"]["path"] == "/billing/charges"
    with pytest.raises(ControlRefused, match="3"):
        control.exchange(3)
