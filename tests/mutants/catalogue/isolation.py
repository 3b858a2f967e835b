"""Faults between merchants: whose records a token and a header reach."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.mutants.catalogue.making import Catalog, swap
from tests.mutants.config import PROVIDER
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Reply, Request
from tests.mutants.reference.records import Caller, Charge, Invoice, Refusal

ISOLATION = Catalog("isolation")


def header_ignored_by(api: Api, *operations: str) -> None:
    """These operations do not look at the header."""

    def selected(request: Request, reach: frozenset[int], operation: str) -> Any:
        return None if operation in operations else original(request, reach, operation)

    original = swap(api, "selected", selected)


def everybody(api: Api, caller: Caller) -> Caller:
    """The caller as one who reaches every merchant."""
    return Caller(frozenset(api.records.merchants), caller.selected)


# The lists


@ISOLATION.fault("GEN-7", "GEN-8", says="an OR in a search gets around the header", arguments=PROVIDER)
def or_gets_around_the_header(api: Api) -> None:
    def visible(caller: Caller) -> Any:
        own = original(caller)
        if caller.selected is None or not searched_by_or():
            return own
        return original(Caller(caller.reach, None))

    def searched_by_or() -> bool:
        return " OR " in str(latest.get("q"))

    def listed(caller: Caller, request: Request, body: Any) -> Any:
        latest["q"] = request.query.get("q")
        return whole(caller, request, body)

    latest: dict[str, Any] = {}
    original = swap(api, "visible_invoices", visible)
    whole = swap(api, "list_invoices", listed)


@ISOLATION.fault("GEN-8", "LIST-4", says="from the second page on, everybody's invoices are listed")
def later_pages_are_everybodys(api: Api) -> None:
    def listed(caller: Caller, request: Request, body: Any) -> Any:
        late = request.query.get("page", "1") not in ("0", "1")
        return original(everybody(api, caller) if late else caller, request, body)

    original = swap(api, "list_invoices", listed)


# The header


@ISOLATION.fault(
    "GEN-7", "SEARCH-6", "LIST-3", says="the list of invoices does not look at the header", arguments=PROVIDER
)
def header_ignored_by_list(api: Api) -> None:
    header_ignored_by(api, "list_invoices")


@ISOLATION.fault("GEN-7", says="the list of charges does not look at the header", arguments=PROVIDER)
def header_ignored_by_charges(api: Api) -> None:
    header_ignored_by(api, "list_charges")


@ISOLATION.fault(
    "GEN-7", "CREATE-8", "CREATE-2", "CREATE-6", says="create does not look at the header", arguments=PROVIDER
)
def header_ignored_by_create(api: Api) -> None:
    header_ignored_by(api, "create_invoice")


@ISOLATION.fault("GEN-7", "GEN-8", says="finalize and collect do not look at the header", arguments=PROVIDER)
def header_ignored_by_actions(api: Api) -> None:
    header_ignored_by(api, "finalize_invoice", "collect_invoice")


@ISOLATION.fault("GEN-7", "GEN-8", says="a header that names a merchant beyond the token's reach is not looked at")
def unreachable_merchant_ignored(api: Api) -> None:
    def selected(request: Request, reach: frozenset[int], operation: str) -> Any:
        try:
            return original(request, reach, operation)
        except Refusal:
            return None

    original = swap(api, "selected", selected)


@ISOLATION.fault(
    "GEN-7", "LIST-3", says="without the header a provider sees its first merchant only", arguments=PROVIDER
)
def provider_sees_one_merchant(api: Api) -> None:
    def selected(request: Request, reach: frozenset[int], operation: str) -> Any:
        return original(request, reach, operation) or min(reach)

    original = swap(api, "selected", selected)


@ISOLATION.fault(
    "GEN-7", says="without the header a provider sees its first merchant's charges only", arguments=PROVIDER
)
def provider_sees_one_merchants_charges(api: Api) -> None:
    def selected(request: Request, reach: frozenset[int], operation: str) -> Any:
        found = original(request, reach, operation)
        return min(reach) if found is None and operation == "list_charges" else found

    original = swap(api, "selected", selected)


@ISOLATION.fault("GEN-7", "GEN-8", says="an adjustment goes to the provider's last merchant", arguments=PROVIDER)
def adjustment_goes_to_another(api: Api) -> None:
    swap(api, "adjusted_merchant", lambda caller: max(caller.reach))


@ISOLATION.fault("GEN-8", says="without the header an adjustment goes to the first merchant of all")
def unselected_adjustment_goes_to_the_first(api: Api) -> None:
    def merchant(caller: Caller) -> Any:
        return min(api.records.merchants) if caller.selected is None else original(caller)

    original = swap(api, "adjusted_merchant", merchant)


@ISOLATION.fault("GEN-7", "LIST-1", "SEARCH-1", says="with the header, the list is empty", arguments=PROVIDER)
def header_empties_the_list(api: Api) -> None:
    def visible(caller: Caller) -> list[Invoice]:
        return [] if caller.selected is not None else original(caller)

    original = swap(api, "visible_invoices", visible)


# The token


@ISOLATION.fault("GEN-8", "GEN-7", says="the header opens the records of any merchant to any token")
def header_opens_other_merchants(api: Api) -> None:
    def selected(request: Request, reach: frozenset[int], operation: str) -> Any:
        return original(request, frozenset(api.records.merchants), operation)

    original = swap(api, "selected", selected)


@ISOLATION.fault("GEN-8", "GEN-7", says="the header opens the list of invoices of any merchant to any token")
def header_opens_the_list(api: Api) -> None:
    def selected(request: Request, reach: frozenset[int], operation: str) -> Any:
        if operation == "list_invoices":
            reach = frozenset(api.records.merchants)
        return original(request, reach, operation)

    original = swap(api, "selected", selected)


@ISOLATION.fault("GEN-8", "CREATE-6", says="a create of everything is one for the merchant of the header, whoever asks")
def everything_is_the_headers(api: Api) -> None:
    def selected(request: Request, reach: frozenset[int], operation: str) -> Any:
        if operation == "create_invoice" and b"charge_ids" not in request.body:
            reach = frozenset(api.records.merchants)
        return original(request, reach, operation)

    original = swap(api, "selected", selected)


@ISOLATION.fault("GEN-8", says="without the header a merchant sees the invoices of all")
def list_shows_all_merchants(api: Api) -> None:
    def visible(caller: Caller) -> Any:
        return original(caller if caller.selected is not None else everybody(api, caller))

    original = swap(api, "visible_invoices", visible)


@ISOLATION.fault("GEN-8", says="without the header a merchant sees the charges of all")
def charges_show_all_merchants(api: Api) -> None:
    def visible(caller: Caller) -> Any:
        return original(caller if caller.selected is not None else everybody(api, caller))

    original = swap(api, "visible_charges", visible)


@ISOLATION.fault("GEN-8", says="anybody may read any charge by its id")
def any_charge_can_be_read(api: Api) -> None:
    swap(api, "may_read", lambda caller, charge: True)


@ISOLATION.fault(
    "GEN-8", "SEARCH-6", "SEARCH-2", "SEARCH-1", says="what follows an OR in a search is sought among all merchants"
)
def or_reaches_all_merchants(api: Api) -> None:
    def matches(text: str | None, rows: Any) -> Any:
        if not text or " OR " not in text:
            return original(text, rows)
        mine = {row.id for row in rows}
        first, _, rest = text.partition(" OR ")
        found = {row.id for row in original(first, rows)}
        found |= {row.id for row in original(rest, list(api.records.invoices.values()))}
        found |= {row.id for row in original(text, rows)} & mine
        return [api.records.invoices[number] for number in sorted(found)]

    original = swap(api.search, "filter", matches)


@ISOLATION.fault("GEN-8", "SEARCH-6", says="a search by id finds the invoices of all merchants")
def search_by_id_reaches_all(api: Api) -> None:
    def matches(text: str | None, rows: Any) -> Any:
        if text and text.startswith("id:"):
            rows = list(api.records.invoices.values())
        return original(text, rows)

    original = swap(api.search, "filter", matches)


@ISOLATION.fault("CREATE-6", "GEN-8", "CREATE-8", says="charges of another merchant can be invoiced by their ids")
def foreign_charges_are_taken(api: Api) -> None:
    def why_not(caller: Caller, charge: Charge | None) -> Any:
        return original(everybody(api, Caller(caller.reach)), charge)

    original = swap(api.billing, "why_not", why_not)


@ISOLATION.fault("CREATE-6", "GEN-8", says="charges of another merchant are left out silently")
def foreign_charges_left_out(api: Api) -> None:
    def named(caller: Caller, charge_ids: Any) -> Any:
        mine = [
            number
            for number in charge_ids
            if number not in api.records.charges or api.records.charges[number].merchant in caller.scope
        ]
        return original(caller, mine or charge_ids)

    original = swap(api.billing, "named", named)


@ISOLATION.fault("GEN-8", "FINALIZE-3", says="anybody may finalize any invoice")
def any_invoice_can_be_finalized(api: Api) -> None:
    def finalize(caller: Caller, number: int) -> Any:
        return original(everybody(api, Caller(caller.reach)), number)

    original = swap(api.billing, "finalize", finalize)


@ISOLATION.fault("GEN-8", "COLLECT-5", says="anybody may collect any invoice")
def any_invoice_can_be_collected(api: Api) -> None:
    def collect(caller: Caller, number: int) -> Any:
        return original(everybody(api, Caller(caller.reach)), number)

    original = swap(api.billing, "collect", collect)


@ISOLATION.fault("GEN-8", "GEN-6", says="finalizing another merchant's invoice is refused, and happens all the same")
def refused_foreign_is_finalized(api: Api) -> None:
    def finalize(caller: Caller, number: int) -> Any:
        invoice = api.records.invoices.get(number)
        if invoice is not None and invoice.merchant not in caller.scope and invoice.state == "draft":
            api.billing.lock_down(invoice)
        return original(caller, number)

    original = swap(api.billing, "finalize", finalize)


@ISOLATION.fault(
    "GEN-8",
    "GEN-6",
    "CREATE-6",
    "CREATE-4",
    says="a create that is refused for another merchant's charge marks that charge as invoiced",
)
def refused_foreign_charge_is_marked(api: Api) -> None:
    def why_not(caller: Caller, charge: Charge | None) -> Any:
        if charge is not None and charge.merchant not in caller.scope:
            charge.invoice = charge.invoice or 0
        return original(caller, charge)

    original = swap(api.billing, "why_not", why_not)


@ISOLATION.fault("GEN-8", "GEN-7", says="an adjustment may be made to any merchant")
def adjustment_to_any_merchant(api: Api) -> None:
    def selected(request: Request, reach: frozenset[int], operation: str) -> Any:
        if operation == "create_quick_adjustment":
            reach = frozenset(api.records.merchants)
        return original(request, reach, operation)

    original = swap(api, "selected", selected)


@ISOLATION.fault(
    "CREATE-7",
    "GEN-8",
    "LIST-4",
    says="each merchant's invoices are numbered on their own, so that ids are not unique",
    nuisances=("empty",),
)
def ids_for_each_merchant(api: Api) -> None:
    counts: dict[int, int] = {}

    def new_invoice_id(merchant: Any) -> int:
        counts[merchant.id] = counts.get(merchant.id, 0) + 1
        return counts[merchant.id]

    swap(api.billing, "new_invoice_id", new_invoice_id)


# Other ways in


@ISOLATION.fault("GEN-7", says="the header is not looked at when the token is a parameter", arguments=PROVIDER)
def header_ignored_with_api_token(api: Api) -> None:
    def selected(request: Request, reach: frozenset[int], operation: str) -> Any:
        return original(request, reach, operation) if "authorization" in request.headers else None

    original = swap(api, "selected", selected)


@ISOLATION.fault("GEN-8", "CREATE-6", says="a form may name charges of any merchant")
def forms_take_foreign_charges(api: Api) -> None:
    def create(caller: Caller, request: Request, body: Any) -> Any:
        return original(everybody(api, Caller(caller.reach)) if request.is_form else caller, request, body)

    original = swap(api, "create_invoice", create)


@ISOLATION.fault("GEN-8", says="the header 0 selects nobody, so that nothing is restricted")
def header_0_is_everybody(api: Api) -> None:
    def caller(request: Request, body: Any, operation: str) -> Any:
        if request.headers.get("x-selected-client-id") != "0":
            return original(request, body, operation)
        api.reach(api.token(request, body), operation)
        return everybody(api, Caller(frozenset()))

    original = swap(api, "caller", caller)


@ISOLATION.fault("GEN-8", says="of several merchants in the header the first is looked at, and all are selected")
def header_of_several_is_looked_at_once(api: Api) -> None:
    def caller(request: Request, body: Any, operation: str) -> Any:
        first, *more = request.headers.get("x-selected-client-id", "").split(",")
        if not more:
            return original(request, body, operation)
        one = replace(request, headers=dict(request.headers) | {"x-selected-client-id": first})
        return Caller(original(one, body, operation).scope | {int(text) for text in more if text.isdigit()})

    original = swap(api, "caller", caller)


@ISOLATION.fault("GEN-8", says="a search by stripe_invoice_id finds everybody's invoices")
def stripe_id_finds_everybodys(api: Api) -> None:
    def list_invoices(caller: Caller, request: Request, body: Any) -> Any:
        by_stripe_id = request.query.get("q", "").startswith("stripe_invoice_id:")
        return original(everybody(api, caller) if by_stripe_id else caller, request, body)

    original = swap(api, "list_invoices", list_invoices)


@ISOLATION.fault("GEN-8", says="an Idempotency-Key is one for all callers: another gets the first one's answer")
def idempotency_key_of_all(api: Api) -> None:
    kept: dict[str, Reply] = {}

    def route(request: Request) -> Reply:
        key = request.headers.get("idempotency-key")
        if key in kept:
            return kept[key]
        reply: Reply = original(request)
        if key is not None and reply.status < 300:
            kept[key] = reply
        return reply

    original = swap(api, "route", route)
