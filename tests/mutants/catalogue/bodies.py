"""Faults of bodies that come as they may, and are not read as they come."""

from __future__ import annotations

from dataclasses import replace

from tests.mutants.catalogue.making import Catalog, crash_when, swap
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Reply, Request

BODIES = Catalog("create")


@BODIES.fault("GEN-5", says="a body in chunks, which has no Content-Length, ends in an exception")
def chunked_body_crashes(api: Api) -> None:
    crash_when(api, lambda request: "transfer-encoding" in request.headers)


@BODIES.fault(
    "CREATE-1", "CREATE-5", "GEN-2", says="of a form `charge_ids[]` counts only where its brackets are encoded"
)
def plain_brackets_are_unknown(api: Api) -> None:
    def route(request: Request) -> Reply:
        fields = [field for field in request.body.split(b"&") if b"[" not in field]
        read = replace(request, body=b"&".join(fields)) if request.is_form else request
        reply: Reply = original(read)
        return reply

    original = swap(api, "route", route)
