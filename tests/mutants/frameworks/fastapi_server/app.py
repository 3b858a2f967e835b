"""The operations, as FastAPI's routes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Path, Request
from fastapi.responses import JSONResponse
from sqlalchemy import ColumnElement, and_, select

from tests.mutants.frameworks.choices import Choices
from tests.mutants.frameworks.fastapi_server import refusals, requests, search, shapes
from tests.mutants.frameworks.fastapi_server.billing import Billing
from tests.mutants.frameworks.fastapi_server.refusals import Invalid, Refused
from tests.mutants.frameworks.fastapi_server.tables import Charge, Invoice, Merchant, Token, add, now
from tests.mutants.frameworks.parties import PLACES

InvoiceId = Annotated[int, Path(lt=2**63)]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request, and what it says."""

    request: Request
    body: requests.Body
    provider: int
    own_merchant: int | None
    merchant: int | None
    known: bool

    @property
    def reach(self) -> ColumnElement[bool]:
        """The merchants whose records the caller reaches, among the joined ones."""
        everywhere = Merchant.provider == self.provider
        return everywhere if self.merchant is None else and_(everywhere, Merchant.id == self.merchant)


class _Callers:
    """Finds out who sends a request: a dependency of every operation."""

    def __init__(self, billing: Billing, choices: Choices) -> None:
        self._billing = billing
        self._choices = choices

    async def __call__(self, request: Request) -> Caller:
        body = await requests.read_body(request, self._choices)
        with self._billing.reading() as session, session.begin():
            token = session.get(Token, requests.token_of(request, body))
            if token is None:
                raise Refused(401, "Not authenticated")
            provider, own = token.provider, token.merchant_id
            if body.fault is not None:
                raise body.fault
            selected = requests.selected_client(request)
            merchant = own if selected is None else selected
            found = session.get(Merchant, merchant) if merchant is not None and 0 < merchant < 2**63 else None
            known = merchant is None or (found is not None and found.provider == provider and own in (None, merchant))
        caller = Caller(request, body, provider, own, merchant, known)
        if self._choices.merchant_check == "first":
            self.check(caller)
        return caller

    def check(self, caller: Caller) -> None:
        """Refuse a merchant that the caller does not reach, or none where one is required."""
        if not caller.known:
            raise Refused(self._choices.unknown_merchant_status, "You have no such client")
        if caller.merchant is None and self._choices.merchant_header == "required":
            raise Refused(self._choices.missing_merchant_status, "The header X-Selected-Client-Id is missing")


def create_app(billing: Billing, choices: Choices) -> FastAPI:
    """The API on that database."""
    app = FastAPI(openapi_url=None)
    refusals.install(app, choices)
    callers = _Callers(billing, choices)
    _add_invoices(app, billing, choices, callers)
    if choices.companions == "present":
        _add_charges(app, billing, choices, callers)
    elif choices.companions == "absent_405":
        app.add_api_route("/api/billing/charges{rest:path}", lambda rest: None, methods=["TRACE"])
    app.add_api_route("/_stripe", lambda: billing.stripe.ledger())
    return app


