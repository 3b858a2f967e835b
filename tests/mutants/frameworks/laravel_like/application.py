"""The application: routes, who sends a request, the controllers, and how records are written."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from sqlite3 import Row
from typing import Any

from tests.mutants.frameworks.choices import Choices
from tests.mutants.frameworks.laravel_like import php, search, validation
from tests.mutants.frameworks.laravel_like.billing import Billing
from tests.mutants.frameworks.laravel_like.database import moment
from tests.mutants.frameworks.laravel_like.errors import Refused, Unauthenticated
from tests.mutants.frameworks.laravel_like.paginator import paginate
from tests.mutants.frameworks.laravel_like.request import Request
from tests.mutants.frameworks.parties import PLACES

Answer = tuple[int, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _User:
    """Who a token stands for, and the merchants that a request may touch."""

    provider: int
    reachable: tuple[int, ...]
    selected: bool


def _key(digits: str) -> int:
    """The id that digits name; 0, which nothing has, for a number beyond all ids."""
    plain = digits.lstrip("0") or "0"
    return int(plain) if len(plain) < 19 else 0


class Application:
    """The API on one database."""

    def __init__(self, billing: Billing, choices: Choices) -> None:
        self._billing = billing
        self._choices = choices
        self._merchants: dict[int, Row] = {}
        with billing.database.reading() as rows:
            for row in rows.execute("select * from merchants"):
                self._merchants[row["id"]] = row
        self._routes: list[tuple[str, str, Callable[..., Answer]]] = [
            ("GET", r"api/billing/invoices", self._list_invoices),
            ("POST", r"api/billing/invoices", self._create),
            ("POST", r"api/billing/invoices/([0-9]+)/finalize", self._finalize),
            ("POST", r"api/billing/invoices/([0-9]+)/collect", self._collect),
        ]
        if choices.companions == "present":
            self._routes += [
                ("GET", r"api/billing/charges", self._list_charges),
                ("GET", r"api/billing/charges/([0-9]+)", self._show_charge),
                ("POST", r"api/billing/charges/quick-adjustment", self._adjust),
            ]
        elif choices.companions == "absent_405":
            self._routes.append(("TRACE", r"api/billing/charges(?:/.*)?", self._list_charges))

    def handle(self, request: Request) -> Answer:
        """What a request is answered.

        Raises:
            Refused: when it is turned down.
            Unauthenticated: without a token that is known.
        """
        methods = []
        verb = "GET" if request.verb == "HEAD" else request.verb
        for method, pattern, controller in self._routes:
            if found := re.fullmatch(pattern, request.path):
                if method == verb:
                    with self._billing.database.reading() as rows:
                        statement = "select * from tokens where value = ?"
                        known = isinstance(request.token, str) and rows.execute(statement, (request.token,)).fetchone()
                    if not known:
                        raise Unauthenticated
                    request.check_readable()
                    return controller(request, known, *found.groups())
                methods.append(method)
        if methods:
            allowed = ", ".join(methods)
            message = f"The {verb} method is not supported for route {request.path}. Supported methods: {allowed}."
            raise Refused(405, message, {"Allow": allowed})
        raise Refused(404, f"The route {request.path} could not be found.")

    def _user(self, request: Request, token: Row) -> _User:
        choices = self._choices
        own = [row["id"] for row in self._merchants.values() if row["provider"] == token["provider"]]
        if token["merchant"] is not None:
            own = [token["merchant"]]
        header = request.headers.get("x-selected-client-id", "").strip()
        if not header:
            if token["merchant"] is None and choices.merchant_header == "required":
                raise Refused(choices.missing_merchant_status, "The X-Selected-Client-Id header is required.")
            return _User(token["provider"], tuple(own), token["merchant"] is not None)
        chosen = php.whole(header)
        if chosen is None or chosen not in own:
            raise Refused(choices.unknown_merchant_status, "This client does not belong to you.")
        return _User(token["provider"], (chosen,), True)

    def _list_invoices(self, request: Request, token: Row) -> Answer:
        q = request.input.get("q")
        if q is not None and not isinstance(q, str):
            raise validation.invalid(self._choices, "q", "must be a string")
        wanted, values = search.condition(q or "", self._choices)
        return self._list(request, token, "invoices", (wanted, values), self._invoice)

    def _list_charges(self, request: Request, token: Row) -> Answer:
        return self._list(request, token, "charges", ("1 = 1", []), self._charge)

    def _list(
        self, request: Request, token: Row, table: str, wanted: search.Condition, show: Callable[[Row], dict[str, Any]]
    ) -> Answer:
        reachable = self._user(request, token).reachable
        source = f"from {table} where merchant in ({', '.join('?' * len(reachable))}) and ({wanted[0]})"
        with self._billing.database.reading() as rows:
            return 200, paginate(request, rows, source, [*reachable, *wanted[1]], show)

    def _create(self, request: Request, token: Row) -> Answer:
        user = self._user(request, token) if self._choices.merchant_check == "first" else None
        validation.known(request, "charge_ids")
        wanted = validation.charge_ids(request)
        user = user or self._user(request, token)
        invoice = self._billing.create(user.reachable, wanted, selected=user.selected)
        body = {"message": "Invoice created successfully.", "invoice": self._invoice(invoice)}
        return self._choices.create_status, body

    def _finalize(self, request: Request, token: Row, invoice: str) -> Answer:
        number = self._find(request, token, invoice)
        self._billing.finalize(number)
        return self._acted(number, "Invoice finalized successfully.", self._choices.finalize_status)

    def _collect(self, request: Request, token: Row, invoice: str) -> Answer:
        number = self._find(request, token, invoice)
        self._billing.collect(number)
        return self._acted(number, "Payment collected successfully.", self._choices.collect_status)

    def _find(self, request: Request, token: Row, invoice: str) -> int:
        user = self._user(request, token) if self._choices.merchant_check == "first" else None
        with self._billing.database.reading() as rows:
            found = rows.execute("select * from invoices where id = ?", (_key(invoice),)).fetchone()
        missing = f"No query results for model [App\\Models\\Invoice] {invoice}"
        if found is None:
            raise Refused(404, missing)
        user = user or self._user(request, token)
        if found["merchant"] not in user.reachable:
            status = self._choices.foreign_invoice_status
            raise Refused(status, missing if status == 404 else "This action is unauthorized.")
        number: int = found["number"]
        return number

    def _acted(self, number: int, message: str, status: int) -> Answer:
        body: dict[str, Any] = {"message": message}
        if self._choices.action_body == "message_and_invoice":
            with self._billing.database.reading() as rows:
                body["invoice"] = self._invoice(
                    rows.execute("select * from invoices where number = ?", (number,)).fetchone()
                )
        return status, body

    def _show_charge(self, request: Request, token: Row, charge: str) -> Answer:
        user = self._user(request, token)
        with self._billing.database.reading() as rows:
            found = rows.execute("select * from charges where id = ?", (_key(charge),)).fetchone()
        if found is None or found["merchant"] not in user.reachable:
            raise Refused(404, f"No query results for model [App\\Models\\Charge] {charge}")
        return 200, self._with_items(found)

    def _adjust(self, request: Request, token: Row) -> Answer:
        user = self._user(request, token)
        validation.known(request, "amount", "description")
        if not user.selected:
            raise Refused(self._choices.missing_merchant_status, "The X-Selected-Client-Id header is required.")
        merchant = user.reachable[0]
        amount, description = validation.adjustment(request, self._merchants[merchant]["currency"])
        values = {"merchant": merchant, "created_at": moment(), "amount": amount, "description": description}
        with self._billing.database.transaction() as rows:
            charge = self._billing.database.insert(rows, "charges", values)
        return self._choices.companion_status, self._with_items(charge)

    def _invoice(self, row: Row) -> dict[str, Any]:
        label = row["status"] if row["status"] == "Draft" else self._choices.finalized_label
        if row["stripe_status"] == "paid" and self._choices.paid_label:
            label = self._choices.paid_label
        shown = self._common(row) | {
            "status": label,
            "stripe_invoice_status": row["stripe_status"],
            "stripe_invoice_id": row["stripe_id"],
            "description": row["description"],
            "total": self._money(row, "total"),
        }
        if self._choices.answers == "rich":
            shown |= {
                "updated_at": shown["created_at"],
                "meta": {"paid": row["paid_at"] is not None},
                "deleted_at": None,
            }
        return shown

    def _charge(self, row: Row) -> dict[str, Any]:
        shown = self._common(row) | {
            "price": self._money(row, "amount"),
            "amount": self._money(row, "amount"),
            "status": "Open" if row["invoice"] is None else "Invoiced",
            "category": "Adjustment",
            "description": row["description"],
            "stripe_invoice_item_id": None,
        }
        if self._choices.answers == "rich":
            shown |= {"updated_at": shown["created_at"], "chargeable": None}
        return shown

    def _with_items(self, row: Row) -> dict[str, Any]:
        item = {"id": row["number"], "name": row["description"], "price": self._money(row, "amount"), "qty": 1}
        return {"charge": self._charge(row), "charge_items": [item]}

    def _common(self, row: Row) -> dict[str, Any]:
        written: Callable[[int], object] = str if self._choices.party_id_type == "string" else int
        merchant = self._merchants[row["merchant"]]
        return {
            "id": row["id"],
            "charger_id": written(merchant["provider"]),
            "charger_type": "company",
            "chargee_id": written(row["merchant"]),
            "chargee_type": "team",
            "created_at": self._moment(row["created_at"]),
            "currency": merchant["currency"],
        }

    def _moment(self, stored: str) -> str:
        precision = self._choices.created_at_precision
        day, _, clock = stored.partition(" ")
        if precision != "microseconds":
            clock = clock[:8] + (".000000" if precision == "zero_microseconds" else "")
        return f"{day}T{clock}Z"

    def _money(self, row: Row, name: str) -> float | int:
        """A sum in major units; a whole one is written without a fraction, as PHP's JSON does."""
        major = Decimal(row[name]).scaleb(-PLACES[self._merchants[row["merchant"]]["currency"]])
        return int(major) if major == major.to_integral_value() else float(major)
