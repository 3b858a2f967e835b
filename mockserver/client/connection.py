"""The wire to a server's control interface: its routes by operationId, one connection, one kind of refusal."""

from __future__ import annotations

import json
import weakref
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import quote

import httpx

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

    def __init__(self, http: httpx.Client, base: str, token: str) -> None:
        self.http = http
        self.base = base
        self.token = token

    @classmethod
    def open(cls, url: str, token: str, *, control_token: str | None, timeout: float) -> Wire:
        """A new connection; `url` is the server's address, that of its API or that of its control interface."""
        headers = {_CONTROL_TOKEN: control_token} if control_token else {}
        # A proxy of the environment has no business between a test and its own server.
        # Reading the certificates of this machine takes longer than all else here, and plain http needs none.
        transport = httpx.HTTPTransport(verify=url.startswith("https:"), trust_env=False)
        http = httpx.Client(transport=transport, headers=headers, timeout=timeout, trust_env=False)
        # Hardly anybody closes what lives as long as the tests, and Python warns of sockets left open.
        weakref.finalize(http, transport.close)
        return cls(http, url.rstrip("/").removesuffix("/api").removesuffix(_CONTROL), token)

    def as_token(self, token: str) -> Wire:
        """The same connection for another token."""
        return Wire(self.http, self.base, token)

    def call(self, operation: str, *, body: Any = None, query: Mapping[str, Any] | None = None, **path: Any) -> Any:
        """What the server answers: a JSON value, or a text.

        `body` and `query` leave out what is None. Raises `ControlRefused`, and ConnectionError when nobody answers.
        """
        try:
            answer = self.http.send(self._request(operation, body, query, path))
        except httpx.TransportError as error:
            raise self._gone(error) from error
        if answer.is_success:
            return answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.text
        raise _refusal(operation, answer)

    def events(self, operation: str, *, query: Mapping[str, Any] | None = None) -> Iterator[tuple[str, Any]]:
        """The server-sent events of an operation, each by its name and its data, until the server ends them.

        Raises what `call` raises.
        """
        try:
            answer = self.http.send(self._request(operation, None, query, {}), stream=True)
            with closing(answer):
                if not answer.is_success:
                    answer.read()
                    raise _refusal(operation, answer)
                name = ""
                for line in answer.iter_lines():
                    field, _, value = line.partition(": ")
                    if field == "event":
                        name = value
                    elif field == "data":
                        yield name, json.loads(value)
        except httpx.TransportError as error:
            raise self._gone(error) from error

    def _request(
        self, operation: str, body: Any, query: Mapping[str, Any] | None, path: Mapping[str, Any]
    ) -> httpx.Request:
        method, template = ROUTES[operation]
        below = template.format(**{name: quote(str(value), safe="") for name, value in path.items()})
        return self.http.build_request(
            method,
            self.base + _CONTROL + below,
            params={name: value for name, value in (query or {}).items() if value is not None},
            json=body,
            headers={"Authorization": f"Bearer {self.token}"},
        )

    def _gone(self, error: httpx.TransportError) -> ConnectionError:
        return ConnectionError(f"no mock server answers at {self.base}: {error}")


def _refusal(operation: str, answer: httpx.Response) -> ControlRefused:
    try:
        told = answer.json()
        message, errors = str(told["message"]), told.get("errors", {})
    except (ValueError, KeyError, TypeError):
        message, errors = f"{answer.url} answered {answer.status_code}: {answer.text[:200]!r}", {}
    return ControlRefused(message, operation=operation, status=answer.status_code, errors=errors)


def given(**values: Any) -> dict[str, Any]:
    """What was given of these, without what is None."""
    return {name: value for name, value in values.items() if value is not None}
