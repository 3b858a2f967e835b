"""Faults of mass assignment: what a body, a form or a query holds beyond the documented is kept in the record."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from tests.mutants.catalogue.making import Catalog, swap
from tests.mutants.config import PROVIDER
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Request
from tests.mutants.reference.money import to_minor
from tests.mutants.reference.records import Caller, Invoice

ASSIGNING = Catalog("create")
Given = Callable[[Request, Mapping[str, Any]], Mapping[str, Any]]


def of_body(request: Request, body: Mapping[str, Any]) -> Mapping[str, Any]:
    return body


def of_query(request: Request, body: Mapping[str, Any]) -> Mapping[str, Any]:
    return request.query


def of_form(request: Request, body: Mapping[str, Any]) -> Mapping[str, Any]:
    return body if request.is_form else {}


def of_wrapped(request: Request, body: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = body.get("invoice")
    return inner if isinstance(inner, dict) else {}


def picked(given: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """As JSON shows it."""
    return {
        name: float(given[name]) if isinstance(given[name], Decimal) else given[name] for name in names if name in given
    }


def keep_in_drafts(api: Api, *names: str, given: Given = of_body, answered: bool = True) -> None:
    """What is given for these properties of a new draft is listed from then on, and `answered` already."""
    kept: dict[int, dict[str, Any]] = {}

    def create(caller: Caller, request: Request, body: Mapping[str, Any]) -> Any:
        reply = original(caller, request, body)
        shown = reply.document["invoice"]
        kept[shown["id"]] = picked(given(request, body), names)
        if answered:
            shown |= kept[shown["id"]]
        return reply

    def invoice(record: Invoice) -> Any:
        return shown_as(record) | kept.get(record.id, {})

    original = swap(api, "create_invoice", create)
    shown_as = swap(api.view, "invoice", invoice)


# Drafts


@ASSIGNING.fault("CREATE-3", "GEN-9", says="a status in the body of a create is kept")
def create_keeps_a_status(api: Api) -> None:
    keep_in_drafts(api, "status")


@ASSIGNING.fault("CREATE-3", "GEN-9", says="a status in the body of a create is kept, and answered as Draft")
def create_keeps_a_status_silently(api: Api) -> None:
    keep_in_drafts(api, "status", answered=False)


@ASSIGNING.fault("CREATE-3", "GEN-9", says="a status in a form is kept")
def create_keeps_the_status_of_a_form(api: Api) -> None:
    keep_in_drafts(api, "status", given=of_form)


@ASSIGNING.fault("CREATE-3", "GEN-9", says="a status in the query of a create is kept")
def create_keeps_the_status_of_the_query(api: Api) -> None:
    keep_in_drafts(api, "status", given=of_query)


@ASSIGNING.fault("CREATE-3", "GEN-9", says="a status below `invoice` in the body of a create is kept")
def create_keeps_what_is_wrapped(api: Api) -> None:
    keep_in_drafts(api, "status", given=of_wrapped)


@ASSIGNING.fault("CREATE-3", "FINALIZE-2", says="a Stripe status in the body of a create is kept")
def create_keeps_a_stripe_status(api: Api) -> None:
    keep_in_drafts(api, "stripe_invoice_status")


@ASSIGNING.fault("CREATE-3", "GEN-9", says="a Stripe id in the body of a create is kept")
def create_keeps_a_stripe_id(api: Api) -> None:
    keep_in_drafts(api, "stripe_invoice_id")


@ASSIGNING.fault("CREATE-5", "GEN-9", says="a total in the body of a create takes the place of the sum")
def create_keeps_a_total(api: Api) -> None:
    keep_in_drafts(api, "total")


@ASSIGNING.fault("CREATE-5", "GEN-9", says="a total in the body of a create is kept, and answered as the sum")
def create_keeps_a_total_silently(api: Api) -> None:
    keep_in_drafts(api, "total", answered=False)


@ASSIGNING.fault("CREATE-8", "CREATE-5", "GEN-9", says="a currency in the body of a create is kept")
def create_keeps_a_currency(api: Api) -> None:
    keep_in_drafts(api, "currency")


@ASSIGNING.fault("GEN-9", says="a charger in the body of a create is kept")
def create_keeps_a_charger(api: Api) -> None:
    keep_in_drafts(api, "charger_id")


def bill_instead(api: Api, name: str) -> None:
    """The merchant of that name in the body is billed for the charges, whoever's they are."""

    def create(caller: Caller, request: Request, body: Mapping[str, Any]) -> Any:
        reply = original(caller, request, body)
        invoice = api.records.invoices[reply.document["invoice"]["id"]]
        other = body.get(name)
        if str(other).isdigit() and int(str(other)) in api.records.merchants:
            api.records.invoices_of[invoice.merchant].remove(invoice)
            invoice.merchant = int(str(other))
            api.records.invoices_of[invoice.merchant].append(invoice)
            reply.document["invoice"] = api.view.invoice(invoice)
        return reply

    original = swap(api, "create_invoice", create)


