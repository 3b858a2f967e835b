"""The wire to a server's control interface: its routes by operationId, one connection, one kind of refusal."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

ROUTES: dict[str, tuple[str, str]] = {
    "getHealth": ("GET", "/health"),
    "getSpecYaml": ("GET", "/spec.yaml"),
    "getSpecJson": ("GET", "/spec.json"),
    "getControlSpec": ("GET", "/openapi.yaml"),
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
        method, template = ROUTES[operation]
        address = (
            self.base + _CONTROL + template.format(**{name: quote(str(value), safe="") for name, value in path.items()})
        )
        try:
            answer = self.http.request(
                method,
                address,
                params={name: value for name, value in (query or {}).items() if value is not None},
                json=body,
                headers={"Authorization": f"Bearer {self.token}"},
            )
        except httpx.TransportError as error:
            raise ConnectionError(f"no mock server answers at {self.base}: {error}") from error
        if answer.is_success:
            return answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.text
        raise _refusal(operation, answer)


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
