"""The records of one world as they are kept: merchants with their cards, invoices with their lives, charges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from mockserver.billing.records import PAID, STRIPE_VOID, UNCOLLECTIBLE, Charge, Invoice
from mockserver.billing.search import query as search
from mockserver.billing.stripe import CARDS, Attempt
from mockserver.core.clock import render_time
from mockserver.core.messages import Reply
from mockserver.server.control.refusal import missing
from mockserver.server.control.request import ControlRequest
from mockserver.state.diff import attempt_body, charge_body, invoice_body
from mockserver.state.store.base import Scope
from mockserver.state.world import State


def list_merchants(request: ControlRequest) -> Reply:
    with request.world.lock:
        store, forced = request.world.state.store, request.world.state.stripe.forced
        data = [
            {
                "id": one.id,
                "name": one.name,
                "currency": one.currency,
                "type": one.type,
                "card": one.card,
                "outcome": CARDS[one.card].name,
                "next_outcome": (forced[0] if forced else CARDS[one.card]).name,
                "open_charges": len(store.uninvoiced(frozenset((one.id,)))),
                "invoices": store.page_of_invoices(
                    frozenset((one.id,)), search.NOTHING_ASKED, offset=0, limit=0, newest_first=True
                )[1],
            }
            for one in sorted(store.merchants(), key=lambda one: one.id)
        ]
    return Reply(200, {"data": data})


def list_invoices(request: ControlRequest) -> Reply:
    query = search.NOTHING_ASKED
    if text := request.call.query.get("q"):
        lenient = request.service.profile.date_without_modifier == "accept"
        query = search.parse(text, date_without_modifier=lenient)
    page, size = request.call.query["page"], request.call.query["per_page"]
    with request.world.lock:
        state = request.world.state
        state.settle()
        rows, total = state.store.page_of_invoices(
            _everyone(state), query, offset=(page - 1) * size, limit=size, newest_first=True
        )
        latest = _latest(state.stripe.ledger)
        data = [_invoice(row, request, latest) for row in rows]
    return Reply(200, _page(data, page, size, total))


def get_invoice(request: ControlRequest) -> Reply:
    with request.world.lock:
        state = request.world.state
        state.settle()
        invoice = state.store.invoice(request.call.path["invoice"])
        if invoice is None:
            raise missing(f"There is no invoice {request.call.path['invoice']}.")
        attempts = [one for one in state.stripe.ledger if one.invoice == invoice.id]
        charges = [one for number in invoice.charges if (one := state.store.charge(number)) is not None]
        body = {
            "invoice": _invoice(invoice, request, _latest(attempts)),
            "charges": [_charge(one, request) for one in charges],
            "attempts": [attempt_body(one) for one in attempts],
            "due": _due(invoice, state),
        }
    return Reply(200, body)


def list_charges(request: ControlRequest) -> Reply:
    page, size = request.call.query["page"], request.call.query["per_page"]
    with request.world.lock:
        state = request.world.state
        rows, total = state.store.page_of_charges(
            _everyone(state), offset=(page - 1) * size, limit=size, newest_first=True
        )
        data = [_charge(row, request) for row in rows]
    return Reply(200, _page(data, page, size, total))


def _everyone(state: State) -> Scope:
    return frozenset(one.id for one in state.store.merchants())


def _page(data: list[dict[str, Any]], page: int, size: int, total: int) -> dict[str, Any]:
    return {"data": data, "page": page, "last_page": max(1, -(-total // size)), "total": total}


def _invoice(invoice: Invoice, request: ControlRequest, latest: Mapping[int, Attempt]) -> dict[str, Any]:
    world = request.world
    shown = invoice_body(invoice, replace(world.blueprint, state=world.state), request.service.profile)
    return {**shown, "merchant": invoice.merchant, "state": _stands(invoice, latest.get(invoice.id))}


def _charge(charge: Charge, request: ControlRequest) -> dict[str, Any]:
    world = request.world
    shown = charge_body(charge, replace(world.blueprint, state=world.state), request.service.profile)
    return {**shown, "merchant": charge.merchant}


def _stands(invoice: Invoice, last: Attempt | None) -> str:
    """Where the invoice stands, in one word."""
    if invoice.draft:
        return "draft"
    if invoice.stripe_invoice_status in (PAID, STRIPE_VOID, UNCOLLECTIBLE):
        return invoice.stripe_invoice_status
    if invoice.payment_pending:
        return "paid_unreported"
    if last is not None and last.code is not None:
        return "declined"
    return "queued" if invoice.stripe_invoice_id is None else "on_stripe"


def _latest(attempts: Iterable[Attempt]) -> dict[int, Attempt]:
    """The last attempt for each invoice."""
    return {one.invoice: one for one in attempts}


def _due(invoice: Invoice, state: State) -> str | None:
    """When what the invoice waits for happens: its creation on Stripe, or the report of its payment."""
    waiting = state.reports if invoice.payment_pending else () if invoice.stripe_invoice_id else state.queue
    moments = [due for due, number in waiting if number == invoice.id]
    return render_time(min(moments)) if moments else None


RECORDS: dict[str, Callable[[ControlRequest], Reply]] = {
    "listMerchants": list_merchants,
    "listInvoicesOfWorld": list_invoices,
    "getInvoice": get_invoice,
    "listChargesOfWorld": list_charges,
}
"""These operations by their operationId."""
