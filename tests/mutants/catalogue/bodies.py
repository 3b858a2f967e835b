"""Faults of bodies that are not read, so that a create bills all that is open in place of what it names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.mutants.catalogue.making import Catalog, swap
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Reply, Request

BODIES = Catalog("create")


def read_otherwise(api: Api, change: Callable[[Request], Request]) -> None:
    """Every request is taken for what `change` makes of it."""

    def route(request: Request) -> Reply:
        reply: Reply = original(change(request))
        return reply

    original = swap(api, "route", route)


@BODIES.fault("CREATE-1", "GEN-2", says="a body in chunks, which has no Content-Length, is empty (WSGI)")
def chunked_body_is_empty(api: Api) -> None:
    def change(request: Request) -> Request:
        return replace(request, body=b"") if "transfer-encoding" in request.headers else request

    read_otherwise(api, change)


@BODIES.fault(
    "CREATE-1", "CREATE-5", "GEN-2", says="of a form `charge_ids[]` counts only where its brackets are encoded"
)
def plain_brackets_are_unknown(api: Api) -> None:
    def change(request: Request) -> Request:
        fields = [field for field in request.body.split(b"&") if b"[" not in field]
        return replace(request, body=b"&".join(fields)) if request.is_form else request

    read_otherwise(api, change)
