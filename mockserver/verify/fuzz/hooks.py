"""Runs inside Schemathesis: feeds it live ids and drops verdicts on what the contract leaves open."""

from __future__ import annotations

import json
import os
from itertools import cycle
from pathlib import Path
from typing import Any

import schemathesis

from mockserver.verify.fuzz.exemptions import Known, Sent, open_cause

KNOWN_FILE = "MOCKSERVER_VERIFY_FUZZ"
"""The environment variable with the path of what is known, written by the process that started this one."""


def read_known(path: Path) -> Known:
    """What the verifier wrote for its fuzzer."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return Known(
        merchant=content["merchant"],
        digits=content["digits"],
        profile=content["profile"],
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
        if meta is None or meta.generation.mode.value != "positive":
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
            case.body = {**case.body, "amount": 5 + len(self._made) % 90, "description": "a walk"}

    def learn(self, case: Any, response: Any) -> None:
        """Takes note of what an accepted request has made."""
        if not 200 <= response.status_code < 300:
            return
        operation = case.operation.definition.raw.get("operationId")
        try:
            content = json.loads(response.content)
            if operation == "createQuickAdjustment":
                self._fresh.append(int(content["charge"]["id"]))
            elif operation == "createInvoice":
                # An invoice without named charges has taken whatever was fresh.
                if not _named(case.body):
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
        body = case.body
        for name in ("charge_ids", "charge_ids[]"):
            named = body.get(name) if isinstance(body, dict) else None
            if isinstance(named, list) and named and self._fresh:
                count = 1 if walking else min(len(named), 3)
                ids, self._fresh = self._fresh[-count:], self._fresh[:-count]
                case.body = {**body, name: ids}


def _named(body: Any) -> bool:
    return isinstance(body, dict) and bool(body.get("charge_ids") or body.get("charge_ids[]"))


def sent_by(case: Any, response: Any) -> Sent:
    """The request of a case as it went over the wire."""
    request = response.request
    body = request.body or b""
    return Sent(
        operation=case.operation.definition.raw.get("operationId", ""),
        method=request.method or "",
        url=request.url or "",
        headers={str(name): _text(value) for name, value in request.headers.items()},
        body=body.encode() if isinstance(body, str) else bytes(body),
        status=response.status_code,
    )


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
        sent = sent_by(case, response)
        return open_cause(type(failure).__name__, failure.message or "", sent, known, case.body) is None


if KNOWN_FILE in os.environ:
    install(read_known(Path(os.environ[KNOWN_FILE])))