@ASSIGNING.fault("CREATE-8", "GEN-8", "GEN-7", "GEN-9", "CREATE-3", says="a chargee in the body of a create is billed")
def create_bills_the_chargee_given(api: Api) -> None:
    bill_instead(api, "chargee_id")


@ASSIGNING.fault(
    "CREATE-8",
    "GEN-7",
    "GEN-8",
    "GEN-9",
    "CREATE-3",
    says="a merchant in the body goes before the header",
    arguments=PROVIDER,
)
def create_bills_the_merchant_given(api: Api) -> None:
    bill_instead(api, "merchant_id")


@ASSIGNING.fault(
    "CREATE-7", "GEN-9", "CREATE-3", says="an id in the body of a create overwrites the invoice that has it"
)
def create_keeps_an_id(api: Api) -> None:
    def create(caller: Caller, request: Request, body: Mapping[str, Any]) -> Any:
        reply = original(caller, request, body)
        old = api.records.invoices.get(body.get("id", 0))
        if old is not None and old.merchant in caller.scope:
            new = api.records.invoices.pop(reply.document["invoice"]["id"])
            api.records.invoices_of[new.merchant].remove(new)
            api.records.invoices_of[old.merchant].remove(old)
            new.id = old.id
            for charge in new.charges:
                charge.invoice = new.id
            api.records.add_invoice(new)
            reply.document["invoice"] = api.view.invoice(new)
        return reply

    original = swap(api, "create_invoice", create)


@ASSIGNING.fault("CREATE-3", "FINALIZE-2", "GEN-9", says="a create with auto_advance, as Stripe has it, finalizes")
def create_advances(api: Api) -> None:
    def create(caller: Caller, request: Request, body: Mapping[str, Any]) -> Any:
        reply = original(caller, request, body)
        if body.get("auto_advance") is True:
            invoice = api.records.invoices[reply.document["invoice"]["id"]]
            api.billing.lock_down(invoice)
            reply.document["invoice"] = api.view.invoice(invoice)
        return reply

    original = swap(api, "create_invoice", create)


@ASSIGNING.fault("GEN-9", "CREATE-5", says="amounts below `charges` in the body of a create are written to the charges")
def create_writes_amounts(api: Api) -> None:
    def create(caller: Caller, request: Request, body: Mapping[str, Any]) -> Any:
        for row in body.get("charges", ()):
            charge = api.records.charges.get(row.get("id", 0)) if isinstance(row, dict) else None
            if charge is not None and charge.merchant in caller.scope and "amount" in row:
                charge.amount = to_minor(Decimal(row["amount"]), charge.currency)
        return original(caller, request, body)

    original = swap(api, "create_invoice", create)


# Charges


def keep_in_charges(api: Api, change: Callable[[int, Mapping[str, Any]], None]) -> None:
    """Every new charge is changed by its id and the body that made it, before it is answered."""

    def adjust(caller: Caller, request: Request, body: Mapping[str, Any]) -> Any:
        reply = original(caller, request, body)
        number = reply.document["charge"]["id"]
        change(number, body)
        reply.document = api.view.charge_answer(api.records.charges[number])
        return reply

    original = swap(api, "create_quick_adjustment", adjust)


@ASSIGNING.fault("GEN-9", "CREATE-2", "CREATE-1", says="a status in the body of an adjustment is kept")
def adjustment_keeps_a_status(api: Api) -> None:
    def change(number: int, body: Mapping[str, Any]) -> None:
        api.records.charges[number].invoice = 0 if body.get("status") == "Invoiced" else None

    keep_in_charges(api, change)


@ASSIGNING.fault("GEN-9", "GEN-1", says="a price in the body of an adjustment is kept beside the amount")
def adjustment_keeps_a_price(api: Api) -> None:
    prices: dict[int, Any] = {}

    def change(number: int, body: Mapping[str, Any]) -> None:
        prices[number] = picked(body, ["price"])

    def charge(record: Any) -> Any:
        return shown_as(record) | prices.get(record.id, {})

    keep_in_charges(api, change)
    shown_as = swap(api.view, "charge", charge)


