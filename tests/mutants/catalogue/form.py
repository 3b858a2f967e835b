"""Faults of form: what answers look like."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.mutants.catalogue.making import Catalog, after, after_refusal, is_create, is_list, swap
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Reply, Request
from tests.mutants.reference.records import Charge, Invoice

FORM = Catalog("form")
HTML = {"Content-Type": "text/html; charset=utf-8"}


def html(status: int) -> Reply:
    return Reply(status, headers=dict(HTML), raw=b"<!DOCTYPE html><title>Error</title><h1>Error</h1>")


def reshape(api: Api, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes every invoice as it is shown."""

    def invoice(record: Invoice) -> dict[str, Any]:
        shown: dict[str, Any] = original(record)
        change(shown)
        return shown

    original = swap(api.view, "invoice", invoice)


def reshape_answers(api: Api, change: Callable[[dict[str, Any]], Any]) -> None:
    """Changes what create, finalize and collect answer."""

    def answer(message: str, record: Invoice | None) -> Any:
        return change(original(message, record))

    original = swap(api.view, "answer", answer)


# Refusals


@FORM.fault("GEN-5", "GEN-1", says="refusals are HTML pages")
def refusals_are_html(api: Api) -> None:
    after_refusal(api, lambda reply: html(reply.status))


@FORM.fault("GEN-5", "GEN-1", "FINALIZE-3", "COLLECT-5", says="what isn't found is answered with an HTML page")
def not_found_is_html(api: Api) -> None:
    after_refusal(api, lambda reply: html(404) if reply.status == 404 else reply)


@FORM.fault("GEN-5", says="refusals have `error` in place of `message`")
def refusal_without_message(api: Api) -> None:
    def rename(reply: Reply) -> Reply:
        reply.document = {"error": reply.document["message"]}
        return reply

    after_refusal(api, rename)


@FORM.fault("GEN-5", says="the message of a refusal is an object")
def refusal_message_is_an_object(api: Api) -> None:
    def wrap(reply: Reply) -> Reply:
        reply.document = reply.document | {"message": {"text": reply.document["message"]}}
        return reply

    after_refusal(api, wrap)


@FORM.fault("GEN-5", says="the errors of a refusal are a list")
def errors_are_a_list(api: Api) -> None:
    def flatten(reply: Reply) -> Reply:
        if "errors" in reply.document:
            reply.document = reply.document | {"errors": list(reply.document["errors"].values())}
        return reply

    after_refusal(api, flatten)


@FORM.fault("GEN-5", says="each field's errors are one text, not a list of texts")
def errors_are_texts(api: Api) -> None:
    def join(reply: Reply) -> Reply:
        if "errors" in reply.document:
            errors = {name: " ".join(texts) for name, texts in reply.document["errors"].items()}
            reply.document = reply.document | {"errors": errors}
        return reply

    after_refusal(api, join)


@FORM.fault("GEN-5", says="refusals of invalid input do not say which field was wrong")
def errors_are_missing(api: Api) -> None:
    def drop(reply: Reply) -> Reply:
        reply.document = {name: value for name, value in reply.document.items() if name != "errors"}
        return reply

    after_refusal(api, drop)


# Invoices and pages


@FORM.fault(
    "LIST-1", "CREATE-3", "GEN-1", says="a null description is left out", choices={"invoice_description": "null"}
)
def null_description_left_out(api: Api) -> None:
    reshape(api, lambda shown: shown["description"] is None and shown.pop("description"))


@FORM.fault("CREATE-3", "LIST-1", "GEN-1", says="drafts lack both Stripe properties")
def drafts_lack_stripe_properties(api: Api) -> None:
    def drop(shown: dict[str, Any]) -> None:
        if shown["stripe_invoice_id"] is None:
            del shown["stripe_invoice_id"], shown["stripe_invoice_status"]

    reshape(api, drop)


@FORM.fault("LIST-1", "CREATE-3", "CREATE-5", "GEN-1", says="totals are strings")
def total_is_a_string(api: Api) -> None:
    reshape(api, lambda shown: shown.update(total=f"{shown['total']:.2f}"))


