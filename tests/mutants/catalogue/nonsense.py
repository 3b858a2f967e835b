"""Faults of form: what is made of nonsense, of forms and of tokens."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tests.mutants.catalogue.making import Catalog, after_refusal, crash, crash_when, is_create, is_list, swap
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import BadBody, Reply, Request, read_body
from tests.mutants.reference.records import Caller, Refusal

NONSENSE = Catalog("form")


# Nonsense that makes it crash, or that it takes


@NONSENSE.fault("GEN-5", "LIST-4", says="a page far past the last is a crash")
def crash_on_huge_page(api: Api) -> None:
    crash_when(api, lambda request: is_list(request) and len(request.query.get("page", "")) > 9)


@NONSENSE.fault("GEN-5", "LIST-3", says="pages of no rows are a division by zero")
def crash_on_empty_pages(api: Api) -> None:
    crash_when(api, lambda request: request.query.get("per_page") == "0")


@NONSENSE.fault("GEN-5", "SEARCH-1", says="a search with a quote too few is a crash")
def crash_on_open_quote(api: Api) -> None:
    crash_when(api, lambda request: request.query.get("q", "").count('"') % 2 == 1)


@NONSENSE.fault("GEN-5", "SEARCH-5", says="a search for a day that no calendar has is a crash")
def crash_on_impossible_day(api: Api) -> None:
    def by_day(sign: str, value: str) -> Any:
        try:
            datetime.fromisoformat(value)
        except ValueError as error:
            raise Refusal(500, "Server Error") from error
        return original(sign, value)

    original = swap(api.search, "by_day", by_day)


@NONSENSE.fault("GEN-5", "CREATE-6", says="an id beyond 32 bits is a crash of the database")
def crash_on_big_charge_id(api: Api) -> None:
    def named(caller: Caller, charge_ids: list[int]) -> Any:
        if any(abs(number) > 2**31 for number in charge_ids):
            raise Refusal(500, "Numeric value out of range")
        return original(caller, charge_ids)

    original = swap(api.billing, "named", named)


@NONSENSE.fault("GEN-5", says="a body that is no object is a crash")
def crash_on_other_bodies(api: Api) -> None:
    def unlucky(request: Request) -> bool:
        try:
            return request.method == "POST" and not isinstance(json.loads(request.body or b"{}"), dict)
        except (ValueError, RecursionError):
            return False

    crash_when(api, unlucky)


@NONSENSE.fault("GEN-5", says="a body that is no JSON is a crash")
def crash_on_broken_json(api: Api) -> None:
    def body(request: Request) -> Any:
        read = original(request)
        if isinstance(read, BadBody):
            raise Refusal(500, "Syntax error")
        return read

    original = swap(api, "body", body)


@NONSENSE.fault("GEN-5", "CREATE-1", "CREATE-6", says="a charge id that is no integer is a crash")
def crash_on_wrong_id_type(api: Api) -> None:
    def integer(item: object, *, strings: bool) -> int:
        number: int | None = original(item, strings=strings)
        if number is None:
            raise Refusal(500, "Illegal operand")
        return number

    original = swap(api, "integer", integer)


@NONSENSE.fault("GEN-5", says="an adjustment without a description is a crash")
def crash_on_missing_description(api: Api) -> None:
    def adjust(caller: Caller, request: Request, body: Mapping[str, Any]) -> Reply:
        return original(caller, request, body) if "description" in body else crash()

    original = swap(api, "create_quick_adjustment", adjust)


@NONSENSE.fault("GEN-5", "GEN-7", says="a merchant header that is no number is a crash")
def crash_on_odd_merchant(api: Api) -> None:
    crash_when(api, lambda request: not request.headers.get("x-selected-client-id", "1").isdigit())


@NONSENSE.fault("GEN-5", "CREATE-1", "CREATE-6", "GEN-6", says="charge_ids that are no list count as omitted")
def odd_charge_ids_mean_all(api: Api) -> None:
    def charge_ids(request: Request, body: Mapping[str, Any]) -> Any:
        return original(request, body) if isinstance(body.get("charge_ids"), list) else None

    original = swap(api, "charge_ids", charge_ids)


@NONSENSE.fault("GEN-5", "CREATE-1", "CREATE-6", says="charge ids that are no integers are dropped")
def odd_items_are_dropped(api: Api) -> None:
    def charge_ids(request: Request, body: Mapping[str, Any]) -> Any:
        given = body.get("charge_ids")
        if isinstance(given, list):
            kept = [item for item in given if api.integer(item, strings=request.is_form) is not None]
            body = dict(body) | {"charge_ids": kept}
        return original(request, body)

    original = swap(api, "charge_ids", charge_ids)


@NONSENSE.fault("GEN-5", says="an adjustment without a description is taken")
def takes_missing_description(api: Api) -> None:
    def adjust(caller: Caller, request: Request, body: Mapping[str, Any]) -> Reply:
        reply: Reply = original(caller, request, {"description": ""} | dict(body))
        return reply

    original = swap(api, "create_quick_adjustment", adjust)


@NONSENSE.fault("GEN-5", says="an amount that is no number counts as nothing")
def takes_any_amount(api: Api) -> None:
    def amount(given: object, currency: str, *, form: bool) -> int:
        known: int = original(0 if isinstance(given, str) and not form else given, currency, form=form)
        return known

    original = swap(api, "amount", amount)


# Forms


@NONSENSE.fault("GEN-2", "CREATE-1", says="form-encoded bodies are ignored, so that create takes all charges")
def form_is_ignored(api: Api) -> None:
    def body(request: Request) -> Any:
        return {} if request.is_form else original(request)

    original = swap(api, "body", body)


@NONSENSE.fault("GEN-2", says="form-encoded bodies are refused")
def form_is_refused(api: Api) -> None:
    def body(request: Request) -> Any:
        return BadBody("the body must be JSON") if request.is_form and request.body else original(request)

    original = swap(api, "body", body)


@NONSENSE.fault("GEN-2", "CREATE-1", says="of an array in a form, only the last item counts")
def form_keeps_the_last_item(api: Api) -> None:
    def body(request: Request) -> Any:
        read = original(request)
        if request.is_form and isinstance(read, dict):
            return {name: value[-1:] if isinstance(value, list) else value for name, value in read.items()}
        return read

    original = swap(api, "body", body)


@NONSENSE.fault("GEN-2", "CREATE-1", "CREATE-3", says="the items of an array in a form stay texts, and are refused")
def form_items_stay_texts(api: Api) -> None:
    def integer(item: object, *, strings: bool) -> Any:
        return original(item, strings=False)

    original = swap(api, "integer", integer)


# Tokens


@NONSENSE.fault("GEN-3", says="the parameter api_token is not looked at")
def api_token_ignored(api: Api) -> None:
    swap(api, "token_parameter", lambda request, body: None)


@NONSENSE.fault("GEN-3", says="collect does not look at the parameter api_token")
def api_token_ignored_by_collect(api: Api) -> None:
    def parameter(request: Request, body: Mapping[str, Any]) -> Any:
        return None if request.path.endswith("/collect") else original(request, body)

    original = swap(api, "token_parameter", parameter)


@NONSENSE.fault("GEN-4", says="a token may have more behind it")
def longer_tokens_are_taken(api: Api) -> None:
    def reach(token: str | None, operation: str) -> Any:
        whole = next((known for known in api.records.tokens if (token or "").startswith(known)), token)
        return original(whole, operation)

    original = swap(api, "reach", reach)


@NONSENSE.fault("GEN-4", "GEN-8", says="an empty api_token is a provider's on the list of charges")
def empty_token_is_a_provider(api: Api) -> None:
    def caller(request: Request, body: Mapping[str, Any], operation: str) -> Any:
        if operation == "list_charges" and request.query.get("api_token") == "":
            return Caller(frozenset((1, 2, 3)))
        return original(request, body, operation)

    original = swap(api, "caller", caller)


@NONSENSE.fault("GEN-4", says="what does not exist is told to those without a token, too")
def unknown_before_unauthorized(api: Api) -> None:
    def route(request: Request) -> Any:
        _, number = api.handlers(request.path)
        if number is not None and number not in {**api.records.invoices, **api.records.charges}:
            raise Refusal(404, "There is no such record.")
        return original(request)

    original = swap(api, "route", route)


@NONSENSE.fault("GEN-5", says="a description that the database can't hold is a crash")
def crash_on_odd_description(api: Api) -> None:
    crash_when(api, lambda request: b"\\u0000" in request.body)


@NONSENSE.fault("GEN-4", says="without a token the answer is 403")
def no_token_is_403(api: Api) -> None:
    def forbid(reply: Reply) -> Reply:
        reply.status = 403 if reply.status == 401 else reply.status
        return reply

    after_refusal(api, forbid)


@NONSENSE.fault("GEN-4", says="without a token the answer leads to a login page")
def no_token_leads_to_login(api: Api) -> None:
    after_refusal(
        api,
        lambda reply: Reply(302, headers={"Location": "/login"}, raw=b"") if reply.status == 401 else reply,
    )


@NONSENSE.fault("GEN-4", "GEN-8", says="an unknown token sees an empty list")
def unknown_token_sees_an_empty_list(api: Api) -> None:
    open_to_all(api, "list_invoices", frozenset())


@NONSENSE.fault("GEN-4", "GEN-8", says="the charges are shown without a token")
def charges_need_no_token(api: Api) -> None:
    open_to_all(api, "list_charges", frozenset((1, 2, 3)))


@NONSENSE.fault("GEN-4", "GEN-8", says="anybody may finalize, without a token")
def finalize_needs_no_token(api: Api) -> None:
    open_to_all(api, "finalize_invoice", frozenset((1, 2, 3)))


@NONSENSE.fault("GEN-4", "GEN-8", says="anybody may make an adjustment, without a token")
def adjustment_needs_no_token(api: Api) -> None:
    open_to_all(api, "create_quick_adjustment", frozenset((1, 2, 3)))


def open_to_all(api: Api, open_operation: str, merchants: frozenset[int]) -> None:
    def reach(token: str | None, operation: str) -> Any:
        if operation == open_operation and token not in api.records.tokens:
            return merchants
        return original(token, operation)

    original = swap(api, "reach", reach)


@NONSENSE.fault("GEN-4", "GEN-6", says="finalizing without a token answers 401, and happens all the same")
def refused_token_acts(api: Api) -> None:
    def route(request: Request) -> Any:
        try:
            return original(request)
        except Refusal as refusal:
            if refusal.status == 401 and request.path.endswith("/finalize"):
                number = api.path_number(request.path.split("/")[-2])
                api.billing.finalize(Caller(frozenset(api.records.merchants)), number)
            raise

    original = swap(api, "route", route)


@NONSENSE.fault("GEN-4", "GEN-8", says="an api_token of 0 compares with any token as a loose database does")
def nought_is_any_token(api: Api) -> None:
    loosely_compared(api, lambda given: given == 0 and given is not False)


@NONSENSE.fault("GEN-4", "GEN-8", says="an api_token of true compares with any token as loose equality does")
def true_is_any_token(api: Api) -> None:
    loosely_compared(api, lambda given: given is True)


@NONSENSE.fault("GEN-4", "GEN-8", says="an api_token that is an object is an operator of the database")
def operator_is_any_token(api: Api) -> None:
    loosely_compared(api, lambda given: isinstance(given, dict) and "$ne" in given)


def loosely_compared(api: Api, equal: Callable[[Any], bool]) -> None:
    def parameter(request: Request, body: Mapping[str, Any]) -> Any:
        given = original(request, body)
        return next(iter(api.records.tokens)) if equal(body.get("api_token")) else given

    original = swap(api, "token_parameter", parameter)


@NONSENSE.fault("GEN-6", "GEN-4", says="an adjustment without a token answers 401, and the charge is made")
def refused_token_charges(api: Api) -> None:
    def route(request: Request) -> Any:
        try:
            return original(request)
        except Refusal as refusal:
            if refusal.status == 401 and request.path.endswith("/quick-adjustment"):
                caller = Caller(frozenset(api.records.merchants), 1)
                api.create_quick_adjustment(caller, request, read_body(request))
            raise

    original = swap(api, "route", route)


@NONSENSE.fault("GEN-6", says="an adjustment without a description is refused, and the charge made")
def refused_adjustment_makes_a_charge(api: Api) -> None:
    def adjust(caller: Caller, request: Request, body: Mapping[str, Any]) -> Any:
        if "amount" in body and "description" not in body:
            original(caller, request, {**body, "description": ""})
        return original(caller, request, body)

    original = swap(api, "create_quick_adjustment", adjust)


@NONSENSE.fault("GEN-9", says="the description of an adjustment is kept cut at 16 letters, and answered whole")
def descriptions_are_cut(api: Api) -> None:
    def adjust(caller: Caller, request: Request, body: Mapping[str, Any]) -> Any:
        reply = original(caller, request, body)
        charge = api.records.charges[reply.document["charge"]["id"]]
        charge.description = charge.description[:16]
        return reply

    original = swap(api, "create_quick_adjustment", adjust)


@NONSENSE.fault("GEN-9", says="a description is answered as it came, and kept with its signs escaped")
def descriptions_are_escaped(api: Api) -> None:
    def adjust(caller: Caller, request: Request, body: Mapping[str, Any]) -> Any:
        reply = original(caller, request, body)
        charge = api.records.charges[reply.document["charge"]["id"]]
        charge.description = html.escape(charge.description)
        return reply

    original = swap(api, "create_quick_adjustment", adjust)


@NONSENSE.fault("GEN-2", says="a JSON body whose type names a charset is not understood")
def charset_is_not_understood(api: Api) -> None:
    def body(request: Request) -> Any:
        if "charset" in request.headers.get("content-type", "") and request.body:
            return BadBody("unknown type of body")
        return original(request)

    original = swap(api, "body", body)


@NONSENSE.fault("GEN-5", "CREATE-2", says="create without any body is a crash")
def crash_on_empty_body(api: Api) -> None:
    crash_when(api, lambda request: is_create(request) and not request.body)


@NONSENSE.fault("GEN-4", says="`null` and `undefined`, as browsers send them, are a token: that of the first account")
def null_is_a_token(api: Api) -> None:
    def reach(token: str | None, operation: str) -> Any:
        return original("provider" if token in ("null", "undefined") else token, operation)

    original = swap(api, "reach", reach)


@NONSENSE.fault("GEN-4", says="a percent sign in a token stands for any text (LIKE)")
def token_is_a_pattern(api: Api) -> None:
    def reach(token: str | None, operation: str) -> Any:
        start, sign, end = (token or "").partition("%")
        like = [known for known in api.records.tokens if sign and known.startswith(start) and known.endswith(end)]
        return original(like[0] if like else token, operation)

    original = swap(api, "reach", reach)