@ASSIGNING.fault("GEN-7", "GEN-8", "GEN-9", says="a chargee in the body of an adjustment is charged")
def adjustment_charges_the_chargee_given(api: Api) -> None:
    def change(number: int, body: Mapping[str, Any]) -> None:
        other = body.get("chargee_id")
        if str(other).isdigit() and int(str(other)) in api.records.merchants:
            charge = api.records.charges[number]
            api.records.charges_of[charge.merchant].remove(charge)
            charge.merchant = int(str(other))
            api.records.charges_of[charge.merchant].append(charge)

    keep_in_charges(api, change)


@ASSIGNING.fault("GEN-9", "CREATE-4", "FINALIZE-1", says="an adjustment with an id writes over the charge that has it")
def adjustment_writes_over_a_charge(api: Api) -> None:
    def change(number: int, body: Mapping[str, Any]) -> None:
        old, new = api.records.charges.get(body.get("id", 0)), api.records.charges[number]
        if old is not None and old.merchant == new.merchant:
            old.amount, old.description, old.invoice = new.amount, new.description, None
            api.records.charges_of[new.merchant].remove(new)
            api.records.charges[number] = old

    keep_in_charges(api, change)


@ASSIGNING.fault("FINALIZE-1", "CREATE-4", "GEN-9", says="an adjustment with an invoice_id is added to that invoice")
def adjustment_joins_an_invoice(api: Api) -> None:
    def change(number: int, body: Mapping[str, Any]) -> None:
        charge, invoice = api.records.charges[number], api.records.invoices.get(body.get("invoice_id", 0))
        if invoice is not None and invoice.merchant == charge.merchant:
            charge.invoice = invoice.id
            invoice.charges.append(charge)
            invoice.total += charge.amount

    keep_in_charges(api, change)


# Actions: their bodies are those of an update


def act(api: Api, operation: str, change: Callable[[Invoice, Mapping[str, Any]], None]) -> None:
    """The action changes its invoice by the body that it came with."""
    own = threading.local()

    def route(request: Request) -> Any:
        read = api.body(request)
        own.body = read if isinstance(read, dict) else {}
        return routed(request)

    def action(caller: Caller, number: int) -> Any:
        reply = original(caller, number)
        change(api.records.invoices[number], own.body)
        reply.document |= {"invoice": api.view.invoice(api.records.invoices[number])}
        return reply

    routed = swap(api, "route", route)
    original = swap(api, operation, action)


def write_total(invoice: Invoice, body: Mapping[str, Any]) -> None:
    if "total" in body:
        invoice.total = to_minor(Decimal(body["total"]), invoice.currency)


@ASSIGNING.fault("FINALIZE-1", "GEN-9", says="a total in the body of a finalize is kept")
def finalize_keeps_a_total(api: Api) -> None:
    act(api, "finalize_invoice", write_total)


@ASSIGNING.fault("FINALIZE-2", "COLLECT-3", "GEN-9", says="a Stripe status in the body of a finalize is kept")
def finalize_keeps_a_stripe_status(api: Api) -> None:
    def change(invoice: Invoice, body: Mapping[str, Any]) -> None:
        invoice.stripe_status = body.get("stripe_invoice_status", invoice.stripe_status)

    act(api, "finalize_invoice", change)


@ASSIGNING.fault("FINALIZE-2", "FINALIZE-4", "GEN-9", says="a Stripe id in the body of a finalize is kept")
def finalize_keeps_a_stripe_id(api: Api) -> None:
    def change(invoice: Invoice, body: Mapping[str, Any]) -> None:
        invoice.stripe_id = body.get("stripe_invoice_id", invoice.stripe_id)

    act(api, "finalize_invoice", change)


@ASSIGNING.fault("FINALIZE-1", "GEN-9", says="a status in the body of a finalize is kept")
def finalize_keeps_a_status(api: Api) -> None:
    def change(invoice: Invoice, body: Mapping[str, Any]) -> None:
        invoice.state = "draft" if body.get("status") == "Draft" else invoice.state

    act(api, "finalize_invoice", change)


@ASSIGNING.fault("FINALIZE-1", "COLLECT-3", "GEN-9", says="a total in the body of a collect is kept")
def collect_keeps_a_total(api: Api) -> None:
    act(api, "collect_invoice", write_total)
