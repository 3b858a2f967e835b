"""A request, the call that it becomes once the contract has accepted it, and the reply, as plain values.

One of each is built for every exchange, so they are slotted but not frozen: setting a field of a frozen dataclass costs
three times as much. Nobody changes one that he didn't make.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MERCHANT_HEADER = "x-selected-client-id"
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""RFC 9110, section 7.6.1: what is said to the next neighbour alone."""


@dataclass(slots=True)
class Request:
    """What came in, before anybody has judged it.

    `path` is the path below the API's base address (`/billing/invoices`, without `/api`) as WSGI gives `PATH_INFO`:
    percent-decoded, each byte one Latin-1 character; but `%2F` and `%25` stay in a path of the control interface.
    `query_string` is as WSGI gives `QUERY_STRING`: still encoded. `headers` has lower-case names. `body` is empty where
    there is none.
    """

    method: str
    path: str
    query_string: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True)
class Call:
    """An accepted request: every value has the type that the spec gives it.

    `operation` is the operationId. `path`, `query` and `headers` (lower-case names) hold the parameters that the spec
    declares, with its defaults filled in; parameters that it doesn't know are left out and named in `warnings`, one
    printable ASCII sentence each. `body` is the decoded body, `{}` where there was none.
    """

    operation: str
    path: dict[str, Any]
    query: dict[str, Any]
    headers: dict[str, Any]
    body: Any
    warnings: tuple[str, ...] = ()

    @property
    def merchant(self) -> int | None:
        """The id in the merchant header (GEN-7), None without one."""
        return self.headers.get(MERCHANT_HEADER)


@dataclass(slots=True)
class Reply:
    """What goes out: `body` is a JSON value (None: no body), `because` the rule or `profile:KEY` that decided it."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    because: str = ""
    delay: float = 0.0
    """Seconds to wait before it goes out, with no lock held."""
