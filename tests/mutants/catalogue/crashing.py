"""Faults of parameters: what comes in another shape than a text, or in other bytes, ends in an uncaught exception."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote, unquote_to_bytes

from tests.mutants.catalogue.making import Catalog, crash_when, is_create, is_list
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Request

CRASHING = Catalog("form")


def crash_on_query(api: Api, pattern: str, path: str = "/billing/invoices") -> None:
    """A query in which the pattern is found, once it is decoded, is a crash."""

    def unlucky(request: Request) -> bool:
        return request.path.endswith(path) and re.search(pattern, unquote(request.raw_query)) is not None

    crash_when(api, unlucky)


def is_utf8(octets: bytes) -> bool:
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def is_adjustment(request: Request) -> bool:
    return request.path.endswith("/quick-adjustment")


def crash_on_body(api: Api, of: Callable[[Request], bool], pattern: bytes) -> None:
    """Such a request is a crash when the pattern is found in its body."""
    crash_when(api, lambda request: of(request) and re.search(pattern, request.body) is not None)


# Queries


@CRASHING.fault("GEN-5", "SEARCH-1", says="a search that is an array is a crash")
def crash_on_array_search(api: Api) -> None:
    crash_on_query(api, r"(^|&)q\[\]=")


@CRASHING.fault("GEN-5", "SEARCH-1", says="a search that is an object is a crash")
def crash_on_object_search(api: Api) -> None:
    crash_on_query(api, r"(^|&)q\[\w+\]")


@CRASHING.fault("GEN-5", "SEARCH-1", says="a search that is given twice is a crash")
def crash_on_two_searches(api: Api) -> None:
    crash_on_query(api, r"(^|&)q=.*&q=")


@CRASHING.fault("GEN-5", "LIST-2", says="a page that is an array is a crash")
def crash_on_array_page(api: Api) -> None:
    crash_on_query(api, r"(^|&)page\[")


@CRASHING.fault("GEN-5", "LIST-2", says="a page size that is an array is a crash")
def crash_on_array_size(api: Api) -> None:
    crash_on_query(api, r"(^|&)per_page\[")


@CRASHING.fault("GEN-5", says="a page of charges that is an array is a crash")
def crash_on_array_page_of_charges(api: Api) -> None:
    crash_on_query(api, r"(^|&)page\[", "/billing/charges")


@CRASHING.fault("GEN-5", says="a size of pages of charges that is an array is a crash")
def crash_on_array_size_of_charges(api: Api) -> None:
    crash_on_query(api, r"(^|&)per_page\[", "/billing/charges")


@CRASHING.fault("GEN-5", "GEN-4", says="an api_token that is an array is a crash")
def crash_on_array_token(api: Api) -> None:
    crash_on_query(api, r"(^|&)api_token\[")


@CRASHING.fault("GEN-5", "SEARCH-1", says="a search of bytes that are no UTF-8 is a crash")
def crash_on_odd_bytes(api: Api) -> None:
    crash_when(api, lambda request: is_list(request) and not is_utf8(unquote_to_bytes(request.raw_query)))


@CRASHING.fault("GEN-5", says="a query of charges in bytes that are no UTF-8 is a crash")
def crash_on_odd_bytes_of_charges(api: Api) -> None:
    def unlucky(request: Request) -> bool:
        return request.path.endswith("/charges") and not is_utf8(unquote_to_bytes(request.raw_query))

    crash_when(api, unlucky)


@CRASHING.fault("GEN-5", "SEARCH-1", says="a sound search with a NUL in its value is a crash of the database")
def crash_on_nul(api: Api) -> None:
    crash_on_query(api, '^q=stripe_invoice_id:"[^"]*\0[^"]*"')


@CRASHING.fault("GEN-5", "SEARCH-1", says="a search for letters beyond the database's is a crash")
def crash_on_four_byte_letters(api: Api) -> None:
    crash_on_query(api, "[\U00010000-\U0010ffff]")


@CRASHING.fault("GEN-5", "SEARCH-1", says="a long value in a search is a crash")
def crash_on_long_search(api: Api) -> None:
    crash_when(api, lambda request: is_list(request) and len(request.query.get("q", "")) > 1_000)


@CRASHING.fault("GEN-5", "SEARCH-1", says="a search for what ends in a backslash is a crash of its pattern")
def crash_on_open_escape(api: Api) -> None:
    crash_on_query(api, r'~"[^"]*\\"')


# Bodies


@CRASHING.fault("GEN-5", "CREATE-1", says="ids within each other in a form are a crash")
def crash_on_nested_form(api: Api) -> None:
    crash_on_body(
        api, lambda request: is_create(request) and request.is_form, rb"charge_ids(\[|%5B)\w*(\]|%5D)(\[|%5B)"
    )


@CRASHING.fault("GEN-5", says="a form of bytes that are no UTF-8 is a crash")
def crash_on_odd_form(api: Api) -> None:
    crash_when(api, lambda request: request.is_form and not is_utf8(unquote_to_bytes(request.body)))


@CRASHING.fault("GEN-5", says="an amount that is an array in a form is a crash")
def crash_on_array_amount(api: Api) -> None:
    crash_on_body(api, lambda request: is_adjustment(request) and request.is_form, rb"amount(\[|%5B)")


@CRASHING.fault("GEN-5", says="a description that is an array in a form is a crash")
def crash_on_array_description(api: Api) -> None:
    crash_on_body(api, lambda request: is_adjustment(request) and request.is_form, rb"description(\[|%5B)")


@CRASHING.fault("GEN-5", says="an amount beyond every float is a crash")
def crash_on_infinite_amount(api: Api) -> None:
    crash_on_body(api, is_adjustment, rb"[0-9][eE]\+?[0-9]{3}")


@CRASHING.fault("GEN-5", says="an amount beyond its column is a crash of the database")
def crash_on_huge_amount(api: Api) -> None:
    crash_on_body(api, is_adjustment, rb"[0-9]{20}|[0-9][eE]\+?[0-9]{2}")


@CRASHING.fault("GEN-5", "CREATE-6", says="more ids than a query may have parameters are a crash of the database")
def crash_on_a_thousand_ids(api: Api) -> None:
    crash_when(api, lambda request: is_create(request) and request.body.count(b",") >= 1_000)


@CRASHING.fault("GEN-5", "GEN-2", says="an unknown charset is a crash")
def crash_on_unknown_charset(api: Api) -> None:
    def unlucky(request: Request) -> bool:
        charset = re.search("charset=([^;]+)", request.headers.get("content-type", ""))
        return charset is not None and charset[1].strip('"').lower() not in ("utf-8", "utf8", "us-ascii")

    crash_when(api, unlucky)


@CRASHING.fault("GEN-5", "GEN-2", says="a multipart body without a boundary is a crash")
def crash_on_missing_boundary(api: Api) -> None:
    def unlucky(request: Request) -> bool:
        kind = request.headers.get("content-type", "")
        return kind.startswith("multipart/form-data") and "boundary" not in kind

    crash_when(api, unlucky)


@CRASHING.fault("GEN-5", "GEN-2", says="a body that is said to be compressed, and is not, is a crash")
def crash_on_false_compression(api: Api) -> None:
    crash_when(api, lambda request: "gzip" in request.headers.get("content-encoding", "") and bool(request.body))
