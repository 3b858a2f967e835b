"""The seven operations: from a request to a reply."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.mutants.reference.billing import Billing
from tests.mutants.reference.choices import Choices
from tests.mutants.reference.messages import BadBody, Reply, Request, WrongType, read_body
from tests.mutants.reference.money import BadAmount, to_minor
from tests.mutants.reference.paging import Page, Pages
from tests.mutants.reference.records import Caller, Charge, Invoice, Records, Refusal
from tests.mutants.reference.searching import Search
from tests.mutants.reference.stripe import Stripe
from tests.mutants.reference.view import View

PREFIX = "/api"
NUMBER = re.compile(r"[0-9]{1,30}", re.ASCII)
Handler = Callable[..., Reply]


class Api:
    """One server: its parts, the road that each request takes, and hooks before it."""

    def __init__(self, choices: Choices, *, stripe_delay: float = 0.0, extra: bool = False) -> None:
        self.choices = choices
        self.records = Records(choices.first_id, choices.ids == "scattered")
        self.stripe = Stripe(choices, stripe_delay)
        self.billing = Billing(choices, self.records, self.stripe)
        self.search = Search(choices)
        self.pages = Pages(choices)
        self.view = View(choices, extra=extra)
        self.before: list[Callable[[Request], Reply | None]] = []
        self.counter = itertools.count()
        self.requests = 0
        """How many requests came in."""

    def respond(self, request: Request) -> Reply:
        """Never raises for anything that a caller can send."""
        self.requests = next(self.counter) + 1
        for hook in self.before:
            reply = hook(request)
            if reply is not None:
                return reply
        try:
            return self.route(request)
        except Refusal as refusal:
            return self.refused(refusal)

    def refused(self, refusal: Refusal) -> Reply:
        document: dict[str, Any] = {"message": refusal.message}
        if refusal.errors is not None:
            document["errors"] = refusal.errors
        reply = Reply(refusal.status, document | refusal.more)
        if refusal.status == 401:
            reply.headers["WWW-Authenticate"] = "Bearer"
        return reply

    def route(self, request: Request) -> Reply:
        """Finds the operation and the caller; raises Refusal."""
        handlers, number = self.handlers(request.path)
        handler = handlers.get(request.method)
        if handler is None:
            allowed = {"Allow": ", ".join(handlers)}
            return Reply(405, {"message": f"The method {request.method} is not allowed."}, allowed)
        body = self.body(request)
        caller = self.caller(request, body if isinstance(body, dict) else {}, handler.__name__)
        with self.records.lock:
            self.stripe.settle()
        if number is not None:
            return handler(caller, number)
        if isinstance(body, BadBody):
            status = 415 if isinstance(body, WrongType) else self.choices.invalid_request_status
            raise Refusal(status, str(body), errors={"body": [str(body)]})
        return handler(caller, request, body)

    def handlers(self, path: str) -> tuple[dict[str, Handler], int | None]:
        """Method to handler, and the number in the path; raises Refusal for an unknown path."""
        match path.removeprefix(PREFIX).split("/")[1:] if path.startswith(PREFIX + "/") else []:
            case ["billing", "invoices"]:
                return {"GET": self.list_invoices, "POST": self.create_invoice}, None
            case ["billing", "charges"]:
                return {"GET": self.list_charges}, None
            case ["billing", "charges", "quick-adjustment"]:
                return {"POST": self.create_quick_adjustment}, None
            case ["billing", "charges", number]:
                return {"GET": self.get_charge}, self.path_number(number)
            case ["billing", "invoices", number, "finalize"]:
                return {"POST": self.finalize_invoice}, self.path_number(number)
            case ["billing", "invoices", number, "collect"]:
                return {"POST": self.collect_invoice}, self.path_number(number)
        raise Refusal(404, "There is nothing at this address.")

    def path_number(self, text: str) -> int:
        """-1, which is nobody's id, for what is no id."""
        return int(text) if NUMBER.fullmatch(text) else -1

    def body(self, request: Request) -> dict[str, Any] | BadBody:
        """What is wrong with the body is told later, to those who have a token."""
        if request.method != "POST":
            return {}
        try:
            return read_body(request)
        except BadBody as bad:
            as_empty = self.choices.unreadable_body == "as_empty" and not isinstance(bad, WrongType)
            return {} if as_empty else bad

    def caller(self, request: Request, body: Mapping[str, Any], operation: str) -> Caller:
        """Raises Refusal when the token is unknown or the header selects what it does not reach."""
        reach = self.reach(self.token(request, body), operation)
        return Caller(reach, self.selected(request, reach, operation))

    def token(self, request: Request, body: Mapping[str, Any]) -> str | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            return token.strip()
        given = self.token_parameter(request, body)
        return given if isinstance(given, str) else None

    def token_parameter(self, request: Request, body: Mapping[str, Any]) -> Any:
        return request.query.get("api_token") or body.get("api_token")

    def reach(self, token: str | None, operation: str) -> frozenset[int]:
        known = self.records.tokens.get(token or "")
        if known is None:
            raise Refusal(401, "Unauthenticated.")
        return known

    def selected(self, request: Request, reach: frozenset[int], operation: str) -> int | None:
        text = request.headers.get("x-selected-client-id")
        if text is None:
            if self.choices.merchant_header == "required" and len(reach) > 1:
                raise Refusal(self.choices.invalid_request_status, "Select a merchant by X-Selected-Client-Id.")
            return None
        number = self.path_number(text.strip())
        if number not in reach:
            raise Refusal(self.choices.unknown_merchant_status, "The token does not reach this merchant.")
        return number

    def list_invoices(self, caller: Caller, request: Request, body: Mapping[str, Any]) -> Reply:
        matches = self.search.filter(request.query.get("q"), self.visible_invoices(caller))
        page = self.pages.cut(request.query, self.pages.order(matches))
        rows = [self.view.invoice(row) for row in page.rows]
        return self.page_reply(request, page, rows)

    def visible_invoices(self, caller: Caller) -> list[Invoice]:
        return self.records.invoices_in(caller.scope)

    def page_reply(self, request: Request, page: Page, rows: list[dict[str, Any]]) -> Reply:
        document = {"data": rows} | self.pages.figures(page)
        if self.choices.page_links != "absent":
            document |= self.pages.links(page, request.path, request.query)
        return Reply(200, document)

    def create_invoice(self, caller: Caller, request: Request, body: Mapping[str, Any]) -> Reply:
        invoice = self.billing.create(caller, self.charge_ids(request, body))
        return Reply(self.choices.create_status, self.view.created(invoice))

    def charge_ids(self, request: Request, body: Mapping[str, Any]) -> list[int] | None:
        """The ids asked for, None for all; raises Refusal when they are not a list of integers."""
        if "charge_ids" not in body:
            return None
        given = body["charge_ids"]
        if self.choices.empty_charge_ids == "as_omitted" and given in (None, "", [""]):
            return None
        if self.choices.loose_integers == "accept" and isinstance(given, dict):
            given = list(given.values())
        if not isinstance(given, list):
            raise self.billing.invalid(
                "The charge ids must be a list.", {"charge_ids": ["The charge_ids must be an array."]}
            )
        if self.choices.most_charge_ids is not None and len(given) > self.choices.most_charge_ids:
            raise self.billing.invalid(
                "There are too many charge ids.",
                {"charge_ids": [f"There may be {self.choices.most_charge_ids} charge_ids at most."]},
            )
        strings = request.is_form or self.choices.numeric_strings == "accept"
        ids = [self.integer(item, strings=strings) for item in given]
        errors = {
            f"charge_ids.{place}": ["The charge id must be an integer."]
            for place, number in enumerate(ids)
            if number is None
        }
        if errors:
            raise self.billing.invalid("The charge ids must be integers.", errors)
        return [number for number in ids if number is not None]

    def integer(self, item: object, *, strings: bool) -> int | None:
        """None for what is no integer."""
        if isinstance(item, str) and strings and NUMBER.fullmatch(item):
            return int(item)
        if self.choices.loose_integers == "accept":
            if isinstance(item, Decimal) and item.is_finite() and item.adjusted() < 30 and item == int(item):
                return int(item)
            if isinstance(item, str) and NUMBER.fullmatch(item.removeprefix("+")) and (strings or item[0] == "+"):
                return int(item)
            if isinstance(item, bool):
                return int(item)
        return item if type(item) is int else None

    def finalize_invoice(self, caller: Caller, number: int) -> Reply:
        invoice = self.billing.finalize(caller, number)
        return Reply(self.choices.finalize_status, self.view.acted("The invoice was finalized.", invoice))

    def collect_invoice(self, caller: Caller, number: int) -> Reply:
        invoice = self.billing.collect(caller, number)
        return Reply(self.choices.collect_status, self.view.acted("The payment was collected.", invoice))

    def list_charges(self, caller: Caller, request: Request, body: Mapping[str, Any]) -> Reply:
        query = {"per_page": str(self.choices.charges_per_page)} | dict(request.query)
        step = 1 if self.choices.charges_order == "oldest_first" else -1
        page = self.pages.cut(query, self.visible_charges(caller)[::step])
        return self.page_reply(request, page, [self.view.charge(row) for row in page.rows])

    def visible_charges(self, caller: Caller) -> list[Charge]:
        return self.records.charges_in(caller.scope)

    def get_charge(self, caller: Caller, number: int) -> Reply:
        charge = self.records.charges.get(number)
        if charge is None:
            raise Refusal(404, "The charge does not exist.")
        if not self.may_read(caller, charge):
            raise Refusal(self.choices.foreign_charge_status, "The charge is not one of yours.")
        return Reply(200, self.view.charge_answer(charge))

    def may_read(self, caller: Caller, charge: Charge) -> bool:
        return charge.merchant in caller.scope

    def create_quick_adjustment(self, caller: Caller, request: Request, body: Mapping[str, Any]) -> Reply:
        number = self.adjusted_merchant(caller)
        merchant = self.records.merchants[number]
        errors: dict[str, list[str]] = {}
        description = body.get("description")
        if not isinstance(description, str):
            errors["description"] = ["The description must be a string."]
            description = ""
        amount = 0
        try:
            amount = self.amount(body.get("amount"), merchant.currency, form=request.is_form)
        except BadAmount as bad:
            errors["amount"] = [f"The amount {bad}."]
        if errors:
            raise self.billing.invalid("The adjustment can't be made.", errors)
        charge = self.records.add_charge(merchant, amount, description)
        return Reply(self.choices.adjustment_status, self.view.charge_answer(charge))

    def adjusted_merchant(self, caller: Caller) -> int:
        if caller.selected is not None:
            return caller.selected
        if self.choices.missing_header_adjustment == "own_merchant" and len(caller.reach) == 1:
            return next(iter(caller.reach))
        raise self.billing.invalid(
            "Name the merchant in X-Selected-Client-Id.", {"merchant": ["The header is missing."]}
        )

    def amount(self, given: object, currency: str, *, form: bool) -> int:
        """In minor units; raises BadAmount."""
        if form and isinstance(given, str):
            given = read_decimal(given)
        if type(given) is not int and not isinstance(given, Decimal):
            raise BadAmount("must be a number")
        minor = self.to_minor(Decimal(given), currency)
        if minor < 0 and self.choices.negative_amounts == "refuse":
            raise BadAmount("must not be negative")
        if minor == 0 and self.choices.zero_amounts == "refuse":
            raise BadAmount("must not be zero")
        return minor

    def to_minor(self, amount: Decimal, currency: str) -> int:
        return to_minor(amount, currency, rounded=self.choices.fine_amounts == "round")


def read_decimal(text: str) -> Decimal:
    """A form's number; raises BadAmount."""
    try:
        return Decimal(text) if len(text) < 100 and text.isascii() else Decimal("NaN")
    except InvalidOperation as error:
        raise BadAmount("must be a number") from error