@FORM.fault("LIST-1", "CREATE-3", "CREATE-7", "GEN-1", says="invoice ids are strings")
def id_is_a_string(api: Api) -> None:
    reshape(api, lambda shown: shown.update(id=str(shown["id"])))


@FORM.fault("LIST-1", "CREATE-3", "GEN-1", says="created_at is no RFC 3339 date-time")
def created_at_without_zone(api: Api) -> None:
    reshape(api, lambda shown: shown.update(created_at=shown["created_at"].replace("T", " ")[:19]))


@FORM.fault("LIST-1", "CREATE-3", "GEN-1", "SEARCH-5", says="created_at is in local time, two hours east")
def created_at_in_local_time(api: Api) -> None:
    def local(shown: dict[str, Any]) -> None:
        moment = datetime.fromisoformat(shown["created_at"]) + timedelta(hours=2)
        shown["created_at"] = moment.strftime("%Y-%m-%dT%H:%M:%S+02:00")

    reshape(api, local)


@FORM.fault("LIST-1", "CREATE-3", "GEN-1", says="currencies are in lower case")
def currency_in_lower_case(api: Api) -> None:
    reshape(api, lambda shown: shown.update(currency=shown["currency"].lower()))


@FORM.fault("LIST-1", "FINALIZE-2", "COLLECT-2", "COLLECT-3", "GEN-1", says="Stripe's statuses are in capitals")
def stripe_status_in_capitals(api: Api) -> None:
    reshape(
        api,
        lambda shown: (
            shown["stripe_invoice_status"]
            and shown.update(stripe_invoice_status=shown["stripe_invoice_status"].upper())
        ),
    )


@FORM.fault("LIST-1", "LIST-3", "GEN-1", says="the list is a bare array")
def list_is_a_bare_array(api: Api) -> None:
    def bare(request: Request, reply: Reply) -> Reply:
        if is_list(request):
            reply.document = reply.document["data"]
        return reply

    after(api, bare)


@FORM.fault("LIST-1", "GEN-1", says="the rows of the list are called `invoices`")
def rows_have_another_name(api: Api) -> None:
    def rename(request: Request, reply: Reply) -> Reply:
        if is_list(request):
            reply.document["invoices"] = reply.document.pop("data")
        return reply

    after(api, rename)


@FORM.fault("LIST-1", "LIST-3", "GEN-1", says="the figures of a page are strings")
def figures_are_strings(api: Api) -> None:
    def as_text(page: object) -> dict[str, str]:
        return {name: str(value) for name, value in original(page).items()}

    original = swap(api.pages, "figures", as_text)


@FORM.fault("LIST-1", "LIST-3", "GEN-1", says="pages do not say how many matches there are")
def page_without_total(api: Api) -> None:
    def figures(page: object) -> dict[str, Any]:
        return {name: value for name, value in original(page).items() if name != "total"}

    original = swap(api.pages, "figures", figures)


@FORM.fault("GEN-1", "LIST-1", says="JSON is sent as text/html")
def html_content_type(api: Api) -> None:
    def label(request: Request, reply: Reply) -> Reply:
        reply.headers["Content-Type"] = HTML["Content-Type"]
        return reply

    after(api, label)


@FORM.fault("GEN-1", "GEN-9", "CREATE-5", says="a charge's price is not its amount")
def charge_price_differs(api: Api) -> None:
    def charge(record: Charge) -> dict[str, Any]:
        shown: dict[str, Any] = original(record)
        return shown | {"price": 0}

    original = swap(api.view, "charge", charge)


@FORM.fault("CREATE-3", "GEN-1", says="create answers the invoice itself, without a message")
def create_answers_the_bare_invoice(api: Api) -> None:
    swap(api.view, "created", lambda invoice: api.view.invoice(invoice))


@FORM.fault("CREATE-3", "FINALIZE-1", "COLLECT-2", "GEN-1", says="answers have no message")
def answers_without_message(api: Api) -> None:
    reshape_answers(api, lambda shown: {name: value for name, value in shown.items() if name != "message"})


@FORM.fault("CREATE-3", "GEN-1", says="create answers 204 with nothing")
def create_answers_nothing(api: Api) -> None:
    after(api, lambda request, reply: Reply(204, raw=b"") if is_create(request) else reply)