def _add_invoices(app: FastAPI, billing: Billing, choices: Choices, callers: _Callers) -> None:
    def listed(caller: Annotated[Caller, Depends(callers)]) -> JSONResponse:
        wanted = search.condition(caller.request.query_params.get("q", ""), choices)
        callers.check(caller)
        found = select(Invoice).join(Invoice.merchant).where(caller.reach, wanted)
        with billing.reading() as session:
            shown = shapes.page(caller.request, session, found, Invoice.number, shapes.shown_invoice, choices)
        return JSONResponse(shown)

    def create(caller: Annotated[Caller, Depends(callers)]) -> JSONResponse:
        wanted = requests.charge_ids(caller.body, choices)
        callers.check(caller)
        shown = billing.create(caller.reach, caller.merchant, wanted, lambda made: shapes.shown_invoice(made, choices))
        return JSONResponse({"message": "Invoice created", "invoice": shown}, choices.create_status)

    def find(caller: Caller, invoice_id: int) -> int:
        with billing.reading() as session, session.begin():
            found = session.scalar(select(Invoice).where(Invoice.id == invoice_id))
            if found is None:
                raise Refused(404, "Invoice not found")
            number, owner, provider = found.number, found.merchant_id, found.merchant.provider
        callers.check(caller)
        if provider != caller.provider or caller.merchant not in (None, owner):
            raise Refused(choices.foreign_invoice_status, "Invoice not found")
        return number

    def action(change: Callable[[int], None], message: str, status: int) -> Callable[..., JSONResponse]:
        def act(invoice_id: InvoiceId, caller: Annotated[Caller, Depends(callers)]) -> JSONResponse:
            number = find(caller, invoice_id)
            change(number)
            body: dict[str, Any] = {"message": message}
            if choices.action_body == "message_and_invoice":
                with billing.reading() as session, session.begin():
                    body["invoice"] = shapes.shown_invoice(session.get_one(Invoice, number), choices)
            return JSONResponse(body, status)

        return act

    finalize = action(billing.finalize, "Invoice finalized", choices.finalize_status)
    collect = action(billing.collect, "Invoice collected", choices.collect_status)
    app.add_api_route("/api/billing/invoices", listed, methods=["GET"])
    app.add_api_route("/api/billing/invoices", create, methods=["POST"])
    app.add_api_route("/api/billing/invoices/{invoice_id}/finalize", finalize, methods=["POST"])
    app.add_api_route("/api/billing/invoices/{invoice_id}/collect", collect, methods=["POST"])


def _add_charges(app: FastAPI, billing: Billing, choices: Choices, callers: _Callers) -> None:
    def listed(caller: Annotated[Caller, Depends(callers)]) -> JSONResponse:
        callers.check(caller)
        found = select(Charge).join(Charge.merchant).where(caller.reach)
        with billing.reading() as session:
            shown = shapes.page(caller.request, session, found, Charge.number, shapes.shown_charge, choices)
        return JSONResponse(shown)

    def show(charge_id: InvoiceId, caller: Annotated[Caller, Depends(callers)]) -> JSONResponse:
        callers.check(caller)
        with billing.reading() as session, session.begin():
            found = select(Charge).join(Charge.merchant).where(caller.reach, Charge.id == charge_id)
            charge = session.scalar(found)
            if charge is None:
                raise Refused(404, "Charge not found")
            return JSONResponse({"charge": shapes.shown_charge(charge, choices), "charge_items": []})

    def adjust(caller: Annotated[Caller, Depends(callers)]) -> JSONResponse:
        given = requests.quick_adjustment(caller.body, choices)
        callers.check(caller)
        if caller.merchant is None:
            raise Refused(choices.missing_merchant_status, "The header X-Selected-Client-Id is missing")
        with billing.writing() as session, session.begin():
            places = PLACES[session.get_one(Merchant, caller.merchant).currency]
            minor = given.amount.scaleb(places)
            if minor != minor.to_integral_value():
                raise Invalid({"amount": [f"Decimal input should have no more than {places} decimal places"]})
            if minor < 0 and choices.credits == "refuse":
                raise Invalid({"amount": ["Input should be greater than or equal to 0"]})
            charge = Charge(merchant_id=caller.merchant, created_at=now(), amount=int(minor))
            charge.description = given.description
            add(session, charge, random_id=choices.ids == "random")
            session.refresh(charge)
            body = {"charge": shapes.shown_charge(charge, choices), "charge_items": []}
        return JSONResponse(body, choices.companion_status)

    app.add_api_route("/api/billing/charges", listed, methods=["GET"])
    app.add_api_route("/api/billing/charges/quick-adjustment", adjust, methods=["POST"])
    app.add_api_route("/api/billing/charges/{charge_id}", show, methods=["GET"])
