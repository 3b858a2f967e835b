"""The wire to a server's control interface: its routes by operationId, one connection, one kind of refusal."""

from __future__ import annotations

import json
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from mockserver.client.http import Answer, Connections

ROUTES: dict[str, tuple[str, str]] = {
    "getHealth": ("GET", "/health"),
    "getSpecYaml": ("GET", "/spec.yaml"),
    "getSpecJson": ("GET", "/spec.json"),
    "getControlSpec": ("GET", "/openapi.yaml"),
    "getControlSpecJson": ("GET", "/openapi.json"),
    "listChoices": ("GET", "/choices"),
    "resetWorld": ("POST", "/reset"),
    "exportWorld": ("GET", "/export"),
    "getLedger": ("GET", "/stripe/ledger"),
    "getClock": ("GET", "/clock"),
    "freezeClock": ("POST", "/clock/freeze"),
    "runClock": ("POST", "/clock/run"),
    "setClock": ("POST", "/clock/set"),
    "advanceClock": ("POST", "/clock/advance"),
    "listWorlds": ("GET", "/worlds"),
    "deleteWorld": ("DELETE", "/worlds/{world}"),
    "listSnapshots": ("GET", "/snapshots"),
    "putSnapshot": ("PUT", "/snapshots/{snapshot}"),
    "deleteSnapshot": ("DELETE", "/snapshots/{snapshot}"),
    "restoreSnapshot": ("POST", "/snapshots/{snapshot}/restore"),
    "exportSnapshot": ("GET", "/snapshots/{snapshot}/export"),
    "diffSnapshot": ("GET", "/snapshots/{snapshot}/diff"),
    "getWebhooks": ("GET", "/webhooks"),
    "putWebhooks": ("PUT", "/webhooks"),
    "deleteWebhooks": ("DELETE", "/webhooks"),
    "listDeliveries": ("GET", "/webhooks/deliveries"),
    "getDelivery": ("GET", "/webhooks/deliveries/{delivery}"),
    "redeliver": ("POST", "/webhooks/deliveries/{delivery}/redeliver"),
    "listOutcomes": ("GET", "/outcomes"),
    "putCard": ("PUT", "/merchants/{merchant}/card"),
    "getNext": ("GET", "/stripe/next"),
    "addNext": ("POST", "/stripe/next"),
    "clearNext": ("DELETE", "/stripe/next"),
    "listFaults": ("GET", "/faults"),
    "addFault": ("POST", "/faults"),
    "deleteFaults": ("DELETE", "/faults"),
    "deleteFault": ("DELETE", "/faults/{fault}"),
    "getJournal": ("GET", "/journal"),
    "clearJournal": ("DELETE", "/journal"),
    "verifyJournal": ("POST", "/journal/verify"),
    "getWorld": ("GET", "/world"),
    "listMerchants": ("GET", "/merchants"),
    "listInvoicesOfWorld": ("GET", "/invoices"),
    "getInvoice": ("GET", "/invoices/{invoice}"),
    "listChargesOfWorld": ("GET", "/charges"),
    "getExchange": ("GET", "/journal/{exchange}"),
    "streamJournal": ("GET", "/journal/stream"),
}
"""Method and path of every control operation, as `/_mock/openapi.yaml` has them."""
_CONTROL = "/_mock"
_CONTROL_TOKEN = "X-Mock-Control-Token"


class ControlRefused(Exception):
    """The server refused a control request; the message is the server's."""

    def __init__(self, message: str, *, operation: str, status: int, errors: Mapping[str, list[str]]) -> None:
        super().__init__(message)
        self.message = message
        self.operation = operation
        """The operationId of the control operation."""
        self.status = status
        self.errors = dict(errors)
        """Messages by field, for what was invalid."""


class Wire:
    """One server as one token sees it."""

    def __init__(self, http: Connections, base: str, token: str) -> None:
        try:
            token.encode("latin-1")
        except UnicodeEncodeError as error:
            wrong = token[error.start]
            raise ValueError(f"the token {token!r} has the character {wrong!r}, which no header can carry") from None
        self.http = http
        self.base = base
        self.token = token

    @classmethod
    def open(cls, url: str, token: str, *, control_token: str | None, timeout: float) -> Wire:
        """A new connection; `url` is the server's address, that of its API or that of its control interface."""
        headers = {_CONTROL_TOKEN: control_token} if control_token else {}
        base = url.rstrip("/").removesuffix("/api").removesuffix(_CONTROL)
        http = Connections(base, headers=headers, timeout=timeout)
        # Hardly anybody closes what lives as long as the tests, and Python warns of sockets left open.
        weakref.finalize(http, Connections.close_all, http.idle)
        return cls(http, base, token)

    def as_token(self, token: str) -> Wire:
        """The same connection for another token."""
        return Wire(self.http, self.base, token)

    def call(self, operation: str, *, body: Any = None, query: Mapping[str, Any] | None = None, **path: Any) -> Any:
        """What the server answers: a JSON value, or a text.

        `body` and `query` leave out what is None. Raises `ControlRefused`, and ConnectionError when nobody answers.
        """
        method, address = _address(operation, query, path)
        try:
            answer = self.http.request(method, address, token=self.token, body=body)
        except ConnectionError as error:
            raise self._gone(error) from error
        if answer.is_success:
            return answer.value()
        raise _refusal(operation, f"{self.base}{address}", answer)

    def events(self, operation: str, *, query: Mapping[str, Any] | None = None) -> Iterator[tuple[str, Any]]:
        """The server-sent events of an operation, each by its name and its data, until the server ends them.

        Raises what `call` raises.
        """
        method, address = _address(operation, query, {})
        try:
            with self.http.streaming(method, address, token=self.token) as (answer, lines):
                if not answer.is_success:
                    raise _refusal(operation, f"{self.base}{address}", replace(answer, data=b"".join(lines)))
                name = ""
                for line in lines:
                    field, _, value = line.decode().rstrip("\n").partition(": ")
                    if field == "event":
                        name = value
                    elif field == "data":
                        yield name, json.loads(value)
        except ConnectionError as error:
            raise self._gone(error) from error

    def _gone(self, error: ConnectionError) -> ConnectionError:
        return ConnectionError(f"no mock server answers at {self.base}: {error}")


def _address(operation: str, query: Mapping[str, Any] | None, path: Mapping[str, Any]) -> tuple[str, str]:
    """The method of an operation, and its path with the query."""
    method, template = ROUTES[operation]
    address = _CONTROL + template.format(**{name: quote(str(value), safe="") for name, value in path.items()})
    chosen = given(**(query or {}))
    return method, f"{address}?{urlencode(chosen, quote_via=quote)}" if chosen else address


def _refusal(operation: str, address: str, answer: Answer) -> ControlRefused:
    try:
        told = answer.value()
        message, errors = str(told["message"]), told.get("errors", {})
    except (ValueError, KeyError, TypeError):
        message, errors = f"{address} answered {answer.status}: {answer.data[:200]!r}", {}
    return ControlRefused(message, operation=operation, status=answer.status, errors=errors)


def given(**values: Any) -> dict[str, Any]:
    """What was given of these, without what is None."""
    return {name: value for name, value in values.items() if value is not None}
