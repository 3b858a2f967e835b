"""Runs inside Schemathesis: feeds it live ids and drops verdicts on what the contract leaves open."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import schemathesis

from mockserver.verify.fuzz.exemptions import KNOWN_FILE, Known, Verdict, open_cause
from mockserver.verify.fuzz.gateway import BASE_PATH, PLACEHOLDER, relayed
from mockserver.verify.monitor.canonical import read_request
from mockserver.verify.transport.billing_client import JSON_TYPE
from mockserver.verify.transport.messages import Outgoing


def read_known(path: Path) -> Known:
    """What the verifier wrote for its fuzzer."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return Known(
        token=PLACEHOLDER,
        merchant=content["merchant"],
        digits=content["digits"],
        most=Decimal(content["most"]),
        least=Decimal(content["least"]),
        charges=tuple(content["charges"]),
        invoices=tuple(content["invoices"]),
    )


class LiveIds:
    """Hands out the ids of records that exist, those that the fuzzer made itself first."""

    def __init__(self, known: Known) -> None:
        self._fresh: list[int] = list(known.charges)
        self._charges = cycle(known.charges or (1,))
        self._invoices = cycle(known.invoices or (1,))
        self._made: list[int] = []
        self._drafts: list[int] = []
        self._finalized: list[int] = []

    def feed(self, case: Any) -> None:
        """Puts live ids into a case that is meant to be valid, save where a link has put one already."""
        meta = case.meta
        if meta is None:
            return
        # Beside the header the parameter is a second token, and nothing is judged on a request with two.
        if case.query and getattr(meta.phase.data, "parameter", None) != "api_token":
            case.query = {name: value for name, value in case.query.items() if name != "api_token"}
        if meta.generation.mode.value != "positive":
            return
        path = case.path_parameters or {}
        walking = meta.phase.name.value == "stateful"
        if "invoice" in path and path["invoice"] not in self._made:
            case.path_parameters = {**path, "invoice": self._invoice(case.operation.path, walking)}
        if "charge" in path and not walking:
            case.path_parameters = {**path, "charge": next(self._charges)}
        self._feed_charges(case, walking)
        if walking and isinstance(case.body, dict) and isinstance(case.body.get("amount"), int | float):
            # An odd amount, as the phases before this one have tried it, ends a walk before it begins.
            case.body = {"amount": 5 + len(self._made) % 90, "description": "a walk"}

    def learn(self, case: Any, response: Any) -> None:
        """Takes note of what an accepted request has made."""
        if not 200 <= response.status_code < 300:
            return
        operation = _operation(case)
        try:
            content = json.loads(response.content)
            if operation == "createQuickAdjustment":
                self._fresh.append(int(content["charge"]["id"]))
            elif operation == "createInvoice":
                # An invoice of anything but charges plainly named may have taken whatever was fresh.
                reading = read_request(operation, sent_by(response))
                if not reading.canonical or reading.charges is None:
                    self._fresh.clear()
                self._drafts.append(int(content["invoice"]["id"]))
                self._made.append(self._drafts[-1])
        except (ValueError, KeyError, TypeError):
            # Not of the documented form, which other checks tell.
            return
        if operation == "finalizeInvoice" and self._drafts and case.path_parameters["invoice"] == self._drafts[-1]:
            self._finalized.append(self._drafts.pop())

    def _invoice(self, path: str, walking: bool) -> int:
        own = self._drafts if path.endswith("/finalize") else self._finalized
        return own[-1] if walking and own else next(self._invoices)

    def _feed_charges(self, case: Any, walking: bool) -> None:
        body = case.body if isinstance(case.body, dict) else {}
        names = [name for name in ("charge_ids", "charge_ids[]") if isinstance(body.get(name), list) and body[name]]
        if walking and names:
            # A link puts its charge beside the form's own, and a walk is to go on: one charge, and nothing else.
            name = "charge_ids" if case.media_type == JSON_TYPE else "charge_ids[]"
            case.body = {name: self._fresh[-1:] or body[names[0]][:1]}
            del self._fresh[-1:]
            return
        for name in names:
            count = min(len(body[name]), 3)
            ids, self._fresh = self._fresh[-count:], self._fresh[:-count]
            case.body = {**case.body, name: ids or [next(self._charges)]}


def _operation(case: Any) -> str:
    return str(case.operation.definition.raw.get("operationId", ""))


def sent_by(response: Any) -> Outgoing:
    """The request as the gateway sent it on."""
    request = response.request
    url = urlsplit(request.url or "")
    target = url.path.removeprefix(BASE_PATH) + (f"?{url.query}" if url.query else "")
    headers = [(str(name), _text(value)) for name, value in request.headers.items()]
    body = request.body or None
    return relayed(request.method or "", target, headers, body.encode() if isinstance(body, str) else body)


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def install(known: Known) -> None:
    """Registers the hooks with Schemathesis."""
    live = LiveIds(known)

    @schemathesis.hook
    def before_call(context: Any, case: Any, kwargs: Any) -> None:
        live.feed(case)

    @schemathesis.hook
    def after_call(context: Any, case: Any, response: Any) -> None:
        live.learn(case, response)

    @schemathesis.hook
    def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
        if response.headers.get("x-verify-withheld"):
            return False
        verdict = Verdict(
            failure=type(failure).__name__,
            operation=_operation(case),
            outgoing=sent_by(response),
            status=response.status_code,
            title=failure.title or "",
            probed=getattr(failure, "case_id", case.id) not in (None, case.id),
            content_type=", ".join(response.headers.get("content-type") or ()),
        )
        return open_cause(verdict, known) is None


if KNOWN_FILE in os.environ:
    install(read_known(Path(os.environ[KNOWN_FILE])))
