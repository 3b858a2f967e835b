"""Faults of casts: what is another value is read as the one that it resembles."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.mutants.catalogue.making import Catalog, swap
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Reply, Request
from tests.mutants.reference.records import Caller, Charge

CASTING = Catalog("form")
CREDITS = {"negative_amounts": "accept"}
STRINGS = {"numeric_strings": "accept"}


def cast_ids_in_paths(api: Api, before: str, after: str, cast: Callable[[str], str]) -> None:
    """What stands between the two in a path is cast."""
    pattern = re.compile(f"({re.escape(before)})([^/]+)({re.escape(after)})")

    def handlers(path: str) -> Any:
        found = pattern.search(path)
        if found and path.endswith(found[0]):
            path = f"{path[: found.start()]}{before}{cast(found[2])}{after}"
        return original(path)

    original = swap(api, "handlers", handlers)


def leading_digits(text: str) -> str:
    found = re.match(r"[0-9]+", text)
    return found[0] if found else text


def of_32_bits(text: str) -> str:
    return str(int(text) % 2**32) if text.isdigit() and len(text) < 20 else text


def of_64_bits(text: str) -> str:
    return str(int(text) % 2**64) if text.isdigit() and len(text) < 30 else text


# Ids


@CASTING.fault("GEN-5", says="5abc is charge 5")
def charges_are_cast(api: Api) -> None:
    def handlers(path: str) -> Any:
        head, _, last = path.rpartition("/")
        is_charge = head.endswith("/billing/charges") and last[:1].isdigit()
        return original(f"{head}/{leading_digits(last)}" if is_charge else path)

    original = swap(api, "handlers", handlers)


def cast_charge_ids(api: Api, cast: Callable[[Any], Any]) -> None:
    def charge_ids(request: Request, body: Mapping[str, Any]) -> Any:
        given = body.get("charge_ids")
        if isinstance(given, list):
            body = {**body, "charge_ids": [cast(item) for item in given]}
        return original(request, body)

    original = swap(api, "charge_ids", charge_ids)


@CASTING.fault("CREATE-6", "GEN-5", "GEN-6", says='"5abc" among the ids is charge 5')
def charge_ids_are_cast(api: Api) -> None:
    cast_charge_ids(api, lambda item: int(leading_digits(item)) if odd_number(item) else item)


@CASTING.fault("CREATE-6", "GEN-5", "GEN-6", says='"5abc" among the ids is charge 5, as "5" is', choices=STRINGS)
def loose_charge_ids_are_cast(api: Api) -> None:
    cast_charge_ids(api, lambda item: int(leading_digits(item)) if odd_number(item) else item)


@CASTING.fault("CREATE-6", "GEN-5", "GEN-6", says="5abc among the ids of a form is charge 5")
def form_ids_are_cast(api: Api) -> None:
    def charge_ids(request: Request, body: Mapping[str, Any]) -> Any:
        given = body.get("charge_ids")
        if isinstance(given, list) and request.is_form:
            body = {**body, "charge_ids": [leading_digits(str(item)) for item in given]}
        return original(request, body)

    original = swap(api, "charge_ids", charge_ids)


def odd_number(item: object) -> bool:
    return isinstance(item, str) and item[:1].isdigit() and not item.isdigit()


@CASTING.fault("FINALIZE-3", says="ids in the path of a finalize have 32 bits, and begin again")
def finalize_has_32_bits(api: Api) -> None:
    cast_ids_in_paths(api, "/billing/invoices/", "/finalize", of_32_bits)


@CASTING.fault("FINALIZE-3", says="ids in the path of a finalize have 64 bits, and begin again")
def finalize_has_64_bits(api: Api) -> None:
    cast_ids_in_paths(api, "/billing/invoices/", "/finalize", of_64_bits)


@CASTING.fault("COLLECT-5", says="ids in the path of a collect have 32 bits, and begin again")
def collect_has_32_bits(api: Api) -> None:
    cast_ids_in_paths(api, "/billing/invoices/", "/collect", of_32_bits)


@CASTING.fault("GEN-5", says="ids in the path of a charge have 32 bits, and begin again")
def charges_have_32_bits(api: Api) -> None:
    cast_ids_in_paths(api, "/billing/charges/", "", of_32_bits)


@CASTING.fault("CREATE-6", "GEN-5", says="charge ids have 32 bits, and begin again")
def charge_ids_have_32_bits(api: Api) -> None:
    cast_charge_ids(api, lambda item: item % 2**32 if type(item) is int else item)


@CASTING.fault("CREATE-6", "GEN-5", says="charge ids have 64 bits, and begin again")
def charge_ids_have_64_bits(api: Api) -> None:
    cast_charge_ids(api, lambda item: item % 2**64 if type(item) is int else item)


@CASTING.fault("SEARCH-4", says="ids in a search have 32 bits, and begin again")
def searched_ids_have_32_bits(api: Api) -> None:
    def by_id(sign: str, value: str) -> Any:
        return original(sign, of_32_bits(value))

    original = swap(api.search, "by_id", by_id)


# Amounts


def read_amounts(api: Api, read: Callable[[str], str]) -> None:
    """A text is read as an amount, in JSON as in a form."""

    def amount(given: object, currency: str, *, form: bool) -> int:
        if isinstance(given, str) and re.match("[0-9]", given):
            given = Decimal(read(given))
        minor: int = original(given, currency, form=form)
        return minor

    original = swap(api, "amount", amount)


@CASTING.fault("GEN-5", says='an amount of "12abc" is one of 12')
def amounts_are_cast(api: Api) -> None:
    read_amounts(api, leading_digits)


@CASTING.fault("GEN-5", says='an amount of "12,50" is one of 12')
def amounts_end_at_a_comma(api: Api) -> None:
    def amount(given: object, currency: str, *, form: bool) -> int:
        if isinstance(given, str) and re.fullmatch("[0-9]+,[0-9]+", given):
            given = int(given.partition(",")[0])
        minor: int = original(given, currency, form=form)
        return minor

    original = swap(api, "amount", amount)


def in_forms(api: Api, read: Callable[[Request, str], str]) -> None:
    """The amount of a form is what `read` makes of it."""
    asked = threading.local()

    def route(request: Request) -> Reply:
        asked.request = request
        reply: Reply = routed(request)
        return reply

    def amount(given: object, currency: str, *, form: bool) -> int:
        text = read(asked.request, given) if form and isinstance(given, str) else given
        minor: int = original(text, currency, form=form)
        return minor

    routed = swap(api, "route", route)
    original = swap(api, "amount", amount)


@CASTING.fault("GEN-2", says="with Accept-Language: de a form's 12.50 is 1250 (binding by the client's culture)")
def amounts_are_of_the_clients_culture(api: Api) -> None:
    def read(request: Request, text: str) -> str:
        is_german = request.headers.get("accept-language", "").startswith("de")
        return text.replace(".", "").replace(",", ".") if is_german else text

    in_forms(api, read)


@CASTING.fault("GEN-2", says="what stands behind the point of a form's amount are its cents: 12.5 is 12.05")
def decimals_are_cents(api: Api) -> None:
    in_forms(api, lambda request, text: re.sub(r"\.([0-9])$", r".0\1", text))


# Signs


@CASTING.fault("CREATE-6", says="a negative id is the charge of these digits (an unsigned cast)")
def negative_charges_are_positive(api: Api) -> None:
    def named(caller: Caller, charge_ids: Sequence[int]) -> Any:
        return original(caller, [abs(number) for number in charge_ids])

    original = swap(api.billing, "named", named)


@CASTING.fault("FINALIZE-3", says="a finalize of -5 locks invoice 5")
def negative_invoices_are_positive(api: Api) -> None:
    def path_number(text: str) -> Any:
        return original(text.removeprefix("-"))

    original = swap(api, "path_number", path_number)


@CASTING.fault(
    "GEN-9", "CREATE-5", says="a credit of less than one is a charge: the sign is that of its 0", choices=CREDITS
)
def small_credits_lose_their_sign(api: Api) -> None:
    def to_minor(amount: Decimal, currency: str) -> int:
        minor: int = original(amount, currency)
        return abs(minor) if abs(amount) < 1 else minor

    original = swap(api, "to_minor", to_minor)


@CASTING.fault("CREATE-5", says="a credit of less than one is added to a total", choices=CREDITS)
def small_credits_are_added(api: Api) -> None:
    def add_up(charges: Sequence[Charge]) -> int:
        return sum(abs(charge.amount) if abs(charge.amount) < 100 else charge.amount for charge in charges)

    swap(api.billing, "add_up", add_up)
